"""A copy of a network without some of its channels: an ordinary module of the same kind, with smaller layers."""

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compress.pruning.channels import NORMS, Channels

OF_A_CONVOLUTION = ("kernel_size", "stride", "padding", "dilation", "padding_mode")


def cut(network: nn.Module, channels: Channels, kept: np.ndarray, scale: np.ndarray | None = None) -> nn.Module:
    """kept: (channels.n,) booleans; scale: (channels.n,), what the weights that read a channel are multiplied with."""
    smaller = deepcopy(network)
    names = {id(module): name for name, module in smaller.named_modules()}
    for name, module in list(smaller.named_modules(remove_duplicate=False)):
        first = names.get(id(module), name)
        if first in channels.layers:
            layer = channels.layers[first]
            put(
                smaller,
                name,
                cut_layer(module, kept[layer.reads], kept[layer.writes], None if scale is None else scale[layer.reads]),
            )
        elif first in channels.norms:
            put(smaller, name, cut_norm(module, kept[channels.norms[first]]))
    return smaller


def put(network: nn.Module, name: str, module: nn.Module) -> None:
    """Sets the module of that name."""
    above, _, last = name.rpartition(".")
    setattr(network.get_submodule(above), last, module)


def cut_layer(module: nn.Conv2d | nn.Linear, reads: np.ndarray, writes: np.ndarray, scale: np.ndarray | None) -> nn.Module:
    """The layer with the features that are kept, booleans (in,) and (out,); scale (in,) multiplies what it reads."""
    groups = getattr(module, "groups", 1)
    weight = module.weight[at(writes, module.weight)]
    if groups == 1:
        weight = weight[:, at(reads, weight)]
        if scale is not None:
            weight = weight * weight.new_tensor(scale[reads]).reshape(1, -1, *[1] * (weight.ndim - 2))
    elif reads.sum() < len(reads):  # depthwise
        groups = int(reads.sum())
    n_in, n_out, has_bias = int(reads.sum()), int(writes.sum()), module.bias is not None
    smaller: nn.Module
    if isinstance(module, nn.Linear):
        smaller = nn.Linear(n_in, n_out, has_bias)
    else:
        own: dict[str, Any] = {name: getattr(module, name) for name in OF_A_CONVOLUTION}
        smaller = nn.Conv2d(n_in, n_out, groups=groups, bias=has_bias, **own)
    bias = None if module.bias is None else module.bias[at(writes, weight)]
    return filled(smaller, module, {"weight": weight, "bias": bias})


def cut_norm(module: nn.Module, kept: np.ndarray) -> nn.Module:
    """The batch norm with the features that are kept, booleans (n,)."""
    assert isinstance(module, NORMS)
    smaller = type(module)(int(kept.sum()), module.eps, module.momentum, module.affine, module.track_running_stats)
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return filled(smaller, module, {name: each[at(kept, each)] if each.ndim else each for name, each in tensors.items()})


def filled(smaller: nn.Module, module: nn.Module, tensors: dict[str, Tensor | None]) -> nn.Module:
    """On the device, in the dtype and the mode of the module that it stands for."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            if tensor is not None:
                own = getattr(smaller, name)
                own.data = tensor.detach().clone()
                own.requires_grad_(getattr(module, name).requires_grad)
    return smaller.train(module.training)


def at(kept: np.ndarray, like: Tensor) -> Tensor:
    """The numbers of the kept ones, on the device of a tensor."""
    return torch.from_numpy(np.flatnonzero(kept)).to(like.device)
