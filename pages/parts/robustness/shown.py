"""What Robustness shows: a fit where there is one yet, and while a hand moves from setting to setting what its dials told."""

from dataclasses import dataclass

import streamlit as st

from compress import Method
from compress.answers.robust import Around, Place, View
from pages.parts.fits import SMALL, Fit, draft
from pages.parts.robustness.answers import kind_of, place_of, tables_of
from pages.parts.robustness.fits import Planted, finished, view_of
from pages.parts.subspaces.loss import estimated
from pages.parts.work import jobs

LAST, STOOD = "robust shown", "robust place"  # in the session's state: the last fit that was shown; where the dials stood then


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit of a setting, of a matrix, and what is seen of it."""

    work: Planted
    method: Method
    fit: Fit
    view: View

    @property
    def place(self) -> Place:
        return place_of(self.work, self.method)


@dataclass(frozen=True, eq=False)
class Shown:
    """The view of the present setting. last: the fit that was shown last, the one of this setting where there is one yet. around:
    what tells of other settings. behind: whether the view is what the dials told, since there is no fit yet."""

    view: View
    last: Fitted
    around: Around
    behind: bool

    @property
    def preview(self) -> bool:
        return self.behind or self.last.fit.preview

    @property
    def scale(self) -> float | None:
        """Of the loss, where the fit took it from the rows."""
        return estimated(self.last.fit) if self.last.method.name == "projective" else None

    @property
    def svd_moved(self) -> bool:
        """Whether SVD too is only told."""
        place, last = self.around.place, self.last.place
        return self.behind and any(place[dial] != last[dial] for dial in last if dial != "p")


def shown_of(work: Planted, method: Method) -> Shown:
    """What is told where a dial was just let go: at once. Else the fit."""
    place, last = place_of(work, method), st.session_state.get(LAST)
    moved, st.session_state[STOOD] = st.session_state.get(STOOD) != place, place
    tables = tables_of(work.clean, method, place)
    fit = finished(work, method)
    if fit is None:
        jobs.leave("fit", work.fit_path(method).stem)  # the fit of a setting left behind would slow the page
        alike = last and last.work.clean.key == work.clean.key and kind_of(last.method) == kind_of(method)
        if alike and moved and last.place != place and work.clean.values.size > SMALL:
            around = Around(last.place, last.view, tables)
            if view := around.at(place):
                return Shown(view, last, around, True)
        fit = draft(work.matrix, method)
    last = st.session_state[LAST] = Fitted(work, method, fit, view_of(work, fit))
    return Shown(last.view, last, Around(place, last.view, tables), False)
