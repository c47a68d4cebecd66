"""Some of the columns, as they are: those that a linear layer which reads the rows depends on most."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from array_api_compat import array_namespace, device

from compress.checks import one_of, random_seed, setting, whole
from compress.coding import factors, packing
from compress.coding.layout import Layout
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method, precision
from compress.methods.vector_quantizers import unit_of

OVER = ("mean", "largest")
ROWS = 384  # of each sample: with twice as many the error on the demo table falls by .002 at most


@dataclass(frozen=True)
class Dimensions(Method):
    """A row keeps its entries in `kept` of the d columns, the others are read as 0: pruning by sensitivity (Liebenwein, Baykal,
    Lang, Feldman and Rus, *Provable Filter Pruning for Efficient Neural Networks*, ICLR 2020), of columns instead of filters.

    kept: columns. over: whether a column's sensitivity is its "mean" or its "largest" share of what a linear layer sums. The layer
    is the matrix itself, a sample of its rows as weights that read another sample, as a tied output layer and a search for
    neighbours do; where rows are weighted, they are drawn by their weights. Columns of the largest squares lose less of the rows
    themselves. factor_bits: stored precision of the entries, 32, 16, 8 or 4.
    Stored: a bit a column and n·kept numbers, at 16 bits with one scale, at 8 and 4 with one a column.
    """

    name = "dimensions"
    label = "Dimensions"
    place = 11
    decoder = "dimensions"
    knob = "kept"
    effort = 3

    kept: int = setting(192, whole, 1)
    over: str = setting("mean", one_of, OVER)
    factor_bits: int = precision()
    seed: int = random_seed()

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        self.check(*matrix.shape)
        there = np.zeros(matrix.shape[1], np.uint8)
        there[rank_columns(matrix, self.over, self.seed)[: self.kept]] = 1
        numbers = matrix.values[:, there > 0]  # (n, kept)
        arrays = {"mask": packing.pack_stream(there, 1)}
        if self.factor_bits == 16:
            arrays["scales"] = np.full(1, unit_of(matrix), np.float32)
        elif self.factor_bits < 16:
            arrays["scales"] = factors.grid_steps(numbers, factors.LARGEST[self.factor_bits]).astype(np.float32)
        arrays["coefficients"] = self.rounded(numbers / arrays.get("scales", np.float32(1)))
        return Compressed(self, arrays, matrix.shape, matrix.digest)

    def rounded(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers (n, kept), in units of their scales, as they are stored."""
        if self.factor_bits in factors.FLOAT:
            return factors.within(numbers, factors.FLOAT[self.factor_bits])
        codes = factors.round_to(numbers, np.float32(1), factors.LARGEST[self.factor_bits])
        return codes if self.factor_bits == 8 else packing.pack_nibbles(codes)

    def prepared(self, arrays: dict[str, Any], n: int, d: int) -> dict[str, Any]:
        """Instead of the mask: whether each column is there, (d,) float32, and its place among those that are, (d,) int64."""
        xp = array_namespace(arrays["mask"])
        there = packing.read_stream(arrays["mask"], 1, xp.arange(d, device=device(arrays["mask"])))
        rest = {name: array for name, array in arrays.items() if name != "mask"}
        return rest | {"there": xp.astype(there, xp.float32), "places": (xp.cumulative_sum(there) - 1) * there}

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        numbers = factors.read_coefficients(arrays, rows, self.kept)
        numbers = numbers * arrays["scales"] if "scales" in arrays else numbers
        return numbers @ arrays["turned"] if "turned" in arrays else numbers[:, arrays["places"]] * arrays["there"]

    def against(self, arrays: dict[str, Any], vectors: Any) -> dict[str, Any]:
        return {**arrays, "turned": vectors.T[arrays["there"] > 0]}  # (kept, v)

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        """The numbers move, and with them the steps of whole ones."""
        fixed = self.prepared(arrays, n, d)
        parameters = {"coefficients": factors.read_coefficients(fixed, np.arange(n), self.kept)}
        del fixed["coefficients"]
        if self.factor_bits in factors.LARGEST:
            parameters["scales"] = fixed.pop("scales")
        return Trainable(parameters, fixed)

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return arrays | parameters | {"coefficients": self.rounded(parameters["coefficients"])}

    def layout(self, n: int, d: int) -> Layout:
        codes = (self.kept + 1) // 2 if self.factor_bits == 4 else self.kept
        layout: Layout = {
            "mask": (((d + 7) // 8,), np.uint8),
            "coefficients": ((n, codes), (factors.FLOAT | {8: np.int8, 4: np.uint8})[self.factor_bits]),
        }
        if self.factor_bits < 32:
            layout["scales"] = (1 if self.factor_bits == 16 else self.kept,), np.float32
        return layout

    def parameter_count(self, n: int, d: int) -> int:
        """The entries, and a 32nd of a number for every bit of the mask."""
        return n * self.kept + (d + 31) // 32

    def check(self, n: int, d: int) -> None:
        whole("kept", self.kept, 1, d, f"the matrix has {d:,} columns")

    def check_stored(self, arrays: dict[str, np.ndarray], n: int, d: int) -> None:
        super().check_stored(arrays, n, d)
        count = int(np.unpackbits(arrays["mask"], bitorder="little")[:d].sum())
        if count != self.kept:
            raise ValueError(f"the mask keeps {count} columns, not {self.kept}")
        packing.check_spare(arrays["mask"], d, "mask")

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        return {"factor_bits": factors.BITS}

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        return range(1, d + 1)

    @classmethod
    def examples(cls) -> list[Self]:
        kept = [cls(kept=7, factor_bits=bits) for bits in factors.BITS]
        return [*kept, cls(kept=1, seed=3), cls(kept=4, over="largest", factor_bits=8), cls(kept=11, factor_bits=32)]


def rank_columns(matrix: EmbeddingMatrix, over: str, seed: int) -> np.ndarray:
    """All columns, the most sensitive first; those that no row of the samples has, the largest first."""
    from compress.pruning.sensitivity import linear_sensitivities

    rng = np.random.default_rng(seed)
    inputs, weights = (matrix.rows[draw_rows(matrix, rng)] / unit_of(matrix) for _ in range(2))
    sizes = sum(matrix.weights[rows] @ np.square(block, dtype=np.float64) for rows, block in blocks.walk(matrix.rows))
    return np.lexsort((-sizes, -linear_sensitivities(inputs, weight=weights, over=over)))


def draw_rows(matrix: EmbeddingMatrix, rng: np.random.Generator) -> np.ndarray:
    """Numbers of some rows, of all where there are few; with their weights as probabilities where these differ."""
    n = matrix.shape[0]
    if not matrix.weighted:
        return blocks.sample_rows(n, ROWS, rng)
    return np.sort(rng.choice(n, ROWS, p=matrix.weights / matrix.weights.sum()))
