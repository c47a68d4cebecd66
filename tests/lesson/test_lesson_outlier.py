import numpy as np
import pytest

from compress import LpLowRank
from compress.lesson import outlier


@pytest.fixture(scope="module")
def points():
    return outlier.cloud()


def test_the_line_at_p_2_is_svds_first_axis(points):
    for distance in (0, 5, 15):
        axis = outlier.matrix(points, distance).axes[:, 0]
        assert abs(axis @ outlier.direction(points, distance, 2.0)) == pytest.approx(1, abs=1e-6)


def test_the_rows_that_the_library_decodes_lie_on_the_line(points):
    matrix = outlier.matrix(points, 9)
    decoded = LpLowRank(j=1, p=1.3, objective="rows", factor_bits=32).fit(matrix).reconstruct()
    line = outlier.direction(points, 9, 1.3)
    np.testing.assert_allclose(decoded, np.outer(decoded @ line, line), atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_svds_line_swings_and_the_one_at_p_1_stays(seed):
    points = outlier.cloud(seed)
    assert outlier.lines(points, 2.0).swings[10] > 30
    assert outlier.lines(points, 1.0).swings[10] < 5


def test_without_a_far_point_nothing_swings_and_a_turn_saves_nothing(points):
    for p in (1.0, 1.5, 2.0):
        found = outlier.lines(points, p)
        assert found.swings[0] == pytest.approx(0, abs=0.1) and found.gains[0] == 0
        assert len(outlier.matrix(points, 0).values) == outlier.N


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [1.0, 1.3, 1.5, 2.0])
def test_a_line_swings_where_a_turn_saves_more_than_it_costs(seed, p):
    found = outlier.lines(outlier.cloud(seed), p)
    pays = found.gains > found.losses
    assert (found.swings[pays] > 2).all() and (found.swings[~pays] < outlier.TURN).all()


def test_what_a_turn_saves_and_costs_is_the_change_of_the_whole_cost(points):
    line = outlier.direction(points, 0, 1.5)
    gain, loss = outlier.turned(points, 7, 1.5, line)
    angle = np.arctan2(line[1], line[0]) - np.radians(outlier.TURN)  # the far point is clockwise of the line
    values = np.vstack([points, 7 * outlier.at(outlier.AWAY)])
    before, after = ((np.abs(values @ [each[1], -each[0]]) ** 1.5).sum() for each in (line, outlier.at(angle)))
    assert after - before == pytest.approx(loss - gain, abs=1e-5)


@pytest.mark.parametrize("angle", [20, 80, 101, 103, 150, 189])
def test_a_turn_is_towards_the_nearer_end_and_brings_the_far_point_nearer(points, angle):
    gain, _ = outlier.turned(points, 10, 2.0, outlier.at(np.radians(angle)))
    away = [np.sin(np.radians(angle) - outlier.AWAY - turn) ** 2 for turn in np.radians([0, outlier.TURN, -outlier.TURN])]
    assert gain == pytest.approx(100 * (away[0] - min(away)), abs=1e-3) and gain > 0


def test_noise_has_no_line_that_either_fit_stays_with():
    swings = [[outlier.lines(outlier.cloud(seed, noise=True), p).swings[15] for seed in range(5)] for p in (1.0, 2.0)]
    assert min(map(np.median, swings)) > 20


def test_the_figure_names_both_lines_and_tells_them_apart_by_dash(points):
    svd, other = outlier.lines(points, 2.0), outlier.lines(points, 1.0)
    chart = outlier.figure(points, svd, other, 10)
    shown = {trace.name: trace.line.dash for trace in chart.data if trace.name in (outlier.SVD, outlier.OTHER)}
    assert shown == {
        outlier.SVD: "dash",
        outlier.OTHER: "solid",
    }
