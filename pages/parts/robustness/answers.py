"""What Robustness tells while its dials move: cards, sentences and histograms, from tables around the setting."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, Method
from compress.answers.robust import Around, Arrays, Place, View, robust
from compress.charts.robustness import FAR, Bins, heights, histograms
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers
from pages.parts.robustness.cards import fit_figures, planted_figures, planted_sentence, size_sentence, svd_figures
from pages.parts.robustness.fits import Planted
from pages.parts.robustness.settings import ROBUSTNESS, most_planted
from pages.parts.work.ahead import ahead

MOST = {"j": 120, "planted": 96}  # values of a dial that are answered, evenly spaced
SINGLE = {"j": 48, "planted": 24}  # up to which every number is
HELD = "robust tables"  # in the session's state: of what the tables are, and the newest along each dial
FAR_OFF = 1.5  # times the planted rows, or their length, from which on a table along the other of the two tells nothing
CROSSED = {"planted": "length", "length": "planted"}
FEW = 4  # rows, or median rows, about which that is no matter


@dataclass(frozen=True, eq=False)
class Made:
    """A table along a dial, and where all dials stood when it was made."""

    arrays: Arrays
    place: Place


def place_of(work: Planted, method: Method) -> dict[str, float]:
    """Where the dials stand."""
    p = method.p if method.name == "lp" else 2.0
    return {"p": p, "planted": work.count, "length": float(work.length), "j": method.j}


def kind_of(method: Method) -> str:
    """What no dial changes."""
    return repr(settings_of(method))


def settings_of(method: Method) -> dict[str, Any]:
    told = {name: value for name, value in method.settings.items() if name in ("loss", "scale")}
    return {"entries": getattr(method, "objective", "rows") == "entries"} | told


def tables_of(matrix: EmbeddingMatrix, method: Method, place: Place) -> dict[str, Arrays]:
    """The newest table along each dial, in part of settings nearby; where one is missing it is made here from few rows, by rows."""
    asked = settings_of(method) | dict(place) | {"most": most_planted(*matrix.shape)}
    asked["p"] = getattr(method, "p", 1.0)
    found = ahead(matrix, "robust", **asked) or {}
    of, last = (matrix.key, kind_of(method)), st.session_state.get(HELD)
    tables: dict[str, Made] = last[1] if last and last[0] == of else {}
    tables = {dial: made for dial, made in tables.items() if not far_off(dial, made.place, place)}
    wanted = [dial for dial in ROBUSTNESS.dials(method) if dial != "length" or place["planted"]]
    tables |= {dial: Made(along(found, dial), place) for dial in wanted if f"{dial}.values" in found}
    missing = tuple(dial for dial in wanted if dial not in tables)
    if missing and not asked["entries"]:
        quick = coarse(matrix, dials=missing, **asked)
        tables |= {dial: Made(along(quick, dial), place) for dial in missing}
    st.session_state[HELD] = of, tables
    return {dial: made.arrays for dial, made in tables.items()}


def along(arrays: Arrays, dial: str) -> Arrays:
    return {name: array for name, array in arrays.items() if name.startswith(f"{dial}.")}


def far_off(dial: str, made: Place, place: Place) -> bool:
    """Whether a table along a dial, made at one place, tells nothing beside another."""
    if dial not in CROSSED or not place["planted"]:
        return False
    here, there = (each[CROSSED[dial]] + FEW for each in (place, made))
    return max(here / there, there / here) > FAR_OFF


@cached(8)
def coarse(matrix: EmbeddingMatrix, **settings: Any) -> Arrays:
    return robust(matrix, lambda arrays: None, None, coarse=True, **settings)


def robust_answers(work: Planted, method: Method, around: Around, bins: Bins) -> dict[str, Answers]:
    """By the keys of the dials. A table hangs on all but its own dial, and is the same one as long as that stays."""
    place, answers = place_of(work, method), {}
    for dial in ROBUSTNESS.dials(method):
        if dial == "length" and not work.count:
            continue  # of nothing
        values = values_of(dial, work.clean.shape)
        views = around.along(dial, values, place)
        if views is not None:
            beside = replace(method, **{dial: USUAL[dial]}) if dial in USUAL else method
            count = 0 if dial == "planted" else work.count
            answers[getattr(ROBUSTNESS, dial).key] = answers_along(dial, values, views, work.clean, count, beside, bins)
    return answers


USUAL = {"j": 1, "p": 1.0}  # of a method whose answers do not hang on it


def values_of(dial: str, shape: tuple[int, int]) -> np.ndarray:
    """The values of a dial that are answered."""
    if dial == "p":
        return np.linspace(1, 2, 101).round(2)
    if dial == "length":
        return np.arange(1, 50.5, 0.5)
    low, high = getattr(ROBUSTNESS, dial).bounds(shape)
    even = np.rint(np.linspace(low, high, min(MOST[dial], high - low + 1)))
    return np.unique([each for each in (*even, *range(SINGLE[dial] + 1)) if low <= each <= high])


@cached(16)
def answers_along(
    dial: str, values: np.ndarray, views: View, matrix: EmbeddingMatrix, planted: int, method: Method, bins: Bins
) -> Answers:
    """The answers of one dial. What SVD tells stays as it is along p. planted: how many rows are, but for the dial of those."""
    rows, moves = [*map(views.__getitem__, range(len(values)))], dial != "p"  # SVD too
    figures = {"cards": [fit_figures(matrix, each, True) for each in rows]}
    sentences, title = {}, ROBUSTNESS.title_of(method)
    if planted or dial == "planted":
        figures["planted_cards"] = [planted_figures(each, title, True, moves) for each in rows]
    if moves:
        figures["svd_cards"] = [svd_figures(matrix, each, True) for each in rows]
    if dial == "j":
        sentences["sizes"] = [size_sentence(matrix, replace(method, j=int(j)), roughly=True) for j in values]
    if dial == "planted":
        sentences["planted_words"] = [planted_sentence(int(count)) for count in values]
    counts = values if dial == "planted" else np.full(len(values), planted)
    charts = {}
    for side in (0, 1) if moves else (0,):
        one = View(views.figures, views.apart, views.near[:, side], views.far[:, side])
        found = histograms(one, len(matrix.values) - counts, counts, bins.edges)
        drawn = {name: each for name, each in found.items() if name != FAR or counts.any()}
        charts[f"residuals_{side}"] = {name: {"y": heights(each, bins.log)} for name, each in drawn.items()}
    return Answers(values, figures, traces=charts, sentences=sentences)
