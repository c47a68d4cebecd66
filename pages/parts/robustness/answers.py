"""What Robustness tells while its dials move: cards, sentences and histograms, from tables around the setting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, Method
from compress.answers.robust import DIALS, Around, Arrays, Place, View, robust
from compress.charts.robustness import FAR, Bins, heights, histograms
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers, tell_all
from pages.parts.robustness.cards import fit_figures, planted_figures, planted_sentence, size_sentence, svd_figures
from pages.parts.robustness.fits import Planted
from pages.parts.robustness.settings import ROBUSTNESS, most_planted
from pages.parts.work.ahead import ahead
from pages.parts.work.turns import stand_back

MOST = {"j": 120, "planted": 96}  # values of a dial that are answered, evenly spaced
SINGLE = {"j": 48, "planted": 24}  # up to which every number is
HELD = "robust tables"  # in the session's state: those of the last run


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables along the dials that tell something at a place. matrix, asked: of which they are, and its setting there. made: by
    dial."""

    matrix: EmbeddingMatrix
    place: Place
    asked: dict[str, Any]
    made: dict[str, Arrays]

    @property
    def of(self) -> tuple[str, dict[str, Any]]:
        """What no dial changes."""
        return self.matrix.key, {name: each for name, each in self.asked.items() if name not in DIALS}

    def take(self, found: Arrays) -> None:
        """Takes what was made of them in, one after the other."""
        self.made.update((dial, along(found, dial)) for dial in DIALS if f"{dial}.values" in found)

    def step(self, dial: str, before: float) -> Arrays:
        """A table along a dial for no more than where it stands and stood before: the one there is, else from few rows."""
        if dial in self.made:
            return self.made[dial]
        return coarse(self.matrix, dials=(dial,), values=(before, self.place[dial]), **self.asked)


def place_of(work: Planted, method: Method) -> dict[str, float]:
    """Where the dials stand."""
    p = method.p if method.name == "lp" else 2.0
    return {"p": p, "planted": work.count, "length": float(work.length), "j": method.j}


def settings_of(method: Method) -> dict[str, Any]:
    """What no dial changes."""
    told = {name: value for name, value in method.settings.items() if name in ("loss", "scale")}
    return {"entries": getattr(method, "objective", "rows") == "entries"} | told


def tables_of(matrix: EmbeddingMatrix, method: Method, place: Place) -> Tables:
    """Those there are at a place: what is computed ahead, and of the last ones those along dials that alone have moved."""
    asked = settings_of(method) | dict(place) | {"most": most_planted(*matrix.shape)}
    asked["p"] = getattr(method, "p", 1.0)
    found, last = ahead(matrix, "robust", **asked) or {}, st.session_state.get(HELD)
    tables = st.session_state[HELD] = Tables(matrix, place, asked, {})
    if last is not None and last.of == tables.of:
        tables.made.update((dial, table) for dial, table in last.made.items() if stays(dial, last.place, place))
    tables.take(found)
    return tables


def along(arrays: Arrays, dial: str) -> Arrays:
    return {name: array for name, array in arrays.items() if name.startswith(f"{dial}.")}


def stays(dial: str, made: Place, place: Place) -> bool:
    """Whether a table along a dial, made at one place, holds at another: where no other dial moves, or the length of no rows."""
    counts = {*DIALS} - {dial} - (set() if made["planted"] or place["planted"] or dial == "planted" else {"length"})
    return all(made[each] == place[each] for each in counts)


@cached(16)
def coarse(matrix: EmbeddingMatrix, **settings: Any) -> Arrays:
    return robust(matrix, lambda arrays: None, None, coarse=True, **settings)


def parted(work: Planted, method: Method, tables: Tables) -> tuple[list[str], list[str]]:
    """The dials whose answers are told with the page, and those whose answers follow, since their tables are missing: of these
    first what comes after the one that a hand has just let go of."""
    dials = [dial for dial in ROBUSTNESS.dials(method) if dial != "length" or work.count]  # that of no rows tells nothing
    made = [dial for dial in dials if dial in tables.made]
    at = dials.index(made[0]) if made else 0
    return made, [dial for dial in dials[at:] + dials[:at] if dial not in made]


def answers_follow(work: Planted, method: Method, tables: Tables, around: Around, bins: Bins, dials: Sequence[str]) -> None:
    """Makes tables from few rows and tells the answers of each, unless a newer run waits."""

    def keep(found: Arrays) -> None:
        tables.take(found)
        told = [dial for dial in dials if f"{dial}.values" in found]
        tell_all(robust_answers(work, method, around, bins, told[-1:]))

    robust(tables.matrix, keep, lambda step: stand_back(), coarse=True, dials=dials, **tables.asked)


def robust_answers(work: Planted, method: Method, around: Around, bins: Bins, dials: Sequence[str]) -> dict[str, Answers]:
    """Of some dials, by their keys. A table hangs on all but its own dial, and is the same one as long as that stays."""
    place, answers = place_of(work, method), {}
    for dial in dials:
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
        found = histograms(one, matrix.shape[0] - counts, counts, bins.edges)
        drawn = {name: each for name, each in found.items() if name != FAR or counts.any()}
        charts[f"residuals_{side}"] = {name: {"y": heights(each, bins.log)} for name, each in drawn.items()}
    return Answers(values, figures, traces=charts, sentences=sentences)
