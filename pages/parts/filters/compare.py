"""The comparison on Filters: every way of choosing at every budget, drawn as it comes."""

import pandas as pd
import streamlit as st

from compress.charts import filters as filter_charts
from pages.parts.cached import cached
from pages.parts.filters.answers import curve_marks
from pages.parts.filters.curve import SEEDS, Curve, Told, curve_of, lost_by
from pages.parts.filters.fits import Outcome, path
from pages.parts.filters.network import Subject
from pages.parts.filters.settings import FILTERS, Pruning
from pages.parts.filters.words import comparison_words
from pages.parts.frame import let_go
from pages.parts.live_chart.live_chart import Plot, live_chart, plot_of
from pages.parts.say import refused

POLL = 2.0  # seconds between looks at curves that are being computed
DRAWN = "curves drawn"  # in the session's state


def comparison(subject: Subject, outcome: Outcome | None, setting: Pruning) -> None:
    retrained = False
    if subject.quick:
        about = "Every pruned network sees the training pictures once more."
        retrained = FILTERS.retrained.draw("After one epoch of retraining", about)
    wanted = [False, True] if retrained else [False]
    found = [curve_of(subject, setting.measure, setting.over, setting.variant, each) for each in wanted]
    if subject.quick:
        for curve in found:
            if not held(curve):
                curve.start()
    busy = any(curve.running for curve in found)
    every = path(subject, setting)
    if subject.quick and not busy and not any(held(curve) for curve in found):
        every.start()  # what is told while the budget is moved
    at_work = [*found, every] if busy or every.running else []
    st.fragment(shown, run_every=POLL if at_work else None)(subject, outcome, setting, found, busy, at_work)


def shown(subject: Subject, outcome: Outcome | None, setting: Pruning, found: list[Curve], busy: bool, at_work: list) -> None:
    if at_work and not any(each.running for each in (found if busy else at_work)):
        st.rerun()
    begun = [curve for curve in found if curve.points]
    if begun:
        chart, alt = drawn(subject, told_of(begun, bool(at_work)), setting.measure)
        marks = curve_marks(outcome.report, outcome.loss) if outcome else []
        live_chart(chart, key="curves", of=subject.key, marks=marks, alt=alt)
    controls(found, busy, subject)
    for curve in found:
        if curve.error:
            refused(curve.error)
        elif curve.done == 1:
            st.markdown(comparison_words(lost_by(curve.told), curve, subject.labels is not None))
    st.caption(
        f"Every way gets the same budget on the same {len(subject.judge):,} pictures. Where chance chooses, the line is the "
        f"mean of {SEEDS} seeds and the band reaches from the least to the largest."
        + ("" if subject.quick else " " + no_retraining(subject))
    )


def told_of(curves: list[Curve], at_work: bool) -> list[Told]:
    """What is told of curves by now; in answer to a dial what was told before, which is drawn again a moment later."""
    found, before = [curve.told for curve in curves], st.session_state.get(DRAWN, [])
    if at_work and let_go() and [told.curve for told in before] == curves:
        return before
    st.session_state[DRAWN] = found
    return found


@cached(8)
def drawn(subject: Subject, curves: list[Told], measure: str) -> tuple[Plot, str]:
    """The chart of curves, and what it says; no budget changes it."""
    table = pd.concat([told.curve.table for told in curves])
    what = "mean relative output error" if subject.labels is None else "accuracy"
    means = table[table["by"] == "sensitivity"].groupby("removed")["value"].mean()
    chart = filter_charts.curves(table, "FLOPs" if measure == "flops" else measure, what, subject.accuracy)
    return plot_of(chart), f"{what} over the share removed; by sensitivity " + ", ".join(
        f"{at:.0%}: {value:.3f}" for at, value in means.items()
    )


def controls(found: list[Curve], busy: bool, subject: Subject) -> None:
    if busy:
        done = sum(len(curve.points) for curve in found) / sum(len(curve.asked) for curve in found)
        with st.container(horizontal=True, vertical_alignment="center", key="job_curves"):
            st.progress(done, f"Pruning and judging, {done:.0%} …")
            st.button("Stop", key="stop_curves", icon=":material/stop:", on_click=stop, args=[found])
    elif any(curve.done < 1 for curve in found):
        begun = any(curve.points for curve in found)
        n = sum(len(curve.asked) - len(curve.points) for curve in found)
        if st.button("Go on" if begun else "Compare", key="start_curves", icon=":material/play_arrow:", type="primary"):
            for curve in found:
                st.session_state.setdefault("filters_held", set()).discard(curve.key)
                curve.start()
            st.rerun()
        if not subject.quick:
            st.caption(f"Prunes and judges {n} networks, some seconds each; the page stays usable meanwhile.")


def stop(found: list[Curve]) -> None:
    for curve in found:
        st.session_state.setdefault("filters_held", set()).add(curve.key)
        if curve.work:
            curve.work.stop()


def held(curve: Curve) -> bool:
    """Whether the person stopped it."""
    return curve.key in st.session_state.get("filters_held", set())


def no_retraining(subject: Subject) -> str:
    if subject.labels is None:
        return "Without classes (y) there is no accuracy to show, and nothing to retrain with."
    return (
        "Retraining all these networks would take minutes to hours here, so that only the one on the page can be retrained, below."
    )
