"""What Robustness draws: residuals, the rows that gain and lose, the pull of the worst rows, the ellipsoid."""

import time

import numpy as np
import streamlit as st

from compress import SVD, InputError, Method
from compress.charts import robustness as robust_charts
from compress.charts.figure import METHOD_COLOURS
from compress.charts.robustness import Bins, counts_of, histograms
from compress.methods.lp import LOWNER_COLUMNS
from compress.solvers.ellipsoid import lowner
from pages.parts.fits import fit_status, full_to_come
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.opened import folded
from pages.parts.robustness.fits import Planted, noted, residuals, svd_of, turned_without_worst
from pages.parts.robustness.shown import Shown
from pages.parts.say import literal, refused

RESTED = 6.0  # seconds after which a hand will hardly move on, so that half a second for a preview is in nobody's way
SHOWN = 12  # rows that gain, and as many that lose
SMALLEST = 1e-3  # of the median residual: what float16 factors round is no change


def status(work: Planted, method: Method, shown: Shown) -> None:
    """What is shown; the full fit's job is started here."""
    path = work.fit_path(method)
    if not shown.behind:
        fit_status(work.clean, shown.last.fit, noted(work) if shown.preview else None, path)
        return
    about = "**Estimate** from fits of other settings: ≈ over all rows, until there is one of this"
    full_to_come(work.clean, method, about, noted(work), path)
    st.fragment(look_again, run_every=RESTED)(time.monotonic())


def look_again(since: float) -> None:
    """Runs the page again, for a fit of the setting, once a dial has rested for a while."""
    if time.monotonic() - since > RESTED / 2:
        st.rerun()


def residual_charts(work: Planted, shown: Shown, bins: Bins, title: str) -> None:
    """Rows by residual, of this fit and of SVD. bins: see `bins_of`."""
    fit = shown.last.fit
    rows = np.array([len(work.mask) - work.count] * 2), np.array([work.count] * 2)
    told = histograms(shown.view, *rows, bins.edges) if shown.behind else None
    both = ((title, fit, shown.preview), ("SVD", svd_of(shown.last.work.matrix, fit.asked), shown.svd_moved))
    for number, (column, (name, each, preview)) in enumerate(zip(st.columns(2), both, strict=True)):
        with column:
            if told is None:
                counts = counts_of(residuals(work.matrix, each), work.mask, bins.edges)
            else:
                counts = {trace: rows[number] for trace, rows in told.items()}
            near, far = shown.view.near[number], shown.view.far[number]
            st.caption(f"**{name}**{', preview' if preview else ''}")
            live_chart(
                robust_charts.residuals(counts, bins, METHOD_COLOURS[each.asked.name]),
                key=f"residuals_{number}",
                alt=f"{name}: rows by residual, median {np.median(near):.3g}, largest {max(near.max(), far.max()):.3g}",
            )
    st.caption(
        "Each chart counts rows by how far they lie from their decoded row, on the same bins. A robust fit moves the bulk left and "
        "lets the tail go right."
    )


def gain_table(shown: Shown, title: str) -> None:
    """The rows that gain and lose most against SVD, by the fit that was shown last."""
    work, fit = shown.last.work, shown.last.fit
    svd = svd_of(work.matrix, fit.asked)
    here, there = residuals(work.matrix, fit), residuals(work.matrix, svd)
    change = here - there
    order = np.argsort(change, kind="stable")
    rows = np.unique(np.concatenate([order[:SHOWN], order[-SHOWN:]]))
    rows = rows[np.abs(change[rows]) > SMALLEST * max(float(np.median(there)), 1e-30)]
    rows = rows[np.argsort(change[rows], kind="stable")]
    st.subheader("Rows that gain and lose most")
    if not len(rows):
        st.caption("Every row has the residual that SVD gives it.")
        return
    tokens = [work.clean.tokens[row] for row in rows]
    marks = work.mask[rows]
    left, right = st.columns(2)
    with left:
        live_chart(
            robust_charts.gains(tokens, here[rows], there[rows], marks, title),
            key="gains",
            alt=f"Change of residuals against SVD, from {change[rows[0]]:+.3g} for {tokens[0]} to {change[rows[-1]]:+.3g} for "
            f"{tokens[-1]}",
        )
    with right:
        columns = {work.clean.row_word: tokens, "residual": here[rows], "by SVD": there[rows], "change": change[rows]}
        st.dataframe(
            columns | ({"planted": marks} if work.count else {}),
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
        + (", ◆ marks planted rows." if work.count else ".")
        + (" Still of the setting before." if shown.behind else " From the preview." if fit.preview else "")
    )


def influence(work: Planted, method: Method, name: str) -> None:
    """How far each subspace turns when the rows that it holds worst are left out."""
    panel = folded("Pull of the worst 1 % of rows", "influence")
    if not panel.open:
        return
    with panel:
        try:
            found = {
                title: (turned_without_worst(work.matrix, each), METHOD_COLOURS[each.name])
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


def ellipsoid_table(work: Planted, p: float) -> None:
    """Löwner's ellipsoid beside Lewis weights, on a button, for few columns."""
    d = work.clean.shape[1]
    if d > LOWNER_COLUMNS:
        st.caption(f"The ellipsoid table is for matrices with at most {LOWNER_COLUMNS} columns; this one has {d:,}.")
        return
    key = f"{work.key} {p}"
    held = st.session_state.get("ellipsoid")
    if st.button(f"Find the ellipsoid at p = {p:g}", key="find_ellipsoid", icon=":material/play_arrow:"):
        bar = st.progress(0.0, "Cutting the ellipsoid")
        try:
            ellipsoid = lowner(work.matrix.values, p, progress=lambda step: bar.progress(step.share))
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
