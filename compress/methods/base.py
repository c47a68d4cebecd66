"""What every method is: hyperparameters that can be fitted, and the recipe to decode what the fit stored."""

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import Any, ClassVar, Self

import numpy as np
from array_api_compat import array_namespace

from compress.checks import check_fields, one_of, setting
from compress.coding import factors
from compress.coding.layout import Layout, bytes_of, check_stored
from compress.errors import Progress, Step
from compress.form.compressed import Compressed
from compress.form.metrics import evaluate
from compress.form.trainable import Trainable
from compress.importance import Importance
from compress.linalg.blocks import squared_norms, walk
from compress.matrix import EmbeddingMatrix


@dataclass(frozen=True)
class Method(ABC):
    """One way of compressing a matrix: a frozen dataclass of settings and nothing else.

    Its one file in this folder says all that is to be said of it. What a class says there stands in the order in which it stands
    here, so that who has read one has read all:
    - what it is called and how it is met: name, label, place, decoder, knob, spanning, coded, combines, surveyed, effort;
    - its settings, each with its check: `j: int = setting(60, whole, 1)`;
    - what it does: fit, prepared, decode; for training, trainable and stored; before any fit, layout to parameter_count and the
      checks; for the choice of a setting, precisions to lost; for a preview, draft to fit_words; and examples for the tests.
    What only one class has stands beside what uses it.
    """

    name: ClassVar[str]  # in METHODS, in files and on the command line
    label: ClassVar[str]  # for a person
    place: ClassVar[float] = math.inf  # among the methods; those without one come last, by name
    decoder: ClassVar[str | None] = None  # what decodes it without us: a file of export/decoders, or the text of such a file
    knob: ClassVar[str | None] = None  # the setting that size is chosen by
    spanning: ClassVar[tuple[str, ...]] = ()  # of the arrays that training moves, those that rows are sums of, (…, d)
    coded: ClassVar[bool] = False  # whether a code is sought for every row, which for many rows takes seconds even in a draft
    combines: ClassVar[bool] = False  # whether it is another method on some of the rows, to be asked for by name
    surveyed: ClassVar[tuple[float, ...]] = (10.0, 25.0, 50.0, 103.0)  # ratios that a first look at a matrix shows it at
    effort: ClassVar[float] = 0.5  # seconds that its best setting at ratio 25 took to find on the demo, for how far a search is

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        for name in ("fit", "fit_under"):
            if name in vars(cls):
                setattr(cls, name, of_even(vars(cls)[name]))

    def __post_init__(self) -> None:
        """Raises ValueError where a setting is not what its check takes; further checks of settings with each other follow."""
        check_fields(self)

    @abstractmethod
    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        """The matrix compressed. `progress` is told every step, in words that a person can read."""

    def fit_under(self, matrix: EmbeddingMatrix, root: np.ndarray, progress: Progress | None = None) -> Compressed:
        """A fit for errors as they are seen through `root` M (d, d), invertible: of the rows of A M, with M⁻¹ taken into what rows
        are sums of, so that it costs no bytes. A fit of A itself where a method has nothing that could take it in."""
        if not self.spanning:
            return self.fit(matrix, progress)
        n, d = matrix.shape
        result = self.fit(seen_through(matrix, root), progress)
        parameters, inverse = self.trainable(result.arrays, n, d).parameters, np.linalg.inv(root)
        parameters |= {name: (parameters[name] @ inverse).astype(np.float32) for name in self.spanning if name in parameters}
        return replace(result, arrays=self.stored(result.arrays, parameters), digest=matrix.digest)

    def fit_for(self, matrix: EmbeddingMatrix, importance: Importance, progress: Progress | None = None) -> Compressed:
        """A fit for errors as something depends on them, by rows and by directions."""
        return self.fit_under(importance.weighted(matrix), importance.root, progress)

    def in_units(self, exponent: int) -> Self:
        """The same settings for a matrix divided by a power of two: those that are lengths are divided too."""
        return self

    def prepared(self, arrays: dict[str, Any], n: int, d: int) -> dict[str, Any]:
        """What `decode` starts from, made once of the stored arrays (numpy arrays or torch tensors): these themselves, unless a
        method has something to work out first."""
        return arrays

    @abstractmethod
    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        """Rows (r,) of the matrix from prepared arrays: (r, d) float32; numpy arrays and torch tensors alike."""

    def against(self, arrays: dict[str, Any], vectors: Any) -> dict[str, Any] | None:
        """Prepared arrays from which `decode` gives the products (r, v) of rows with vectors (v, d): what rows are sums of is
        multiplied, rather than the rows. None where they are no such sums."""
        if not self.spanning:
            return None
        xp = array_namespace(vectors)
        turned = {name: xp.astype(arrays[name], xp.float32) @ vectors.T for name in self.spanning if name in arrays}
        return {**arrays, **turned}

    def products(self, arrays: dict[str, Any], vectors: Any) -> Any | None:
        """The products of all rows with a few vectors (v, d), (n, v) float32, from prepared arrays on the CPU, where a method has a
        quicker way still; else None."""
        return None

    @abstractmethod
    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        """The stored arrays opened for training."""

    @abstractmethod
    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The stored arrays with what training moved in their place, rounded to how it is stored."""

    @abstractmethod
    def layout(self, n: int, d: int) -> Layout | None:
        """The arrays that a fit of an (n, d) matrix keeps. None where their shapes follow from its rows, as those of a code whose
        rows differ in length do: then `size` and `check_stored` are the method's own."""

    def size(self, n: int, d: int) -> int:
        """Bytes of the compressed form of an (n, d) matrix."""
        layout = self.layout(n, d)
        assert layout is not None
        return bytes_of(layout)

    def bulk(self, n: int, d: int) -> tuple[str, int]:
        """The array of the compressed form of an (n, d) matrix that takes most, and its bytes."""
        layout = self.layout(n, d)
        assert layout is not None
        return max(((name, bytes_of({name: own})) for name, own in layout.items()), key=lambda each: each[1])

    @abstractmethod
    def parameter_count(self, n: int, d: int) -> int:
        """Numbers stored, as the papers count."""

    def check(self, n: int, d: int) -> None:
        """Raises ValueError where a setting is out of bounds for an (n, d) matrix."""
        return None

    def check_stored(self, arrays: dict[str, np.ndarray], n: int, d: int) -> None:
        """Raises ValueError where the arrays are not what a fit of an (n, d) matrix can have stored."""
        self.check(n, d)
        layout = self.layout(n, d)
        assert layout is not None
        check_stored(arrays, layout)

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        """The settings that numbers are stored by, each with what is worth a try for an (n, d) matrix."""
        return {}

    @classmethod
    def choices(cls, n: int, d: int) -> dict[str, Sequence[Any]]:
        """All settings that the best one within a size is sought among, each with what is worth a try for an (n, d) matrix."""
        return dict(cls.precisions(n, d))

    @classmethod
    def told_by(cls, matrix: EmbeddingMatrix) -> dict[str, Any]:
        """Settings that a matrix tells, which are taken unless others are given."""
        return {}

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        """What the knob can be for an (n, d) matrix, ascending; the size grows with it."""
        return range(1, rank_bound(n, d)[0] + 1)

    def within(self, n: int, d: int, n_bytes: float) -> Self | None:
        """The same settings with the largest knob whose size is at most so many bytes, as they are without a knob; None if that is
        too large."""
        if self.knob is None:
            return self if self.size(n, d) <= n_bytes else None
        values = self.knob_values(n, d)
        fitting = bisect_right(values, n_bytes, key=lambda value: self.turned_to(value).size(n, d))
        return self.turned_to(values[fitting - 1]) if fitting else None

    def smallest(self, n: int, d: int) -> Self:
        """The same settings with the least knob."""
        return self.turned_to(self.knob_values(n, d)[0]) if self.knob else self

    def turned_to(self, value: float) -> Self:
        """The same settings with that value of the knob."""
        assert self.knob is not None
        return replace(self, **{self.knob: value})

    def lost(self, matrix: EmbeddingMatrix, result: Compressed) -> float:
        """How much of the matrix a fit loses by what the method lowers, to compare settings by: the relative error, weighted where
        the matrix is."""
        return evaluate(matrix, result).weighted_error

    @property
    def draft(self) -> Self:
        """The same settings fitted in a fraction of the time, for a preview; itself where a fit is quick anyway."""
        return self

    @property
    def quick(self) -> bool:
        """Whether the fit takes no longer than that of the draft."""
        return self.draft == self

    @property
    def draft_words(self) -> str:
        """How a draft is made, as in "Preview after one pass"."""
        return "after one pass"

    @property
    def fit_words(self) -> str:
        """How the fit is made, as in "Full fit over all rows."."""
        return " over all rows."

    @classmethod
    def examples(cls) -> list[Self]:
        """Settings that between them reach every way of storing a result, for a matrix of 240 rows by 11 columns: what the tests
        fit."""
        return [cls()]

    @classmethod
    def has_settings(cls) -> bool:
        """Whether there is anything to choose."""
        return bool(fields(cls))

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.name}({shown})"


def of_even(fit: Callable[..., Compressed]) -> Callable[..., Compressed]:
    """The function that fits a matrix, made to see only entries of a usual size: what it gives keeps the power of two that was
    taken out before, see `EmbeddingMatrix.exponent`."""

    @wraps(fit)
    def fitted(method: Method, matrix: EmbeddingMatrix, *args: Any, **settings: Any) -> Compressed:
        if not matrix.exponent:
            return fit(method, matrix, *args, **settings)
        own = method.in_units(matrix.exponent)
        result = fit(own, matrix.even, *args, **settings)
        kept = method if result.method == own else result.method
        return replace(result, method=kept, digest=matrix.digest, exponent=matrix.exponent + result.exponent)

    return fitted


def precision(default: int = 16, choices: Sequence[int] = factors.BITS) -> Any:
    """The setting that says in how many bits the numbers of factors are stored."""
    return setting(default, one_of, tuple(choices))


def tell_count(progress: Progress | None, noun: str, done: int, of: int) -> None:
    """Tells `progress`, if there is one, of a step of work that is counted, as "row 8,192 of 30,522"."""
    if progress:
        progress(Step(done / of, f"{noun} {done:,} of {of:,}", {"step": done, "steps": of}))


def seen_through(matrix: EmbeddingMatrix, root: np.ndarray) -> EmbeddingMatrix:
    """The matrix A M with the weights of A."""
    values = np.concatenate([(block @ root).astype(np.float32) for _, block in walk(matrix.rows)])
    return EmbeddingMatrix(values, weights=matrix.weights, name=matrix.name, device=matrix.device)


def worse_than_nothing(matrix: EmbeddingMatrix, decode: Callable[[np.ndarray], np.ndarray], far: float = 0) -> np.ndarray:
    """The rows, by their numbers, of which `decode`, given such numbers, makes a larger error than 0 would. far: only those that
    lose more than so many times what all rows lose in the mean."""
    errors = np.empty(matrix.shape[0])
    for rows, block in walk(matrix.rows):
        errors[rows] = squared_norms(block - decode(np.arange(rows.start, rows.stop)))
    bound = max(1, far * errors.sum() / matrix.squared_norms.sum())
    return np.flatnonzero(errors > bound * matrix.squared_norms)


def rank_bound(n: int, d: int) -> tuple[int, str]:
    """The largest dimension of a subspace, and why, for messages."""
    return (d, f"the matrix has {d:,} columns") if d <= n else (n, f"the matrix has {n:,} rows")
