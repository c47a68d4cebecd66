"""Sensitivities against the formula, and what they must not depend on."""

import itertools
from math import ceil, log

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_networks import Depthwise, Joined, Residual, Straight, images, made
from torch import nn

from compress.pruning import batch_size, layer_errors, linear_sensitivities, study
from compress.pruning.sensitivity import layer_sensitivities, padded


def shares(weight, patches):
    """For every sign, output and place: what each channel adds. weight: (out, in, k); patches: (in, k, places)."""
    for outward, inward in itertools.product((1, -1), (1, -1)):
        w, a = np.maximum(outward * weight, 0), np.maximum(inward * patches, 0)
        for filters in w:
            for place in range(a.shape[2]):
                yield np.array([(filters[j] * a[j, :, place]).sum() for j in range(len(a))])


def by_hand(weight, patches):
    found = np.zeros(weight.shape[1])
    for each in shares(weight, patches):
        if each.sum() > 0:
            found = np.maximum(found, each / each.sum())
    return found


CONVOLUTIONS = [
    nn.Conv2d(4, 5, 3),
    nn.Conv2d(4, 3, 3, stride=2, padding=1),
    nn.Conv2d(4, 3, (1, 3), padding="same", dilation=2),
    nn.Conv2d(4, 3, (4, 2), padding="same"),
    nn.Conv2d(4, 3, 3, padding=(2, 1), padding_mode="reflect"),
    nn.Conv2d(4, 2, 2, padding="valid"),
    nn.Conv2d(4, 2, 1),
]


@pytest.mark.parametrize("module", CONVOLUTIONS, ids=str)
def test_inputs_are_padded_as_the_module_pads_them(module):
    x = images(2, 4, 6)
    found = F.conv2d(padded(module, x), module.weight, module.bias, module.stride, 0, module.dilation)
    torch.testing.assert_close(found, module(x))


@pytest.mark.parametrize("module", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("signed", [False, True])
def test_of_a_convolution_is_the_formula(module, signed):
    x = images(2, 4, 6)
    x = x if signed else x.relu()
    seen = F.unfold(padded(module, x), module.kernel_size, module.dilation, 0, module.stride)
    patches = seen.unflatten(1, (4, -1)).permute(1, 2, 0, 3).flatten(2).numpy()
    expected = by_hand(module.weight.detach().flatten(2).numpy(), patches)
    np.testing.assert_allclose(layer_sensitivities(module, x, np.arange(4)), expected, rtol=1e-5)


def test_of_a_linear_layer_is_the_formula_and_its_mean_sums_first():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((20, 6)).astype(np.float32), rng.standard_normal((3, 6)).astype(np.float32)
    np.testing.assert_allclose(linear_sensitivities(x, w), by_hand(w[..., None], x.T[:, None]), rtol=1e-5)
    expected = np.zeros(6)
    for outward, inward in itertools.product((1, -1), (1, -1)):
        sums = np.maximum(outward * w, 0) * np.maximum(inward * x, 0).sum(0)
        expected = np.maximum(expected, (sums / sums.sum(1, keepdims=True)).max(0))
    np.testing.assert_allclose(linear_sensitivities(x, w, "mean"), expected, rtol=1e-5)


def test_features_of_one_channel_are_felt_together():
    module, x = nn.Linear(6, 4), torch.rand(9, 6)
    found = layer_sensitivities(module, x, np.array([7, 7, 7, 2, 2, 2]))
    expected = by_hand(module.weight.detach().unflatten(1, (2, 3)).numpy(), x.T.unflatten(0, (2, 3)).numpy())
    np.testing.assert_allclose(found, expected[::-1], rtol=1e-5)  # channel 2 comes before 7


def test_memory_does_not_change_the_result(monkeypatch):
    module, x = nn.Conv2d(4, 5, 3), images(7, 4, 6)
    whole = {over: layer_sensitivities(module, x, np.arange(4), over) for over in ("largest", "mean")}
    monkeypatch.setattr("compress.pruning.sensitivity.AT_ONCE", 1)
    for over, expected in whole.items():
        np.testing.assert_allclose(layer_sensitivities(module, x, np.arange(4), over), expected, rtol=1e-5)


@pytest.mark.parametrize("over", ["largest", "mean"])
@pytest.mark.parametrize("kind", [Straight, Residual, Depthwise, Joined])
def test_scaling_a_filter_and_unscaling_what_reads_it_changes_nothing(kind, over):
    network, x = made(kind), images()
    if kind is Depthwise:  # relu6 is not homogeneous
        network.norm.bias.data.zero_(), network.norm.running_mean.zero_()
        x = x * 1e-3
    known = study(network, x, over)
    before = known.values.copy()
    rng = np.random.default_rng(0)
    factor = np.ones(known.channels.n)
    for space in known.channels.prunable:
        reused = kind is Joined and space.name == "first"  # its layer reads what it writes
        factor[space.channels] = 2.0 if reused else 2.0 ** rng.integers(-2, 3, len(space.channels))
    for name, layer in known.channels.layers.items():
        module = network.get_submodule(name)
        outward, inward = torch.tensor(factor[layer.writes]).float(), torch.tensor(factor[layer.reads]).float()
        rest = (1,) * (module.weight.ndim - 2)
        module.weight.data /= inward.reshape((-1, 1, *rest) if layer.depthwise else (1, -1, *rest))
        module.weight.data *= outward.reshape(-1, 1, *rest)
        if module.bias is not None:
            module.bias.data *= outward
    for name, reads in known.channels.norms.items():
        module, scale = network.get_submodule(name), torch.tensor(factor[reads]).float()
        module.running_mean *= scale
        module.running_var *= scale**2
        module.running_var += module.eps * (scale**2 - 1)
        module.weight.data *= scale
        module.bias.data *= scale
    np.testing.assert_allclose(study(network, x, over).values, before, rtol=2e-4, atol=1e-6)


def test_a_dead_filter_is_felt_by_nobody():
    network = made(Residual)
    network.one.weight.data[2] = 0
    known = study(network, images())
    space = next(each for each in known.channels.prunable if each.name == "one")
    values = known.values[space.channels]
    assert values[2] == 0 and (np.delete(values, 2) > 0).all()


def test_what_is_held_has_no_sensitivity():
    known = study(made(Residual), images())
    free = np.concatenate([space.channels for space in known.channels.prunable])
    assert set(np.flatnonzero(known.values)) <= set(free)


def test_no_output_of_the_batch_loses_more_than_the_bound():
    network, x = made(Straight), images(12)
    known = study(network, x)
    kept = np.ones(known.channels.n, bool)
    for space in known.channels.prunable:
        kept[space.channels[np.argsort(known.values[space.channels])[:2]]] = False
    measured = layer_errors(network, known, kept, np.ones(known.channels.n), x)
    assert set(measured) == set(known.by_layer) and len(measured) == 3
    for name, (mean, largest) in measured.items():
        assert 0 <= mean <= largest <= known.by_layer[name][~kept].sum() + 1e-6


def test_the_papers_batch_follows_from_the_widths():
    known = study(made(Residual), images())
    assert batch_size(known.channels) == ceil(3 * log(8 * (8 + 5 + 8 + 6 + 6 + 4) * 8 / 1e-16))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_inputs_that_are_not_finite_name_their_layer(bad):
    network, x = made(Residual), images()
    with pytest.raises(ValueError, match="one gets inputs that are not finite"):
        study(network, x.index_fill(0, torch.tensor([1]), bad))


def test_hooks_and_mode_are_gone_after_a_failure():
    network = made(Residual).train()
    with pytest.raises(ValueError, match="not finite"):
        study(network, images() * float("nan"))
    assert network.training and not any(module._forward_pre_hooks for module in network.modules())
