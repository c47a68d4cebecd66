"""What Model quality can be set to: the token that is looked at, what the model is judged by, and how that is compared."""

from pathlib import Path

import streamlit as st

from compress.tasks.glue import GLUE
from pages.parts.controls import KEPT, Choice, Setting, Whole, Words
from pages.parts.settings import Screen

NAMES = {"cosine": "Sentence vectors", "neighbours": "Neighbours@10", "perplexity": "Perplexity", "stsb": "STS-B", "squad": "SQuAD"}
NAMES |= {task.name: task.folder for task in GLUE.values() if task.name != "stsb"}
LIMITS = (100, 200, 500, 1000, 2000, 4000)


def task_name(task: str) -> str:
    """A task as a person reads it; of a labelled file its name."""
    return NAMES.get(task, Path(task).name)


class Tasks(Setting):
    """Some of the tasks, each by its name in NAMES. Which can be tried the model and the folder of labels say."""

    def read(self, texts):
        tasks = [task for task, name in NAMES.items() if name in texts]
        return tasks if tasks or texts == [""] else None

    def written(self, held):
        return [task_name(task) for task in held] or [""]

    def draw(self, offered: list[str]) -> list[str]:
        return st.multiselect(
            "Tasks",
            offered,
            default=offered[:2],
            format_func=task_name,
            key=self.key,
            width=560,
            help="Without labels: sentence vectors, neighbours, perplexity of a language model. With labels: GLUE and SQuAD, from "
            "a folder, or a file of yours.",
            **KEPT,
        )


class ModelQuality(Screen):
    title, page = "Model quality", "pages/model_quality.py"

    token = Words("quality_token")
    tasks = Tasks("judge_tasks")
    seeds = Choice("judge_seeds", (1, 2, 3, 4, 5), 3)
    limit = Choice("judge_limit", LIMITS, 500)
    axis = Choice("compare_x", {"Ratio": "ratio", "Numbers saved": "saved"}, "ratio")
    head = Choice("compare_head", {"Head from before": "after", "New head": "refitted"}, "after")
    heal_steps = Whole("heal_steps", 20, 1000, 300)
    tune_epochs = Whole("tune_epochs", 1, 5, 2)
    tune_limit = Choice("tune_limit", LIMITS, 500)


MODEL_QUALITY = ModelQuality()
