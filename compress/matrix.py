"""What an embedding matrix is: values, tokens, weights, and how its rows are walked."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self, overload

import numpy as np
from numpy.typing import ArrayLike

from compress.errors import InputError
from compress.linalg import blocks, eigen
from compress.linalg.lazy import LazyRows, Table

USUAL = range(-6, 19)  # exponents of the largest entry with which methods work on the entries as they are
PLAIN = re.compile(r"b?float\d+|u?int\d+")  # a dtype, whose numbers are those of the matrix


@dataclass(frozen=True)
class Stored:
    """How a source keeps a table where not in float32. scheme: what its numbers are there, as "bfloat16" or "Q6_K". n_bytes: what
    they take, with scales and whatever else decodes them."""

    scheme: str
    n_bytes: int

    def words(self, shape: tuple[int, int]) -> str:
        """A sentence on it, for a table of that shape."""
        bits = f"{8 * self.n_bytes / (shape[0] * shape[1]):.1f}".removesuffix(".0")
        against = "" if PLAIN.fullmatch(self.scheme) else "; errors are against what that decodes to"
        return f"Stored as {self.scheme}, {bits} bits a number{against}."


@dataclass(frozen=True, eq=False, init=False)
class EmbeddingMatrix:
    """A matrix A of n rows (tokens) by d columns, checked once and read-only from then on.

    rows: (n, d) float32, finite, not all zero, as an array or, where they stay in their file, as LazyRows: what goes over all rows
        takes a block of these at a time. Integers and other floats are converted; float32 arrays, memory-mapped ones too, are
        taken as they are, without a copy.
    values: the same as one array, read whole where the rows stay in their file.
    tokens: n row names; "row 0", "row 1", … where there are none.
    weights: (n,) how often each row is used, scaled to mean 1; uniform where there are none.
    row_word: what a row stands for, in one word for labels: "token" of a tokenizer, "word" of word vectors, "row" of what else has
        names and where there are none.
    device: where block products run, a torch device; "cpu" needs no torch.
    notes: sentences on what a reader of its figures should know of how it was read.
    columns: what its table holds besides, by name, read when it is asked for; None where it is no table.
    stored: how its source keeps it, None for float32 and for what no file holds.

    Raises InputError with one plain sentence where the values cannot be an embedding matrix.
    """

    rows: Table
    tokens: Sequence[str]
    weights: np.ndarray
    name: str
    device: str
    row_word: str
    notes: tuple[str, ...]
    columns: Mapping[str, Sequence | np.ndarray] | None
    stored: Stored | None
    has_tokens: bool = field(init=False)
    largest: float = field(init=False, repr=False)  # |aᵢⱼ|

    def __init__(
        self,
        values: ArrayLike | LazyRows,
        tokens: Sequence[str] | None = None,
        weights: ArrayLike | None = None,
        name: str = "matrix",
        device: str = "cpu",
        row_word: str = "token",
        notes: Sequence[str] = (),
        columns: Mapping[str, Sequence | np.ndarray] | None = None,
        stored: Stored | None = None,
    ):
        checked, largest = checked_rows(values)
        object.__setattr__(self, "rows", checked)
        object.__setattr__(self, "largest", largest)
        object.__setattr__(self, "tokens", checked_tokens(tokens, len(checked)))
        object.__setattr__(self, "weights", checked_weights(weights, len(checked), isinstance(checked, LazyRows)))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "device", device)
        object.__setattr__(self, "row_word", "row" if tokens is None else row_word)
        object.__setattr__(self, "notes", tuple(notes))
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "stored", stored)
        object.__setattr__(self, "has_tokens", tokens is not None)
        if self.weighted and not self.weights @ self.squared_norms > 0:
            raise InputError("Every row with a weight is zero, so there is nothing to compress; give weights to other rows.")

    @cached_property
    def values(self) -> np.ndarray:
        """(n, d) float32. Raises InputError where the rows stay in their file and memory does not hold them all."""
        return self.rows if isinstance(self.rows, np.ndarray) else read_only(self.rows.whole())

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d), rows by columns."""
        n, d = self.rows.shape
        return n, d

    @property
    def size(self) -> int:
        """Numbers in it, n·d."""
        return self.shape[0] * self.shape[1]

    @property
    def n_bytes(self) -> int:
        """Bytes of the matrix in float32, the numerator of every ratio."""
        return 4 * self.size

    def file_ratio(self, n_bytes: int) -> float | None:
        """Bytes that the source keeps the matrix in over so many; None where it keeps it in float32, or no file does."""
        return None if self.stored is None else self.stored.n_bytes / n_bytes

    @cached_property
    def weighted(self) -> bool:
        """Whether some rows weigh more than others."""
        return bool(np.ptp(self.weights) > 0)

    @cached_property
    def digest(self) -> str:
        """A hash of the shape and every value: two matrices that differ in one entry differ here."""
        state = hashlib.blake2b(repr(self.shape).encode(), digest_size=16)
        for _, block in blocks.walk(self.rows):
            state.update(block.data)
        return state.hexdigest()

    @cached_property
    def key(self) -> str:
        """What results are kept under: the digest, and where rows are weighted a hash of the weights."""
        if not self.weighted:
            return self.digest
        return f"{self.digest}-{hashlib.blake2b(self.weights.data, digest_size=8).hexdigest()}"

    @cached_property
    def names(self) -> str:
        """A hash of what the rows are called; empty where they have no names."""
        if not self.has_tokens:
            return ""
        named = "\0".join([self.row_word, *self.tokens])
        return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def with_weights(self, weights: ArrayLike | None) -> Self:
        """The matrix with other weights of its rows."""
        tokens = self.tokens if self.has_tokens else None
        about = (self.notes, self.columns, self.stored)
        return type(self)(self.rows, tokens, weights, self.name, self.device, self.row_word, *about)

    def with_rows(self, rows: np.ndarray, values: np.ndarray, name: str) -> Self:
        """The matrix with other values (r, d) in some of its rows. Sums over all rows follow from these and those."""
        every = self.values.copy()
        every[rows] = values
        tokens = self.tokens if self.has_tokens else None
        about = (self.notes, self.columns, self.stored)
        found = type(self)(every, tokens, self.weights, name, self.device, self.row_word, *about)
        old, new = self.rows[rows], found.rows[rows]
        norms = self.squared_norms.copy()
        norms[rows] = blocks.squared_norms(new)
        weights = self.weights[rows] if self.weighted else None
        known = {
            "squared_norms": norms,
            "gram": self.gram - blocks.gram(old, weights) + blocks.gram(new, weights),
            "absolute_sum": self.absolute_sum + float(np.abs(new).sum(dtype=np.float64) - np.abs(old).sum(dtype=np.float64)),
        }
        vars(found).update(known)
        return found

    @cached_property
    def exponent(self) -> int:
        """The power of two that is taken out of the entries before a method sees them: 0 unless they are so small, or so large,
        that they or their squares would leave what float16 and float32 can hold."""
        size = int(np.frexp(self.largest)[1])
        return min(size, 0) + max(size - USUAL[-1], 0) if size not in USUAL else 0

    @cached_property
    def even(self) -> Self:
        """The matrix with that power of two taken out, which is exact; itself where that is 0."""
        return self.times(-self.exponent)

    def times(self, exponent: int) -> Self:
        """The matrix times a power of two; itself for 0."""
        if not exponent:
            return self
        values = np.concatenate([np.ldexp(block, exponent) for _, block in blocks.walk(self.rows)])
        tokens = self.tokens if self.has_tokens else None
        about = (self.notes, self.columns, self.stored)
        return type(self)(values, tokens, self.weights, self.name, self.device, self.row_word, *about)

    @cached_property
    def squared_norms(self) -> np.ndarray:
        """(n,) ‖aᵢ‖² in float64."""
        return blocks.squared_norms(self.rows)

    @cached_property
    def gram(self) -> np.ndarray:
        """(d, d) weighted second moments Σ wᵢ aᵢ aᵢᵀ in float64."""
        return blocks.gram(self.rows, self.weights if self.weighted else None, self.device)

    @cached_property
    def absolute_sum(self) -> float:
        """Σ|aᵢⱼ|."""
        return float(sum(np.abs(block).sum(dtype=np.float64) for _, block in blocks.walk(self.rows)))

    @cached_property
    def axes(self) -> np.ndarray:
        """(d, d) float64, the principal axes as columns: eigenvectors of the Gram matrix, largest eigenvalue first, signs fixed."""
        return eigen.eigenvectors(self.gram)

    @cached_property
    def energies(self) -> tuple[np.ndarray, np.ndarray]:
        """Σ wᵢ (aᵢ·v)² for every principal axis v, (d,) float64, and the same with all rows counted alike."""
        plain = blocks.gram(self.rows, None, self.device) if self.weighted else self.gram
        both = [np.einsum("al,ab,bl->l", self.axes, gram, self.axes, optimize=True) for gram in (self.gram, plain)]
        return both[0], both[1]


class RowNames(Sequence):
    """Names "row 0", "row 1", …, made when asked for."""

    def __init__(self, n_rows: int):
        self._numbers = range(n_rows)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [f"row {number}" for number in self._numbers[row]]
        return f"row {self._numbers[row]}"


def checked_rows(given: ArrayLike | LazyRows) -> tuple[Table, float]:
    """The rows (n, d) in float32, an array read-only, and the largest entry, whatever its sign. Raises InputError where they cannot
    be an embedding matrix."""
    rows = given if isinstance(given, LazyRows) else np.asanyarray(given)
    if isinstance(rows, np.ndarray) and rows.dtype.kind not in "fiu":
        raise InputError(f"The entries must be real numbers, these are {rows.dtype}; convert them to float32.")
    if len(rows.shape) != 2:
        raise InputError(f"An embedding matrix has 2 dimensions, rows by columns; this array has shape {rows.shape}.")
    n, d = rows.shape
    if n < 2 or d < 1:
        raise InputError(f"An embedding matrix needs at least 2 rows and 1 column; this one is {n} × {d}.")
    if isinstance(rows, np.ndarray):
        with np.errstate(over="ignore"):  # what overflows float32 becomes infinite and is reported below
            rows = np.ascontiguousarray(rows, dtype=np.float32)
    bad: list[int] = []
    largest = 0.0
    for part in blocks.parts(rows.shape):
        top = top_of(rows, part)
        if not np.isfinite(top):
            block = rows[part]
            finite = np.isfinite(block)
            top = float(np.abs(block).max(where=finite, initial=0))
            bad.extend(part.start + np.flatnonzero(~finite.all(axis=1)))
        largest = max(largest, top)
    if bad:
        shown = ", ".join(str(row) for row in bad[:5]) + (f" and {len(bad) - 5:,} more" if len(bad) > 5 else "")
        raise InputError(
            f"{len(bad):,} of {n:,} rows have NaN or infinite entries in float32 (row {shown}, counted from 0); "
            "remove or repair those rows."
        )
    if largest == 0:
        raise InputError("Every entry is zero, so there is nothing to compress; check that the right tensor was read.")
    if largest > 1e17:
        raise InputError(f"The largest entry is {largest:.3g}, whose square overflows float32; scale the matrix down.")
    return read_only(rows) if isinstance(rows, np.ndarray) else rows, largest


def top_of(rows: Table, part: slice) -> float:
    """The largest entry of some rows, whatever its sign; not finite where one is not."""
    if isinstance(rows, LazyRows):
        return rows.top(part.start, part.stop)
    return max(float(rows[part].max()), -float(rows[part].min()))


def read_only(values: np.ndarray) -> np.ndarray:
    """The same array, as one that cannot be written to."""
    values = values.view()
    values.flags.writeable = False
    return values


def checked_tokens(tokens: Sequence[str] | None, n_rows: int) -> Sequence[str]:
    """A name for every row. Raises InputError where there are more or fewer."""
    if tokens is None:
        return RowNames(n_rows)
    if len(tokens) != n_rows:
        raise InputError(f"There are {len(tokens):,} tokens for {n_rows:,} rows; give one token a row, or none.")
    return tokens if isinstance(tokens, tuple) else tuple(str(token) for token in tokens)


def checked_weights(given: ArrayLike | None, n_rows: int, many: bool = False) -> np.ndarray:
    """Weights (n,) of mean 1, read-only. many: so that those of no choice take no memory. Raises InputError where they cannot be
    weights of so many rows."""
    if given is None:
        return np.broadcast_to(1.0, n_rows) if many else np.ones(n_rows)
    weights = np.array(given, dtype=np.float64)
    if weights.shape != (n_rows,):
        raise InputError(f"There are {weights.size:,} weights for {n_rows:,} rows; give one weight a row.")
    if not np.isfinite(weights).all() or weights.min() < 0 or weights.max() == 0:
        raise InputError("Weights must be finite numbers of at least 0, and not all 0.")
    if abs(weights.mean() - 1) > 1e-12:  # weights that were scaled before stay as they are, to the last bit
        weights /= weights.mean()
    weights.flags.writeable = False
    return weights
