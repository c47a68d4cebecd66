"""The training of a compressed table within its model, a step at a time, so that it can be kept and gone on with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from compress.form.compressed import Compressed
from compress.models.network import root_mean_square
from compress.models.swap import swapped_copy, train_table
from compress.training.healing_choice import BATCH, Best, difference, in_batches, outputs, padded
from compress.training.state import Kept, form_of, named, under

if TYPE_CHECKING:
    from compress.tasks.bench import Bench

RATE = 0.01  # of learning, in units of an array's root mean square
WARM_UP = 20  # steps
SETTLED = 0.85  # share of the steps after which what lies in rows is rounded and stays
CHUNK = 8  # batches of texts of like length that are drawn together


class Training:
    """A form in training on texts of all that may move in it, a step at a time: of everything, then of what rows share.

    done: steps so far. losses: of each. seconds: that what was kept had taken.
    """

    def __init__(self, bench: "Bench", form: Compressed, ids: list, steps: int, seed: int):
        self.bench, self.steps, self.ends = bench, steps, part_ends(form, steps)
        self.texts = batches(ids, np.random.default_rng(seed), at_once_of(bench, ids))
        self.done, self.losses, self.seconds = 0, list[tuple[int, float]](), 0.0
        self.open(form)

    def open(self, form: Compressed) -> None:
        """Begins the part of the training that the next step is in, with the form as it is stored."""
        import torch

        self.start = form
        self.network, _ = swapped_copy(self.bench.model.network, form)
        self.arrays = dict(train_table(self.network).named_parameters())
        moving = dict(self.arrays)
        if self.done >= self.ends[0]:  # what lies in rows is as it will be stored
            for each in in_rows(moving, form):
                moving.pop(each).requires_grad_(False)
        self.moving = moving
        self.rates = [RATE * max(root_mean_square(each), 1e-8) for each in moving.values()]
        self.adam = torch.optim.Adam([{"params": [each], "lr": 0.0} for each in moving.values()], betas=(0.9, 0.99))

    @property
    def form(self) -> Compressed:
        """As it is now, rounded to how it is stored."""
        return self.network.get_input_embeddings().compressed()

    def step(self) -> float:
        """One more; gives its loss."""
        import torch

        if self.done == self.ends[0] and self.done < self.steps:
            self.open(self.form)
        for group, rate in zip(self.adam.param_groups, self.rates, strict=True):
            group["lr"] = rate * share_of_rate(self.done, self.steps)
        inputs, mask = padded(self.bench, next(self.texts))
        causal = self.bench.model.causal
        with torch.no_grad():
            own = outputs(self.bench.network, causal, inputs, mask)
        loss = difference(causal, own, outputs(self.network, causal, inputs, mask)).mean()
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        self.done += 1
        self.losses.append((self.done, loss.item()))
        return self.losses[-1][1]

    def keep(self, best: Best, kept: Kept, seconds: float) -> None:
        """Keeps all that the next step depends on."""
        moments = {name: self.adam.state[each] for name, each in self.moving.items()}
        arrays = named("start", self.start.arrays) | named("best", best.form.arrays)
        arrays |= named("now", {name: each.numpy(force=True) for name, each in self.arrays.items()})
        for moment in ("exp_avg", "exp_avg_sq", "step"):
            arrays |= named(moment, {name: each[moment].numpy(force=True) for name, each in moments.items()})
        kept.put("training", arrays, {"best": best.state, "losses": self.losses, "seconds": seconds})

    def go_on(self, best: Best, kept: Kept) -> None:
        """Takes up what was kept, if anything was."""
        import torch

        if not (found := kept.of("training")):
            return
        arrays, about = found
        best.form = form_of(best.form, "best", arrays)
        for name, each in about["best"].items():
            setattr(best, name, each)
        self.losses, self.seconds = [(step, loss) for step, loss in about["losses"]], about["seconds"]
        self.done = len(self.losses)
        for _ in range(self.done):
            next(self.texts)
        before = self.done == self.ends[0]  # the next part opens with its first step
        self.done -= before
        self.open(form_of(self.start, "start", arrays))
        self.done += before
        with torch.no_grad():
            for name, now in under("now", arrays).items():
                self.arrays[name].copy_(torch.from_numpy(now))
        for name, each in self.moving.items():
            moments = {moment: arrays[f"{moment}.{name}"] for moment in ("exp_avg", "exp_avg_sq", "step")}
            self.adam.state[each] = {moment: torch.from_numpy(value).to(each.device) for moment, value in moments.items()}


def part_ends(form: Compressed, steps: int) -> list[int]:
    """The steps after which each part of the training ends: of everything, then of what rows share where that is something."""
    parameters = form.method.trainable(form.arrays, *form.shape).parameters
    return [round(SETTLED * steps), steps] if 0 < len(in_rows(parameters, form)) < len(parameters) and steps > 1 else [steps]


def in_rows(parameters: Mapping, form: Compressed) -> list[str]:
    """The arrays that have numbers for every row of the matrix, by name."""
    return [name for name, array in parameters.items() if array.shape[0] == form.shape[0]]


def share_of_rate(step: int, steps: int) -> float:
    """The share of the full rate of learning after so many steps: rising for a few, then falling like a cosine."""
    return min(1, (step + 1) / min(WARM_UP, steps)) * (0.05 + 0.475 * (1 + np.cos(np.pi * step / steps)))


def at_once_of(bench: "Bench", ids: Sequence) -> int:
    """Texts of a step: 32, fewer of a language model where their logits would take too much."""
    return max(1, min(BATCH, bench.predicted_at_once // max(map(len, ids)))) if bench.model.causal else BATCH


def batches(ids: list, rng: np.random.Generator, at_once: int = BATCH) -> Iterator[list]:
    """Batches without end, every text once in each round, of texts of like length."""
    while True:
        order = rng.permutation(len(ids))
        for first in range(0, len(order), CHUNK * at_once):
            chunk = sorted(order[first : first + CHUNK * at_once], key=lambda at: len(ids[at]))
            parts = in_batches(chunk, at_once)
            for part in rng.permutation(len(parts)):
                yield [ids[at] for at in parts[part]]
