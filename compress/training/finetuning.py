"""Fine-tuning on a labelled task: what a sequence classifier loses by a compressed table, and has again after some epochs more."""

import copy
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compress.checks import real, whole
from compress.errors import MatrixError, Stop
from compress.form.compressed import Compressed
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method
from compress.training.finetuning_task import LabelledTask, checked, cut, outputs_of

if TYPE_CHECKING:
    from compress.models.open import OpenModel
    from compress.tasks.examples import Part

WARM_UP = 0.06  # share of the steps in which the learning rate rises, as RoBERTa's authors have it
LONGEST_STEP = 1.0  # norm that gradients are clipped to
HEAD = "ForSequenceClassification"


@dataclass(frozen=True)
class TunedFigure:
    """One figure of the task, a number a seed: with the dense table, with the compressed one put in its place, and fine-tuned with
    that. n: examples that it is over."""

    metric: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    tuned: tuple[float, ...]
    n: int

    def row(self) -> dict:
        """Means and standard deviations over the seeds."""
        from compress.tasks.score import spread

        columns = {"before": self.before, "after": self.after, "tuned": self.tuned}
        means = {name: float(np.mean(column)) for name, column in columns.items()}
        return {"metric": self.metric, **means, **{f"{name}_spread": spread(column) for name, column in columns.items()}}


@dataclass(frozen=True, eq=False)
class Finetuned:
    """What fine-tuning gave.

    figures: of each test set, the one that counts first. result: the compressed table after the last seed's training, None where
    the table stayed dense. curve: (step, loss) of that training. n_train: examples that it saw an epoch.
    """

    task: str
    figures: tuple[TunedFigure, ...]
    result: Compressed | None
    curve: tuple[tuple[int, float], ...]
    seeds: tuple[int, ...]
    n_train: int
    seconds: float

    def rows(self) -> list[dict]:
        """Every figure with what it took, as JSON takes it."""
        held = {"ratio": self.result.ratio, "n_bytes": self.result.n_bytes} if self.result else {}
        more = {"seeds": len(self.seeds), "n_train": self.n_train, "seconds": self.seconds}
        return [{"task": self.task, **figure.row(), "n": figure.n, **more, **held} for figure in self.figures]


def finetune(
    model: "OpenModel",
    result: Compressed | Method | None,
    task: LabelledTask,
    epochs: int = 2,
    learning_rate: float = 2e-5,
    batch: int = 32,
    limit: int | None = None,
    seeds: Sequence[int] = (0,),
    head_first: bool = True,
    max_length: int = 128,
    progress: Callable[[dict], None] | None = None,
    weights: np.ndarray | None = None,
) -> Finetuned:
    """Fine-tunes a sequence classifier, puts the compressed table in, fine-tunes all of it again; scores each stage on the task.

    model: opened with the head "ForSequenceClassification"; its `network` is the tuned one of the last seed afterwards, and can be
    saved by `save_model`. result: the compressed table, or a method to fit on the table as the first fine-tuning leaves it, with
    these row weights; None leaves it dense. task: see `read_task`; a Classification of compress.tasks will do. limit: at most so
    many training and test examples. head_first: False where the model is fine-tuned on the task already; else it gets a new head
    where its files have none. max_length: tokens of a text or pair.

    The steps are AdamW's without weight decay, the learning rate rises over the first 6 % and falls to 0; a factor of the table
    moves as fast, against its size, as the entries of the table would.
    progress: told after every step; may raise to stop. The model is as it was then, as after any error. Raises MatrixError or
    ValueError with one plain sentence where settings, the table, the labels or the tokenizer do not fit.
    Source: Maalouf et al., "Deep Learning Meets Projective Clustering" (ICLR 2021).
    """
    import torch

    started = time.perf_counter()
    check_settings(epochs, learning_rate, batch, limit, seeds, max_length)
    check_table(model, result)
    task = checked(task)
    fresh = head_first and not has_head(model.network)
    outputs = outputs_of(task, model.network, fresh)
    task = cut(task, limit)
    steps = epochs * math.ceil(task.train.n / batch)
    tell = Progress(progress, len(seeds) * (1 + head_first) * steps)
    run = Run(model, task, outputs, epochs, learning_rate, batch, max_length, tell)
    found, device = [], model.table.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        for seed in seeds:
            tell.begin(seed, "before")
            torch.manual_seed(seed)
            network = with_head(model.network, outputs) if fresh else copy.deepcopy(model.network).float()
            network.requires_grad_(True)
            if getattr(network.config, "pad_token_id", None) is None:
                network.config.pad_token_id = model.tokenizer.pad_token_id
            if head_first:
                run.train(network, seed)
            scores = [run.score(network)]
            table = network.get_input_embeddings().weight.detach().cpu().numpy().copy()
            tell.begin(seed, "after")
            layer = swapped(network, fitted(result, table, weights, tell))
            scores.append(run.score(network) if layer else scores[0])
            tell.begin(seed, "tuned")
            curve = run.train(network, seed, layer and layer.trainable(), size_of(torch.from_numpy(table)))
            tuned = layer.settled().compressed() if layer else None
            scores.append(run.score(network))
            found.append(scores)
    figures = tuple(
        TunedFigure(metric, *(tuple(each[stage][metric] for each in found) for stage in range(3)), n)
        for metric, n in ((metric + suffix, part.n) for suffix, part in task.tests.items() for metric in task.asked)
    )
    model.network = network
    seconds = round(time.perf_counter() - started, 2)
    return Finetuned(task.name, figures, tuned, tuple(curve), tuple(seeds), task.train.n, seconds)


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

    def fit(self, event: dict) -> None:
        try:
            self(fit=event)
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
        """Token ids of each example, pairs as one, and what else the network takes. Raises MatrixError for an id without a row."""
        from inspect import signature

        tokenizer, network = self.model.tokenizer, self.model.network
        if tokenizer is None or tokenizer.pad_token_id is None:
            raise MatrixError("The model has no tokenizer that can pad; put its files into the model's folder.")
        texts = [list(column) for column in (part.texts, part.others) if column is not None]
        kinds = getattr(network.config, "type_vocab_size", None)
        types = None if kinds is None else kinds > 1
        most = self.bench.context(max_length)
        found = tokenizer(*texts, truncation=True, max_length=most, return_token_type_ids=types)
        self.bench.check([[*ids, tokenizer.pad_token_id] for ids in found["input_ids"]], part.texts)
        if not all(found["input_ids"]):
            empty = part.texts[[bool(ids) for ids in found["input_ids"]].index(False)]
            raise MatrixError(f"The tokenizer finds no token in the text {empty!r}; leave it out.")
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
                raise MatrixError(f"The loss is not finite at step {len(curve):,}; take a lower learning rate.")
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


def fitted(result: Compressed | Method | None, table: np.ndarray, weights, tell: Progress) -> Compressed | None:
    if not isinstance(result, Method):
        return result
    found = result.fit(EmbeddingMatrix(table, weights=weights), tell.fit)
    if tell.stopped:
        raise tell.stopped
    return found


def swapped(network, result: Compressed | None):
    """The compressed embedding, in the network now; None for a table that stays dense."""
    from compress.models.swap import swap_embedding

    if result is None:
        return None
    swap_embedding(network, result)
    return network.get_input_embeddings()


def has_head(network) -> bool:
    """Whether the head is of the model's files, and not one that transformers made up as it opened them."""
    return any(str(name).endswith(HEAD) for name in network.config.architectures or [])


def with_head(network, outputs: list[str]):
    """The same network in float32 with a new head, of an output for each of these labels."""
    config = copy.deepcopy(network.config)
    config.num_labels = len(outputs)
    config.id2label = dict(enumerate(outputs))
    config.label2id = {label: at for at, label in enumerate(outputs)}
    config.architectures = [type(network).__name__]
    config.problem_type = "regression" if len(outputs) == 1 else "single_label_classification"
    made = type(network)(config).float()
    made.base_model.load_state_dict(network.base_model.state_dict())
    return made.to(network.device)


def check_table(model: "OpenModel", result: Compressed | Method | None) -> None:
    """Raises ValueError where the model has no table to compress, or where the compressed one is of another shape."""
    from compress.models.places import embedding_of

    if not type(model.network).__name__.endswith(HEAD):
        raise MatrixError(f"{type(model.network).__name__} is no sequence classifier; open the model with the head {HEAD}.")
    shape = tuple(embedding_of(model.network).weight.shape)
    if isinstance(result, Method):
        result.check(*shape)
    elif result is not None and tuple(result.shape) != shape:
        given, right = (" × ".join(f"{side:,}" for side in each) for each in (result.shape, shape))
        raise MatrixError(f"The compressed table is {given}, the model’s {right}; take one that was made of it.")


def check_settings(epochs, learning_rate, batch, limit, seeds, max_length) -> None:
    whole("epochs", epochs, 1, 100)
    real("learning_rate", learning_rate, 1e-8, 1)
    whole("batch", batch, 1, 4096)
    whole("max_length", max_length, 2)
    if limit is not None:
        whole("limit", limit, 2)
    if not seeds:
        raise ValueError("seeds must be one or more whole numbers, got none")
    for seed in seeds:
        whole("seeds", seed, 0, 2**32 - 1)


def save_model(model: "OpenModel", folder: str | os.PathLike) -> Path:
    """Writes the network and its tokenizer into a folder that transformers opens after `compress.register()`, whole or not at all.
    Raises MatrixError where the folder holds something."""
    from compress.export import whole_folder
    from compress.models.open import quiet

    folder = check_empty(folder)
    with whole_folder(folder) as part, quiet():
        model.network.save_pretrained(part)
        if model.tokenizer is not None:
            model.tokenizer.save_pretrained(part)
    return folder


def check_empty(folder: str | os.PathLike) -> Path:
    folder = Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise MatrixError(f"{folder} is a file; name a folder for the model.")
    if folder.exists() and any(folder.iterdir()):
        raise MatrixError(f"{folder} holds files already; name a new folder or an empty one.")
    return folder
