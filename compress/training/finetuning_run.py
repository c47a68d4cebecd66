"""The training and the scoring of one classifier on one task, and how far it is."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from compress.errors import InputError, Step, Stop

if TYPE_CHECKING:
    from compress.tasks.examples import Part


WARM_UP = 0.06  # share of the steps in which the learning rate rises, as RoBERTa's authors have it
LONGEST_STEP = 1.0  # norm that gradients are clipped to


class Progress:
    """Tells how far it is: {"done", "of", "seed", "stage"}, with "step" and "loss" while it trains, the "share" of texts while it
    scores, and the steps of a method's fit under "fit"."""

    def __init__(self, progress: Callable[[dict], None] | None, of: int):
        self.progress, self.of, self.done, self.stopped = progress, of, 0, None

    def begin(self, seed: int, stage: str) -> None:
        self.seed, self.stage = seed, stage

    def __call__(self, **more) -> None:
        if self.progress:
            self.progress({"done": self.done, "of": self.of, "seed": self.seed, "stage": self.stage, **more})

    def step(self, step: int, loss: float) -> None:
        self.done += 1
        self(step=step, loss=loss)

    def part(self, table: str, share: float) -> None:
        self(share=round(share, 3))

    def fit(self, step: Step) -> None:
        try:
            self(fit=dict(step.figures))
        except Stop as stop:
            self.stopped = stop  # a method that works in stages keeps it for itself
            raise


class Run:
    """A task's texts as token ids, to train and score networks with."""

    def __init__(self, model, task, outputs, epochs, learning_rate, batch, max_length, tell):
        from compress.tasks.bench import BEFORE, Bench

        self.model, self.task, self.outputs, self.tell = model, task, outputs, tell
        self.epochs, self.learning_rate, self.batch = epochs, learning_rate, batch
        self.bench = Bench(model, {BEFORE: model.table.detach()}, tell.part)
        self.train_rows = self.encoded(task.train, max_length)
        self.test_rows = {suffix: self.encoded(part, max_length) for suffix, part in task.tests.items()}

    def encoded(self, part: "Part", max_length: int) -> list[dict[str, list[int]]]:
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

    def inputs(self, rows: list[dict[str, list[int]]], part: Sequence[int]) -> dict:
        from compress.models.open import quiet

        with quiet():  # it would rather pad as it encodes
            padded = self.model.tokenizer.pad([rows[row] for row in part], return_tensors="pt")
        return padded.to(self.bench.device)

    def train(self, network, seed: int, layer=None, size: float = 1.0) -> list[tuple[int, float]]:
        """Trains all of the network; gives step and loss. layer: the compressed embedding in it. size: of the table's entries."""
        import torch
        from transformers import get_linear_schedule_with_warmup

        torch.manual_seed(seed)
        rng, n = np.random.default_rng(seed), self.task.train.n
        targets = self.targets()
        groups = groups_of(network, layer, self.learning_rate, size)
        steps = self.epochs * math.ceil(n / self.batch)
        adam = torch.optim.AdamW(groups, weight_decay=0.0)
        schedule = get_linear_schedule_with_warmup(adam, round(WARM_UP * steps), steps)
        network.train()
        curve = []
        for part in shuffled(rng, n, self.batch, self.epochs):
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
            self.tell.step(*curve[-1])
        network.eval()
        return curve

    def targets(self):
        """(examples,) what the head is to say of the training examples."""
        import torch

        labels = self.task.train.labels
        return torch.tensor(labels if self.task.scored else [self.outputs.index(label) for label in labels])

    def score(self, network) -> dict[str, float]:
        """Every figure on every test set."""
        import torch

        from compress.tasks.labelled import FIGURES

        network.eval()
        found = {}
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


def groups_of(network, layer, learning_rate: float, size: float) -> list[dict]:
    """AdamW's groups of parameters: the network's, and each factor of a compressed embedding with a learning rate to its size, so
    that it matters not in what steps it is kept."""
    factors = list(layer.parameters()) if layer else []
    others = [each for each in network.parameters() if not any(each is factor for factor in factors)]
    scaled = [{"params": [each], "lr": learning_rate * (size_of(each) / size or 1.0)} for each in factors]
    return [{"params": others, "lr": learning_rate}, *scaled]


def size_of(tensor) -> float:
    """Root mean square of the entries."""
    return float(tensor.detach().double().square().mean().sqrt())


def shuffled(rng: np.random.Generator, n: int, batch: int, epochs: int) -> Iterator[np.ndarray]:
    """Batches of row numbers, in another order each epoch."""
    for _ in range(epochs):
        order = rng.permutation(n)
        yield from (order[at : at + batch] for at in range(0, n, batch))
