"""Every row a sum of vectors, one from each of several codebooks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from compress.checks import setting, whole
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.matrix import EmbeddingMatrix
from compress.methods.base import tell_count, worse_than_nothing
from compress.methods.vector_quantizers import VectorQuantization, unit_of, weights_of

SAMPLE_ROWS, SAMPLE_PER_VECTOR = 8192, 64  # that the codebooks are trained on: so many, or so many for each of their vectors
BEAM_BYTES = 256 << 20
MANTISSA = {32: 24, 16: 11}  # bits of whole numbers that codebooks hold


@dataclass(frozen=True)
class ResidualQuantization(VectorQuantization):
    """A row is the sum of one vector from each of `parts` codebooks (2^code_bits, d), each trained on what those before it leave
    (Y. Chen, T. Guan and C. Wang, *Approximate nearest neighbor search by residual vector quantization*, 2010).

    steps: rounds of k-means in each of ten growing numbers of directions, on a sample of the rows, drawn by their weights. beam:
    how many encodings of a row are carried from codebook to codebook; 1 is greedy. The codebooks are then refitted together to the
    codes of all rows by least squares, weighted as the matrix is; where rows would lose more than all of themselves, so that one
    code stands for 0.
    """

    name = "rq"
    label = "RQ"
    place = 8
    spanning = ("codebooks",)
    effort = 24

    steps: int = setting(5, whole, 1, 1000)
    beam: int = setting(5, whole, 1, 64)

    def search(self, matrix: EmbeddingMatrix, progress: Progress | None) -> Compressed:
        import faiss

        n, d = matrix.shape
        unit, weights, count = unit_of(matrix), weights_of(matrix), 2**self.code_bits
        values: np.ndarray = matrix.values / unit
        coder = faiss.ResidualQuantizer(d, self.parts, self.code_bits)
        trained_on = draw_rows(values, weights, max(SAMPLE_ROWS, SAMPLE_PER_VECTOR * count), self.seed)
        coder.train_type = coder.Train_progressive_dim if len(trained_on) >= d else coder.Train_default
        coder.cp.niter, coder.cp.seed = self.steps, self.seed_of(0)
        coder.cp.min_points_per_centroid, coder.cp.max_points_per_centroid = 1, n
        coder.max_mem_distances, coder.use_beam_LUT, coder.max_beam_size = BEAM_BYTES, 1, 1  # a beam in training gains nothing
        coder.train(trained_on)
        tell_count(progress, "step", 1, 2)
        coder.max_beam_size = self.beam
        codes = faiss.unpack_bitstrings(coder.compute_codes(values), self.parts, self.code_bits).astype(np.int64)
        result = self.compress(matrix, unit, refit_codebooks(values, codes, count, weights), codes)
        lost = worse_than_nothing(matrix, result.rows)
        if not len(lost):
            return result
        nothing = faiss.unpack_bitstrings(coder.compute_codes(np.zeros((1, d), np.float32)), self.parts, self.code_bits)[0]
        codes[lost] = nothing
        books = refit_codebooks(values, codes, count, weights, nothing.astype(np.int64))
        books = with_nothing(books, nothing, MANTISSA[self.codebook_bits])
        codes[worse_than_nothing(matrix, self.compress(matrix, unit, books, codes).rows)] = nothing
        return self.compress(matrix, unit, books, codes)

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        books, codes = self.read_books(arrays), self.read_codes(arrays, rows)
        decoded = books[codes[:, 0]]
        for part in range(1, self.parts):
            decoded = decoded + books[codes[:, part]]
        return decoded

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        return {"code_bits": [bits for bits in (4, 6) if 2**bits <= n] or [1]}

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        return range(1, 32 * d + 1)

    @property
    def draft(self) -> Self:
        return replace(self, steps=1, beam=1)

    @classmethod
    def examples(cls) -> list[Self]:
        return [
            cls(parts=5, code_bits=3, steps=4),
            cls(parts=2, code_bits=5, codebook_bits=32, beam=1, seed=3),
            cls(parts=1, code_bits=1, steps=1),
        ]


def draw_rows(values: np.ndarray, weights: np.ndarray | None, most: int, seed: int) -> np.ndarray:
    """At most so many rows, the heavier ones more likely."""
    if len(values) <= most:
        return values
    chances = None if weights is None else weights.astype(np.float64) / weights.sum(dtype=np.float64)
    return values[np.sort(np.random.default_rng(seed).choice(len(values), most, replace=False, p=chances))]


def refit_codebooks(
    values: np.ndarray, codes: np.ndarray, count: int, weights: np.ndarray | None, nothing: np.ndarray | None = None
) -> np.ndarray:
    """The codebooks (parts, count, d) that with the given codes come closest to the rows; of those where the code `nothing`
    (parts,), if it is given, stands for 0."""
    from scipy import sparse

    n, parts = codes.shape
    places = (codes + count * np.arange(parts)).ravel()
    used = sparse.csr_array((np.ones(n * parts, np.float32), places, np.arange(0, n * parts + 1, parts)), (n, parts * count))
    weighted = used if weights is None else used * weights[:, None]
    inner, cross = (weighted.T @ used).toarray().astype(np.float64), (weighted.T @ values).astype(np.float64)
    inner[np.diag_indices(parts * count)] += 1e-6 * np.trace(inner) / (parts * count)
    books = np.linalg.solve(inner, cross)
    if nothing is not None:
        chosen = nothing + count * np.arange(parts)
        pull = np.linalg.solve(inner, np.bincount(chosen, minlength=parts * count))
        books -= np.outer(pull / pull[chosen].sum(), books[chosen].sum(axis=0))
    return books.astype(np.float32).reshape(parts, count, -1)


def with_nothing(books: np.ndarray, nothing: np.ndarray, bits: int) -> np.ndarray:
    """The codebooks with the vectors of a code, which are nearly 0 together, moved so little that as floats of so many bits they
    are just 0 in any order: to whole steps of which no sum of them has more."""
    part = np.arange(len(books))
    vectors = books[part, nothing].astype(np.float64)
    steps = 2.0 ** np.maximum(np.frexp(np.abs(vectors).sum(axis=0))[1] - bits + 1, -24)
    vectors = np.rint(vectors / steps) * steps
    vectors[0] -= vectors.sum(axis=0)
    books[part, nothing] = vectors
    return books
