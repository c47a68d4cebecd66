"""Every judged setting of a matrix on one chart: the drop against compression."""

import pandas as pd
import streamlit as st

from compress import EmbeddingMatrix, cache
from compress.charts import quality as quality_charts
from compress.models.facts import ModelFacts
from compress.tasks import label_of
from compress.training.healing import lack_of
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.model_quality.controls import Asked
from pages.parts.model_quality.records import KINDS
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.model_quality.tasks import BETTER
from pages.parts.work import jobs
from pages.parts.work.watch import watch


def fill_button(matrix: EmbeddingMatrix, asked: Asked, facts: ModelFacts | None) -> None:
    """The button that judges every method at several sizes with the tasks chosen above, and how far that is."""
    job = jobs.jobs().get("compare")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Fill the comparison",
            icon=":material/play_arrow:",
            key="fill",
            disabled=not asked.ready or jobs.running("compare"),
            help="Fits SVD, k subspaces, ℓp, LightToken and Trellis at ratios 5 to 103 and runs the tasks above with each. It "
            "takes long, runs beside the app, and goes on where it was stopped.",
        ):
            start(matrix, asked)
            st.rerun()
        if facts and not lack_of(facts, None):
            st.toggle("Healed too", key="compare_heal", help="By the built-in text, 60 steps each: much longer.")
    if job is not None and job.key == matrix.key:
        watch("compare", "Comparison", redraw=True)


def start(matrix: EmbeddingMatrix, asked: Asked) -> None:
    healed = bool(st.session_state.get("compare_heal"))
    jobs.run("compare", matrix, **asked.options, heal=healed, out=cache.folder("judged"))


def comparison_panel(table: pd.DataFrame) -> None:
    groups = {} if table.empty else {kind: rows for kind, rows in table.groupby(KINDS, sort=False, dropna=False)}
    groups = dict(sorted(groups.items(), key=lambda item: -len(item[1])))
    if sum(rows["file"].nunique() for rows in groups.values()) < 1:
        st.caption("No setting of this matrix was judged yet. Each one that is becomes a point here.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = list(groups)
        at = st.selectbox(
            "Figure",
            range(len(kinds)),
            format_func=lambda at: kind_name(kinds[at]),
            key=f"compare {len(kinds)}",
            width=420,
            help="Only scores on the same examples are compared.",
        )
        rows = groups[kinds[at]]
        axis = MODEL_QUALITY.axis.draw("Against", "The papers count numbers, and not their bytes.")
        fitted = rows["refitted"].notna().any()
        value = MODEL_QUALITY.head.draw("Head") if fitted else "after"
    rows = rows[rows[value].notna()]
    points = rows.assign(value=rows[value].astype(float), spread=rows[f"{value}_spread"].astype(float).fillna(0))
    name = f"{label_of(kinds[at][0])}: {kinds[at][1]}"
    live_chart(
        quality_charts.comparison(points, axis, name, float(points["before"].iloc[-1])),
        key="comparison",
        alt=f"{name} against {axis}: "
        + "; ".join(
            f"{point.setting}{', healed' if point.healed else ''} at ratio {point.ratio:.3g}: {point.value:.4g}"
            for point in points.itertuples()
        ),
    )
    st.caption(
        f"{points['file'].nunique()} judged; {BETTER[points['better'].iloc[-1]]}. Filled signs are healed, open ones as fitted; "
        "the dashed line is the table itself. Choose another setting above and run the task to add a point."
    )


def kind_name(kind: tuple) -> str:
    task, metric, text, _, seeds, n = kind
    more = f", {seeds} seeds" if seeds > 1 else ""
    return f"{label_of(task)}: {metric} (n = {n:,}{more}{'' if text == 'built-in' else f', {text}'})"
