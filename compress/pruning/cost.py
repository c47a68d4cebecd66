"""What a network costs once some channels are gone, without making it."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from torch import nn

from compress.pruning.channels import Channels

MEASURES = ("parameters", "flops")


def costs(network: nn.Module, channels: Channels, measure: str) -> Callable[[np.ndarray], int]:
    """A function of the kept channels, (channels.n,) booleans.

    parameters: all of the network. flops: of its convolutions and linear layers for one point, a multiplication and an addition
    being two, biases left out, as torch.utils.flop_counter has it.
    """
    shapes = {name: network.get_submodule(name) for name in channels.layers}
    fixed = sum(each.numel() for each in network.parameters())
    fixed -= sum(each.numel() for name in (*channels.layers, *channels.norms) for each in network.get_submodule(name).parameters())

    def parameters(kept: np.ndarray) -> int:
        total = fixed
        for name, module in shapes.items():
            n_out = kept[channels.layers[name].writes].sum()
            total += weights(module, kept[channels.layers[name].reads].sum(), n_out) + n_out * (module.bias is not None)
        norms = sum(
            kept[reads].sum() * len(list(network.get_submodule(name).parameters())) for name, reads in channels.norms.items()
        )
        return int(total + norms)

    def flops(kept: np.ndarray) -> int:
        layers = (channels.layers[name] for name in shapes)
        each = (
            2 * layer.positions * weights(shapes[layer.name], kept[layer.reads].sum(), kept[layer.writes].sum()) for layer in layers
        )
        return int(sum(each))

    return {"parameters": parameters, "flops": flops}[measure]


def weights(module: Any, n_in: int, n_out: int) -> int:
    """Numbers of a layer of these widths. A depthwise one reads one channel an output; other grouped ones are never cut."""
    groups = getattr(module, "groups", 1)
    return n_out * (n_in if groups == 1 else module.in_channels // groups) * prod(getattr(module, "kernel_size", ()))
