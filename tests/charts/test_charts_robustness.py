import numpy as np
import pytest

from compress.answers.robust import View
from compress.charts import robustness as robust_charts


def view(residuals, planted):
    """Of two fits that leave the same."""
    near = np.quantile(residuals[~planted], np.linspace(0, 1, 129))
    far = np.quantile(residuals[planted], np.linspace(0, 1, 33)) if planted.any() else np.zeros(33)
    return View(np.zeros((2, 8)), np.zeros(()), np.stack([near, near]), np.stack([far, far]))


@pytest.mark.parametrize("residuals", [np.arange(100.0), np.array([1.0, 2, 3, 500]), np.zeros(4), np.full(5, 2.0)])
def test_every_residual_is_in_a_bin(residuals):
    none = np.zeros(len(residuals), bool)
    edges = robust_charts.bins_of(view(residuals, none), len(residuals), 0, 0.0, False).edges
    assert (np.diff(edges) > 0).all() and robust_charts.counts_of(residuals, none, edges)["rows"].sum() == len(residuals)


def test_bins_stay_where_residuals_hardly_change():
    residuals, none = np.linspace(1, 2, 500), np.zeros(500, bool)
    one, other = (robust_charts.bins_of(view(each, none), 500, 0, 0.0, False) for each in (residuals, 1.001 * residuals))
    assert one.key == other.key


@pytest.mark.parametrize("log", [False, True])
def test_planted_rows_are_drawn_apart_and_only_where_there_are_any(log):
    found, planted = np.array([1.0, 2, 3, 4]), np.array([False, False, False, True])
    bins = robust_charts.bins_of(view(found, planted), 4, 1, 0.0, log)
    chart = robust_charts.residuals(robust_charts.counts_of(found, planted, bins.edges), bins, "#000000")
    assert [trace.name for trace in chart.data] == ["rows", "planted rows"]
    assert [sum(each[2] for each in trace.customdata) for trace in chart.data] == [3, 1]
    none = robust_charts.residuals(robust_charts.counts_of(found, planted & False, bins.edges), bins, "#000000").data[1]
    assert np.isnan(none.y).all()


def test_tokens_are_shown_as_text_and_planted_rows_marked():
    chart = robust_charts.gains(["<b>x</b>", "y" * 40], np.array([1.0, 3]), np.array([2.0, 2]), np.array([False, True]), "here")
    first, second = chart.layout.yaxis.ticktext
    assert first == "&lt;b&gt;x&lt;/b&gt;" and second.endswith("… ◆") and len(second) < 30
    assert chart.layout.xaxis.range[0] == -chart.layout.xaxis.range[1]
