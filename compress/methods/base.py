"""What every method is: hyperparameters that can be fitted, and the recipe to decode what the fit stored."""

import dataclasses
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from compress.coding.layout import Layout, bytes_of, check_stored
from compress.form.compressed import Compressed
from compress.form.metrics import evaluate
from compress.form.trainable import Trainable
from compress.linalg.blocks import walk
from compress.matrix import EmbeddingMatrix

Progress = Callable[[dict], None]  # told after every step what was done; may raise to stop the fit


@dataclass(frozen=True)
class Method:
    """One way of compressing a matrix: a frozen dataclass of hyperparameters and nothing else.

    fit(matrix, progress) gives a Compressed; layout(n, d) tells before any fit which arrays it keeps, and with them its bytes;
    decode(prepared arrays, rows, d) gives rows (r,) back from those, for numpy arrays and torch tensors alike;
    parameter_count(n, d) is the papers' count.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    knob: ClassVar[str | None] = None  # the setting that size is chosen by
    spanning: ClassVar[tuple[str, ...]] = ()  # of the arrays that training moves, those that rows are sums of, (…, d)

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        raise NotImplementedError

    def decode(self, arrays: dict, rows, d: int):
        raise NotImplementedError

    def prepared(self, arrays: dict, n: int, d: int) -> dict:
        """What `decode` starts from, made once of the stored arrays (numpy arrays or torch tensors): these themselves, unless a
        method has something to work out first."""
        return arrays

    def trainable(self, arrays: dict, n: int, d: int) -> Trainable:
        """The stored arrays opened for training."""
        raise NotImplementedError

    def stored(self, arrays: dict, parameters: dict[str, np.ndarray]) -> dict:
        """The stored arrays with what training moved in their place, rounded to how it is stored."""
        raise NotImplementedError

    def fit_under(self, matrix: EmbeddingMatrix, root: np.ndarray, progress: Progress | None = None) -> Compressed:
        """A fit for errors as they are seen through `root` M (d, d), invertible: of the rows of A M, with M⁻¹ taken into what rows
        are sums of, so that it costs no bytes. A fit of A itself where a method has nothing that could take it in."""
        if not self.spanning:
            return self.fit(matrix, progress)
        n, d = matrix.shape
        result = self.fit(seen_through(matrix, root), progress)
        parameters, inverse = self.trainable(result.arrays, n, d).parameters, np.linalg.inv(root)
        parameters |= {name: (parameters[name] @ inverse).astype(np.float32) for name in self.spanning if name in parameters}
        return Compressed(self, self.stored(result.arrays, parameters), matrix.shape, matrix.digest)

    def layout(self, n: int, d: int) -> Layout:
        raise NotImplementedError

    def parameter_count(self, n: int, d: int) -> int:
        raise NotImplementedError

    def check(self, n: int, d: int) -> None:
        """Raises ValueError where a setting is out of bounds for an (n, d) matrix."""

    def size(self, n: int, d: int) -> int:
        """Bytes of the compressed form of an (n, d) matrix."""
        return bytes_of(self.layout(n, d))

    def check_stored(self, arrays: dict[str, np.ndarray], n: int, d: int) -> None:
        """Raises ValueError where the arrays are not what a fit of an (n, d) matrix can have stored."""
        self.check(n, d)
        check_stored(arrays, self.layout(n, d))

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        """The settings that numbers are stored by, each with what is worth a try for an (n, d) matrix."""
        return {}

    @classmethod
    def choices(cls, n: int, d: int) -> dict[str, Sequence]:
        """All settings that the best one within a size is sought among, each with what is worth a try for an (n, d) matrix."""
        return cls.precisions(n, d)

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        """What the knob can be for an (n, d) matrix, ascending; the size grows with it."""
        return range(1, rank_bound(n, d)[0] + 1)

    def within(self, n: int, d: int, n_bytes: float) -> "Method | None":
        """The same settings with the largest knob whose size is at most so many bytes, as they are without a knob; None if that is
        too large."""
        if self.knob is None:
            return self if self.size(n, d) <= n_bytes else None
        values = self.knob_values(n, d)
        fitting = bisect_right(values, n_bytes, key=lambda value: replace(self, **{self.knob: value}).size(n, d))
        return replace(self, **{self.knob: values[fitting - 1]}) if fitting else None

    def smallest(self, n: int, d: int) -> "Method":
        """The same settings with the least knob."""
        return replace(self, **{self.knob: self.knob_values(n, d)[0]}) if self.knob else self

    def lost(self, matrix: EmbeddingMatrix, result: Compressed) -> float:
        """How much of the matrix a fit loses by what the method lowers, to compare settings by: the relative error, weighted where
        the matrix is."""
        return evaluate(matrix, result).weighted_error

    @property
    def draft(self) -> "Method":
        """The same settings fitted in a fraction of the time, for a preview; itself where a fit is quick anyway."""
        return self

    @property
    def settings(self) -> dict:
        return dataclasses.asdict(self)

    def __str__(self):
        shown = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.name}({shown})"


def seen_through(matrix: EmbeddingMatrix, root: np.ndarray) -> EmbeddingMatrix:
    """The matrix A M with the weights of A."""
    values = np.concatenate([(block @ root).astype(np.float32) for _, block in walk(matrix.values)])
    return EmbeddingMatrix(values, weights=matrix.weights, name=matrix.name, device=matrix.device)


def rank_bound(n: int, d: int) -> tuple[int, str]:
    """The largest dimension of a subspace, and why, for messages."""
    return (d, f"the matrix has {d:,} columns") if d <= n else (n, f"the matrix has {n:,} rows")
