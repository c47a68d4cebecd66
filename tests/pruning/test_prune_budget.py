"""One ε for all layers, and a bound that holds."""

from dataclasses import replace
from itertools import pairwise
from math import ceil, log

import numpy as np
import pytest
from small_networks import Residual, Straight, images, made
from torch import nn

from compress.pruning import BY, VARIANTS, prune, reports, study
from compress.pruning.budget import Demand, demand
from compress.pruning.choosing import counts_drawn, drawn


def test_samples_and_kept_filters_are_the_formulas():
    p = np.array([0.5, 0.3, 0.2])
    asked = Demand(p, total=2.0, k=10.0)
    epsilons = np.array([4.0, 1e3])
    m = asked.samples(epsilons)
    assert m[0] == ceil(3 * (6 + 8) * 2 * 10 / 16)
    assert asked.kept(epsilons).tolist() == [ceil((1 - (1 - p) ** each).sum()) for each in m]


def test_the_constant_of_a_space_is_its_largest_readers():
    known = study(made(Residual), images())
    space = next(each for each in known.channels.prunable if each.name == "one")
    expected = 6 * log(8 * (16 * 16 + 1) * 8 / 1e-16)
    assert demand(known.channels, space, known.values[space.channels]).k == pytest.approx(expected)


def test_nothing_felt_keeps_one():
    asked = Demand(np.zeros(4), 0.0, 10.0)
    assert asked.kept(np.array([1e-6, 1e12])).tolist() == [1, 1]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("measure", ["parameters", "flops"])
def test_what_is_known_of_every_budget_at_once_is_what_pruning_to_each_gives(measure, variant):
    network, x = made(Residual), images()
    known, keeps = study(network, x), [each / 100 for each in range(1, 101, 3)]
    found = reports(network, known, keeps, measure=measure, variant=variant, seed=3)
    assert [each.keep for each in found] == keeps[-len(found) :] and 5 < len(found) < len(keeps)
    for each in found:
        alone = prune(network, x, each.keep, measure=measure, variant=variant, seed=3, studied=known)[1]
        assert np.array_equal(each.choice.kept, alone.choice.kept) and np.array_equal(each.choice.scale, alone.choice.scale)
        assert replace(each, choice=None) == replace(alone, choice=None)


@pytest.mark.parametrize("measure", ["parameters", "flops"])
def test_epsilon_falls_as_the_budget_grows_and_no_layer_loses_by_it(measure):
    network, x = made(Straight), images()
    known = study(network, x)
    reports = [prune(network, x, keep, measure=measure, studied=known)[1] for keep in (0.3, 0.5, 0.7, 0.9)]
    assert all(one.epsilon > other.epsilon for one, other in pairwise(reports))
    for one, other in pairwise(reports):
        assert all(one.kept[name][0] <= other.kept[name][0] for name in one.kept)


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("measure", ["parameters", "flops"])
@pytest.mark.parametrize("keep", [0.4, 0.7])
def test_every_way_meets_the_budget_and_uses_it(by, measure, keep):
    network, x = made(Scaled), images()
    report = prune(network, x, keep, by, measure)[1]
    before, after = getattr(report, measure)
    assert keep - 0.2 < after / before <= keep and report.removed == 1 - after / before


class Scaled(Residual):
    """With a batch norm after every convolution that writes a space alone, so that all four ways apply."""

    def __init__(self):
        super().__init__()
        self.one = nn.Sequential(self.one, nn.BatchNorm2d(5))
        self.three = nn.Sequential(self.three, nn.BatchNorm2d(6))


def test_a_sample_is_right_in_the_mean():
    rng = np.random.default_rng(0)
    z, p = rng.random(30), rng.dirichlet(np.ones(30))
    for certain in (0, 5):
        sums = [(np.where(kept, scale, 0) * z).sum() for kept, scale in (drawn(p, 12, certain, rng) for _ in range(3000))]
        assert np.mean(sums) == pytest.approx(z.sum(), rel=0.15)


def test_so_many_different_ones_are_drawn_and_no_more_than_there_are():
    rng = np.random.default_rng(0)
    assert np.count_nonzero(counts_drawn(np.full(10, 0.1), 7, rng)) == 7
    assert np.count_nonzero(counts_drawn(np.array([0.5, 0.5, 0]), 3, rng)) == 2


def test_the_bound_holds_in_nearly_all_trials():
    """m samples of a layer of 400 inputs: every output, as a share of what it sums, errs by at most ε in 1 − δ of trials."""
    rng = np.random.default_rng(0)
    delta, n_out, d = 0.1, 5, 400
    weight, x = rng.random((n_out, d)), rng.random((8, d))
    z = x[:, None, :] * weight  # (points, outputs, inputs)
    shares = z / z.sum(2, keepdims=True)
    values = shares.max((0, 1))
    asked = Demand(values / values.sum(), values.sum(), k=2 * log(2 * z.shape[0] * n_out / delta))
    epsilon = 0.9
    m = asked.samples(epsilon)
    errors = []
    for _ in range(300):
        counts = rng.multinomial(m, asked.p)
        estimate = (z * (counts / (m * asked.p))).sum(2)
        errors.append(np.abs(estimate / z.sum(2) - 1).max())
    assert np.mean(np.array(errors) <= epsilon) >= 1 - delta
    assert max(errors) > epsilon / 100  # a bound that is not met by having everything
