"""The training and the scoring of one classifier on one task, and how far it is."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import InputError, Progress, Step, Stop
from compress.models.network import root_mean_square
from compress.tasks.score import BEFORE
from compress.training.finetuning_state import Going

if TYPE_CHECKING:
    from torch import Tensor

    from compress.models.open import OpenModel
    from compress.tasks.examples import Examples
    from compress.training.finetuning_task import LabelledTask

WARM_UP = 0.06  # share of the steps in which the learning rate rises, as RoBERTa's authors have it
LONGEST_STEP = 1.0  # norm that gradients are clipped to
STAGES = {
    "before": "the model itself",
    "after": "scoring with the compressed table",
    "tuned": "with the compressed table",
}


class TuningSteps:
    """Tells how far a fine-tuning is. figures: "done", "of", "seed" and "stage"; while it trains "step" and "loss", while it scores
    the share "passed" of the texts, and the steps of a method's fit under "fit"; what is "kept" if it is ended there."""

    def __init__(self, progress: Progress | None, of: int):
        self.progress, self.of, self.done, self.seed, self.stage = progress, of, 0, 0, ""
        self.stopped: Stop | None = None
        self.kept: str | None = None  # in words

    def begin(self, seed: int, stage: str) -> None:
        """A stage of one of the seeds, see STAGES."""
        self.seed, self.stage = seed, stage

    def tell(self, words: str = "", **more: Any) -> None:
        """Tells a step of the stage."""
        if self.progress:
            at = f"{STAGES[self.stage]}, step {self.done:,} of {self.of:,}"
            figures = {"done": self.done, "of": self.of, "seed": self.seed, "stage": self.stage, **more}
            figures |= {"kept": self.kept} if self.kept else {}
            self.progress(Step(self.done / self.of, at + words, figures))

    def step(self, step: int, loss: float) -> None:
        """A step of the training."""
        self.tell(f", loss {loss:.3f}", step=step, loss=loss)

    def part(self, table: str, share: float) -> None:
        """So much of a pass over the test examples."""
        self.tell(passed=round(share, 3))

    def fit(self, step: Step) -> None:
        """A step of a method's fit."""
        try:
            self.tell(fit=step.row())
        except Stop as stop:
            self.stopped = stop  # a method that works in stages keeps it for itself
            raise


class Run:
    """A task's texts as token ids, to train and score networks with."""

    def __init__(
        self,
        model: "OpenModel",
        task: "LabelledTask",
        outputs: list[str],
        epochs: int,
        learning_rate: float,
        batch: int,
        max_length: int,
        tell: TuningSteps,
    ):
        from compress.tasks.bench import Bench

        self.model, self.task, self.outputs, self.tell = model, task, outputs, tell
        self.epochs, self.learning_rate, self.batch = epochs, learning_rate, batch
        table: Any = model.table.detach()  # of which only the number of rows is asked
        self.bench = Bench(model, {BEFORE: table}, tell.part)
        self.train_rows = self.encoded(task.train, max_length)
        self.test_rows = {suffix: self.encoded(part, max_length) for suffix, part in task.tests.items()}

    def encoded(self, part: "Examples", max_length: int) -> list[dict[str, list[int]]]:
        """Token ids of each example, pairs as one, and what else the network takes. Raises InputError for an id without a row."""
        from inspect import signature

        tokenizer, network = self.model.tokenizer, self.model.network
        if tokenizer is None or tokenizer.pad_token_id is None:
            raise InputError("The model has no tokenizer that can pad; put its files into the model's folder.")
        texts = [list(column) for column in (part.texts, part.others) if column is not None]
        kinds = getattr(network.config, "type_vocab_size", None)
        types = None if kinds is None else kinds > 1
        most = self.bench.context(max_length)
        found = tokenizer(*texts, truncation=True, max_length=most, return_token_type_ids=types)
        self.bench.check([[*ids, tokenizer.pad_token_id] for ids in found["input_ids"]], part.texts)
        if not all(found["input_ids"]):
            empty = part.texts[[bool(ids) for ids in found["input_ids"]].index(False)]
            raise InputError(f"The tokenizer finds no token in the text {empty!r}; leave it out.")
        taken = {*found} & {*signature(network.forward).parameters}
        return [{name: found[name][row] for name in taken} for row in range(part.n)]

    def inputs(self, rows: list[dict[str, list[int]]], part: Sequence[int] | np.ndarray) -> Any:
        """Some of the rows as a batch that the network takes."""
        from compress.models.open import quiet

        with quiet():  # it would rather pad as it encodes
            padded = self.model.tokenizer.pad([rows[row] for row in part], return_tensors="pt")
        return padded.to(self.bench.device)

    def train(self, network: Any, seed: int, going: Going, layer: Any = None) -> list[tuple[int, float]]:
        """Trains all of the network; gives step and loss. going: where it is, see there. layer: the compressed embedding in it."""
        import torch
        from transformers import get_linear_schedule_with_warmup

        torch.manual_seed(seed)
        rng, n = np.random.default_rng(seed), self.task.train.n
        targets = self.targets()
        groups = groups_of(network, layer, self.learning_rate, going.size)
        steps = self.epochs * math.ceil(n / self.batch)
        adam = torch.optim.AdamW(groups, weight_decay=0.0)
        schedule = get_linear_schedule_with_warmup(adam, round(WARM_UP * steps), steps)
        network.train()
        curve = going.resume(network, adam, schedule)
        self.tell.done += len(curve)
        for part in islice(shuffled(rng, n, self.batch, self.epochs), len(curve), None):
            logits = network(**self.inputs(self.train_rows, part)).logits.float()
            wanted = targets[part].to(logits.device)
            if self.task.scored:
                loss = torch.nn.functional.mse_loss(logits[:, 0], wanted)
            else:
                loss = torch.nn.functional.cross_entropy(logits, wanted)
            adam.zero_grad()
            loss.backward()
            for group in groups:  # each for itself, as the size of a factor's gradient says only how it is stored
                torch.nn.utils.clip_grad_norm_(group["params"], LONGEST_STEP)
            adam.step()
            schedule.step()
            curve.append((len(curve) + 1, loss.item()))
            if not math.isfinite(curve[-1][1]):
                raise InputError(f"The loss is not finite at step {len(curve):,}; take a lower learning rate.")
            self.tell.done += 1
            going.keep(network, adam, curve, self.tell)
            self.tell.step(*curve[-1])
        network.eval()
        return curve

    def targets(self) -> "Tensor":
        """(examples,) what the head is to say of the training examples."""
        import torch

        labels = self.task.train.labels
        return torch.tensor(labels if self.task.scored else [self.outputs.index(label) for label in labels])

    def score(self, network: Any) -> dict[str, float]:
        """Every figure on every test set."""
        import torch

        from compress.tasks.labelled import FIGURES

        network.eval()
        found: dict[str, float] = {}
        for suffix, test in self.task.tests.items():
            rows = self.test_rows[suffix]
            said: list = [None] * test.n
            with torch.no_grad():
                for part in self.bench.batches([len(row["input_ids"]) for row in rows], suffix):
                    logits = network(**self.inputs(rows, part)).logits.float().cpu()
                    here = logits[:, 0].tolist() if self.task.scored else [self.outputs[at] for at in logits.argmax(1)]
                    for row, each in zip(part, here, strict=True):
                        said[row] = each
            found |= {metric + suffix: FIGURES[metric](test.labels, said) for metric in self.task.asked}
        return found


def groups_of(network: Any, layer: Any, learning_rate: float, size: float) -> list[dict]:
    """AdamW's groups of parameters: the network's, and each factor of a compressed embedding with a learning rate to its size, so
    that it matters not in what steps it is kept."""
    factors = list(layer.parameters()) if layer else []
    others = [each for each in network.parameters() if not any(each is factor for factor in factors)]
    scaled = [{"params": [each], "lr": learning_rate * (root_mean_square(each.double()) / size or 1.0)} for each in factors]
    return [{"params": others, "lr": learning_rate}, *scaled]


def shuffled(rng: np.random.Generator, n: int, batch: int, epochs: int) -> Iterator[np.ndarray]:
    """Batches of row numbers, in another order each epoch."""
    for _ in range(epochs):
        order = rng.permutation(n)
        yield from (order[at : at + batch] for at in range(0, n, batch))
