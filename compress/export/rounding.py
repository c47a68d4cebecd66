"""What a model's file in another program's format keeps of a decoded table, and what that rounding costs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from compress.errors import InputError
from compress.form.compressed import Compressed

BLOCK = 1 << 20  # numbers that are decoded at a time
SAMPLED = 4  # such blocks

T = TypeVar("T")


@dataclass(frozen=True)
class Written:
    """A model that was written, sizes in bytes.

    table: as it is stored. rounding: Σ‖bᵢ − cᵢ‖² / Σ‖bᵢ‖² over the rows bᵢ that the form decodes to and cᵢ that the file keeps.
    error: Σ‖aᵢ − cᵢ‖² / Σ‖aᵢ‖² over the rows aᵢ of the model's own table; None where they are of a type that is not decoded. tied:
    whether the output layer is the table too.
    """

    table: str
    table_bytes: int
    table_bytes_before: int
    model_bytes: int
    model_bytes_before: int
    rounding: float
    error: float | None
    tied: bool


class Rounding:
    """Squared distances between what a form decodes to, what a file keeps of it and the model's own table, over all rows.

    where, tensor: how the model and its own table are called. own: the rows of that from one number to another, None where they
    cannot be decoded.
    """

    def __init__(self, result: Compressed, where: str, tensor: str, own: Callable[[int, int], np.ndarray | None]):
        self.result, self.where, self.tensor, self.own_rows = result, where, tensor, own
        self.given = self.rounded = self.own = self.apart = self.kept = 0.0

    def over(self, store: Callable[[np.ndarray], tuple[T, np.ndarray]], every: bool = True) -> Iterator[T]:
        """What `store` makes of rows (r, d), some at a time; it also gives what that is read back as. every: else of SAMPLED blocks
        of rows at most."""
        n, d = self.result.shape
        step = max(1, BLOCK // d)
        stride = 1 if every else -(-n // (step * SAMPLED))
        for first in range(0, n, step * stride):
            rows = self.result.rows(np.arange(first, min(first + step, n)))
            block, kept = store(rows)
            self.given += squared(rows)
            self.rounded += squared(rows - kept)
            if (own := self.own_rows(first, min(first + step, n))) is not None:
                self.own += squared(own)
                self.apart += squared(own - rows)
                self.kept += squared(own - kept)
            yield block

    @property
    def rounding(self) -> float:
        return self.rounded / self.given if self.given else 0.0

    @property
    def error(self) -> float | None:
        return self.kept / self.own if self.own else None

    def few(self, store: Callable[[np.ndarray], tuple[T, np.ndarray]], dtype: str) -> float:
        """The rounding, over some blocks of rows, once it is checked."""
        for _ in self.over(store, every=False):
            pass
        self.check(dtype)
        return self.rounding

    def check(self, dtype: str) -> None:
        """Raises InputError where numbers were lost, or belong to another model."""
        if not self.rounded <= self.given / 2:  # not a number where some are beyond the type
            raise InputError(
                f"The decoded table has numbers that are too large or too small for {dtype} in {self.where}; take another type."
            )
        if self.own and self.apart > self.own:
            raise InputError(
                f"The compressed table is not of the model in {self.where}: a table of zeros is nearer to {self.tensor} there; "
                "name the model that it was made from."
            )


def squared(values: np.ndarray) -> float:
    """The sum of squares."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.einsum("ij,ij->", values, values, dtype=np.float64))
