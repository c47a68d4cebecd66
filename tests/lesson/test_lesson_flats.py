import numpy as np
import pytest

from compress import SVD, ProjectiveClustering, evaluate
from compress.lesson import flats
from compress.solvers.flats import all_rows, measure, refit
from compress.solvers.losses import Loss

CASES = [(3, 2, 0, False), (3, 2, 1, False), (4, 1, 3, False), (2, 1, 5, True), (1, 2, 0, False)]


@pytest.fixture(params=CASES, ids=str)
def history(request):
    return flats.history(*request.param)


def test_no_step_raises_the_cost(history):
    costs = [moment.cost for moment in history.moments[1:]]
    assert len(costs) == flats.STEPS and (np.diff(costs) <= 1e-7).all()


def test_the_cost_is_the_relative_error_of_the_points_feet(history):
    values = history.matrix.values.astype(float)
    for moment in history.moments[1:]:
        left = values - flats.feet(history.matrix, moment)
        assert moment.cost == pytest.approx((left**2).sum() / (values**2).sum(), abs=1e-6)


def test_assign_and_refit_are_the_librarys_own(history):
    rows, k = all_rows(history.matrix), len(history.moments[0].flats.bases)
    for before, after in zip(history.moments, history.moments[1:], strict=False):
        if after.does == "assign":
            assert (after.labels == measure(rows, before.flats, Loss()).labels).all() and after.flats is before.flats
        else:
            j = after.flats.bases.shape[2]
            assert (after.flats.bases == refit(rows, after.labels, k, j, False, None).bases).all()


def test_one_flat_costs_what_svd_costs():
    for j in (1, 2):
        history = flats.history(1, j, 0)
        svd = evaluate(history.matrix, SVD(j=j, factor_bits=32).fit(history.matrix)).relative_error
        assert history.svd == svd and history.moments[-1].cost == pytest.approx(svd, abs=1e-6)


def test_the_dotted_line_is_the_full_searchs_error():
    history = flats.history(3, 2, 0)
    method = ProjectiveClustering(k=3, j=2, factor_bits=32)
    assert history.found == evaluate(history.matrix, method.fit(history.matrix)).relative_error < history.svd / 10


def test_seed_0_comes_near_the_best_and_seed_1_falls_into_a_worse_valley():
    good, poor = (flats.history(3, 2, seed) for seed in (0, 1))
    assert good.moments[-1].cost < 1.3 * good.found
    assert poor.moments[-1].cost > 4 * good.moments[-1].cost and poor.settled


def test_nothing_moves_once_it_has_settled():
    history = flats.history(3, 2, 1)
    last, then = history.moments[-1], history.moments[history.settled]
    assert (last.labels == then.labels).all() and last.cost == pytest.approx(then.cost, abs=1e-9)
    assert flats.title(history, history.settled).startswith("Settled")
    assert not flats.title(history, history.settled - 1).startswith("Settled")


def test_noise_has_the_same_shape_and_keeps_ten_times_the_cost():
    plain, noise = (flats.history(3, 2, 0, noise) for noise in (False, True))
    assert plain.matrix.shape == noise.matrix.shape == (160, 3)
    assert noise.moments[-1].cost > 8 * plain.moments[-1].cost


@pytest.mark.parametrize("k, j", [(1, 1), (1, 2), (4, 1), (4, 2)])
def test_a_figure_shows_every_point_once_and_every_flat_with_a_sign_of_its_own(k, j):
    history = flats.history(k, j, 0)
    for step in (0, 1, 2, flats.STEPS):
        chart = flats.figure(history, step)
        groups = [trace for trace in chart.data if trace.type == "scatter3d" and trace.mode == "markers"]
        assert sum(len(trace.x) for trace in groups) == 160
        assert len({trace.marker.symbol for trace in groups}) == len(groups) == (k if step else 1)
        assert sum(trace.type == "mesh3d" for trace in chart.data) == (k if j == 2 else 0)


def test_one_chart_of_costs_serves_every_k_and_j():
    for step in (0, 1, flats.STEPS):
        parts = [flats.moving_costs(flats.history(k, j, 0), step) for k, j in ((1, 1), (1, 2), (4, 2))]
        shapes = [{name: {path: values.shape for path, values in part.items()} for name, part in each.items()} for each in parts]
        assert shapes[0] == shapes[1] == shapes[2] and np.isnan(parts[0][flats.BEST]["y"]).all()
        shown = [values["y"][~np.isnan(values["y"])] for each in parts for values in each.values()]
        assert all((flats.COSTS[0] < values).all() and (values < flats.COSTS[1]).all() for values in shown)
