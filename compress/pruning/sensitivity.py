"""How much an output can depend on one input channel, measured on a small batch (Liebenwein, Baykal, Lang, Feldman and Rus 2020).

For channel j of a layer with weights w and inputs a(x),

    s_j = max over points x, outputs i, signs ±, places of the output:  w±ᵢⱼ·aⱼ(x) / Σ_l w±ᵢ_l·a_l(x),

where · sums over the kernel, w⁺ and w⁻ are the two signs of the weights, negative inputs are a sign of their own, biases are left
out, and what has nothing to share counts 0. One place where little is summed is enough to make a channel look indispensable; *mean*
sensitivities sum both sides over points and places before they are divided.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, log
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.errors import Progress, Step
from compress.pruning.channels import Channels
from compress.threads import one_torch_thread

C = 3  # of the paper's size of the batch
DELTA = 1e-16
AT_ONCE = 1 << 24  # numbers in memory
OVER = ("largest", "mean")
SMALL = 1000  # numbers of a picture


def batch_size(channels: Channels, delta: float = DELTA) -> int:
    """Points that the paper asks for: ⌈c·log(8·η·η*/δ)⌉, η the sum of the layers' widths and η* the largest."""
    widths = [len(layer.writes) for layer in channels.layers.values()]
    return ceil(C * log(8 * sum(widths) * max(widths) / delta))


def sensitivities(
    network: nn.Module, batch: Tensor, channels: Channels, over: str = "largest", progress: Progress | None = None
) -> dict[str, np.ndarray]:
    """For every layer that reads a prunable space: (channels.n,), 0 where it reads no such channel.

    over: the paper's "largest" share of points and places, or their "mean".

    Raises ValueError where a layer gets numbers that are not finite, naming it.
    """
    prunable = np.concatenate([[], *(space.channels for space in channels.prunable)]).astype(int)
    readers = [layer for layer in channels.layers.values() if np.isin(layer.reads, prunable).any() and not layer.depthwise]
    found = {layer.name: np.zeros(channels.n) for layer in readers}
    seen: set[str] = set()

    def look(name: str, module: nn.Module, inputs: Tensor) -> None:
        if not torch.isfinite(inputs).all():
            raise ValueError(f"{name} gets inputs that are not finite; the network or its batch holds NaN or infinity")
        here = layer_sensitivities(module, inputs, channels.layers[name].reads, over)
        each, values = np.unique(channels.layers[name].reads), found[name]
        values[each] = np.maximum(values[each], here)
        if progress:
            seen.add(name)
            progress(Step(len(seen) / len(readers), f"layer {name}"))

    with watched(network, list(found), look):
        forward(network, batch, len(batch))
    for values in found.values():
        values[~np.isin(np.arange(channels.n), prunable)] = 0
    return found


@contextmanager
def watched(network: nn.Module, names: list[str], look: Callable[[str, nn.Module, Tensor], None]) -> Iterator[None]:
    """While it is open, every call of these layers is looked at."""
    handles = [
        network.get_submodule(name).register_forward_pre_hook(lambda module, inputs, name=name: look(name, module, inputs[0]))
        for name in names
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def forward(network: nn.Module, batch: Tensor, at_once: int = 256) -> Tensor:
    """Outputs in evaluation mode; the network's own mode is left as it was."""
    was = network.training
    network.eval()
    try:
        with torch.no_grad(), one_torch_thread(are_small(batch)):
            return torch.cat([network(part) for part in batch.split(at_once)])
    finally:
        network.train(was)


def are_small(images: Tensor) -> bool:
    """Pictures for whose products a second thread is no gain."""
    return images[0].numel() < SMALL


def layer_sensitivities(module: nn.Module, inputs: Tensor, reads: np.ndarray, over: str = "largest") -> np.ndarray:
    """Of each channel in `reads`, in increasing order. inputs: (n, in, height, width) of a Conv2d, (n, in) of a Linear."""
    own = module.get_parameter("weight").detach()
    weight = own.flatten(2) if isinstance(module, nn.Conv2d) else own[..., None]  # (out, in, k)
    _, group = np.unique(reads, return_inverse=True)
    together = torch.from_numpy(group).to(weight.device)
    found = torch.zeros(group.max() + 1, device=weight.device, dtype=weight.dtype)
    for outward in (weight.clamp(min=0), (-weight).clamp(min=0)):
        for turned in (1, -1) if (inputs < 0).any() else (1,):
            inward = ((turned * part).clamp(min=0) for part in parts(module, inputs, weight))
            each = (summands(outward, part, together, len(found)) for part in inward)
            found = torch.maximum(found, largest_shares(each) if over == "largest" else mean_shares(each))
    return found.clamp_(max=1).double().cpu().numpy()


def summands(weight: Tensor, inputs: Tensor, together: Tensor, n_channels: int) -> Tensor:
    """What each channel adds to each output at each place, (n_channels, out, places).

    weight: (out, in, k); inputs: (in, k, places)."""
    each = torch.bmm(weight.transpose(0, 1), inputs)  # (in, out, places)
    if n_channels < len(each):
        each = each.new_zeros(n_channels, *each.shape[1:]).index_add_(0, together, each)
    return each


def largest_shares(each: Iterator[Tensor]) -> Tensor:
    """(n_channels,): the largest share of any output at any place."""
    return torch.stack([part.mul_(reciprocal(part.sum(0))).amax((1, 2)) for part in each]).amax(0)


def mean_shares(each: Iterator[Tensor]) -> Tensor:
    """(n_channels,): the largest share of any output, summed over all places first."""
    sums = torch.stack([part.sum(2) for part in each]).sum(0)  # (n_channels, out)
    return (sums * reciprocal(sums.sum(0))).amax(1)


def reciprocal(total: Tensor) -> Tensor:
    """1 / total, and 0 where that is 0."""
    return torch.where(total > 0, 1 / total, 0)


def linear_sensitivities(inputs: np.ndarray, weight: np.ndarray, over: str = "largest") -> np.ndarray:
    """Of the (d,) columns that a linear layer reads. inputs: (n, d); weight: (m, d)."""
    layer = nn.Linear(weight.shape[1], len(weight), bias=False)
    layer.weight = nn.Parameter(torch.from_numpy(np.ascontiguousarray(weight, np.float32)), requires_grad=False)
    return layer_sensitivities(layer, torch.from_numpy(np.ascontiguousarray(inputs, np.float32)), np.arange(weight.shape[1]), over)


def parts(module: Any, inputs: Tensor, weight: Tensor) -> Iterator[Tensor]:
    """Inputs as the kernel meets them, (in, k, places), a few points at once."""
    if isinstance(module, nn.Linear):
        places = 1
    else:
        places = F.conv2d(inputs[:1, :1], weight.new_ones(1, 1, *module.kernel_size), None, *geometry(module)).numel()
    n = max(AT_ONCE // (weight.shape[0] * weight.shape[1] * places), 1)
    for part in inputs.split(n):
        if isinstance(module, nn.Linear):
            yield part.T[:, None]
        else:
            seen = F.unfold(padded(module, part), module.kernel_size, module.dilation, 0, module.stride)  # (n, in·k, places)
            yield seen.unflatten(1, (weight.shape[1], -1)).permute(1, 2, 0, 3).flatten(2)


def geometry(module: nn.Conv2d) -> tuple:
    """Stride, padding and dilation, in the order that F.conv2d takes them."""
    return module.stride, module.padding, module.dilation


def padded(module: nn.Conv2d, inputs: Tensor) -> Tensor:
    """The inputs (n, in, height, width) with the places that the module adds around them."""
    if module.padding == "same":
        reach = [gap * (size - 1) for gap, size in zip(module.dilation, module.kernel_size, strict=True)]
        (top, bottom), (left, right) = ((each // 2, each - each // 2) for each in reach)
    else:
        down, across = (0, 0) if isinstance(module.padding, str) else module.padding  # "valid"
        top, bottom, left, right = down, down, across, across
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    return F.pad(inputs, (left, right, top, bottom), mode=mode)
