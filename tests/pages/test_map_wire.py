import json

import numpy as np
import pytest

from pages.parts import map as parts_map
from pages.parts.map import Colouring, MapSelection, Recolouring
from pages.parts.map.chosen import selection
from pages.parts.map.colouring import coloured, recoloured
from pages.parts.map.packing import (
    frame,
    joined_names,
    pack,
    packed_labels,
    quantised_positions,
    quantised_values,
    robust_limits,
)
from pages.parts.map.polygon import points_in_polygon

SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2]]


def unpacked(data):
    parts = []
    while data:
        length = int.from_bytes(data[:4], "little")
        parts.append(data[4 : 4 + length])
        data = data[4 + length :]
    return json.loads(parts[0]), parts[1:]


def crossings(point, polygon):
    """The even–odd rule, one point and one edge at a time."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def test_square_holds_its_middle_and_not_its_surroundings():
    points = np.array([[1, 1], [3, 1], [-1, 1], [1, 3], [1, -1]])
    assert points_in_polygon(points, SQUARE).tolist() == [True, False, False, False, False]


def test_polygon_agrees_with_the_rule_one_point_at_a_time():
    random = np.random.default_rng(0)
    polygon, points = random.random((40, 2)), random.random((2000, 2))
    assert points_in_polygon(points, polygon).tolist() == [crossings(p, polygon.tolist()) for p in points]


def test_twice_enclosed_points_are_outside():
    inner = [[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5]]
    both = [*SQUARE, SQUARE[0], *inner, inner[0]]
    assert points_in_polygon(np.array([[1, 1], [0.2, 1]]), both).tolist() == [False, True]


def test_tiled_polygons_hold_each_point_once():
    grid = np.stack(np.meshgrid(np.arange(5) / 2, np.arange(5) / 2), axis=-1).reshape(-1, 2)
    left, right = [[0, 0], [1, 0], [1, 3], [0, 3]], [[1, 0], [3, 0], [3, 3], [1, 3]]
    assert (points_in_polygon(grid, left).astype(int) + points_in_polygon(grid, right) == 1).all()


@pytest.mark.parametrize("polygon", [np.empty((0, 2)), [[0, 0], [1, 1]]])
def test_less_than_a_triangle_holds_nothing(polygon):
    assert not points_in_polygon(np.zeros((3, 2)), polygon).any()


def test_packed_parts_come_back():
    header, arrays = unpacked(pack({"title": "é", "n": 3}, b"\x00\x01", b""))
    assert header == {"title": "é", "n": 3}
    assert arrays == [b"\x00\x01", b""]


def test_positions_are_kept_to_a_65535th_of_the_box():
    positions = np.random.default_rng(0).standard_normal((500, 2)) * (3, 100)
    low, high = frame(positions)
    units = np.frombuffer(quantised_positions(positions, low, high), "<u2").reshape(-1, 2)
    assert np.abs(low + units / 65535 * (high - low) - positions).max() <= (high - low).max() / 131070 * 1.001


@pytest.mark.parametrize("positions", [np.empty((0, 2)), np.zeros((3, 2)), np.array([[1.0, 5.0], [1.0, 9.0]])])
def test_flat_box_is_given_some_width(positions):
    low, high = frame(positions)
    assert (high > low).all()
    assert (low <= positions).all()
    assert (positions <= high).all()


def test_values_fill_0_to_253_and_clip_at_the_limits():
    values = np.array([-5.0, 0.0, 0.5, 1.0, 7.0, np.nan, np.inf])
    assert list(quantised_values(values, (0.0, 1.0), log=False)) == [0, 0, 126, 253, 253, 255, 255]


def test_log_spreads_decades_evenly_and_has_no_place_for_zero():
    assert list(quantised_values(np.array([1.0, 10.0, 100.0, 0.0]), (1.0, 100.0), log=True)) == [0, 126, 253, 255]


def test_equal_limits_are_one_colour():
    assert set(quantised_values(np.ones(4), (1.0, 1.0), log=False)) == {0}


def test_robust_limits_leave_out_the_outermost_hundredths():
    values = np.r_[np.linspace(0, 1, 1001), np.nan]
    assert robust_limits(values, log=False) == pytest.approx((0.01, 0.99))
    assert robust_limits(np.array([np.nan]), log=False) == (0.0, 1.0)
    assert robust_limits(np.zeros(3), log=True) == (1.0, 10.0)


def test_names_come_back_one_a_line():
    assert joined_names(["a", "", "日本", "<b>"]).decode().split("\n") == ["a", "", "日本", "<b>"]
    assert joined_names(["a\nb", "c"]).decode().split("\n") == ["a␤b", "c"]
    assert joined_names([]) == b""


def test_lone_surrogates_do_not_stop_the_map():
    assert joined_names(["\ud800"]) == b"?"


def test_long_names_are_cut_the_shorter_the_more_there_are():
    few = joined_names(["x" * 500]).decode()
    many = joined_names(["x" * 500] * 200_000).decode().split("\n")
    assert len(few) == 80
    assert few.endswith("…")
    assert {len(name) for name in many} == {20}


def test_header_names_every_label():
    header, colours = coloured(Colouring(np.array([0, 2, 2], np.uint8), "categories", ("north",)))
    assert header["names"] == ["north", "1", "2"]
    assert header["counts"] == [1, 0, 2]
    assert colours.tolist() == [0, 2, 2]


def test_header_says_where_values_pass_the_limits():
    header, _ = coloured(Colouring(np.array([0.0, 1.0, 9.0]), "sequential", limits=(0.0, 2.0)))
    assert header["beyond"] == [False, True]


def test_labels_past_253_are_refused():
    with pytest.raises(ValueError, match=r"labels must be between 0 and 253, or -1 for none, got 0 to 300"):
        coloured(Colouring(np.array([0, 300]), "categories"))


def test_log_limits_must_be_positive():
    with pytest.raises(ValueError, match=r"limits must rise from above zero, got 0\.0 and 1\.0"):
        coloured(Colouring(np.ones(2), "sequential", limits=(0.0, 1.0), log=True))


@pytest.mark.parametrize(
    ("positions", "n_values", "n_tokens", "message"),
    [
        (np.zeros((3, 3)), 3, 3, r"positions must be \(n, 2\), got \(3, 3\)"),
        (np.full((3, 2), np.nan), 3, 3, "positions must be finite"),
        (np.zeros((3, 2)), 2, 3, "3 positions need as many colour values and tokens, got 2 and 3"),
        (np.zeros((3, 2)), 3, 4, "3 positions need as many colour values and tokens, got 3 and 4"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(positions, n_values, n_tokens, message):
    with pytest.raises(ValueError, match=message):
        parts_map.scatter_map(positions, Colouring(np.zeros(n_values), "sequential"), ["t"] * n_tokens, key="m")


POINTS = np.array([[1.0, 1.0], [5.0, 5.0], [0.5, 1.5]])


def test_polygon_and_row_become_rows():
    assert selection({"polygon": SQUARE}, POINTS).rows.tolist() == [0, 2]
    assert selection({"polygon": SQUARE}, POINTS).polygon == SQUARE
    assert selection({"row": 1}, POINTS).rows.tolist() == [1]


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        {"row": 3},
        {"row": -1},
        {"row": "1"},
        {"row": 10**30},
        {"polygon": "all"},
        {"polygon": [[0, 0], [1, 1]]},
        {"polygon": [[0, 0], [1], [2, 2]]},
        {"polygon": [[0, 0], [1, None], [2, 2]]},
        {"polygon": [[0, 0], [9, 0], [9, float("nan")]]},
        {"polygon": [[0, 0, 0]] * 3},
        {"polygon": [{"x": 1}] * 3},
        {"polygon": SQUARE * 1000},
    ],
)
def test_what_a_browser_should_not_send_selects_nothing(sent):
    chosen = selection(sent or {}, POINTS)
    assert isinstance(chosen, MapSelection)
    assert chosen.rows.tolist() == []
    assert chosen.polygon is None


def test_rows_that_were_chosen_stay_so_where_their_tokens_lie_elsewhere():
    told = {"points": "a", "row": None, "polygon": SQUARE}
    assert parts_map._chosen(told, "a", "names", POINTS)[1] == {"polygon": SQUARE}
    chosen, sent = parts_map._chosen(told, "b", "names", POINTS[::-1])
    assert chosen.rows.tolist() == [0, 2] and chosen.polygon is None
    assert sent == {"rows": [0, 2]}
    assert parts_map._chosen(told, "b", "other names", POINTS)[1] is None
    assert parts_map._chosen(told, "a", "names", POINTS)[0].polygon == SQUARE
    assert parts_map._chosen(None, "a", "names", POINTS)[1] is None


def test_labels_of_a_dial_are_packed_and_take_the_names_of_what_is_shown():
    labels = np.array([[0, 0, 0, 0, 0], [0, 1, 1, 0, 1], [2, 1, 0, 0, 1]])
    bits, rows = packed_labels(labels)
    assert bits == [0, 1, 2]
    assert rows == [b"", bytes([0b10110]), bytes([0b00000110, 0b01])]
    shown = Colouring(np.array([2, 0, 1, 1, 0]), "categories")
    assert recoloured(Recolouring("k", 3, [1, 2, 3], labels), shown)["order"] == [1, 0, 2]
    assert recoloured(Recolouring("k", 4, [1, 2, 3], labels), shown)["order"] == []
    with pytest.raises(ValueError, match=r"labels must be \(2, 5\), got \(3, 5\)"):
        recoloured(Recolouring("k", 3, [1, 2], labels), shown)
