"""What Filters draws of one pruned network: its sensitivities, filters kept, bounds and measured errors."""

import pandas as pd
import streamlit as st

from compress.charts import filters as filter_charts
from compress.pruning import Space, Study
from pages.parts.filters.answers import kept_marks, largest_bound
from pages.parts.filters.fits import Outcome, path
from pages.parts.filters.network import Subject
from pages.parts.filters.path import FEWER
from pages.parts.filters.settings import FILTERS, Pruning
from pages.parts.filters.words import silent
from pages.parts.live_chart.live_chart import live_chart


def space_choice(known: Study) -> Space:
    spaces = {space_name(space): space for space in known.channels.prunable}
    name = FILTERS.space.select("Layer", list(spaces), width=420)
    return spaces.get(name, known.channels.prunable[0])


def space_name(space: Space) -> str:
    return " + ".join(space.writers[:3]) + (f" + {len(space.writers) - 3} more" if len(space.writers) > 3 else "")


def sensitivity_chart(known: Study, outcome: Outcome, space: Space, setting: Pruning) -> None:
    values, kept = known.values[space.channels], outcome.report.choice.kept[space.channels]
    live_chart(
        filter_charts.sensitivities(values, kept),
        key="sensitivities",
        of=space.name,
        marks=kept_marks(outcome.report, space.name, setting),
        alt=f"Sensitivities of {space.name}: {kept.sum()} of {len(kept)} filters kept, the largest {values.max():.3g}",
    )
    none = int((values == 0).sum())
    whole, of = silent(known)
    st.caption(
        f"How much the next layer ({', '.join(space.readers)}) depends on each filter"
        + (", summed by residual sums into the same channels" if len(space.writers) > 1 else "")
        + f". {none or 'None'} of these {len(values)} {'is' if none == 1 else 'are'} silent, with a sensitivity of 0"
        + (f"; in all layers {whole} of {of} are, which go at no loss even at 100 %." if whole else ".")
    )


def layer_charts(subject: Subject, known: Study, outcome: Outcome, setting: Pruning) -> None:
    report, layers = outcome.report, outcome.loss.layers
    kept = pd.DataFrame([(name, *both) for name, both in report.kept.items()], columns=["layer", "kept", "all"])
    errors = pd.DataFrame(
        [(name, report.bound[name], *layers[name]) for name in report.bound], columns=["layer", "bound", "mean", "largest"]
    )
    left, right = st.columns(2)
    with left:
        st.markdown("**Filters kept by layer**")
        words = ", ".join(f"{name} {n} of {whole}" for name, n, whole in kept.itertuples(index=False))
        live_chart(filter_charts.counts(kept), key="kept_by_layer", of=subject.key, alt=f"Filters kept: {words}")
        st.caption("Layers that are summed keep the same channels and are one row here, named after the first.")
    with right:
        st.markdown("**Bound and measured error by layer**")
        if not errors[["bound", "mean", "largest"]].to_numpy().any():
            st.info("Only silent filters are dropped, or none: every bound and every error is 0.", icon=":material/check:")
            return
        worst = errors.loc[errors["bound"].idxmax()]
        live_chart(
            filter_charts.bounds(errors, largest_bound(path(subject, setting))),
            key="bounds",
            of=subject.key,
            alt=f"Bounds up to {worst['bound']:.3g} in {worst['layer']}; measured at most {errors['largest'].max():.3g}",
        )
        st.caption(bound_words(min(FEWER, len(subject.judge)), known.points, setting))


def bound_words(judged: int, points: int, setting: Pruning) -> str:
    words = (
        f"The bound is on what one layer loses by itself, on the {points} pictures that sensitivities were measured on; measured "
        f"is on {judged} others, where a little more may be lost. Such bounds are loose, since they add up each filter's worst "
        "case: right of 1, where all would be lost, they say nothing."
    )
    if setting.over == "mean":
        words += " With the mean share it bounds only the sums over all places, and a single place may lose more."
    if setting.variant != "top":
        words += " It counts what is dropped and not what reweighting adds or mends."
    return words
