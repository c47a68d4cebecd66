"""What the charts of a page that runs without a browser are drawn from."""

import json


def charts(page) -> list[dict]:
    """What each chart was told, in the order of the page."""
    told = [each.proto for each in page.get("bidi_component")]
    return [json.loads(each.json) for each in told if each.component_name == "flatland_live_chart"]


def drawn(page) -> list[dict]:
    """Their plotly figures."""
    return [json.loads(chart["figure"]) for chart in charts(page)]
