"""A plotly figure that is drawn over the last one in place.

`st.plotly_chart` takes a figure of other content for another chart, and builds that anew. This one keeps the chart and lets plotly
change what differs, in two thirds of the time (`benchmarks/lesson.py`).
"""

from pathlib import Path

import plotly
import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v1 import declare_component

# Only for its files to be served, which takes the old kind of component: the new kind serves the files of installed packages alone
# and sends any other script with every message, and Streamlit's folder for static files would need a copy of plotly beside app.py.
LIBRARY = declare_component("plotly", path=str(Path(plotly.__file__).parent / "package_data"))
_chart = st.components.v2.component(
    "flatland_live_chart",
    html='<div class="live-chart" role="figure"></div>',
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # plotly's own styles are the document's
)


def live_chart(chart: go.Figure, *, key: str, alt: str, fill: bool = False) -> None:
    """Draws a figure where the one of the same key was. alt: what a screen reader says. fill: as high as its place, rather than as
    the figure says."""
    data = {
        "figure": chart.to_json(),
        "library": f"component/{LIBRARY.name}/plotly.min.js",
        "label": alt,
        "height": None if fill else chart.layout.height or chart.layout.template.layout.height,
    }
    _chart(key=key, data=data, height="stretch" if fill else "content")
