"""Healing: a compressed table made to serve its model again, by unlabelled text alone, in the same bytes."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
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
from compress.models.network import frozen
from compress.models.open import MOST_TOKENS, OpenModel
from compress.models.places import check_shape
from compress.tasks.judging import text_lack
from compress.tasks.score import BEFORE
from compress.tasks.texts import Text
from compress.training.healing_choice import BATCH, Best, Distances, mean
from compress.training.healing_training import Training
from compress.training.importance import TEXTS, importance_of
from compress.training.kinds import texts_apart
from compress.training.state import Kept, form_of, named

if TYPE_CHECKING:
    from compress.tasks.bench import Bench

VERSION = 2  # of how a form is healed; what another one left is not gone on with
STEPS = 300
HELD_OUT, MOST_HELD_OUT = 0.1, 256  # texts that the distance is measured on where there are none of another kind
CHECKS, PATIENCE = 8, 4  # how often in all the steps it is measured, and how often without a gain until training ends
KEEP = 25  # steps after which the state is kept
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
    """Why a model cannot be healed by a file of texts, see `text_lack`."""
    return text_lack("Healing", facts, text)


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
    to, so that the same healing goes on from there and ends as if it had not been stopped; to be removed when the result is
    written. Raises InputError where the matrix is not the model's table or the texts cannot be used.
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
            left = {"left": round(gone / done * max(self.of - self.done, 0.0), 3)} if done > BATCH else {}
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


def run(training: "Training", best: Best, kept: Kept, tell: HealingSteps, seconds: Callable[[], float]) -> bool:
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


def ids_of(bench: "Bench", texts: Sequence[Text]) -> list[tuple[int, ...]]:
    """Token ids of the texts that something can be told by."""
    found = bench.ids(texts, bench.context(MOST_TOKENS)) if texts else []
    return [tuple(each) for each in found if len(each) > bench.model.causal]


def few_of(bench: "Bench", ids: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """As many of a language model's texts as their logits are not too many of, one at least; all of another's."""
    if not bench.model.causal:
        return ids
    return ids[: max(1, int(np.searchsorted(np.cumsum([len(each) for each in ids]), bench.predicted_at_once)))]
