"""Networks that Filters knows by name: a small one for digits, and the two kinds that are uploaded as a state_dict."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.errors import InputError, reading
from compress.guard import budget
from compress.guard.apart import apart


class Digits(nn.Module):
    """For grey pictures of 8 × 8: two widths, two residual sums, one of them over a projection. 77,290 parameters."""

    def __init__(self, n_classes: int = 10):
        super().__init__()
        self.first = unit(1, 32)
        self.inner, self.back = unit(32, 32), unit(32, 32, relu=False)
        self.wide, self.narrow, self.across = unit(32, 64, stride=2), unit(64, 64, relu=False), unit(32, 64, 1, 2, relu=False)
        self.head = nn.Linear(64, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = F.relu(self.back(self.inner(x)) + x)
        x = F.relu(self.narrow(self.wide(x)) + self.across(x))
        return self.head(x.mean((2, 3)))


def unit(n_in: int, n_out: int, size: int = 3, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """A convolution without bias and its batch norm, with a ReLU after them unless not wanted."""
    layers = [nn.Conv2d(n_in, n_out, size, stride, size // 2, bias=False), nn.BatchNorm2d(n_out)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class Block(nn.Module):
    """Two convolutions and a shortcut without parameters, which slices and pads where the shape changes (option A)."""

    def __init__(self, n_in: int, n_out: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out)
        self.conv2, self.bn2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out)
        self.stride, self.more = stride, (n_out - n_in) // 2

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.more:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more))
        return F.relu(inner + x)


class CifarResNet(nn.Module):
    """He et al. 2016, for pictures of 32 × 32: three stages of `blocks` blocks. 3 is ResNet20, 9 ResNet56."""

    def __init__(self, blocks: int = 3, n_classes: int = 10):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1, self.layer2, self.layer3 = stage(16, 16, blocks, 1), stage(16, 32, blocks, 2), stage(32, 64, blocks, 2)
        self.linear = nn.Linear(64, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def stage(n_in: int, n_out: int, blocks: int, stride: int) -> nn.Sequential:
    """So many blocks, of which the first changes width and size."""
    return nn.Sequential(Block(n_in, n_out, stride), *(Block(n_out, n_out, 1) for _ in range(blocks - 1)))


class VGG16(nn.Module):
    """Simonyan and Zisserman 2015 with batch norm, for pictures of 32 × 32: 13 convolutions and one linear layer."""

    WIDTHS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")

    def __init__(self, n_classes: int = 10):
        super().__init__()
        layers: list[nn.Module] = []
        n_in = 3
        for width in self.WIDTHS:
            if isinstance(width, str):
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(n_in, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                n_in = width
        self.features, self.classifier = nn.Sequential(*layers), nn.Linear(512, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


# By name, a class and the sizes that it is made with.
NETWORKS: dict[str, tuple[Any, ...]] = {"ResNet20": (CifarResNet, 3), "ResNet56": (CifarResNet, 9), "VGG16-BN": (VGG16,)}


def from_state(name: str, state: Mapping[str, Tensor]) -> nn.Module:
    """A network of NETWORKS with these weights, in evaluation mode. A "module." before every name is dropped.

    Raises ValueError naming what is missing, not known or of another shape.
    """
    state = {key.removeprefix("module."): value for key, value in unwrapped(state).items()}
    head = next((value for key, value in reversed(state.items()) if key.endswith("weight") and value.ndim == 2), None)
    if head is None:
        raise ValueError(f"this state_dict has no linear layer, so it is not of a {name}")
    kind, *sizes = NETWORKS[name]
    network = kind(*sizes, n_classes=len(head))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        told = [line.strip() for line in str(error).splitlines()[1:]]
        raise ValueError(f"this state_dict is not of a {name}: {told[0][:200]}") from error
    return network.eval()


def unwrapped(state: Mapping) -> Mapping[str, Tensor]:
    """The tensors by name, from a checkpoint too; ValueError where there are none."""
    inside = state.get("state_dict", state)
    if not isinstance(inside, Mapping) or not inside or not all(isinstance(each, Tensor) for each in inside.values()):
        raise ValueError("this file holds no state_dict: a mapping from names to tensors")
    return inside


def opened(path: str | PathLike, name: str, *, guarded: bool = False) -> nn.Module:
    """From a file of torch.save; only weights are read. Raises ValueError where they cannot be, or are not of this network.

    guarded: whether it is read in a process of its own, which is ended where it takes more time or memory than the size of the file
        allows, see compress.guard; for files that others made.
    """
    if not guarded:
        return from_state(name, weights_in(Path(path)))
    path = Path(path)
    with reading(path), budget.sharing() as share:
        held = apart(arrays_in, path, name=path.name, size=path.stat().st_size, share=share)
    return from_state(name, {key: torch.from_numpy(np.array(array)) for key, array in held.items()})


def weights_in(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a file by their names."""
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError("this file cannot be read as weights alone (torch.save of a state_dict)") from error
    if not isinstance(held, Mapping):
        raise ValueError("this file holds no state_dict: a mapping from names to tensors")
    return unwrapped(held)


def arrays_in(path: Path) -> dict[str, np.ndarray]:
    """The same as arrays, which one process hands to another, those of float16 and bfloat16 as float32. Raises InputError."""
    try:
        tensors = weights_in(path)
    except ValueError as error:
        raise InputError(error) from error
    return {name: (each.float() if each.is_floating_point() else each).numpy() for name, each in tensors.items()}
