"""Tasks judged with a setting: the job, and what it gave."""

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from compress import EmbeddingMatrix, cache
from compress.charts import quality as quality_charts
from compress.charts.figure import METHOD_COLOURS, MUTED
from compress.tasks import TASKS, label_of
from pages.parts.cached import cached
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.model_quality.controls import Asked
from pages.parts.model_quality.records import HEALED, report_path
from pages.parts.work import jobs
from pages.parts.work.watch import watch

SAME = ["limit", "seeds", "n"]
BETTER = {"more": "more is better", "less": "less is better"}


def start(matrix: EmbeddingMatrix, file: Path, asked: Asked) -> None:
    """Starts the job that judges a file; one of other tasks or another file is stopped."""
    report = report_path(file, asked.key)
    jobs.run("judge", matrix, key=report.stem, file=file, **asked.options, report=report, out=cache.folder("judged"))


def run_button(matrix: EmbeddingMatrix, file: Path, asked: Asked) -> None:
    """The button that starts the job, how far it is, and what went wrong."""
    job = jobs.jobs().get("judge")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Run the tasks",
            icon=":material/play_arrow:",
            key="judge",
            type="primary",
            disabled=not asked.ready or jobs.running("judge"),
            help="Opens the model in a process of its own. Finished tasks are kept on disk.",
        ):
            start(matrix, file, asked)
            st.rerun()
        if not asked.tasks:
            st.caption("Choose at least one task.")
    if job is None or not (job.running or job.key.startswith(file.stem)):
        return
    watch("judge", "Tasks")


def scores_panel(table: pd.DataFrame, file: Path, method: str) -> None:
    """The scores of a setting, and of its healed forms, as a chart and as a table."""
    mine = scores_of(table, file)
    if mine.empty:
        st.caption("Not judged yet. Scores before and after stand here once a task is done.")
        return
    lines = lines_of(mine)
    live_chart(
        chart_of(lines, METHOD_COLOURS.get(method, MUTED)),
        key="scores",
        alt="; ".join(f"{line.figure} {line.which} {line.value:.4g}" for line in lines.itertuples()),
    )
    st.caption(
        "Each figure has an axis of its own; the dotted line is the score before. *after* keeps the head that was fitted before "
        "compression, *new head* fits one after it; filled signs are healed. Bars are one standard deviation over seeds."
    )
    with st.expander("As a table"):
        score_table(mine)


@cached(16)
def chart_of(lines: pd.DataFrame, colour: str) -> go.Figure:
    return quality_charts.scores(lines, colour)


def scores_of(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """The rows of a file and of its healed forms."""
    if table.empty:
        return table
    name = file.stem
    mine = table[(table["file"] == name) | table["file"].str.startswith(name + HEALED)]
    return mine.sort_values("task", key=lambda tasks: tasks.map({name: at for at, name in enumerate(TASKS)}), kind="stable")


def lines_of(mine: pd.DataFrame) -> pd.DataFrame:
    """A line a score: before, after, after with a new head, the same healed; on the examples that it was last judged on."""
    lines = []
    for (task, metric, text), rows in mine.groupby(["task", "metric", "text"], sort=False):
        first = rows.iloc[-1]
        rows = rows[(rows[SAME] == first[SAME]).all(axis=1)]
        figure = figure_name(task, metric, text), f"n = {first['n']:,}; {BETTER[first['better']]}"
        lines.append((*figure, "before", first["before"], first["before_spread"]))
        for row in rows.sort_values("healed", kind="stable").drop_duplicates("healed", keep="last").itertuples():
            word = "healed" if row.healed else "after"
            lines.append((*figure, word, row.after, row.after_spread))
            if row.refitted is not None and row.refitted == row.refitted:
                lines.append((*figure, f"{word}, new head", row.refitted, row.refitted_spread))
    return pd.DataFrame(lines, columns=["figure", "about", "which", "value", "spread"])


def figure_name(task: str, metric: str, text: str) -> str:
    own = f", {text}" if task in ("cosine", "perplexity") and text != "built-in" else ""
    return f"{label_of(task)}: {metric}{own}"


def score_table(mine: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "task": [label_of(task) for task in mine["task"]],
            "figure": mine["metric"].to_numpy(),
            "form": ["healed" if healed else "as fitted" for healed in mine["healed"]],
            **{name: mine[name].astype(float).to_numpy() for name in ("before", "after", "refitted")},
            "± after": mine["after_spread"].to_numpy(),
            "n": mine["n"].to_numpy(),
            "seeds": mine["seeds"].to_numpy(),
            "text": mine["text"].to_numpy(),
            "seconds": mine["seconds"].to_numpy(),
        }
    ).rename(columns={"refitted": "new head"})
    figures = {name: st.column_config.NumberColumn(format="%.4f") for name in ("before", "after", "new head", "± after")}
    st.dataframe(shown, key="score_table", hide_index=True, column_config=figures)
