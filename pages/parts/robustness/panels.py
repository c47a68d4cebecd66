"""What Robustness draws: residuals, the rows that gain and lose, the pull of the worst rows, the ellipsoid."""

import numpy as np
import streamlit as st

from compress import SVD, EmbeddingMatrix, InputError, Method
from compress.charts import robustness as robust_charts
from compress.charts.figure import METHOD_COLOURS
from compress.charts.robustness import Bins
from compress.methods.lp import LOWNER_COLUMNS
from compress.solvers.ellipsoid import lowner
from pages.parts.fits import Fit
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.opened import folded
from pages.parts.robustness.fits import Planted, residuals, turned_without_worst
from pages.parts.say import literal, refused

SHOWN = 12  # rows that gain, and as many that lose
SMALLEST = 1e-3  # of the median residual: what float16 factors round is no change


def residual_charts(planted: Planted, fit: Fit, svd: Fit, bins: Bins, name: str) -> None:
    """Rows by residual, of this fit and of SVD. bins: see `bins_of`."""
    for number, (column, (title, each)) in enumerate(zip(st.columns(2), ((name, fit), ("SVD", svd)), strict=True)):
        with column:
            values = residuals(planted.matrix, each)
            st.caption(f"**{title}**{', preview' if each.preview else ''}")
            live_chart(
                robust_charts.residuals(values, planted.mask, bins, METHOD_COLOURS[each.asked.name]),
                key=f"residuals_{number}",
                alt=f"{title}: rows by residual, median {np.median(values):.3g}, largest {values.max():.3g}",
            )
    st.caption(
        "Each chart counts rows by how far they lie from their decoded row, on the same bins. A robust fit moves the bulk left and "
        "lets the tail go right."
    )


def gain_table(planted: Planted, fit: Fit, svd: Fit, name: str) -> None:
    """The rows that gain and lose most against SVD."""
    here, there = residuals(planted.matrix, fit), residuals(planted.matrix, svd)
    change = here - there
    order = np.argsort(change, kind="stable")
    rows = np.unique(np.concatenate([order[:SHOWN], order[-SHOWN:]]))
    rows = rows[np.abs(change[rows]) > SMALLEST * max(float(np.median(there)), 1e-30)]
    rows = rows[np.argsort(change[rows], kind="stable")]
    st.subheader("Rows that gain and lose most")
    if not len(rows):
        st.caption("Every row has the residual that SVD gives it.")
        return
    tokens = [planted.matrix.tokens[row] for row in rows]
    marks = planted.mask[rows]
    left, right = st.columns(2)
    with left:
        live_chart(
            robust_charts.gains(tokens, here[rows], there[rows], marks, name),
            key="gains",
            alt=f"Change of residuals against SVD, from {change[rows[0]]:+.3g} for {tokens[0]} to {change[rows[-1]]:+.3g} for "
            f"{tokens[-1]}",
        )
    with right:
        columns = {planted.matrix.row_word: tokens, "residual": here[rows], "by SVD": there[rows], "change": change[rows]}
        st.dataframe(
            columns | ({"planted": marks} if planted.count else {}),
            key="gain_rows",
            hide_index=True,
            height=38 + 35 * min(len(rows), 15),
            column_config={
                **{each: st.column_config.NumberColumn(format="%.3g") for each in ("residual", "by SVD")},
                "change": st.column_config.NumberColumn(format="%+.3g"),
            },
        )
    gaining = int((change < 0).sum())
    st.caption(
        f"Blue rows lie nearer to their decoded row than under SVD, orange ones farther. {gaining:,} of {len(change):,} rows gain"
        + (", ◆ marks planted rows." if planted.count else ".")
        + (" From the preview." if fit.preview else "")
    )


def influence(matrix: EmbeddingMatrix, method: Method, name: str) -> None:
    """How far each subspace turns when the rows that it holds worst are left out."""
    panel = folded("Pull of the worst 1 % of rows", "influence")
    if not panel.open:
        return
    with panel:
        try:
            found = {
                title: (turned_without_worst(matrix, each), METHOD_COLOURS[each.name])
                for title, each in ((name, method), ("SVD", SVD(j=method.j)))
            }
        except (InputError, ValueError) as error:
            st.caption(f"There are too few other rows to fit again: {literal(str(error))}")
            return
        words = [f"{title}: mean {each.mean():.1f}°, largest {each[-1]:.1f}°" for title, (each, _) in found.items()]
        live_chart(robust_charts.turns(found), key="turns", alt="Principal angles after leaving rows out; " + "; ".join(words))
        st.caption(
            f"{'. '.join(words)}. Each fit is made again without the 1 % of rows that it leaves farthest (both as previews); shown "
            "are the angles to its subspace before. Small angles: those rows pulled little. The last angles are often large: the "
            "last directions matter about equally, so a small pull swaps them. The mean tells more."
        )


def ellipsoid_table(matrix: EmbeddingMatrix, p: float) -> None:
    """Löwner's ellipsoid beside Lewis weights, on a button, for few columns."""
    if matrix.shape[1] > LOWNER_COLUMNS:
        st.caption(f"The ellipsoid table is for matrices with at most {LOWNER_COLUMNS} columns; this one has {matrix.shape[1]:,}.")
        return
    key = f"{matrix.digest} {p}"
    held = st.session_state.get("ellipsoid")
    if st.button(f"Find the ellipsoid at p = {p:g}", key="find_ellipsoid", icon=":material/play_arrow:"):
        bar = st.progress(0.0, "Cutting the ellipsoid")
        try:
            ellipsoid = lowner(matrix.values, p, progress=lambda step: bar.progress(step.share))
        except (InputError, ValueError, np.linalg.LinAlgError) as error:
            bar.empty()
            refused(error)
            return
        bar.empty()
        held = st.session_state["ellipsoid"] = key, ellipsoid
    if held is None or held[0] != key:
        return
    ellipsoid, r = held[1], len(held[1].stretches)
    st.dataframe(
        {
            "ellipsoid": ["Löwner, ellipsoid method", "Lewis weights"],
            "proved factor": [ellipsoid.proved, r ** abs(1 / 2 - 1 / p)],
            "measured factor": [f"{ellipsoid.measured:.3f}", "–"],
            "√r": [r**0.5] * 2,
        },
        key="ellipsoid_factors",
        hide_index=True,
        column_config={each: st.column_config.NumberColumn(format="%.3f") for each in ("proved factor", "√r")},
    )
    st.caption(
        f"‖Ax‖ₚ lies between the ellipsoid's norm of x and the factor times it, for every x; r = {r} is the rank. √r is what the "
        "exact Löwner ellipsoid gives for any p. Measured: the largest ratio that a search found."
    )
