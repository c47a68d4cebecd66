"""Fine-tuning with a setting on a labelled task, as the papers do: the job, and what it gave."""

import json
from hashlib import blake2b
from pathlib import Path

import pandas as pd
import streamlit as st

from compress import EmbeddingMatrix, cache
from compress.charts import quality as quality_charts
from compress.charts.figure import METHOD_COLOURS, MUTED
from compress.models.facts import ModelFacts
from compress.tasks import label_of
from compress.tasks.uploads import ENDINGS
from compress.training.finetuning_task import lack_of
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.model_quality.controls import Asked, tasks_in
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.model_quality.tasks import chart_of
from pages.parts.say import sentence
from pages.parts.work import jobs
from pages.parts.work.watch import watch

STAGES = {"before": "before", "after": "compressed", "tuned": "fine-tuned again"}


def finetune_panel(matrix: EmbeddingMatrix, file: Path, asked: Asked, facts: ModelFacts, method: str) -> None:
    """Folded, and its body only run when open or at work."""
    job = jobs.jobs().get("finetune")
    with st.expander("Fine-tuning on a labelled task", on_change="rerun", expanded=job is not None) as opened:
        if not opened.open:
            return
        st.markdown(
            "All of the model is fine-tuned on a task, this setting takes its table's place, and all is fine-tuned again, as the "
            "papers do. It takes far longer than healing, and changes the whole model."
        )
        if lack := lack_of(facts):
            st.caption(sentence(lack))
            return
        own = [task for task in asked.tasks if task.lower().endswith(ENDINGS)]
        offered = [*own, *(name for name in (tasks_in(asked.data) if asked.data else []) if name != "squad")]
        if not offered:
            st.caption("Give a folder of labelled tasks, or labels of your own, under Tasks.")
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            task = st.selectbox("Task", offered, format_func=label_of, key="tune_task", width=240)
            with st.container(width=200):
                epochs = MODEL_QUALITY.tune_epochs.draw("Epochs")
            limit = MODEL_QUALITY.tune_limit.slide("Examples at most", width=240)
        path = report_path(file, json.dumps([task, None if task in own else asked.data, epochs, limit]))
        running = jobs.running("finetune")
        if not path.exists() and st.button("Fine-tune", icon=":material/model_training:", key="tune", disabled=running):
            given = {"csv": task} if task in own else {"task": task, "data": asked.data}
            jobs.run("finetune", matrix, key=path.stem, file=file, **given, epochs=epochs, limit=limit, report=path)
            st.rerun()
        if running or (job is not None and job.key == path.stem):
            watch("finetune", "Fine-tuning")
        if path.exists():
            shown(path, method)


def report_path(file: Path, asked: str) -> Path:
    return cache.folder("finetuned") / f"{file.stem}.{blake2b(asked.encode(), digest_size=8).hexdigest()}.json"


def shown(path: Path, method: str) -> None:
    try:
        report = json.loads(path.read_text())
        lines = pd.DataFrame(
            [
                (f"{label_of(row['task'])}: {row['metric']}", f"n = {row['n']:,}", word, row[stage], row[f"{stage}_spread"])
                for row in report["scores"]
                for stage, word in STAGES.items()
            ],
            columns=["figure", "about", "which", "value", "spread"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        path.unlink(missing_ok=True)
        st.caption("What was kept here is not whole. Fine-tune again.")
        return
    colour = METHOD_COLOURS.get(method, MUTED)
    live_chart(
        chart_of(lines, colour),
        key="tuned",
        alt="; ".join(f"{line.figure} {line.which} {line.value:.4g}" for line in lines.itertuples()),
    )
    if report["losses"]:
        live_chart(
            quality_charts.losses(report["losses"], colour, "loss with the compressed table"),
            key="tuning",
            alt=f"Loss of the last fine-tuning over {len(report['losses'])} steps, at last {report['losses'][-1][1]:.3g}",
        )
    first = report["scores"][0]
    st.caption(f"Trained on {first['n_train']:,} examples in {first['seconds']:.0f} s.")
