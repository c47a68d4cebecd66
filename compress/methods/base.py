"""What every method is: hyperparameters that can be fitted, and the recipe to decode what the fit stored."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from compress import factors
from compress.compressed import Compressed
from compress.layout import Layout, bytes_of, check_stored
from compress.matrix import EmbeddingMatrix
from compress.metrics import evaluate

Progress = Callable[[dict], None]  # told after every step what was done; may raise to stop the fit


@dataclass(frozen=True)
class Method:
    """One way of compressing a matrix: a frozen dataclass of hyperparameters and nothing else.

    fit(matrix, progress) gives a Compressed; layout(n, d) tells before any fit which arrays it keeps, and with them its bytes;
    decode(arrays, rows, d) gives rows (r,) back from those, for numpy arrays and torch tensors alike; numbers(n, d) is the
    papers' count of parameters.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    knob: ClassVar[str | None] = None  # the setting that size is chosen by
    precisions: ClassVar[tuple[int, ...]] = factors.BITS  # of factors, in bits, that are worth a try

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        raise NotImplementedError

    def decode(self, arrays: dict, rows, d: int):
        raise NotImplementedError

    def layout(self, n: int, d: int) -> Layout:
        raise NotImplementedError

    def numbers(self, n: int, d: int) -> int:
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


def whole(name: str, value, low: int, high: int | float = math.inf, because: str = "") -> None:
    """Raises ValueError unless the setting is a whole number between the bounds."""
    bounds = f"between {low} and {high}" if high < math.inf else f"at least {low}"
    because = f" ({because})" if because else ""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number {bounds}{because}, got {value!r}")


def real(name: str, value, low: float, high: float) -> None:
    """Raises ValueError unless the setting is a number between the bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name} must be a number between {low:g} and {high:g}, got {value!r}")


def one_of(name: str, value, choices) -> None:
    """Raises ValueError unless the setting is one of the choices, and of their type."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise ValueError(f"{name} must be one of {', '.join(str(choice) for choice in choices)}, got {value!r}")


def rank_bound(n: int, d: int) -> tuple[int, str]:
    """The largest dimension of a subspace, and why, for messages."""
    return (d, f"the matrix has {d:,} columns") if d <= n else (n, f"the matrix has {n:,} rows")
