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


def test_without_a_far_point_nothing_swings_and_it_holds_no_share(points):
    for p in (1.0, 1.5, 2.0):
        found = outlier.lines(points, p)
        assert found.swings[0] == pytest.approx(0, abs=0.1) and found.shares[0] == 0
        assert len(outlier.matrix(points, 0).values) == outlier.N


def test_a_smaller_p_gives_the_far_point_a_smaller_share(points):
    shares = [outlier.lines(points, p).shares for p in (1.0, 1.5, 2.0)]
    assert (shares[0][5:] < shares[1][5:]).all() and (shares[1][5:] < shares[2][5:]).all() and max(map(max, shares)) < 1


def test_noise_has_no_line_that_either_fit_stays_with():
    swings = [[outlier.lines(outlier.cloud(seed, noise=True), p).swings[15] for seed in range(5)] for p in (1.0, 2.0)]
    assert min(map(np.median, swings)) > 20


def test_the_figure_names_both_lines_with_their_swing_and_tells_them_apart_by_dash(points):
    svd, other = outlier.lines(points, 2.0), outlier.lines(points, 1.0)
    chart = outlier.figure(points, svd, other, 10)
    shown = {trace.name: trace.line.dash for trace in chart.data if trace.name and "swung" in trace.name}
    assert shown == {
        f"SVD (p = 2): swung {svd.swings[10]:.0f}°": "dash",
        f"line of p = 1: swung {other.swings[10]:.0f}°": "solid",
    }
