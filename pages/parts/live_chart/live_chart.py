"""A plotly figure that is drawn over the last one in place, and keeps how a person looks at it.

`st.plotly_chart` takes a figure of other content for another chart, and builds that anew: zoom, hidden traces and marked points are
lost. This one keeps the chart and lets plotly change what differs, in two thirds of the time (`benchmarks/lesson.py`). A zoom goes
when its axis comes to mean something else, and all of a look when the chart is of something else. The figure has a message of its
own, which Streamlit does not send again while only marks move.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from pages.parts.dial.answers import Mark, source, stands
from pages.parts.live_chart.library.library import PATH, TRACES
from pages.parts.matrix import current_matrix


def script(*names: str) -> str:
    return "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in names)


_chart = st.components.v2.component(
    "flatland_live_chart",
    html='<div class="live-chart" role="figure"></div>',
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=source("answers.js") + script("plots.js", "look.js", "marks.js", "moves.js", "download.js", "live_chart.js"),
    isolate_styles=False,  # plotly's own styles are the document's
)
_plot = st.components.v2.component("flatland_plot", js=script("plots.js", "plot.js"))


@dataclass(frozen=True)
class Plot:
    """A figure as it is sent. height: in pixels, as the figure says."""

    figure: str
    height: int | None

    @cached_property
    def digest(self) -> str:
        return blake2b(self.figure.encode(), digest_size=8).hexdigest()


def plot_of(chart: go.Figure) -> Plot:
    assert {trace.type for trace in chart.data} <= TRACES, "build.py makes a script that draws more"
    return Plot(chart.to_json(), chart.layout.height or chart.layout.template.layout.height)


def live_chart(
    chart: go.Figure | Plot,
    *,
    key: str,
    alt: str,
    fill: bool = False,
    tools: bool = True,
    of: str | None = None,
    marked: Sequence[str] | None = None,
    on_mark: Callable | None = None,
    marks: Sequence[Mark] = (),
) -> None:
    """Draws a figure where the one of the same key was; as a Plot where it is kept from run to run.

    alt: what a screen reader says. fill: as high as its place, rather than as the figure says. tools: whether plotly's buttons show
    under the cursor. of: what the chart is of, the matrix in use unless given; a look ends with it. marked: points to show as
    chosen, by the first of their customdata; where it is given, a person can choose points, and `on_mark` is called once
    `st.session_state[key].marked` holds their names. marks: lines and rings over it, which the answers of a dial may move.
    """
    plot = chart if isinstance(chart, Plot) else plot_of(chart)
    data = {
        "key": key,
        "digest": plot.digest,
        "library": PATH,
        "label": alt,
        "height": None if fill else plot.height,
        "tools": tools,
        "of": current_matrix().digest if of is None else of,
        "marked": None if marked is None else list(marked),
        "marks": [asdict(mark) for mark in marks],
        "at": dict(stands()),
    }
    told = {"on_marked_change": on_mark} if on_mark else {}
    height = "stretch" if fill else "content"
    with st.container(gap=None, height=height):
        _plot(key=f"{key} plot", data={"key": key, "digest": plot.digest, "figure": plot.figure}, height=1)
        _chart(key=key, data=data, height=height, **told)
