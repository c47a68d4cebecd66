"""The chart's points that a person picked, and what can be done with one of them."""

import pandas as pd
import streamlit as st

from compress import EmbeddingMatrix, Evaluation, Method
from compress.charts.figure import PRECISION_NAMES
from pages.parts.dial.figures import BESIDE
from pages.parts.dial.worst import worst_once_still
from pages.parts.opened import folded
from pages.parts.pins import pin_button
from pages.parts.quick_fits import finished
from pages.parts.screens import screen_for
from pages.parts.tradeoffs.points import Point

PICKED = "picked"  # in the session's state: the settings that are marked on the chart
NAMES = ["setting", "k", "j", "precision", "n_bytes", "ratio", "error", "beside", "found"]


def columns(measure: str, beside: str | None) -> dict:
    """How the columns are shown; that of the error beside the measure only where there is one."""
    return {
        "setting": st.column_config.TextColumn("setting", width="medium"),
        "k": "k",
        "j": "j",
        "precision": "stored as",
        "n_bytes": st.column_config.NumberColumn("bytes", format="localized"),
        "ratio": st.column_config.NumberColumn("ratio", format="%.3g ×"),
        "error": st.column_config.NumberColumn(measure, format="%.3g"),
        "beside": st.column_config.NumberColumn(beside, format="%.3g") if beside else None,
        "found": "found by",
    }


def take_picks(key: str) -> None:
    """Keeps the settings that were marked on the chart of that key."""
    st.session_state[PICKED] = [str(name) for name in st.session_state[key].marked]


def picks(matrix: EmbeddingMatrix, points: list[Point], table: pd.DataFrame, measure: str, beside: str | None) -> None:
    """The picked settings as a table; the one that is marked there can be pinned and opened on its own page, and its
    worst rows are named where it is fitted here."""
    picked = table[table["setting"].isin(st.session_state.get(PICKED, []))]
    if picked.empty:
        st.caption("Click a point to take its setting, or drag a box around several.")
        return
    picked = picked.sort_values(["error", "n_bytes"])
    shown = figures(picked)
    shown = shown.drop(columns=[name for name in ("k", "j", "precision") if shown[name].isna().all()])
    event = st.dataframe(
        shown,
        key="picks",
        on_select="rerun",
        selection_mode="single-row-required",
        hide_index=True,
        height=min(38 + 35 * len(picked), 320),
        column_config=columns(measure, beside),
        placeholder="",
    )
    rows = event.selection.rows
    method = points[picked.index[rows[0] if rows and rows[0] < len(picked) else 0]].method
    with st.container(horizontal=True, vertical_alignment="center"):
        pin_button(method, "pin_picked")
        open_button(method, "open_picked")
        st.button("Clear", key="clear_picks", icon=":material/close:", on_click=st.session_state.pop, args=[PICKED, None])
    with st.container(width=BESIDE):
        worst_once_still(matrix, lambda: evaluation_of(matrix, method), "picked_worst", "Not fitted here yet. Pinned, it will be.")


def evaluation_of(matrix: EmbeddingMatrix, method: Method) -> Evaluation | None:
    """Of a setting that is fitted in a moment, or was fitted before."""
    fit = finished(matrix, method)
    return fit and fit.evaluation


def figures(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that a person reads, in words and numbers."""
    found = table["preview"].map({True: "preview", False: "full fit"}).where(~table["curve"], "spectrum")
    return table.assign(precision=table["bits"].map(PRECISION_NAMES), found=found)[NAMES]


def open_button(method: Method, key: str) -> None:
    """Goes to the page on which this setting can be moved, if there is one."""
    screen = screen_for(method)
    if screen and st.button(f"Open on {screen.title}", key=key, icon=":material/open_in_new:"):
        screen.set(method)
        st.switch_page(screen.page)


def table_panel(table: pd.DataFrame, name: str, measure: str, beside: str | None) -> None:
    """Everything on the chart as a table and a file."""
    panel = folded("All settings as a table", "all_settings")
    if not panel.open:
        return
    with panel:
        everything = figures(table.sort_values(["n_bytes", "error"]))
        everything = everything if beside else everything.drop(columns="beside")
        st.dataframe(everything, key="table", hide_index=True, height=360, column_config=columns(measure, beside), placeholder="")
        st.download_button(
            "Download as CSV",
            everything.to_csv(index=False),
            f"{name}-trade-offs.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
