"""What a pruned network really loses, next to what its bound allows."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.pruning.pruning import Study
from compress.pruning.sensitivity import forward, geometry, padded, watched


def output_error(network: nn.Module, smaller: nn.Module, images: Tensor) -> float:
    """‖f(x) − g(x)‖ / ‖f(x)‖, the mean over points (n, channels, height, width)."""
    return apart(forward(network, images), forward(smaller, images))


def apart(before: Tensor, after: Tensor) -> float:
    """The same of outputs (n, …)."""
    before, after = before.flatten(1), after.flatten(1)
    return float(((after - before).norm(dim=1) / before.norm(dim=1)).mean())


def layer_errors(
    network: nn.Module, studied: Study, kept: np.ndarray, scale: np.ndarray, images: Tensor
) -> dict[str, tuple[float, float]]:
    """Of each layer that reads prunable channels: the mean and the largest |Σ dropped| / Σ |all| of what its outputs sum, each
    layer by itself in the whole network. The bound of a report is on the same share. kept, scale: (channels.n,), of its choice."""
    found: dict[str, tuple[float, float]] = {}

    def look(name: str, module: nn.Module, inputs: Tensor) -> None:
        reads = studied.channels.layers[name].reads
        factor = torch.from_numpy(np.where(kept[reads], scale[reads], 0) - 1).to(inputs)
        weight = module.get_parameter("weight").detach()
        lost = summed(module, inputs * factor.reshape(1, -1, *[1] * (inputs.ndim - 2)), weight).abs()
        whole = summed(module, inputs.abs(), weight.abs())
        share = torch.where(whole > 0, lost / whole, 0)
        found[name] = float(share.mean()), float(share.max())

    with watched(network, list(studied.by_layer), look):
        forward(network, images, len(images))
    return found


def summed(module: Any, inputs: Tensor, weight: Tensor) -> Tensor:
    """What the layer would put out with this weight and without its bias."""
    if isinstance(module, nn.Linear):
        return F.linear(inputs, weight)
    stride, _, dilation = geometry(module)
    return F.conv2d(padded(module, inputs), weight, None, stride, 0, dilation)
