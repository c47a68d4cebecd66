"""Feature maps of the filters that are kept and of those that are dropped, as pictures."""

import numpy as np
import streamlit as st

from compress.charts import filters as filter_charts
from compress.pruning import Space, Study
from pages.parts.filters.fits import Outcome, feature_maps
from pages.parts.filters.network import Subject
from pages.parts.filters.settings import FILTERS
from pages.parts.live_chart.live_chart import live_chart

MOST = 40  # maps of each kind
BRIGHTEST = 0.999  # of the numbers of a layer lie below the end of the colours


@st.fragment
def maps_panel(subject: Subject, known: Study, outcome: Outcome, space: Space) -> None:
    every = feature_maps(subject, space.name)
    left, right = st.columns([1, 5], vertical_alignment="center")
    with right:
        at = FILTERS.picture.draw("Judged picture", (len(subject.judge), 1)) - 1
    with left:
        st.image(enlarged(subject.shown[at]), width=96, caption=label_of(subject, at))
    values, kept = known.values[space.channels], outcome.report.choice.kept[space.channels]
    order = np.argsort(-values, kind="stable")
    least, most = min(float(every.min()), 0.0), float(np.quantile(every, BRIGHTEST))
    for column, (name, which) in zip(st.columns(2), (("kept", kept), ("dropped", ~kept)), strict=True):
        with column:
            chosen = order[which[order]]
            some = f", the {MOST} most sensitive" if len(chosen) > MOST else ""
            st.markdown(
                f"**{name.capitalize()}: {len(chosen)} filters{some}**"
                if len(chosen) != 1
                else f"**{name.capitalize()}: 1 filter**"
            )
            chosen = chosen[:MOST]
            if not len(chosen):
                st.caption("None.")
                continue
            live_chart(
                filter_charts.maps(every[at][chosen], chosen, values[chosen], least, most),
                key=f"maps_{name}",
                of=f"{subject.key} {space.name}",
                alt=f"Activations of {len(chosen)} {name} filters, the largest {every[at][chosen].max():.3g}",
            )
    st.caption(
        f"What {space.readers[0]} reads, before pruning, from the most sensitive filter down; above each map its sensitivity. "
        "Colours mean the same for all pictures and filters of a layer."
    )


def label_of(subject: Subject, at: int) -> str | None:
    return None if subject.labels is None else f"class {int(subject.labels[at])}"


def enlarged(picture: np.ndarray) -> np.ndarray:
    """With square pixels that can be seen."""
    times = max(96 // picture.shape[0], 1)
    return np.clip(picture.repeat(times, 0).repeat(times, 1), 0, 1)
