"""What belongs together, and that cutting it is exact."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_networks import JOINS, Depthwise, Joined, Residual, Straight, conv, images, made
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from compress.pruning import NETWORKS, Digits, trace
from compress.pruning.cost import costs
from compress.pruning.cutting import cut

KINDS = [*JOINS, Digits, NETWORKS["ResNet20"][0]]


def of(kind):
    network = made(kind)
    x = images(channels=1, side=8) if kind is Digits else images()
    return network, x, trace(network, x)


def half(channels, seed=0):
    """Half of every space that can be pruned."""
    kept = np.ones(channels.n, bool)
    for space in channels.prunable:
        kept[np.random.default_rng(seed).permutation(space.channels)[: len(space.channels) // 2]] = False
    return kept


def silence(network, channels, kept):
    """Nothing is written to the channels that are not kept."""
    for name, layer in channels.layers.items():
        module, gone = network.get_submodule(name), ~kept[layer.writes]
        module.weight.data[gone] = 0
        if module.bias is not None:
            module.bias.data[gone] = 0
    for name, reads in channels.norms.items():
        module = network.get_submodule(name)
        for values in (module.weight.data, module.bias.data, module.running_mean):
            values[~kept[reads]] = 0


@pytest.mark.parametrize("kind", KINDS)
def test_cutting_silent_channels_leaves_the_outputs(kind):
    network, x, channels = of(kind)
    kept = half(channels)
    silence(network, channels, kept)
    with torch.no_grad():
        torch.testing.assert_close(cut(network, channels, kept)(x), network(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_predicted_parameters_and_flops_are_those_counted(kind):
    network, x, channels = of(kind)
    some = np.stack([np.ones(channels.n, bool), half(channels)])
    found = (costs(network, channels, each)(some) for each in ("flops", "parameters"))
    for kept, flops, parameters in zip(some, *found, strict=True):
        smaller = cut(network, channels, kept)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            smaller(x)
        assert flops * len(x) == counter.get_total_flops()
        assert parameters == sum(each.numel() for each in smaller.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_cutting_nothing_gives_the_same_network_and_leaves_the_first_alone(kind):
    network, _, channels = of(kind)
    before = {name: values.clone() for name, values in network.state_dict().items()}
    same = cut(network, channels, np.ones(channels.n, bool))
    cut(network, channels, half(channels))
    assert type(same) is type(network) and list(same.state_dict()) == list(before)
    for name, values in before.items():
        assert torch.equal(same.state_dict()[name], values) and torch.equal(network.state_dict()[name], values)


def test_a_cut_keeps_dtype_mode_and_what_is_frozen():
    network, _, channels = of(Residual)
    network.double().train()
    network.one.weight.requires_grad_(False)
    smaller = cut(network, channels, half(channels))
    assert smaller.one.weight.dtype == torch.float64 and smaller.training and smaller.norm.training
    assert not smaller.one.weight.requires_grad and smaller.two.weight.requires_grad


def test_a_sum_makes_one_space_of_what_it_adds():
    spaces = {space.name: space for space in of(Residual)[2].spaces}
    assert spaces["first"].writers == ("first", "two") and spaces["first"].readers == ("one", "three", "across")
    assert spaces["three"].writers == ("three", "across") and spaces["three"].readers == ("head",)
    assert spaces["head"].held == "it is the network's output"


def test_a_depthwise_layer_hands_its_channels_on():
    spaces = {space.name: space for space in of(Depthwise)[2].spaces}
    assert spaces["first"].writers == ("first", "deep") and spaces["first"].readers == ("out",)


def test_flattening_repeats_channels_and_a_batch_norm_follows():
    channels = of(Straight)[2]
    assert channels.layers["hidden"].reads.tolist() == np.repeat(channels.layers["body.3"].writes, 9).tolist()
    assert channels.norms["norm"].tolist() == channels.layers["hidden"].reads.tolist()


def test_a_layer_that_is_called_twice_ties_what_both_calls_touch():
    spaces = {space.name: space for space in of(Joined)[2].spaces}
    assert spaces["first"].writers == ("first", "again") and set(spaces["first"].readers) == {"again", "other", "last"}


def test_a_shortcut_that_slices_and_pads_holds_the_stream_and_frees_the_blocks():
    channels = of(NETWORKS["ResNet20"][0])[2]
    held = {space.name: space.held for space in channels.spaces if space.held}
    assert set(held) == {"conv1", "layer2.0.conv2", "layer3.0.conv2", "linear"} and "pads channels" in held["conv1"]
    assert [space.name for space in channels.prunable] == [f"layer{s}.{b}.conv1" for s in (1, 2, 3) for b in range(3)]


class Grouped(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = conv(3, 8), conv(8, 8, groups=2), conv(8, 4)

    def forward(self, x):
        return self.three(self.two(self.one(x))).mean((2, 3))


class Written(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.head = conv(3, 8), conv(8, 6), nn.Linear(6 * 16 * 16, 4)

    def forward(self, x):
        return self.head(self.two(self.one(x)).view(-1, 6 * 256))


class Cutting(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = conv(3, 8), conv(4, 8), conv(8, 4)

    def forward(self, x):
        return self.three(self.two(self.one(x)[:, :4])).mean((2, 3))


@pytest.mark.parametrize(
    ("kind", "space", "why", "free"),
    [
        (Grouped, "one", "reads them in groups", []),
        (Written, "two", "1536 features, a number written into the network", ["one"]),
        (Cutting, "one", "cuts channels out", ["two"]),
    ],
)
def test_what_cannot_lose_channels_is_held_and_says_why(kind, space, why, free):
    channels = of(kind)[2]
    assert why in next(each for each in channels.spaces if each.name == space).held
    assert [each.name for each in channels.prunable] == free


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = conv(3, 8)

    def forward(self, x):
        x = self.one(x).flatten(2)
        return x


class Deciding(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = conv(3, 8)

    def forward(self, x):
        x = self.one(x)
        return torch.matmul(x, x)


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.group = conv(3, 8), nn.GroupNorm(2, 8)

    def forward(self, x):
        return self.group(self.one(x))


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.scale = conv(3, 8), nn.Parameter(torch.ones(8, 1, 1))

    def forward(self, x):
        return self.one(x) * self.scale


class Sideways(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = conv(3, 8)

    def forward(self, x):
        return torch.cat([self.one(x), self.one(x)], dim=2)


class Uneven(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = conv(3, 8)

    def forward(self, x):
        return F.pixel_shuffle(self.one(x), 2)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Attention, "the reshaping flatten"),
        (Deciding, "Deciding cannot be traced by torch.fx"),
        (Product, r"the join matmul \(matmul\) cannot be traced"),
        (Normed, "group, a GroupNorm, cannot be traced"),
        (Scaled, "scale is used outside of a layer"),
        (Sideways, "concatenates along dimension 2"),
        (Uneven, "pixel_shuffle"),
    ],
)
def test_a_join_that_cannot_be_traced_is_named(kind, told):
    with pytest.raises(ValueError, match=told):
        trace(made(kind), images())


@pytest.mark.parametrize("shape", [(2, 4, 16, 16), (2, 3, 2, 2)])
def test_a_batch_of_the_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"the network does not take a batch of shape \(2, "):
        trace(made(Straight), torch.randn(shape))


def test_tracing_leaves_the_networks_mode_and_statistics():
    network = made(Residual).train()
    before = network.norm.running_mean.clone()
    trace(network, images())
    assert network.training and torch.equal(network.norm.running_mean, before)
