"""Healing: a compressed table made to serve its model again, by unlabelled text alone, in the same bytes."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.archive import load
from compress.checks import whole
from compress.errors import InputError, Progress, Step, Stop
from compress.form.compressed import Compressed
from compress.importance import Importance
from compress.matrix import EmbeddingMatrix
from compress.models.facts import ModelFacts
from compress.models.network import frozen, pooled, root_mean_square, states_of
from compress.models.open import MOST_TOKENS, OpenModel
from compress.models.places import check_shape
from compress.models.swap import freeze_table, swapped_copy, train_table
from compress.tasks.judging import gives_ids
from compress.tasks.needs import a_text
from compress.tasks.score import BEFORE
from compress.tasks.texts import Text
from compress.training.importance import importance_of

if TYPE_CHECKING:
    from torch import Tensor

    from compress.tasks.bench import Bench

STEPS, BATCH = 300, 32
HELD_OUT, MOST_HELD_OUT = 0.1, 256  # texts that the distance is measured on and nothing is learnt from
RATE = 0.01  # of learning, in units of an array's root mean square
WARM_UP = 20  # steps
SETTLED = 0.85  # share of the steps after which what lies in rows is rounded and stays
CHUNK = 8  # batches of texts of like length that are drawn together
STAGES = {
    "measure": "measuring which rows and directions the outputs depend on",
    "refit": "fitting again with what was measured",
    "train": "training",
    "check": "measuring the distance to the model's own outputs",
}
MEASURES = {False: "1 − cosine of sentence vectors", True: "KL divergence per token (nats)"}


@dataclass(frozen=True, eq=False)
class Healed:
    """What healing gave.

    result: the healed form, in as many bytes as before. measure: what `distance` is, on texts that were held out, of the outputs
    before compression from those with the given form ("before"), with the fit for what the outputs depend on ("refitted") and after
    training ("healed"); the result is the best of them. losses: (step, loss) of the training, of fewer than `steps` where it was
    stopped. texts: how many were learnt from.
    """

    result: Compressed
    measure: str
    distance: dict[str, float]
    losses: list[tuple[int, float]]
    texts: int
    seconds: float
    steps: int

    def row(self) -> dict:
        """Everything but the result."""
        return {name: value for name, value in vars(self).items() if name != "result"}


def lack_of(facts: ModelFacts, text: Path | str | None) -> str | None:
    """Why a model cannot be healed by a file of texts, None for the built-in ones, in a sentence; None where it can. facts: what is
    known of the model before it is opened."""
    lack = a_text(facts, gives_ids(text))
    return lack and f"Healing needs {lack}."


def heal(
    model: OpenModel,
    matrix: EmbeddingMatrix,
    result: Compressed,
    texts: Sequence[Text],
    steps: int = STEPS,
    refit: bool | Importance = True,
    seed: int = 0,
    progress: Progress | None = None,
    begun: Healed | None = None,
) -> Healed:
    """Brings the outputs of a model with the compressed table nearer to those with its own, on texts without labels.

    First, with `refit`, the method is fitted anew for errors as they change the outputs, by row and by direction (importance.py;
    measured once, it can be given for other settings of the model). Then what it decodes by, factors, scales, codebooks, decoders,
    is trained for `steps` batches of 32 texts by Adam: on 1 − cosine of sentence vectors, or for a language model on the
    Kullback–Leibler divergence of next tokens. Codes and labels stay; for the last part numbers in rows are rounded as they are
    stored, and only what rows share is trained on.
    The model is left as it was. progress: told the stage, see STAGES, and every step of the training; may raise to stop, and where
    it raises compress.Stop in the training, the best so far is given. begun: what was given so, by a healing of the same with the
    same, to go on from. Raises InputError where the matrix is not the model's table or the texts cannot be used.
    """
    from compress.tasks.bench import Bench

    whole("steps", steps, 0, 100_000)
    whole("seed", seed, 0, 2**32 - 1)
    check_shape("The compressed table", result.shape, "the model’s", model.table.shape)
    started, tell = time.perf_counter(), HealingSteps(progress)
    bench = Bench(model, {BEFORE: matrix.values})
    ids = [tuple(each) for each in bench.ids(texts, bench.context(MOST_TOKENS)) if len(each) > model.causal]
    if len(ids) < 2:
        raise InputError("Healing needs two texts or more with something in them; give a longer text.")
    rng = np.random.default_rng(seed)
    rng.shuffle(ids)
    count = max(1, min(MOST_HELD_OUT, round(HELD_OUT * len(ids))))
    held_out, ids = ids[:count], ids[count:]
    forms = {"before": result}
    if refit and not begun:
        if not isinstance(refit, Importance):
            refit = importance_of(model, matrix, ids, seed=seed, progress=lambda step: tell("measure", 0.25 * step.share))
        tell("refit", 0.25)
        forms["refitted"] = result.method.fit_for(matrix, refit)
    tell("check", 0.38)
    tested = [padded(bench, part) for part in in_batches(sorted(held_out, key=len))]
    own = model_outputs(bench, tested)
    if begun:
        distance, losses, before = dict(begun.distance), list(begun.losses), begun.seconds
        forms = {least(distance): begun.result}
    else:
        distance, losses, before = {name: distance_of(bench, form, tested, own) for name, form in forms.items()}, [], 0.0

    def trained(step: int, loss: float) -> None:
        losses.append((step, loss))
        tell("train", 0.4 + 0.5 * step / steps, step=step, steps=steps, loss=loss)

    if len(losses) < steps:
        form = train(bench, forms[least(distance)], ids, steps, rng, trained, len(losses))
        if len(losses) == steps:
            tell("check", 0.95)
        found = distance_of(bench, form, tested, own)
        if found < distance.get("healed", np.inf):
            forms["healed"], distance["healed"] = form, found
    best = forms[least(distance)]
    seconds = before + time.perf_counter() - started
    return Healed(best, MEASURES[model.causal], distance, losses, len(ids), seconds, steps)


def begun_before(out: Path, history: Path | None, of: str) -> Healed | None:
    """The healing of that key, see `key_of`, that was stopped in its training and left these files; None where there is none."""
    try:
        row = json.loads(history.read_bytes()) if history else {}
        if row["of"] != of or len(row["losses"]) >= row["steps"]:
            return None
        losses = [(int(step), float(loss)) for step, loss in row["losses"]]
        return Healed(load(out), row["measure"], row["distance"], losses, row["texts"], row["seconds"], row["steps"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def key_of(result: Compressed, texts: Sequence[Text], steps: int, refit: bool, seed: int) -> str:
    """What tells a healing from any other of the model."""
    return blake2b(json.dumps([result.key, list(texts), steps, refit, seed]).encode(), digest_size=16).hexdigest()


class HealingSteps:
    """Tells the stage of a healing, and while it trains the step and its loss."""

    def __init__(self, progress: Progress | None):
        self.progress = progress

    def __call__(self, stage: str, share: float, **more: Any) -> None:
        if self.progress:
            step = f", step {more['step']:,} of {more['steps']:,}, loss {more['loss']:.4f}" if more else ""
            self.progress(Step(share, STAGES[stage] + step, {"stage": stage, **more}))


def least(distance: dict[str, float]) -> str:
    """The name of what has the least distance, the first of equals."""
    return min(distance, key=lambda name: distance[name])


def train(
    bench: "Bench", form: Compressed, ids: list, steps: int, rng: np.random.Generator, tell: Callable, done: int = 0
) -> Compressed:
    """The form after training on texts of all that may move in it; `tell` is told every step and its loss, and ends it by
    compress.Stop. done: steps that were gone before."""
    import torch

    network, _ = swapped_copy(bench.model.network, form)
    texts = batches(ids, rng)
    for _ in range(done):
        next(texts)
    with frozen(network), suppress(Stop):
        for part, last in enumerate(part_ends(form, steps)):
            freeze_table(network)
            arrays = dict(train_table(network).named_parameters())
            if part:  # what lies in rows is as it will be stored
                for each in in_rows(arrays, form):
                    arrays.pop(each).requires_grad_(False)
            groups = [{"params": [each], "lr": RATE * max(root_mean_square(each), 1e-8)} for each in arrays.values()]
            optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99))
            rate = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(rate_from, done, steps))
            while done < last:
                inputs, mask = padded(bench, next(texts))
                with torch.no_grad():
                    own = outputs(bench.network, bench.model.causal, inputs, mask)
                loss = difference(bench.model.causal, own, outputs(network, bench.model.causal, inputs, mask)).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                rate.step()
                done += 1
                tell(done, loss.item())
    return network.get_input_embeddings().compressed()


def part_ends(form: Compressed, steps: int) -> list[int]:
    """The steps after which each part of the training ends: of everything, then of what rows share where that is something."""
    parameters = form.method.trainable(form.arrays, *form.shape).parameters
    return [round(SETTLED * steps), steps] if 0 < len(in_rows(parameters, form)) < len(parameters) and steps > 1 else [steps]


def in_rows(parameters: dict, form: Compressed) -> list[str]:
    """The arrays that have numbers for every row of the matrix, by name."""
    return [name for name, array in parameters.items() if array.shape[0] == form.shape[0]]


def rate_from(first: int, steps: int, more: int) -> float:
    """The share of the full rate of learning, so many more steps after the first: rising for a few, then falling like a cosine."""
    step = first + more
    return min(1, (step + 1) / min(WARM_UP, steps)) * (0.05 + 0.475 * (1 + np.cos(np.pi * step / steps)))


def model_outputs(bench: "Bench", batches: list) -> list:
    """What the model gives with its own table, for each batch."""
    import torch

    with torch.inference_mode():
        return [outputs(bench.network, bench.model.causal, *batch) for batch in batches]


def distance_of(bench: "Bench", form: Compressed, batches: list, own: list) -> float:
    """How far the outputs with the form are from the model's own, the mean over texts, or tokens of a language model."""
    import torch

    (network, _), causal = swapped_copy(bench.model.network, form), bench.model.causal
    with torch.inference_mode():
        found = [difference(causal, *pair) for pair in zip(own, (outputs(network, causal, *each) for each in batches), strict=True)]
    return float(torch.cat(found).mean())


def outputs(network: Any, causal: bool, inputs: dict, mask: "Tensor") -> "Tensor":
    """Sentence vectors (texts, d) of length 1, or log-probabilities of next tokens (tokens, n)."""
    if causal:
        return network(**inputs, use_cache=False).logits[mask].float().log_softmax(-1)
    return pooled(states_of(network, inputs), mask)


def difference(causal: bool, own: "Tensor", other: "Tensor") -> "Tensor":
    """(texts,) 1 − cosine, or (tokens,) the divergence KL(own ‖ other) in nats."""
    return (own.exp() * (own - other)).sum(-1) if causal else 1 - (own * other).sum(-1)


def padded(bench: "Bench", ids: Sequence) -> tuple[dict, "Tensor"]:
    """What the network takes for texts (texts, tokens), and which of it is text."""
    inputs = bench.padded([list(each) for each in ids])
    return inputs, inputs["attention_mask"].bool()


def batches(ids: list, rng: np.random.Generator) -> Iterator[list]:
    """Batches without end, every text once in each round, of texts of like length."""
    while True:
        order = rng.permutation(len(ids))
        for first in range(0, len(order), CHUNK * BATCH):
            chunk = sorted(order[first : first + CHUNK * BATCH], key=lambda at: len(ids[at]))
            parts = in_batches(chunk)
            for part in rng.permutation(len(parts)):
                yield [ids[at] for at in parts[part]]


def in_batches(texts: Sequence) -> list[Sequence]:
    """The texts in their order, 32 at a time."""
    return [texts[first : first + BATCH] for first in range(0, len(texts), BATCH)]
