"""What the charts of a page that runs without a browser are drawn from."""

import json
from types import SimpleNamespace


def charts(page) -> list[dict]:
    """What each chart was told, in the order of the page."""
    return told(page, "live_chart")


def drawn(page) -> list[dict]:
    """Their plotly figures."""
    return [json.loads(chart["figure"]) for chart in charts(page)]


def told(page, component: str) -> list[dict]:
    """What each component of that name was told, in the order of the page."""
    parts = [each.proto for each in page.get("bidi_component")]
    return [json.loads(each.json) for each in parts if each.component_name == f"flatland_{component}"]


def shown_cards(page) -> list[SimpleNamespace]:
    """The cards of a page, each with its label, value, delta and help."""
    return [SimpleNamespace(**card) for row in told(page, "figures") for card in row["cards"]]


def stands(page, key: str) -> float:
    """Where the dial of a setting stands."""
    return next(each["value"] for each in told(page, "dial") if each["key"] == key)


def moved(page, key: str, value):
    """The page once a dial was let go at a value."""
    page.session_state[key] = value
    return page.run()
