"""Fits of one matrix, each made once, and the error that settings are compared by."""

from collections.abc import Sequence
from typing import Any

from compress.errors import Progress, Step
from compress.form.metrics import evaluate
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, Method
from compress.tuning.fitting import variants, within
from compress.tuning.sweep import Trial, Trials


def error_of(trial: Trial) -> float:
    """The error that settings are compared by: relative, weighted where the matrix is."""
    return trial.figures["weighted_error"]


class Fits:
    """Fits of one matrix, each made once: full ones are kept as trials of the matrix, drafts apart from them.

    progress: told which method is at work and every new fit. work: what each step takes, in any unit: a method each, and the other
    seeds of the best.
    """

    def __init__(self, matrix: EmbeddingMatrix, store: Trials | None, progress: Progress | None, work: Sequence[float]):
        self.matrix, self.store, self.progress, self.work, self.done = matrix, store, progress, work, 0
        self.keys = {False: matrix.key, True: f"{matrix.key} drafts"}
        self.known = {draft: {trial.method: trial for trial in store.of(key)} if store else {} for draft, key in self.keys.items()}

    def full(self, method: Method) -> Trial:
        """The figures of the full fit."""
        return self.trial_of(method, False)

    def draft(self, method: Method) -> Trial:
        """The figures of the draft; the full fit where that takes no longer."""
        return self.trial_of(method, method.draft != method)

    def trial_of(self, method: Method, draft: bool) -> Trial:
        """The trial of a setting or of its draft, fitted, kept and told where it is not known yet."""
        if method not in self.known[draft]:
            result = (method.draft if draft else method).fit(self.matrix)
            trial = Trial(method, evaluate(self.matrix, result).figures())
            if self.store:
                self.store.keep(self.keys[draft], trial)
            self.known[draft][method] = trial
            self.tell(method.name, setting=str(method), draft=draft, error=error_of(trial), ratio=trial.figures["ratio"])
        return self.known[draft][method]

    def tell(self, name: str, **fitted: Any) -> None:
        if self.progress:
            methods = len(self.work) - 1
            seeds = "" if self.done < methods else " with other seeds"
            words = f"{self.done} of {methods} methods compared, now {METHODS[name].label}{seeds}"
            figures = {"done": self.done, "of": len(self.work), "method": name, **fitted}
            count = sum(map(len, self.known.values()))
            figures |= {"kept": f"{count} fit{'' if count == 1 else 's'}"} if self.store and count else {}
            self.progress(Step(sum(self.work[: self.done]) / sum(self.work), words, figures))

    def settings(self, name: str) -> list[Method]:
        """Every combination of the method's choices."""
        return variants(name, METHODS[name].told_by(self.matrix), self.matrix.shape)

    def within(self, method: Method, ratio: float) -> Method | None:
        """The method with the largest knob at such a ratio, see `fitting.within`."""
        return within(method, self.matrix.shape, ratio)
