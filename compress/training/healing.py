"""Healing: a compressed table made to serve its model again, by unlabelled text alone, in the same bytes."""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.checks import whole
from compress.errors import InputError, Progress, Step, Stop
from compress.form.compressed import Compressed
from compress.importance import Importance
from compress.matrix import EmbeddingMatrix
from compress.models.facts import ModelFacts
from compress.models.network import frozen, pooled, root_mean_square, states_of
from compress.models.open import MOST_TOKENS, OpenModel
from compress.models.places import check_shape
from compress.models.swap import swapped_copy, train_table
from compress.tasks.judging import gives_ids
from compress.tasks.needs import a_text
from compress.tasks.score import BEFORE
from compress.tasks.texts import Text
from compress.training.healing_state import Kept, form_of, named, under
from compress.training.importance import TEXTS, importance_of
from compress.training.kinds import texts_apart

if TYPE_CHECKING:
    from torch import Tensor

    from compress.tasks.bench import Bench

VERSION = 2  # of how a form is healed; what another one left is not gone on with
STEPS, BATCH = 300, 32
HELD_OUT, MOST_HELD_OUT = 0.1, 256  # texts that the distance is measured on where there are none of another kind
CHECKS, PATIENCE = 8, 3  # how often in all the steps it is measured, and how often without a gain until training ends
KEEP = 25  # steps after which the state is kept
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
REFIT, LOOKED_AT = 1000, 1 / 3  # work in texts that are trained on: a fit, about; a text that only its distance is taken of


@dataclass(frozen=True, eq=False)
class Healed:
    """What healing gave.

    result: the healed form, in as many bytes as before; the given one itself where nothing was better. measure: what `distance` is,
    on texts of other kinds than what was learnt from, of the outputs before compression from those with the given form ("before"),
    with the fit for what the outputs depend on ("refitted") and with the best of the training ("healed"): the mean over kinds.
    by_kind: the same of each kind. taken: which of them the result is: the least that is on no kind farther than the given form.
    step: of the training that it is, 0 for none. losses: (step, loss) of the training, of fewer than `steps` where it was stopped
    or came no nearer. finished: whether there is nothing to go on with. texts: how many were learnt from.
    """

    result: Compressed
    measure: str
    distance: dict[str, float]
    by_kind: dict[str, dict[str, float]]
    taken: str
    step: int
    losses: list[tuple[int, float]]
    finished: bool
    texts: int
    seconds: float
    steps: int

    def row(self) -> dict:
        """Everything but the result."""
        return {name: value for name, value in vars(self).items() if name != "result"} | {"chosen": self.words}

    @property
    def words(self) -> str:
        """Which form was taken, in words."""
        return words_of(self.taken, self.step, len(self.losses))


def words_of(taken: str, step: int, steps: int) -> str:
    """Which of the forms of a healing was taken, in words."""
    if taken == "before":
        return "no step was better, so it is the fit"
    return f"step {step:,} of {steps:,} was the best" if step else "the fit for what the outputs depend on was the best"


def state_of(out: Path) -> Path:
    """The folder that keeps the state of a healing while it is made for that file."""
    return out.with_suffix(".healing")


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
    apart: Mapping[str, Sequence[Text]] | None = None,
    state: Path | None = None,
) -> Healed:
    """Brings the outputs of a model with the compressed table nearer to those with its own, on texts without labels.

    First, with `refit`, the method is fitted anew for errors as they change the outputs, by row and by direction (importance.py;
    measured once, it can be given for other settings of the model). Then what it decodes by, factors, scales, codebooks, decoders,
    is trained for `steps` batches of 32 texts by Adam: on 1 − cosine of sentence vectors, or for a language model on the
    Kullback–Leibler divergence of next tokens. Codes and labels stay; for the last part numbers in rows are rounded as they are
    stored, and only what rows share is trained on. The given form, the refitted one and that of every so many steps are compared,
    as they are stored, on texts of other kinds: the nearest is taken that is on none of them farther than the given one, and
    training ends early where it comes no nearer.
    The model is left as it was. apart: by kind, texts to compare on; built-in ones unless given, and a tenth of the texts where the
    model has no tokenizer. progress: told the stage, see STAGES, every step of the training and the seconds left; may raise to
    stop, and where it raises compress.Stop in the training, the best so far is given. state: a folder that keeps what it has come
    to, so that the same healing goes on from there and ends as if it had not been stopped; removed at the end. Raises InputError
    where the matrix is not the model's table or the texts cannot be used.
    """
    from compress.tasks.bench import Bench

    whole("steps", steps, 0, 100_000)
    whole("seed", seed, 0, 2**32 - 1)
    check_shape("The compressed table", result.shape, "the model’s", model.table.shape)
    started = time.perf_counter()
    bench = Bench(model, {BEFORE: matrix.values})
    ids = ids_of(bench, texts)
    if len(ids) < 2:
        raise InputError("Healing needs two texts or more with something in them; give a longer text.")
    rng = np.random.default_rng(seed)
    rng.shuffle(ids)
    others = texts_apart(model, seed) if apart is None else apart
    kinds = {kind: part for kind, texts in others.items() if (part := few_of(bench, ids_of(bench, texts)))}
    if not kinds:
        count = max(1, min(MOST_HELD_OUT, round(HELD_OUT * len(ids))))
        kinds, ids = {"the same kind": few_of(bench, ids[:count])}, ids[count:]
    kept = Kept(state, key_of(result, texts, steps, refit, seed, apart))
    tell = HealingSteps(progress, steps, sum(map(len, kinds.values())))
    forms = {"before": result}
    if refit:
        forms["refitted"] = refitted(model, matrix, result, ids, refit, seed, kept, tell)
    tell("check")
    distances = Distances(bench, kinds)
    best = Best(distances, result)
    for name, form in forms.items():
        best.take(name, form, distances.of(form))
        tell.done += tell.check
    training = Training(bench, best.form, ids, steps, seed)
    training.go_on(best, kept)
    before = training.seconds
    stopped = run(training, best, kept, tell, lambda: before + time.perf_counter() - started)
    if not stopped:
        kept.clear()
    seconds = before + time.perf_counter() - started
    return Healed(
        best.form,
        MEASURES[model.causal],
        {name: mean(each) for name, each in best.found.items()},
        {kind: {name: each[kind] for name, each in best.found.items()} for kind in kinds},
        best.taken,
        best.step,
        training.losses,
        not stopped,
        len(ids),
        seconds,
        steps,
    )


def key_of(
    result: Compressed, texts: Sequence[Text], steps: int, refit: bool | Importance, seed: int, apart: Mapping | None = None
) -> str:
    """What tells a healing from any other of the model."""
    measured = blake2b(refit.metric.tobytes() + refit.weights.tobytes()).hexdigest() if isinstance(refit, Importance) else refit
    others = apart and {kind: list(part) for kind, part in apart.items()}
    told = json.dumps([VERSION, result.key, list(texts), steps, measured, seed, others], default=int)
    return blake2b(told.encode(), digest_size=16).hexdigest()


class HealingSteps:
    """Tells the stage of a healing, while it trains the step and its loss, and the seconds left: work is counted in texts that are
    trained on, and goes on as fast as it went."""

    def __init__(self, progress: Progress | None, steps: int, held_out: int):
        self.progress, self.steps = progress, steps
        self.check = LOOKED_AT * held_out  # work of taking a distance
        self.done, self.of = 0.0, TEXTS + REFIT + steps * BATCH + (2 + min(CHECKS, steps)) * self.check
        self.began, self.begun_at = time.perf_counter(), 0.0

    def resume(self, done: float) -> None:
        """So much is done, of which the time says nothing."""
        self.done = self.begun_at = done
        self.began = time.perf_counter()

    def __call__(self, stage: str, **more: Any) -> None:
        if self.progress:
            gone, done = time.perf_counter() - self.began, self.done - self.begun_at
            left = {"left": round(gone / done * (self.of - self.done), 1)} if done > BATCH else {}
            step = f", step {more['step']:,} of {self.steps:,}, loss {more['loss']:.4f}" if "step" in more else ""
            figures = {"stage": stage, "steps": self.steps, **more, **left}
            self.progress(Step(min(self.done / self.of, 1.0), STAGES[stage] + step, figures))


def refitted(
    model: OpenModel,
    matrix: EmbeddingMatrix,
    result: Compressed,
    ids: Sequence[Text],
    refit: bool | Importance,
    seed: int,
    kept: Kept,
    tell: HealingSteps,
) -> Compressed:
    """The fit for what the outputs depend on."""
    if found := kept.of("refitted"):
        tell.resume(TEXTS + REFIT)
        return form_of(result, "form", found[0])
    if not isinstance(refit, Importance):

        def measured(step: Step) -> None:
            tell.done = TEXTS * step.share
            tell("measure")

        if found := kept.of("measured"):
            refit = Importance(found[0]["weights"], found[0]["metric"], found[1])
        else:
            refit = importance_of(model, matrix, ids, seed=seed, progress=measured)
            kept.put("measured", {"weights": refit.weights, "metric": refit.metric}, refit.floor)
    stopped: list[Stop] = []

    def fitting(step: Step) -> None:
        tell.done = max(tell.done, TEXTS + REFIT * step.share)
        try:
            tell("refit", kept="what was measured")
        except Stop as stop:
            stopped.append(stop)  # a method that works in stages keeps it for itself
            raise

    fitting(Step(0.0, ""))
    form = result.method.fit_for(matrix, refit, fitting)
    if stopped:
        raise stopped[0]
    tell.done = TEXTS + REFIT
    kept.put("refitted", named("form", form.arrays))
    return form


class Distances:
    """How far a form's outputs are from the model's own, on texts of some kinds."""

    def __init__(self, bench: "Bench", kinds: Mapping[str, Sequence]):
        self.bench = bench
        self.batches = {kind: [padded(bench, part) for part in in_batches(sorted(ids, key=len))] for kind, ids in kinds.items()}
        self.own = {kind: model_outputs(bench, part) for kind, part in self.batches.items()}

    def of(self, form: Compressed) -> dict[str, float]:
        """By kind, the mean over its texts, or tokens of a language model."""
        return {kind: distance_of(self.bench, form, part, self.own[kind]) for kind, part in self.batches.items()}


class Best:
    """The nearest form so far of those that are on no kind of text farther than the given one.

    found: by name, the distances by kind of the given form, the refitted one and the nearest of the training. taken, step: which of
    them `form` is, and after how many steps. late: how many forms of the training since the nearest.
    """

    def __init__(self, distances: Distances, given: Compressed):
        self.distances, self.form = distances, given
        self.found: dict[str, dict[str, float]] = {}
        self.taken, self.step, self.late = "before", 0, 0

    def take(self, name: str, form: Compressed, found: dict[str, float], step: int = 0) -> None:
        """Compares one more form."""
        nearest = name not in self.found or mean(found) < mean(self.found[name])
        self.late = 0 if nearest else self.late + 1
        if nearest:
            self.found[name] = found
        least = self.found.get(self.taken, found)
        if mean(found) < mean(least) and all(found[kind] <= far for kind, far in self.found["before"].items()):
            self.form, self.taken, self.step = form, name, step

    @property
    def state(self) -> dict:
        """All but the form, as JSON takes it."""
        return {name: getattr(self, name) for name in ("found", "taken", "step", "late")}


def mean(found: Mapping[str, float]) -> float:
    """Of the distances by kind."""
    return sum(found.values()) / len(found)


def run(training: "Training", best: Best, kept: Kept, tell: HealingSteps, seconds: Any) -> bool:
    """Trains to the end, or until nothing comes nearer; whether it was stopped before, by compress.Stop."""
    every = max(1, math.ceil(training.steps / CHECKS))
    tell.resume(tell.of - (training.steps - training.done) * BATCH - (training.steps - training.done) // every * tell.check)
    with frozen(training.bench.network):  # the copy has the same tensors
        while training.done < training.steps and best.late < PATIENCE:
            loss = training.step()
            checked = training.done % every == 0 or training.done == training.steps
            if checked:
                form = training.form
                best.take("healed", form, best.distances.of(form), training.done)
            if checked or training.done % KEEP == 0:
                training.keep(best, kept, seconds())
            tell.done += BATCH + checked * tell.check
            try:
                tell("train", step=training.done, loss=loss, kept=f"{training.done:,} of {training.steps:,} steps")
            except Stop:
                training.keep(best, kept, seconds())
                if not checked:
                    form = training.form
                    best.take("healed", form, best.distances.of(form), training.done)
                return training.done < training.steps and best.late < PATIENCE
    return False


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


def ids_of(bench: "Bench", texts: Sequence[Text]) -> list[tuple[int, ...]]:
    """Token ids of the texts that something can be told by."""
    found = bench.ids(texts, bench.context(MOST_TOKENS)) if texts else []
    return [tuple(each) for each in found if len(each) > bench.model.causal]


def few_of(bench: "Bench", ids: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """As many of a language model's texts as their logits are not too many of, one at least; all of another's."""
    if not bench.model.causal:
        return ids
    return ids[: max(1, int(np.searchsorted(np.cumsum([len(each) for each in ids]), bench.predicted_at_once)))]


def at_once_of(bench: "Bench", ids: Sequence) -> int:
    """Texts of a step: 32, fewer of a language model where their logits would take too much."""
    return max(1, min(BATCH, bench.predicted_at_once // max(map(len, ids)))) if bench.model.causal else BATCH


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


def batches(ids: list, rng: np.random.Generator, at_once: int = BATCH) -> Iterator[list]:
    """Batches without end, every text once in each round, of texts of like length."""
    while True:
        order = rng.permutation(len(ids))
        for first in range(0, len(order), CHUNK * at_once):
            chunk = sorted(order[first : first + CHUNK * at_once], key=lambda at: len(ids[at]))
            parts = in_batches(chunk, at_once)
            for part in rng.permutation(len(parts)):
                yield [ids[at] for at in parts[part]]


def in_batches(texts: Sequence, at_once: int = BATCH) -> list[Sequence]:
    """The texts in their order, so many at a time."""
    return [texts[first : first + at_once] for first in range(0, len(texts), at_once)]
