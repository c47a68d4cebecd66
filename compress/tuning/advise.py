"""Which setting to take: the one with the least error within a size, or the smallest within an error or what a model may lose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from compress.checks import whole
from compress.errors import Progress
from compress.matrix import EmbeddingMatrix
from compress.methods import ALONE, METHODS, Method, Trellis
from compress.tuning.fits import Asking, Fits, JudgedFits, error_of
from compress.tuning.fitting import OutOfReach
from compress.tuning.sweep import Trial, Trials
from compress.tuning.targets import USUAL, ErrorTarget, ModelTarget, SizeTarget, is_slow, target_of

ASKING = 10  # what it takes to ask a model, in the unit of Method.effort


@dataclass(frozen=True)
class Advice:
    """The setting to take, and what it was chosen over.

    asked: the target, by name. best: the recommended setting with its figures, a full fit, of the best seed. why: a sentence.
    runners_up: the best setting of every other method that meets the target, the best first. out_of_reach: why each of the rest
    does not. spread: the least and the largest error over `seeds` seeds; None where the method has no seed or one was asked for.
    cost: what it took, where a model was asked: "fits" that it was asked about now, "known" from before, "seconds" of all of these.
    """

    asked: Mapping[str, float | str]
    best: Trial
    why: str
    runners_up: tuple[Trial, ...]
    out_of_reach: dict[str, str]
    spread: tuple[float, float] | None
    seeds: int
    cost: dict[str, float] | None = None

    def row(self) -> dict:
        """Everything as plain values: settings, figures and sentences."""
        return {
            **settings_and_figures(self.best),
            "asked": dict(self.asked),
            "why": self.why,
            "spread": self.spread and list(self.spread),
            "seeds": self.seeds,
            "cost": self.cost,
            "runners_up": [settings_and_figures(trial) for trial in self.runners_up],
            "out_of_reach": self.out_of_reach,
        }


def settings_and_figures(trial: Trial) -> dict:
    """A trial as plain values: its method, its settings and every figure by name."""
    return {"method": trial.method.name, "settings": trial.method.settings, **trial.figures}


def advise(
    matrix: EmbeddingMatrix,
    *,
    ratio: float | None = None,
    max_bytes: float | None = None,
    max_error: float | None = None,
    min_cosine: float | None = None,
    until: Asking | None = None,
    methods: Iterable[str] | None = None,
    seeds: int | None = None,
    store: Trials | None = None,
    progress: Progress | None = None,
) -> Advice:
    """The setting to take for exactly one target: at least so many times smaller, at most so many bytes, at most such an error
    (weighted where the matrix is), at least such a mean cosine, or until a model loses more than a term says. Among these methods,
    all unless given, or all that lower this error where a model is asked.

    Within a size it is the best by its draft, then fitted in full; within an error it is the smallest whose full fit is enough,
    and for a model the smallest of those that it was asked about. seeds: over how many the spread is taken, 3, or 1 for a model.
    Every finished fit is kept in the store, so that what is stopped goes on from there. progress: told which method is
    next, what was fitted, and how many methods are done; may raise to stop.
    Raises ValueError for a target that cannot be, and where no method meets it.
    """
    targets = {"ratio": ratio, "max_bytes": max_bytes, "max_error": max_error, "min_cosine": min_cosine}
    target: SizeTarget | ErrorTarget | ModelTarget
    if until is None:
        target = target_of(matrix, **targets)
    elif both := [name for name, value in targets.items() if value is not None]:
        raise ValueError(f"give exactly one of {', '.join(targets)} and until, got {' and '.join([*both, 'until'])}")
    else:
        target = ModelTarget({"until": str(until.term)}, until.term, until.figure, until.better)
    asked = list(dict.fromkeys((ALONE if until is None else USUAL) if methods is None else methods))
    seeds = (3 if until is None else 1) if seeds is None else seeds
    for name in asked:
        if name not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {name!r}")
    if not asked:
        raise ValueError("methods must name at least one method, got none")
    whole("seeds", seeds, 1, 100)
    if until is None:
        names = sorted(asked, key=is_slow)  # what a quick method reaches bounds the search of a slow one
        work = [METHODS[name].effort for name in names]
    else:
        names = sorted(asked, key=likeliest)  # what a good method reaches bounds the search of all others
        work = [METHODS[name].effort + ASKING for name in names]
    work.append((seeds - 1) * sum(work) / len(work) + min(work))
    fits = JudgedFits(matrix, store, progress, work, until) if until else Fits(matrix, store, progress, work)
    found: list[Trial] = []
    failed: dict[str, OutOfReach] = {}
    for name in names:
        fits.tell(name)
        try:
            found.append(target.best(fits, name, found))
        except OutOfReach as error:
            failed[name] = error
        fits.next()
    if not found:
        nearest = min(failed, key=lambda name: failed[name].short)
        raise ValueError(f"no method asked {target.verb} here; {METHODS[nearest].label} comes nearest: {failed[nearest]}")
    best, *rest = sorted(found, key=target.order)
    fits.tell(best.method.name)
    seeded = [fits.full(method) for method in with_seeds(best.method, seeds)]
    best, errors = min(seeded, key=target.order), [error_of(trial) for trial in seeded]
    return Advice(
        asked=target.asked,
        best=best,
        why=target.why(best, rest, matrix.weighted),
        runners_up=tuple(rest),
        out_of_reach={name: str(failed[name]) for name in asked if name in failed},
        spread=(min(errors), max(errors)) if len(errors) > 1 else None,
        seeds=len(errors),
        cost=fits.cost,
    )


def so_far(
    matrix: EmbeddingMatrix,
    trials: Iterable[Trial],
    *,
    methods: Iterable[str],
    ratio: float | None = None,
    max_bytes: float | None = None,
    max_error: float | None = None,
    min_cosine: float | None = None,
) -> Advice | None:
    """What these trials of the matrix say to the target, see `advise`, before anything is fitted for it; None where none meets it.
    A figure that a trial lacks is NaN, which meets nothing."""
    target = target_of(matrix, ratio=ratio, max_bytes=max_bytes, max_error=max_error, min_cosine=min_cosine)
    asked, found = set(methods), dict[str, Trial]()
    for trial in sorted(filter(target.met, trials), key=target.order):
        if trial.method.name in asked:
            found.setdefault(trial.method.name, trial)
    if not found:
        return None
    best, *rest = found.values()
    return Advice(target.asked, best, target.why(best, rest, matrix.weighted), tuple(rest), {}, None, 1)


def likeliest(name: str) -> tuple:
    """What methods are sorted by where a model is asked: the trellis, which comes nearest to the limit, then the quick ones."""
    return METHODS[name] is not Trellis, METHODS[name].knob is None, METHODS[name].effort


def with_seeds(method: Method, seeds: int) -> list[Method]:
    """The setting with its own and the next seeds, as it is where it has none."""
    if not hasattr(method, "seed"):
        return [method]
    seeded: Any = method
    return [replace(seeded, seed=seeded.seed + more) for more in range(seeds)]
