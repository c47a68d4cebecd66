"""Healing of a setting: the job, what it gave, and what to do with it."""

import json
from pathlib import Path

import streamlit as st

import compress
from compress import EmbeddingMatrix, Evaluation
from compress.charts import quality as quality_charts
from compress.charts.figure import METHOD_COLOURS, MUTED
from compress.form.metrics import error_text
from compress.models.facts import ModelFacts
from compress.training.healing import lack_of, state_of
from pages.parts.cached import cached
from pages.parts.dial.answers import Figure
from pages.parts.dial.figures import figures
from pages.parts.dial.worst import worst_rows
from pages.parts.export.file import file_name
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.model_quality.controls import Asked
from pages.parts.model_quality.records import healed_path
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.model_quality.tasks import start as judge
from pages.parts.model_quality.text import DOCUMENTATION, text_choice
from pages.parts.quick_fits import Fitted
from pages.parts.say import literal, sentence
from pages.parts.work import jobs
from pages.parts.work.watch import watch

BUILT_IN = f"{DOCUMENTATION}, and words drawn from the vocabulary or texts that a language model writes"
NAMES = {"before": "Distance before", "refitted": "Refitted", "healed": "Healed"}


@st.fragment
def healing_panel(matrix: EmbeddingMatrix, fit: Fitted, file: Path, asked: Asked, facts: ModelFacts) -> None:
    st.markdown(
        "Healing trains the compressed table until the model's outputs come near the original's. It needs texts and no labels. The "
        "bytes stay the same. The relative error may rise while the model loses less. What is nearest on texts of other kinds is "
        "taken, the fit itself where nothing is nearer."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=300):
            text = text_choice("heal", BUILT_IN)
        with st.container(width=300):
            steps = MODEL_QUALITY.heal_steps.draw("Steps", help="Batches of 32 texts. More heal more, and take longer.")
    if text is None:
        st.caption("Give a file of texts, a line each.")
        return
    if lack := lack_of(facts, text.path):
        st.caption(sentence(lack))
        return
    if asked.text and text.path and asked.text.key == text.key:
        st.caption("The tasks above are judged on this same text, where a healed form looks better than it is.")
    path = healed_path(file, text.key, steps)
    job = jobs.jobs().get("heal")
    history = history_of(path)
    left, running = steps_left(history), jobs.running("heal")
    begun = history is None and state_of(path).exists()
    with st.container(horizontal=True, vertical_alignment="center"):
        if left and not running:
            st.caption(f"Healing stopped. Kept: the best of {steps - left:,} of {steps:,} steps, shown here.")
        elif begun and not running:
            st.caption("Healing stopped before it was done. What it had come to is kept.")
        elif history is None and job is not None and job.key == path.stem and job.stopped:
            st.caption("Healing stopped. It had finished nothing, so nothing is kept, and it begins anew.")
        if (history is None or left) and st.button(
            "Go on" if left or begun else "Heal",
            icon=":material/play_arrow:" if left or begun else ":material/healing:",
            key="heal",
            disabled=running,
            help="Minutes, beside the app.",
        ):
            start(matrix, file, path, text.path, steps)
            st.rerun()
    if job is not None and (job.running or (job.key == path.stem and job.error)):
        watch("heal", "Healing", ending="Stopping; the best so far is kept")
    if history is not None:
        healed(matrix, fit, path, asked, history)


def start(matrix: EmbeddingMatrix, file: Path, path: Path, text: str | None, steps: int) -> None:
    jobs.run("heal", matrix, key=path.stem, file=file, out=path, history=path.with_suffix(".json"), text=text, steps=steps)


def history_of(path: Path) -> dict | None:
    """How a healed form that is kept was made; None where none is kept, empty where it cannot be read."""
    story = path.with_suffix(".json")
    if not (path.exists() and story.exists()):
        return None
    try:
        history = json.loads(story.read_text())
    except (OSError, ValueError):
        return {}
    return history if isinstance(history, dict) else {}


def steps_left(history: dict | None) -> int:
    """Steps that a healing which was stopped has still to go."""
    if not history or "steps" not in history or history.get("finished"):
        return 0
    return history["steps"] - len(history["losses"])


def healed(matrix: EmbeddingMatrix, fit: Fitted, path: Path, asked: Asked, history: dict) -> None:
    """The distances, the training and the errors of a healed form; judging and downloading it."""
    try:
        distance, found = history["distance"], evaluation_of(matrix, str(path), path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError):
        path.unlink(missing_ok=True)
        st.caption("The healed file that was kept here is not whole. Heal again.")
        return
    cards = []
    for name, label in NAMES.items():
        if distance.get(name) is not None:
            change = f"{distance[name] / distance['before'] - 1:+.0%}" if name != "before" and distance["before"] > 0 else None
            about = f"{history['measure']}, on texts of other kinds than what was learnt from"
            cards.append(Figure(label, f"{distance[name]:.3g}", change, "inverse", help=about))
    rise = found.relative_error / fit.evaluation.relative_error - 1 if fit.evaluation.relative_error else 0.0
    about = f"{error_text(fit.evaluation.relative_error)} as fitted. It may rise, where that hardly changes the outputs."
    cards.append(Figure("Relative error", error_text(found.relative_error), f"{rise:+.0%}", "off", help=about))
    figures(cards, "healed_cards", beside=lambda: worst_rows(matrix, found, "healed_worst"))
    learnt = f"{literal(history['measure'])}; learnt from {history['texts']:,} texts in {history['seconds']:.0f} s."
    st.caption(f"{learnt} Taken: {history['chosen']}." if "chosen" in history else learnt)
    if history.get("taken") == "before":
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Judge the healed one",
            icon=":material/play_arrow:",
            key="judge_healed",
            disabled=not asked.ready or jobs.running("judge"),
            help="With the tasks chosen above.",
        ):
            judge(matrix, path, asked)
            st.rerun()
        st.download_button(
            "Download the healed one",
            path.read_bytes,
            file_name(matrix, fit.result).replace(".safe", "-healed.safe"),
            "application/octet-stream",
            icon=":material/download:",
            key="download_healed",
            on_click="ignore",
        )
    if history["losses"]:
        live_chart(
            quality_charts.losses(history["losses"], METHOD_COLOURS.get(fit.result.method.name, MUTED), history["measure"]),
            key="healing",
            alt=f"Loss over {len(history['losses'])} steps, at last {history['losses'][-1][1]:.4g}",
        )


@cached(4)
def evaluation_of(matrix: EmbeddingMatrix, path: str, written: int) -> Evaluation:
    return compress.evaluate(matrix, compress.load(path))
