import numpy as np
import pytest

from compress import EmbeddingMatrix, LpLowRank
from compress.lesson import outlier


@pytest.fixture(scope="module")
def points():
    return outlier.cloud()


def with_far(points, distance):
    return np.vstack([points, distance * outlier.at(outlier.AWAY)])


def direction(values, p):
    """Of the library's line, as an angle in radians."""
    x, y = LpLowRank(j=1, p=p, objective="rows", factor_bits=32).fit(EmbeddingMatrix(values)).arrays["bases"][0, 0]
    return np.arctan2(y, x)


def test_the_line_at_p_2_is_svds_first_axis(points):
    found = outlier.lines(points, 2.0)
    for distance in (0, 5, 12.3, 15):
        axis = EmbeddingMatrix(with_far(points, distance)).axes[:, 0]
        assert abs(axis @ found.directions[outlier.place(distance)]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("p", [1.0, 1.25, 1.5, 2.0])
def test_the_librarys_line_costs_no_less_than_the_best_direction_and_hardly_more(seed, p):
    found = outlier.lines(outlier.cloud(seed), p)
    for distance in (0, 4.2, 9, 15):
        values = with_far(outlier.cloud(seed), distance)
        x, y = found.directions[outlier.place(distance)]
        best, librarys = outlier.costs(values, np.array([np.arctan2(y, x), direction(values, p)]), p)
        assert best * (1 - 5e-4) < librarys < 1.005 * best  # directions are a tenth of a degree apart


def test_a_cost_is_the_distances_to_a_line_to_the_power_p(points):
    line = outlier.at(np.radians(33))
    apart = np.linalg.norm(points - np.outer(points @ line, line), axis=1)
    assert outlier.costs(points, np.radians([33]), 1.3) == pytest.approx([(apart**1.3).sum()])


@pytest.mark.parametrize("seed", range(5))
def test_svds_line_swings_and_the_one_at_p_1_stays(seed):
    points = outlier.cloud(seed)
    assert outlier.lines(points, 2.0).swings[outlier.place(10)] > 30
    assert outlier.lines(points, 1.0).swings[outlier.place(10)] < 5


def test_without_a_far_point_nothing_swings_and_a_turn_saves_nothing(points):
    for p in (1.0, 1.5, 2.0):
        found = outlier.lines(points, p)
        assert found.swings[0] == 0 and found.gains[0] == 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [1.0, 1.3, 1.5, 2.0])
def test_a_line_swings_where_a_turn_saves_more_than_it_costs(seed, p):
    found = outlier.lines(outlier.cloud(seed), p)
    pays = found.gains > found.loss
    assert (found.swings[pays] > 2).all() and (found.swings[~pays] < outlier.TURN).all()


def test_what_a_turn_saves_and_costs_is_the_change_of_the_whole_cost(points):
    found = outlier.lines(points, 1.5)
    x, y = found.directions[0]
    turned = np.arctan2(y, x) - np.radians([0, outlier.TURN])  # the far point is clockwise of the line
    before, after = outlier.costs(with_far(points, 7), turned, 1.5)
    assert after - before == pytest.approx(found.loss - found.gains[outlier.place(7)], abs=1e-5)


@pytest.mark.parametrize("turn", [-60, 0, 21, 23, 70, 107])
def test_a_turn_is_towards_the_nearer_end_and_brings_the_far_point_nearer(points, turn):
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    found = outlier.lines(points @ [[c, s], [-s, c]], 2.0)
    x, y = found.directions[0]
    away = [np.sin(np.arctan2(y, x) - outlier.AWAY - turn) ** 2 for turn in np.radians([0, outlier.TURN, -outlier.TURN])]
    assert found.gains[outlier.place(10)] == pytest.approx(100 * (away[0] - min(away)), abs=1e-3) and found.gains[-1] > 0


def test_noise_has_no_line_that_either_fit_stays_with():
    swings = [[outlier.lines(outlier.cloud(seed, noise=True), p).swings[-1] for seed in range(5)] for p in (1.0, 2.0)]
    assert min(map(np.median, swings)) > 20


def test_the_figure_names_both_lines_and_tells_them_apart_by_dash(points):
    svd, other = outlier.lines(points, 2.0), outlier.lines(points, 1.0)
    chart = outlier.figure(points, svd, other, 10)
    shown = {trace.name: trace.line.dash for trace in chart.data if trace.name in (outlier.SVD, outlier.OTHER)}
    assert shown == {
        outlier.SVD: "dash",
        outlier.OTHER: "solid",
    }
