"""Training and judging a network on labelled pictures, and the small network for digits."""

from copy import deepcopy
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.errors import Progress, Step
from compress.pruning.channels import NORMS
from compress.pruning.networks import Digits
from compress.pruning.sensitivity import are_small, forward
from compress.threads import one_torch_thread

EPOCHS, RATE, SPARSITY = 30, 0.1, 0.01  # of the network for digits


@dataclass(frozen=True)
class Pictures:
    """learn: (n, channels, height, width) and labels (n,). batch: the points that sensitivities are measured on, without labels.
    judge: what neither has seen."""

    learn: tuple[Tensor, Tensor]
    batch: Tensor
    judge: tuple[Tensor, Tensor]


def digits() -> Pictures:
    """scikit-learn's 1,797 grey digits (n, 1, 8, 8), from −1 to 1: 1,097 to learn from, 150 for the batch, 550 to judge on."""
    from sklearn.datasets import load_digits

    held = load_digits()
    order = np.random.default_rng(0).permutation(len(held.images))
    images = torch.from_numpy(held.images[order, None].astype(np.float32) / 8 - 1)
    labels = torch.from_numpy(held.target[order])
    learn, batch = slice(0, 1097), slice(1097, 1247)
    return Pictures((images[learn], labels[learn]), images[batch], (images[1247:], labels[1247:]))


def digits_network(progress: Progress | None = None, seed: int = 0) -> nn.Module:
    """Trained anew, the same for a seed: some seconds. An ℓ1 penalty on batch-norm scales makes many of its
    filters fall silent (network slimming, Liu et al. 2017)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Digits()
    return retrained(network, *digits().learn, EPOCHS, RATE, 1e-3, SPARSITY, at_once=64, seed=seed, progress=progress)


def retrained(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    epochs: int = 1,
    rate: float = 0.02,
    decay: float = 5e-4,
    sparsity: float = 0.0,
    at_once: int = 32,
    seed: int = 0,
    progress: Progress | None = None,
) -> nn.Module:
    """A copy, trained by gradient descent with momentum under a rate that rises and falls to 0, in evaluation mode.

    images: (n, channels, height, width), labels: (n,). sparsity: weight of the sum of |γ| over batch norms.

    Raises ValueError where images and labels differ in number, or a label is none of the network's classes.
    """
    check_labels(network, images, labels)
    network = deepcopy(network).train()
    steps = epochs * ceil(len(images) / at_once)
    optimizer = torch.optim.SGD(network.parameters(), rate, momentum=0.9, weight_decay=decay, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    rng, done = np.random.default_rng(seed), 0
    scales = [module.weight for module in network.modules() if isinstance(module, NORMS) and module.affine]
    with torch.random.fork_rng(devices=[]), one_torch_thread(are_small(images)):
        torch.manual_seed(seed)  # for dropout, where a network has it
        for _ in range(epochs):
            for ids in torch.from_numpy(rng.permutation(len(images))).split(at_once):
                if len(ids) > 1:  # a batch norm needs two
                    optimizer.zero_grad()
                    loss = F.cross_entropy(network(images[ids]), labels[ids])
                    (loss + sparsity * sum(each.abs().sum() for each in scales)).backward()
                    optimizer.step()
                schedule.step()
                done += 1
                if progress:
                    progress(Step(done / steps, f"step {done:,} of {steps:,}"))
    return network.eval()


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of pictures whose largest output is their label."""
    check_labels(network, images, labels)
    return right(forward(network, images), labels)


def right(outputs: Tensor, labels: Tensor) -> float:
    """The same of outputs (n, classes)."""
    return float((outputs.argmax(1) == labels).float().mean())


def check_labels(network: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Raises ValueError unless there is a label a picture, each one of the network's classes."""
    if len(images) != len(labels) or not len(labels):
        raise ValueError(f"there must be a label a picture, got {len(images)} pictures and {len(labels)} labels")
    n_classes = forward(network, images[:1]).shape[1]
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(
            f"labels must be from 0 to {n_classes - 1}, the network's classes, got {int(labels.min())} to {int(labels.max())}"
        )
