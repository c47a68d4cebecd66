"""What a model is to be judged by: tasks, text, labels, seeds, how many examples."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st

from compress import InputError
from compress.models.facts import ModelFacts
from compress.tasks import LABELLED, UNLABELLED, unmet, usual_tasks
from compress.tasks.glue import GLUE, plain, task_folder
from compress.tasks.uploads import SHAPE, read_upload
from pages.parts.controls import STAYING
from pages.parts.matrix import named_path
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.model_quality.text import Text, text_choice
from pages.parts.paths import may_name
from pages.parts.say import literal, refused, sentence
from pages.parts.uploads import kept_upload

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


def asked_tasks(facts: ModelFacts | None) -> Asked:
    """The controls of a judge: the tasks that the model can be judged by, and why not by others. facts: what the model's files say
    of it, None for a matrix without one."""
    data = label_folder() if facts else None
    every = [*UNLABELLED, *labelled_tasks(data)] if facts else ["neighbours", "search"]
    row = st.container(horizontal=True, vertical_alignment="bottom")
    by_text = facts is not None and facts.tokenizer is False  # which tasks there are, only the text says
    text = text_choice("judge") if by_text else Text()
    lacking = unmet(every, facts, text.path if text else None)
    offered = [name for name in every if name not in lacking]
    with row:
        tasks = MODEL_QUALITY.tasks.draw(offered, usual_tasks(facts, offered))
        about = "How many heads a labelled task fits; their spread is shown."
        seeds = MODEL_QUALITY.seeds.slide("Seeds", width=140, help=about)
        about = "So many texts, training and test examples: fewer are sooner done."
        limit = MODEL_QUALITY.limit.slide("At most", width=200, help=about)
    if NEEDS_TEXT & {*tasks} and not by_text:
        text = text_choice("judge")
    if lacking:
        st.caption(f"Not with this model: {sentence(' '.join(lacking.values()))}")
    return Asked((*tasks, *own_labels(facts)), text, data, seeds, limit)


def label_folder() -> str | None:
    """The folder of labelled tasks on this machine, where one may name paths on it."""
    if not may_name():
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
    folder = named_path(path)
    if folder is None or Path(folder).is_dir():
        return folder
    refused(f"There is no folder {folder}; give the folder that the tasks' folders lie in.")
    return None


def labelled_tasks(data: str | None) -> list[str]:
    """The tasks with labels that the folder holds, or all where the hub can be asked."""
    return tasks_in(data) if data else [*LABELLED] if find_spec("datasets") else []


def tasks_in(data: str) -> list[str]:
    found = [name for name, task in GLUE.items() if has_folder(task, data)]
    return [*found, "squad"] if any("squad" in plain(each.name) for each in Path(data).iterdir()) else found


def has_folder(task, data: str) -> bool:
    try:
        return task_folder(task, Path(data)).is_dir()
    except (InputError, OSError):
        return False


def own_labels(facts: ModelFacts | None) -> list[str]:
    """A labelled file of the person's, read once to say what is wrong with it; none where the model cannot read texts."""
    if facts is None or facts.tokenizer is False:
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
