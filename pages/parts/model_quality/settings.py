"""What Model quality can be set to: the token that is looked at, what is searched for, what the model is judged by, and how that is
compared."""

import streamlit as st

from compress.tasks import TASKS, label_of
from pages.parts.controls import KEPT, Choice, Setting, Whole, Words
from pages.parts.settings import Screen

LIMITS = (100, 200, 500, 1000, 2000, 4000)


class Tasks(Setting):
    """Some of the tasks, each by its label. Which can be tried the model and the folder of labels say."""

    def read(self, texts):
        tasks = [task for task in TASKS if label_of(task) in texts]
        return tasks if tasks or texts == [""] else None

    def written(self, held):
        return [label_of(task) for task in held] or [""]

    def draw(self, offered: list[str], usual: list[str]) -> list[str]:
        """usual: what is chosen at first, and again for another model while nobody chose."""
        held, before = st.session_state.get(self.key), st.session_state.get(self.first)
        if held is not None and held != usual and (held == before or not {*held} <= {*offered}):
            st.session_state[self.key] = usual if held == before else [task for task in held if task in offered] or usual
        st.session_state[self.first] = usual
        return st.multiselect(
            "Tasks",
            offered,
            default=usual,
            format_func=label_of,
            key=self.key,
            width=560,
            help="Without labels: sentence vectors, neighbours, search, perplexity and KL of a language model. With labels: GLUE, "
            "SQuAD, from a folder, or a file of yours.",
            **KEPT,
        )


class ModelQuality(Screen):
    title, page = "Model quality", "pages/model_quality.py"

    token = Words("quality_token")
    queries = Choice("search_queries", {"Rows held out": "rows", "File": "file", "Text": "text"}, "rows")
    similarity = Choice("search_similarity", {"Cosine": "cosine", "Inner product": "ip", "ℓ2": "l2"}, "cosine")
    text = Words("search_text")
    tasks = Tasks("judge_tasks")
    seeds = Choice("judge_seeds", (1, 2, 3, 4, 5), 3)
    limit = Choice("judge_limit", LIMITS, 500)
    axis = Choice("compare_x", {"Ratio": "ratio", "Numbers saved": "saved"}, "ratio")
    head = Choice("compare_head", {"Head from before": "after", "New head": "refitted"}, "after")
    heal_steps = Whole("heal_steps", 20, 1000, 300)
    tune_epochs = Whole("tune_epochs", 1, 5, 2)
    tune_limit = Choice("tune_limit", LIMITS, 500)


MODEL_QUALITY = ModelQuality()
