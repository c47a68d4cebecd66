import numpy as np
import pandas as pd
import pytest

from compress.charts import filters as filter_charts


def test_kept_and_dropped_filters_differ_in_colour_and_in_pattern():
    values = np.array([0.1, 0.9, 0.0, 0.5])
    chart = filter_charts.sensitivities(values, np.array([False, True, False, True]))
    kept, dropped = chart.data
    assert [kept.name, dropped.name] == ["kept, 2", "dropped, 2"]
    assert list(kept.x) == [1, 2] and list(kept.y) == [0.9, 0.5] and list(kept.customdata) == [1, 3]
    assert list(dropped.x) == [3, 4] and list(dropped.y) == [0.1, 0.0]
    assert kept.marker.color != dropped.marker.color and dropped.marker.pattern.shape and not kept.marker.pattern.shape


def test_layers_stand_from_the_first_down_and_are_shown_as_text():
    table = pd.DataFrame({"layer": ["<b>a</b>", "b"], "kept": [1, 2], "all": [4, 2]})
    chart = filter_charts.counts(table)
    assert list(chart.data[1].y) == ["&lt;b&gt;a&lt;/b&gt;", "b"] and chart.layout.yaxis.autorange == "reversed"


@pytest.mark.parametrize("bound", [0.0, 1e-9, 0.3, 40.0])
def test_every_bound_is_on_the_axis_and_zero_has_a_place_of_its_own(bound):
    table = pd.DataFrame({"layer": ["a", "b"], "bound": [bound, 0.5], "mean": [0.0, 0.01], "largest": [0.0, 0.2]})
    chart = filter_charts.bounds(table, max(bound, 0.5))
    low, high = chart.layout.xaxis.range
    drawn = np.log10(np.concatenate([trace.x for trace in chart.data]).astype(float))
    assert (drawn > low).all() and (drawn < high).all()
    assert chart.layout.xaxis.ticktext[0] == "0" and [trace.customdata[1] for trace in chart.data] == [0.01, 0.2, 0.5]


def points(retrained=(False,)):
    return pd.DataFrame(
        [
            (by, removed, removed, seed, 1 - removed - 0.1 * seed, again)
            for again in retrained
            for by in filter_charts.BY
            for removed in (0.1, 0.5)
            for seed in range(2 if by == "random" else 1)
        ],
        columns=["by", "removed", "really", "seed", "value", "retrained"],
    )


def test_seeds_are_a_line_of_means_in_a_band_from_least_to_largest():
    chart = filter_charts.curves(points(), "parameters", "accuracy")
    band, line = (
        next(trace for trace in chart.data if test(trace)) for test in (lambda t: t.fill, lambda t: "random" in (t.name or ""))
    )
    assert line.name == "random (2 seeds)"
    np.testing.assert_allclose(line.y, [0.85, 0.45])
    np.testing.assert_allclose(band.y, [0.9, 0.5, 0.4, 0.8])


def test_every_way_has_a_colour_and_a_sign_and_retrained_ones_are_filled():
    chart = filter_charts.curves(points((False, True)), "FLOPs", "accuracy", 0.9)
    lines = [trace for trace in chart.data if trace.name]
    assert len({(trace.line.color, trace.marker.symbol) for trace in lines}) == 2 * len(filter_charts.BY)
    assert all(("open" in trace.marker.symbol) == ("one shot" in trace.name) for trace in lines)


def test_feature_maps_keep_their_place_order_and_one_scale():
    tiles = np.arange(10 * 2 * 3, dtype=float).reshape(10, 2, 3)
    chart = filter_charts.maps(tiles, range(10, 20), np.linspace(1, 0, 10), 0, 100)
    grid = chart.data[0]
    np.testing.assert_array_equal(grid.z[0:2, 0:3], tiles[0])
    np.testing.assert_array_equal(grid.z[3:5, 4:7], tiles[9])
    assert np.isnan(grid.z[2]).all() and np.isnan(grid.z[3:5, 8:]).all()
    assert grid.customdata[3, 4] == 19 and (grid.zmin, grid.zmax) == (0, 100)
    assert len(grid.x) == grid.z.shape[1] + 1 and (np.diff(grid.x) > 0).all() and (np.diff(grid.y) > 0).all()
    assert chart.data[1].text[0] == "1.00" and chart.data[1].text[-1] == "0"
