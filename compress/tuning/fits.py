"""Fits of one matrix, each made once, the error that settings are compared by, and what a model says of them."""

import time
from collections.abc import Sequence
from typing import Any, Protocol

from compress.errors import Progress, Step
from compress.form.compressed import Compressed
from compress.form.metrics import evaluate
from compress.importance import Importance
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, Method
from compress.tuning.fitting import variants, within
from compress.tuning.recalls import key_of, recall_of
from compress.tuning.sweep import Trial, Trials
from compress.tuning.terms import Term

REMAINING = 0.7  # of a method's share of the work, after each fit that the model is asked about


def error_of(trial: Trial) -> float:
    """The error that settings are compared by: relative, weighted where the matrix is."""
    return trial.figures["weighted_error"]


def felt(trial: Trial) -> float:
    """The error that drafts are compared by where the model is asked: as its importance counts it, if fits are made for that."""
    return trial.figures.get("felt_error", error_of(trial))


def judged(figure: str) -> str:
    """What a figure of the model's is called in a trial."""
    return f"judged {figure}"


def judged_before(figure: str) -> str:
    """The same with the table itself."""
    return f"judged {figure}, before"


class Asking(Protocol):
    """A model that is asked what it loses.

    term: what it may lose. figure: that this bounds. better: whether "more" or "less" of it is better. made: how fits are made.
    key: what figures hang on beside the matrix and the setting: that, the model, the task and its text.
    """

    term: Term
    figure: str
    better: str

    @property
    def made(self) -> str: ...

    @property
    def key(self) -> str: ...

    def importance(self, matrix: EmbeddingMatrix) -> Importance | None:
        """What fits are made for; None for all rows and directions alike."""

    def figures(self, matrix: EmbeddingMatrix, result: Compressed) -> dict[str, tuple[float, float]]:
        """Every figure of the task, with the table itself and with a compressed form of it."""


class Fits:
    """Fits of one matrix, each made once: full ones are kept as trials of the matrix, drafts apart from them.

    progress: told which method is at work and every new fit. work: what each step takes, in any unit: a method each, and the other
    seeds of the best.
    """

    def __init__(self, matrix: EmbeddingMatrix, store: Trials | None, progress: Progress | None, work: Sequence[float]):
        self.matrix, self.store, self.progress, self.work, self.done = matrix, store, progress, work, 0
        self.keys = self.kept_under()
        self.known = {draft: {trial.method: trial for trial in store.of(key)} if store else {} for draft, key in self.keys.items()}

    def kept_under(self) -> dict[bool, str]:
        """What full fits and drafts are kept under."""
        return {False: self.matrix.key, True: f"{self.matrix.key} drafts"}

    def full(self, method: Method) -> Trial:
        """The figures of the full fit."""
        return self.trial_of(method, False)

    def draft(self, method: Method) -> Trial:
        """The figures of the draft; the full fit where that takes no longer."""
        return self.trial_of(method, method.draft != method)

    def trial_of(self, method: Method, draft: bool) -> Trial:
        """The trial of a setting or of its draft, fitted, kept and told where it is not known yet."""
        if method not in self.known[draft]:
            trial = Trial(method, self.figures(method, draft))
            if self.store:
                self.store.keep(self.keys[draft], trial)
            self.known[draft][method] = trial
            self.tell(method.name, setting=str(method), draft=draft, error=error_of(trial), **self.told(trial))
        return self.known[draft][method]

    def figures(self, method: Method, draft: bool) -> dict[str, float]:
        """Those of a fit, which is made; of a full one the recall is kept too."""
        result = (method.draft if draft else method).fit(self.matrix)
        if self.store and not draft:
            self.store.keep(key_of(self.matrix), Trial(method, recall_of(self.matrix, result)))
        return evaluate(self.matrix, result).figures()

    def next(self) -> None:
        """The method at hand is done."""
        self.done += 1

    @property
    def cost(self) -> dict[str, float] | None:
        """What it took, where a model was asked."""
        return None

    @property
    def share(self) -> float:
        """Of all work that is done."""
        return sum(self.work[: self.done]) / sum(self.work)

    def tell(self, name: str, **fitted: Any) -> None:
        """Tells which method is at work, and what was fitted of it."""
        if self.progress:
            methods = len(self.work) - 1
            seeds = "" if self.done < methods else " with other seeds"
            words = f"{self.done} of {methods} methods compared, now {METHODS[name].label}{seeds}{self.more(fitted)}"
            figures = {"done": self.done, "of": len(self.work), "method": name, **fitted}
            count = sum(map(len, self.known.values()))
            figures |= {"kept": f"{count} fit{'' if count == 1 else 's'}"} if self.store and count else {}
            self.progress(Step(self.share, words, figures))

    def told(self, trial: Trial) -> dict[str, Any]:
        """What is told of a fit beside its error."""
        return {"ratio": trial.figures["ratio"]}

    def more(self, fitted: dict[str, Any]) -> str:
        """The same in words."""
        return ""

    def settings(self, name: str) -> list[Method]:
        """Every combination of the method's choices."""
        return variants(name, METHODS[name].told_by(self.matrix), self.matrix.shape)

    def within(self, method: Method, ratio: float) -> Method | None:
        """The method with the largest knob at such a ratio, see `fitting.within`."""
        return within(method, self.matrix.shape, ratio)


class JudgedFits(Fits):
    """Fits that a model is asked about: a full one's figures have the model's beside the errors, and the seconds that it took."""

    def __init__(
        self, matrix: EmbeddingMatrix, store: Trials | None, progress: Progress | None, work: Sequence[float], asking: Asking
    ):
        self.asking, self.part, self.seconds = asking, 1.0, list[float]()
        super().__init__(matrix, store, progress, work)

    def kept_under(self) -> dict[bool, str]:
        return {False: f"{self.matrix.key} {self.asking.key}", True: f"{self.matrix.key} {self.asking.made} drafts"}

    def draft(self, method: Method) -> Trial:
        """The errors of the draft, or of the full fit where that takes no longer: the model is not asked."""
        return self.trial_of(method, True)

    def figures(self, method: Method, draft: bool) -> dict[str, float]:
        if not self.known[False] and not self.seconds:
            self.say("measuring what the model depends on")
        importance, began = self.asking.importance(self.matrix), time.perf_counter()
        self.say(f"fitting {method.label}")
        one = method.draft if draft else method
        result = one.fit_for(self.matrix, importance) if importance else one.fit(self.matrix)
        found = evaluate(self.matrix, result).figures()
        if importance:
            found["felt_error"] = importance.error(self.matrix, result)
        if draft:
            return found
        self.say(f"asking the model about {method.label} at {result.ratio:.3g}×")
        for name, (before, after) in self.asking.figures(self.matrix, result).items():
            found |= {judged(name): after, judged_before(name): before}
        self.seconds.append(time.perf_counter() - began)
        self.part *= REMAINING
        return found | {"seconds": self.seconds[-1]}

    def say(self, words: str) -> None:
        """Tells what is done now."""
        if self.progress:
            self.progress(Step(self.share, words, {"done": self.done, "of": len(self.work)}))

    @property
    def share(self) -> float:
        """How many fits a method takes is not known before: each takes a part of what is left of its share."""
        return (sum(self.work[: self.done]) + (1 - self.part) * self.work[self.done]) / sum(self.work)

    def next(self) -> None:
        super().next()
        self.part = 1.0

    @property
    def cost(self) -> dict[str, float]:
        known = self.known[False].values()
        seconds = sum(trial.figures["seconds"] for trial in known)
        return {"fits": len(self.seconds), "known": len(known) - len(self.seconds), "seconds": round(seconds, 1)}

    def told(self, trial: Trial) -> dict[str, Any]:
        name = judged(self.asking.figure)
        return super().told(trial) | ({"judged": trial.figures[name]} if name in trial.figures else {})

    def more(self, fitted: dict[str, Any]) -> str:
        if "judged" not in fitted:
            return ""
        return f", {self.asking.figure} {fitted['judged']:.4g} at {fitted['ratio']:.3g}×"
