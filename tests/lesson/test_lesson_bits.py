import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix
from compress.form.metrics import error_text
from compress.lesson import bits
from compress.lesson.bits import BITS, POINTS, VIEWS, cloud, crowd, learnt, placed, stages
from compress.methods import LightToken

ANGLES = (10, 40, 70)


def method(seed):
    return LightToken(bits=BITS, gain_bits=0, factor_bits=32, seed=seed)


@pytest.mark.parametrize("noise", [False, True])
def test_learnt_codes_are_the_best_of_light_tokens(noise):
    points = cloud(1, noise)
    matrix = EmbeddingMatrix(points)
    fits = [method(seed).fit(matrix) for seed in range(bits.STARTS)]
    errors = [compress.evaluate(matrix, fit).relative_error for fit in fits]
    found = stages(points, None)
    assert found.errors[0] == pytest.approx(min(errors), abs=1e-6)
    np.testing.assert_allclose(found.first.decoded, fits[int(np.argmin(errors))].reconstruct(), atol=1e-5)


def test_the_errors_are_those_of_the_points_and_of_what_both_stages_restore():
    for angles in (ANGLES, None):
        found = stages(cloud(2), angles)
        points, both = found.first.points, found.first.decoded + found.second.decoded
        whole = (points**2).sum()
        assert found.errors[0] == pytest.approx(((points - found.first.decoded) ** 2).sum() / whole, rel=1e-4)
        assert found.errors[1] == pytest.approx(((points - both) ** 2).sum() / whole, rel=1e-4)
        assert found.errors[1] < found.errors[0]


def test_a_bit_is_the_side_of_its_line():
    points = cloud(0)
    signs = placed(points, (0, 90, 45)).codes.signs
    np.testing.assert_array_equal(signs[:, 0] > 0, points[:, 1] >= points[:, 1].mean())
    np.testing.assert_array_equal(signs[:, 1] > 0, points[:, 0] <= points[:, 0].mean())


def test_no_arrows_restore_placed_codes_better_than_least_squares():
    stage = placed(cloud(3), ANGLES)
    used = np.concatenate([stage.codes.signs, np.ones((POINTS, 1))], axis=1)
    best = used @ np.linalg.lstsq(used, stage.points, rcond=None)[0]
    np.testing.assert_allclose(stage.decoded, best, atol=1e-4)


@pytest.mark.parametrize("stage", [placed(cloud(0), ANGLES), learnt(cloud(0))], ids=["placed", "learnt"])
def test_the_cells_are_those_of_the_points(stage):
    cells = bits.as_numbers(stage.margins(stage.points) > 0)
    assert np.mean(cells == stage.numbers) > 0.95  # the solver turns one bit at a time, and may stop beside the nearest


def test_equal_lines_give_two_codes():
    assert set(crowd(placed(cloud(0), (30, 30, 30)).numbers)) == {0, 7}


def test_every_point_has_one_code():
    assert sum(crowd(stages(cloud(5), ANGLES).first.numbers).values()) == POINTS


def test_groups_lose_less_than_noise():
    for seed in range(3):
        assert stages(cloud(seed), None).errors[0] < 0.6 * stages(cloud(seed, noise=True), None).errors[0]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("angles", [ANGLES, (0, 0, 0), None], ids=str)
def test_every_view_draws_all_points_and_counts_them(view, angles):
    found = stages(cloud(0), angles)
    made = bits.chart(found, view)
    (counts,) = (trace.y for trace in made.data if trace.type == "bar")
    assert sum(counts) == POINTS
    assert any(
        trace.x is not None and len(trace.x) == POINTS for trace in made.data if trace.type == "scatter" and trace.mode == "markers"
    )


def test_a_title_tells_the_errors_and_how_many_codes_are_in_use():
    found = stages(cloud(0), ANGLES)
    one, two = found.errors
    used = len(crowd(found.first.numbers))
    assert f"{used} crosses, error {error_text(one)}" in bits.title(found, "restored")
    assert f"{used} of 8 codes" in bits.title(found, "bit 3")
    assert f"{error_text(one)} → {error_text(two)}" in bits.title(found, "both")


def test_what_is_left_is_each_stick_moved_to_0_in_the_colour_of_its_code():
    found = stages(cloud(0), ANGLES)
    made = bits.chart(found, "left")
    dots = next(trace for trace in made.data if trace.mode == "markers" and len(trace.x) == POINTS)
    cross = next(trace for trace in made.data if trace.name == bits.CROSSES)
    np.testing.assert_allclose(np.stack([dots.x, dots.y], axis=1), found.first.left)
    assert list(dots.text) == [bits.written(number) for number in found.first.numbers]
    assert [each for each in zip(cross.x, cross.y, strict=True) if not np.isnan(each[0])] == [(0, 0)]


@pytest.mark.parametrize("angles", [(10, 40, 70), (0, 90, 179), (30, 30, 120)], ids=str)
def test_the_wedges_of_placed_lines_are_the_cells_of_their_codes_and_cover_the_plane(angles):
    found = stages(cloud(1), angles)
    for view, count in (("bit 1", 1), ("bit 2", 2), ("bit 3", 3), ("second", 3)):
        stage, reach = bits.drawn(found, view)[0], bits.reached(found, view)
        parts = bits.moving(found, view)
        every = np.random.default_rng(0).uniform(-reach, reach, (400, 2)) * [bits.ROOM, 1]
        far = np.abs(stage.margins(every)).min(axis=1) > 1e-3
        codes = bits.as_numbers(stage.margins(every)[:, :count] > 0)
        for number, code in enumerate(bits.written_codes(count)):
            corners = np.stack([parts[bits.CELL + code][axis] for axis in "xy"], axis=1)
            np.testing.assert_array_equal(inside(corners, every)[far], (codes == number)[far])
        if view.startswith("bit"):
            badges = np.stack([parts[bits.BADGES][axis] for axis in "xy"], axis=1)
            there = np.flatnonzero(~np.isnan(badges[:, 0]))
            assert (bits.as_numbers(stage.margins(badges[there])[:, :count] > 0) == there).all() and set(codes[far]) <= set(there)


def inside(corners, points):
    """Whether points (m, 2) lie in a polygon that turns one way."""
    ahead = np.roll(corners, -1, axis=0) - corners
    apart = points[:, None] - corners
    turns = ahead[:, 0] * apart[..., 1] - ahead[:, 1] * apart[..., 0]
    return (turns > 0).all(axis=1)


def test_every_angle_of_a_line_has_the_picture_that_is_drawn_there():
    points = cloud(0)
    every = bits.at_every_angle(points, ANGLES, 1)
    then = stages(points, (ANGLES[0], 133, ANGLES[2]))
    assert len(every) == 180 and bits.title(every[133], "both") == bits.title(then, "both")
    for view in VIEWS[1:]:
        shapes = {name: {path: values.shape for path, values in part.items()} for name, part in bits.moving(every[0], view).items()}
        drawn = {trace.name: trace for trace in bits.chart(then, view).data}
        for name, part in bits.moving(every[133], view).items():
            assert {path: values.shape for path, values in part.items()} == shapes[name]
            np.testing.assert_array_equal(part["y"], np.array(drawn[name].y, float))


def test_a_line_passes_its_nearest_point_at_its_clearance():
    found = stages(cloud(0), (0, 90, 45))
    points = found.first.points - found.first.points.mean(axis=0)
    assert bits.clearance(found, "bit 2") == pytest.approx([np.abs(points[:, 1]).min(), np.abs(points[:, 0]).min()], abs=1e-6)
