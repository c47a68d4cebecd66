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
    cross = next(trace for trace in made.data if trace.name == "all crosses")
    np.testing.assert_allclose(np.stack([dots.x, dots.y], axis=1), found.first.left)
    assert list(dots.text) == [bits.written(number) for number in found.first.numbers]
    assert list(cross.x) == list(cross.y) == [0]
