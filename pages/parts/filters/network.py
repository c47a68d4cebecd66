"""The network that Filters looks at, the pictures it is judged on, and the picker that changes both."""

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
from torch import Tensor, nn

from compress import pruning
from compress.pruning.sensitivity import forward
from compress.pruning.training import check_labels, right
from pages.parts.cached import cached, keyed
from pages.parts.filters.settings import DIGITS, FILTERS, UPLOAD
from pages.parts.filters.upload import given
from pages.parts.filters.work import TURNS, Background

JUDGED = 500  # pictures of an upload at most
FEWEST = 64  # to learn from


@keyed
@dataclass(frozen=True, eq=False)
class Subject:
    """A network and its pictures, (n, channels, height, width). batch: those that sensitivities are measured on. judge: those that
    it is judged on, labels: theirs, where they are known. learn: pictures and labels for retraining. shown: `judge` as it is drawn,
    from 0 to 1. key: a digest of the weights and the pictures."""

    name: str
    key: str
    network: nn.Module
    batch: Tensor
    judge: Tensor
    labels: Tensor | None
    learn: tuple[Tensor, Tensor] | None
    shown: np.ndarray

    @property
    def quick(self) -> bool:
        """Whether curves may be computed without being asked for."""
        return self.name == DIGITS

    @cached_property
    def outputs(self) -> Tensor:
        """Of the judged pictures, before pruning."""
        with TURNS.together():
            return forward(self.network, self.judge)

    @cached_property
    def accuracy(self) -> float | None:
        """Before pruning. Raises ValueError for labels that are none of the network's classes."""
        if self.labels is None:
            return None
        with TURNS.together():
            check_labels(self.network, self.judge, self.labels)
        return right(self.outputs, self.labels)


def chosen_network() -> Subject | None:
    """What the person picked; None where files are missing or cannot be used, with a sentence on that."""
    kind = FILTERS.network.draw("Network")
    return given(subject_of) if kind == UPLOAD else digits()


def subject_of(name: str, key: str, network: nn.Module, images: Tensor, labels: Tensor | None, shown: np.ndarray) -> Subject:
    """The batch is the last pictures, never judged on; judged are the first. Raises ValueError where they are too few."""
    with TURNS.alone():
        size = pruning.batch_size(pruning.trace(network, images[:1]))
    if len(images) <= size:
        raise ValueError(
            f"sensitivities of a {name} are measured on {size} pictures that are not judged on, so that at least {size + 1} "
            f"are needed, got {len(images)}"
        )
    n = min(JUDGED, len(images) - size)
    rest = slice(n, len(images) - size)
    learn = (images[rest], labels[rest]) if labels is not None and rest.stop - n >= FEWEST else None
    found = Subject(name, key, network, images[-size:], images[:n], None if labels is None else labels[:n], learn, shown[:n])
    _ = found.outputs, found.accuracy  # which refuses labels that are none of the network's classes
    return found


def digits() -> Subject:
    work = training()
    if work.running:
        bar = st.progress(0.0, "Training the digits network …")
        while work.running:
            share = work.told[-1].share if work.told else 0.0
            bar.progress(share, f"Training the digits network, {share:.0%} …")
            time.sleep(0.1)
        bar.empty()
    if work.error:
        raise work.error
    return work.result


@cached(1)
def training() -> Background:
    """Once in the life of the server, to its end whoever looks."""
    return Background(trained, patience=float("inf"))


def trained(tell) -> Subject:
    with TURNS.together():
        network = pruning.digits_network(progress=tell)
    pictures = pruning.digits()
    shown = (pictures.judge[0][:, 0].numpy() + 1) / 2
    found = Subject(DIGITS, "digits", network, pictures.batch, *pictures.judge, pictures.learn, shown)
    _ = found.outputs, found.accuracy
    return found
