"""What a network costs once some channels are gone, without making it."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from torch import nn

from compress.pruning.channels import Channels

MEASURES = ("parameters", "flops")


def costs(network: nn.Module, channels: Channels, measure: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function of the kept channels, (m, channels.n) booleans, a row a choice: (m,).

    parameters: all of the network. flops: of its convolutions and linear layers for one point, a multiplication and an addition
    being two, biases left out, as torch.utils.flop_counter has it.
    """
    shapes = {name: network.get_submodule(name) for name in channels.layers}
    norms = {name: len(list(network.get_submodule(name).parameters())) for name in channels.norms}
    fixed = sum(each.numel() for each in network.parameters())
    fixed -= sum(each.numel() for name in (*shapes, *norms) for each in network.get_submodule(name).parameters())

    def parameters(kept: np.ndarray) -> np.ndarray:
        total = np.full(len(kept), fixed)
        for name, module in shapes.items():
            n_in, n_out = widths(kept, name)
            total += weights(module, n_in, n_out) + n_out * (module.bias is not None)
        for name, n in norms.items():
            total += n * kept[:, channels.norms[name]].sum(1)
        return total

    def flops(kept: np.ndarray) -> np.ndarray:
        total = np.zeros(len(kept), int)
        for name, module in shapes.items():
            total += 2 * channels.layers[name].positions * weights(module, *widths(kept, name))
        return total

    def widths(kept: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        layer = channels.layers[name]
        return kept[:, layer.reads].sum(1), kept[:, layer.writes].sum(1)

    return {"parameters": parameters, "flops": flops}[measure]


def weights(module: Any, n_in: np.ndarray, n_out: np.ndarray) -> np.ndarray:
    """Numbers of a layer of these widths. A depthwise one reads one channel an output; other grouped ones are never cut."""
    groups = getattr(module, "groups", 1)
    return n_out * (n_in if groups == 1 else module.in_channels // groups) * prod(getattr(module, "kernel_size", ()))
