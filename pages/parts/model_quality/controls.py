"""What a model is to be judged by: tasks, text, labels, seeds, how many examples."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st

from compress import InputError
from compress.models.open import PERMUTED, model_path
from compress.sources import HUB
from compress.tasks import LABELLED
from compress.tasks.glue import GLUE, plain, task_folder
from compress.tasks.uploads import SHAPE, read_upload
from pages.parts.controls import STAYING
from pages.parts.matrix import is_local, kept_upload
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.model_quality.text import Text, text_choice
from pages.parts.say import literal, refused

NEEDS_TEXT = {"cosine", "perplexity"}


@dataclass(frozen=True)
class Asked:
    """tasks: by name, or the path of a labelled file. text: None while it is still to be given."""

    tasks: tuple[str, ...]
    text: Text | None
    data: str | None
    seeds: int
    limit: int

    @property
    def ready(self) -> bool:
        return bool(self.tasks) and (self.text is not None or not NEEDS_TEXT & {*self.tasks})

    @property
    def key(self) -> str:
        text = self.text.key if self.text else None
        return json.dumps([self.tasks, text, self.data, self.seeds, self.limit])

    @property
    def options(self) -> dict[str, Any]:
        """As `python -m compress judge` takes them."""
        text = self.text.path if self.text else None
        return {"tasks": self.tasks, "text": text, "data": self.data, "seeds": self.seeds, "limit": self.limit}


def asked_tasks(source: str, has_model: bool) -> Asked:
    """The controls of a judge."""
    data = label_folder() if has_model else None
    offered = offered_tasks(source, data) if has_model else ["neighbours"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tasks = MODEL_QUALITY.tasks.draw(offered)
        about = "How many heads a labelled task fits; their spread is shown."
        seeds = MODEL_QUALITY.seeds.slide("Seeds", width=140, help=about)
        about = "So many texts, training and test examples: fewer are sooner done."
        limit = MODEL_QUALITY.limit.slide("At most", width=200, help=about)
    text = text_choice("judge") if NEEDS_TEXT & {*tasks} else Text()
    return Asked((*tasks, *own_labels(has_model)), text, data, seeds, limit)


def label_folder() -> str | None:
    """The folder of labelled tasks on this machine, where one may name paths on it."""
    if not is_local():
        return None
    path = st.text_input(
        "Folder of labelled tasks",
        key="judge_data",
        placeholder="/data/glue",
        width=420,
        **STAYING,
        help="The folder that holds SST-2, CoLA, STS-B … as GLUE gives them, or SQuAD's; where there is none, labels come by "
        "datasets from the hub if that is installed.",
    ).strip()
    if not path:
        return None
    folder = Path(path).expanduser().absolute()
    if not folder.is_dir():
        refused(f"There is no folder {folder}; give the folder that the tasks' folders lie in.")
        return None
    return str(folder)


def offered_tasks(source: str, data: str | None) -> list[str]:
    """The tasks that can be tried: those with labels that the folder holds, or all where the hub can be asked."""
    labelled = tasks_in(data) if data else [*LABELLED] if find_spec("datasets") else []
    return ["cosine", "neighbours", *(["perplexity"] if may_predict(source) else []), *labelled]


def tasks_in(data: str) -> list[str]:
    found = [name for name, task in GLUE.items() if has_folder(task, data)]
    return [*found, "squad"] if any("squad" in plain(each.name) for each in Path(data).iterdir()) else found


def has_folder(task, data: str) -> bool:
    try:
        return task_folder(task, Path(data)).is_dir()
    except (InputError, OSError):
        return False


def may_predict(source: str) -> bool:
    """Whether the model may be one that predicts the next token, by its config; what is not here may be."""
    if str(source).startswith(HUB):
        return True
    try:
        config = json.loads((Path(model_path(source)[0]) / "config.json").read_text())
        heads = config.get("architectures") or []
        return config.get("model_type") not in PERMUTED and any(str(each).endswith(("CausalLM", "LMHeadModel")) for each in heads)
    except (InputError, OSError, ValueError, AttributeError, TypeError):
        return False


def own_labels(has_model: bool) -> list[str]:
    """A labelled file of the person's, read once to say what is wrong with it."""
    if not has_model:
        return []
    with st.expander("Labels of your own", on_change="rerun") as opened:
        if opened.open or st.session_state.get("own_labels"):
            held = st.file_uploader("Labelled file", type=["csv", "tsv"], key="own_labels", help=f"Columns: {SHAPE}.")
            if held:
                path = kept_upload(held, "labels")
                try:
                    part, scored = read_upload(path)
                except InputError as error:
                    refused(error)
                    return []
                kind = "scores" if scored else f"labels of {len(set(part.labels)):,} classes"
                st.caption(f"{literal(held.name)}: {part.n:,} examples with {kind}; judged beside the tasks above.")
                return [path]
    return []
