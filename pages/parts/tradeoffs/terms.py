"""What the model may lose, as a person sets it on Trade-offs: a figure of a task, and how far it may go."""

from dataclasses import dataclass

import streamlit as st

from compress.models.facts import ModelFacts
from compress.tasks import LABELLED, label_of, unmet
from pages.parts.controls import STAYING
from pages.parts.model_quality.controls import label_folder, labelled_tasks
from pages.parts.model_quality.text import Text, text_choice
from pages.parts.say import sentence


@dataclass(frozen=True)
class Bound:
    """A figure's bound: the task, its name, the words before the number, the number at first, the most, and how it is written."""

    task: str
    label: str
    words: str
    usual: float
    most: float
    form: str


BOUNDS = {
    "kl": Bound("perplexity", "KL", "At most … nats", 0.02, 10.0, "kl <= {:g}"),
    "perplexity": Bound("perplexity", "Perplexity", "At most … % more", 1.0, 1000.0, "perplexity <= +{:g}%"),
    "agreement": Bound("perplexity", "Top-1 agreement", "At least …", 0.97, 1.0, "agreement >= {:g}"),
    "cosine": Bound("cosine", label_of("cosine"), "Mean cosine at least …", 0.99, 1.0, "cosine >= {:g}"),
    "recall@10": Bound("search", "Recall@10", "At least …", 0.95, 1.0, "recall@10 >= {:g}"),
    **{name: Bound(name, label_of(name), "At most … points less", 0.5, 100.0, f"{name} >= -{{:g}} points") for name in LABELLED},
}


@dataclass(frozen=True)
class About:
    """What the model is asked about: a text, None while it is still to be given, and the folder of tasks with labels."""

    text: Text | None
    data: str | None

    @property
    def path(self) -> str | None:
        """The file of the text, None for the built-in one."""
        return self.text.path if self.text else None


def about_choice() -> About:
    """What the model is asked about, where it is asked."""
    with st.popover("Ask about", icon=":material/article:"):
        return About(text_choice("advise"), label_folder())


def bound_choice(facts: ModelFacts | None, about: About) -> str:
    """The bound as --until takes it, of a figure that the model, or the matrix alone, can be asked for."""
    lacking = unmet({each.task for each in BOUNDS.values()}, facts, about.path)
    there = {*labelled_tasks(about.data)} if facts else set()
    offered = [name for name, each in BOUNDS.items() if each.task not in lacking and (name in there or name not in LABELLED)]
    chosen = offered[0]
    if len(offered) > 1:
        key = f"advice_figure {' '.join(offered)}"
        chosen = st.selectbox("Figure", offered, format_func=lambda name: BOUNDS[name].label, key=key, width=180, **STAYING)
    bound = BOUNDS[chosen]
    value = st.number_input(
        bound.words if len(offered) > 1 else f"{bound.label} at least …",
        min(1e-6, bound.usual),
        bound.most,
        bound.usual,
        bound.usual / 10,
        "%.4g",
        key=f"advice_{chosen}",
        width=210,
        **STAYING,
    )
    return bound.form.format(value)


def lack_words(facts: ModelFacts | None, about: About) -> None:
    """Why the model cannot be asked for its own task, where it cannot."""
    if facts and facts.causal and (lack := unmet(["perplexity"], facts, about.path)):
        st.caption(sentence(lack["perplexity"]))
