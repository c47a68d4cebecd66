"""What Robustness tells while its dials move: cards, sentences and histograms, from a table around the setting."""

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, Method
from compress.answers.robust import View, between, counted, robust
from compress.charts.robustness import FAR, ROWS, Bins, heights
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers
from pages.parts.fits import Fit
from pages.parts.robustness.cards import fit_figures, planted_figures, planted_sentence, size_sentence, svd_figures
from pages.parts.robustness.fits import Planted, svd_of, view_of
from pages.parts.robustness.settings import ROBUSTNESS, most_planted
from pages.parts.work.ahead import ahead

MOST = {"j": 168, "planted": 96}  # values of a dial that are answered, evenly spaced
SINGLE = {"j": 48, "planted": 24}  # up to which every number is
HELD = "robust table"  # in the session's state: the last table, and of what it is


def robust_answers(work: Planted, fit: Fit, name: str, bins: Bins) -> dict[str, Answers]:
    """By the keys of the dials, from the table that is there by now."""
    method, clean = fit.asked, work.clean
    arrays = table_of(clean, method, work.count, work.length)
    now = view_of(work, fit)
    places = {"j": method.j, "planted": work.count, "length": work.length, "p": getattr(method, "p", 2.0)}
    answers = {}
    for dial, place in places.items():
        if dial == "length" and not work.count:
            continue  # of nothing
        known = {float(place): now} | ({2.0: view_of(work, svd_of(work.matrix, method))} if dial == "p" else {})
        values = values_of(dial, clean.shape, place)
        views = between(arrays, dial, values, known)
        if views is not None:
            answers[getattr(ROBUSTNESS, dial).key] = answers_along(dial, values, views, work, method, name, bins)
    return answers


def table_of(matrix: EmbeddingMatrix, method: Method, planted: int, length: float) -> dict[str, np.ndarray]:
    """The table around a setting as far as it is made; before that the last one of the same loss, else a coarse one, made here."""
    entries = getattr(method, "objective", "rows") == "entries"
    kind = {"entries": entries} | {name: value for name, value in method.settings.items() if name in ("loss", "scale")}
    place = {"j": method.j, "p": getattr(method, "p", 1.0), "planted": planted, "length": float(length)}
    settings: dict[str, Any] = kind | place | {"most": most_planted(*matrix.shape)}
    found = ahead(matrix, "robust", **settings) or {}
    of, last = (matrix.key, repr(kind)), st.session_state.get(HELD)
    if last and last[0] == of:
        found = last[1] | found
    elif not entries:
        found = coarse(matrix, **settings) | found
    st.session_state[HELD] = of, found
    return found


@cached(8)
def coarse(matrix: EmbeddingMatrix, **settings: Any) -> dict[str, np.ndarray]:
    return robust(matrix, lambda arrays: None, None, coarse=True, **settings)


def values_of(dial: str, shape: tuple[int, int], now: float) -> np.ndarray:
    """The values of a dial that are answered."""
    if dial == "p":
        return np.linspace(1, 2, 101).round(2)
    if dial == "length":
        return np.arange(1, 50.5, 0.5)
    low, high = getattr(ROBUSTNESS, dial).bounds(shape)
    even = np.rint(np.linspace(low, high, min(MOST[dial], high - low + 1)))
    return np.unique([each for each in (*even, *range(SINGLE[dial] + 1), now) if low <= each <= high])


def answers_along(dial: str, values: np.ndarray, views: View, work: Planted, method: Method, name: str, bins: Bins) -> Answers:
    """The answers of one dial. What SVD tells stays as it is along p."""
    matrix, rows = work.matrix, range(len(values))
    moves = dial != "p"  # SVD too
    figures = {
        "cards": [fit_figures(matrix, views[row], True) for row in rows],
        "planted_cards": [planted_figures(views[row], name, True, moves) for row in rows],
    }
    sentences = {}
    if moves:
        figures["svd_cards"] = [svd_figures(matrix, views[row], True) for row in rows]
    if dial == "j":
        sentences["sizes"] = [size_sentence(matrix, replace(method, j=int(j)), roughly=True) for j in values]
    if dial == "planted":
        sentences["planted_words"] = [planted_sentence(int(count)) for count in values]
    if not work.count and dial != "planted":
        del figures["planted_cards"]
    counts = values if dial == "planted" else np.full(len(values), work.count)
    charts = {}
    for side in (0, 1) if moves else (0,):
        traces = {ROWS: counted(views.near[:, side], len(work.mask) - counts, bins.edges)}
        if counts.any():
            traces[FAR] = counted(views.far[:, side], counts, bins.edges)
        charts[f"residuals_{side}"] = {trace: {"y": heights(each, bins.log)} for trace, each in traces.items()}
    return Answers(values, figures, traces=charts, sentences=sentences)
