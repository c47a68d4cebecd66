"""Fine-tuning on a labelled task: what a sequence classifier loses by a compressed table, and has again after some epochs more."""

import copy
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.checks import real, whole
from compress.errors import InputError, Progress
from compress.files import whole_folder
from compress.form.compressed import Compressed
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method
from compress.models.network import root_mean_square
from compress.models.places import check_shape, embedding_of
from compress.models.swap import freeze_table, swap_embedding, train_table
from compress.training.finetuning_run import Run, TuningSteps
from compress.training.finetuning_state import Going, key_of
from compress.training.finetuning_task import LabelledTask, checked, limited, outputs_of
from compress.training.state import Kept

if TYPE_CHECKING:
    from compress.models.open import OpenModel

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
    progress: Progress | None = None,
    weights: np.ndarray | None = None,
    state: Path | None = None,
) -> Finetuned:
    """Fine-tunes a sequence classifier, puts the compressed table in, fine-tunes all of it again; scores each stage on the task.

    model: opened with the head "ForSequenceClassification"; its `network` is the tuned one of the last seed afterwards, and can be
    saved by `save_model`. result: the compressed table, or a method to fit on the table as the first fine-tuning leaves it, with
    these row weights; None leaves it dense. task: see `finetuning_task.read_task`; a Classification of compress.tasks will do.
    limit: at most so many training and test examples. head_first: False where the model is fine-tuned on the task already; else it
    gets a new head where its files have none. max_length: tokens of a text or pair.

    The steps are AdamW's without weight decay, the learning rate rises over the first 6 % and falls to 0; a factor of the table
    moves as fast, against its size, as the entries of the table would.
    progress: told after every step; may raise to stop. The model is as it was then, as after any error. state: a folder that keeps
    where it is, so that the same fine-tuning goes on from there and ends as if it had not been stopped; to be removed when what it
    gave is written. Raises InputError or ValueError with one plain sentence where settings, the table, the labels or the tokenizer
    do not fit.
    Source: Maalouf et al., "Deep Learning Meets Projective Clustering" (ICLR 2021).
    """
    import torch

    check_settings(epochs, learning_rate, batch, limit, seeds, max_length)
    check_table(model, result)
    task = checked(task)
    fresh = head_first and not has_head(model.network)
    outputs = outputs_of(task, model.network, fresh)
    task = limited(task, limit)
    steps = epochs * math.ceil(task.train.n / batch)
    tell = TuningSteps(progress, len(seeds) * (1 + head_first) * steps)
    run = Run(model, task, outputs, epochs, learning_rate, batch, max_length, tell)
    asked = [task.name, task.train, task.tests, epochs, learning_rate, batch, list(seeds), head_first, max_length, outputs]
    about = [result.key if isinstance(result, Compressed) else result, None if weights is None else weights.tolist()]
    going = Going(Kept(state, key_of(model.network, *asked, *about) if state else ""))
    tell.done = steps * ((1 + head_first) * len(going.found) + (head_first and bool(going.scores)))
    device = model.table.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        for seed in seeds[len(going.found) :]:
            torch.manual_seed(seed)
            network = with_head(model.network, outputs) if fresh else copy.deepcopy(model.network).float()
            network.requires_grad_(True)
            if getattr(network.config, "pad_token_id", None) is None:
                network.config.pad_token_id = model.tokenizer.pad_token_id
            if not going.scores:
                tell.begin(seed, "before")
                if head_first:
                    run.train(network, seed, going)
                scores = [run.score(network)]
                table = network.get_input_embeddings().weight.detach().cpu().numpy().copy()
                tell.begin(seed, "after")
                form = fitted(result, table, weights, tell)
                if form:
                    swap_embedding(network, form)
                scores.append(run.score(network) if form else scores[0])
                going.enter(form, root_mean_square(torch.from_numpy(table).double()), scores)
            elif going.form:
                swap_embedding(network, going.form)
            tell.begin(seed, "tuned")
            curve = run.train(network, seed, going, train_table(network) if going.form else None)
            tuned = freeze_table(network).compressed() if going.form else None
            going.leave(run.score(network))
    figures = []
    for metric, n in ((metric + suffix, part.n) for suffix, part in task.tests.items() for metric in task.asked):
        before, after, tuned_again = (tuple(each[stage][metric] for each in going.found) for stage in range(3))
        figures.append(TunedFigure(metric, before, after, tuned_again, n))
    model.network = network
    return Finetuned(task.name, tuple(figures), tuned, tuple(curve), tuple(seeds), task.train.n, round(going.seconds, 2))


def state_of(out: Path) -> Path:
    """The folder that keeps the state of a fine-tuning whose model or report goes there."""
    return out.with_suffix(".finetuning")


def fitted(
    result: Compressed | Method | None, table: np.ndarray, weights: np.ndarray | None, tell: TuningSteps
) -> Compressed | None:
    """The compressed table, fitted here where a method is given; None where the table is to stay dense."""
    if not isinstance(result, Method):
        return result
    found = result.fit(EmbeddingMatrix(table, weights=weights), tell.fit)
    if tell.stopped:
        raise tell.stopped
    return found


def has_head(network: Any) -> bool:
    """Whether the head is of the model's files, and not one that transformers made up as it opened them."""
    return any(str(name).endswith(HEAD) for name in network.config.architectures or [])


def with_head(network: Any, outputs: list[str]) -> Any:
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
    if not type(model.network).__name__.endswith(HEAD):
        raise InputError(f"{type(model.network).__name__} is no sequence classifier; open the model with the head {HEAD}.")
    n, d = embedding_of(model.network).weight.shape
    if isinstance(result, Method):
        result.check(n, d)
    elif result is not None:
        check_shape("The compressed table", result.shape, "the model’s", (n, d))


def check_settings(epochs: int, learning_rate: float, batch: int, limit: int | None, seeds: Sequence[int], max_length: int) -> None:
    """Raises ValueError for a setting out of its bounds."""
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
    Raises InputError where the folder holds something."""
    from compress.models.open import quiet

    folder = check_empty(folder)
    with whole_folder(folder, check_empty) as part, quiet():
        model.network.save_pretrained(part)
        if model.tokenizer is not None:
            model.tokenizer.save_pretrained(part)
    return folder


def check_empty(folder: str | os.PathLike) -> Path:
    """The folder as a path. Raises InputError where it is a file or holds something."""
    folder = Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the model.")
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} holds files already; name a new folder or an empty one.")
    return folder
