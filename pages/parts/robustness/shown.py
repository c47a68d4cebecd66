"""What Robustness shows: a fit where there is one yet, and while a hand moves from setting to setting what its dials told."""

from dataclasses import dataclass, replace

import streamlit as st

from compress import Method
from compress.answers.robust import Around, Place, View
from pages.parts.fits import SMALL, Fit, draft
from pages.parts.robustness.answers import Tables, place_of, tables_of
from pages.parts.robustness.fits import Planted, finished, view_of
from pages.parts.subspaces.loss import estimated
from pages.parts.work import jobs

BEFORE = "robust shown"  # in the session's state: what the page showed last


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
    """The view of the present setting, where the dials stand at a place. last: the fit that was shown last, the one of this setting
    where there is one yet. around: what tells of other settings, by the tables along the dials. behind: whether the view is what
    the dials told, since there is no fit yet."""

    view: View
    place: Place
    last: Fitted
    around: Around
    tables: Tables
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
        last = self.last.place
        return self.behind and any(self.place[dial] != last[dial] for dial in last if dial != "p")


def shown_of(work: Planted, method: Method) -> Shown:
    """What is told where a dial was just let go: at once. Else the fit."""
    place, before = place_of(work, method), st.session_state.get(BEFORE)
    tables = tables_of(work.clean, method, place)
    fit = finished(work, method)
    if fit is None:
        jobs.leave("fit", work.fit_path(method).stem)  # the fit of a setting left behind would slow the page
    shown = told(before, place, tables) if fit is None and before and before.tables.of == tables.of else None
    if shown is None:
        fit = fit or draft(work.matrix, method)
        view = view_of(work, fit)
        shown = Shown(view, place, Fitted(work, method, fit, view), Around(place, view, tables.made.get), tables, False)
    st.session_state[BEFORE] = shown
    return shown


def told(before: Shown, place: Place, tables: Tables) -> Shown | None:
    """What a table tells where one dial moved to a place, from what was shown before; None where a fit is to be made."""
    moved = [dial for dial in place if place[dial] != before.place[dial]]
    if len(moved) != 1 or before.last.place == place or tables.matrix.size <= SMALL:
        return None
    (dial,) = moved
    around = before.around
    if any(around.place[each] != before.place[each] for each in place if each != dial):
        around = Around(before.place, before.view, around.table)  # it came along another dial
    if dial in tables.made:
        around = replace(around, table=tables.made.get)
        view = around.at(place)
    else:
        view = replace(around, table=lambda each: tables.step(each, around.place[each])).at(place)
        around = Around(place, view, tables.made.get)
    return Shown(view, place, before.last, around, tables, True)
