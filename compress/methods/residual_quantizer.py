"""Every row a sum of vectors, one from each of several codebooks."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from compress.checks import whole
from compress.methods.vector_quantizers import VectorQuantization, unit_of, weights_of

SAMPLE_ROWS, SAMPLE_PER_VECTOR = 8192, 64  # that the codebooks are trained on: so many, or so many for each of their vectors
BEAM_BYTES = 256 << 20


@dataclass(frozen=True)
class ResidualQuantization(VectorQuantization):
    """A row is the sum of one vector from each of `parts` codebooks (2^code_bits, d), each trained on what those before it leave
    (Y. Chen, T. Guan and C. Wang, *Approximate nearest neighbor search by residual vector quantization*, 2010).

    steps: rounds of k-means in each of ten growing numbers of directions, on a sample of the rows, drawn by their weights. beam:
    how many encodings of a row are carried from codebook to codebook; 1 is greedy. The codebooks are then refitted together to the
    codes of all rows by least squares, weighted as the matrix is.
    """

    steps: int = 5
    beam: int = 5

    name: ClassVar[str] = "rq"
    label: ClassVar[str] = "RQ"
    spanning: ClassVar[tuple[str, ...]] = ("codebooks",)

    def __post_init__(self):
        super().__post_init__()
        whole("beam", self.beam, 1, 64)

    @classmethod
    def precisions(cls, n, d):
        return {"code_bits": [bits for bits in (4, 6) if 2**bits <= n] or [1]}

    @property
    def draft(self):
        return replace(self, steps=1, beam=1)

    def knob_values(self, n, d):
        return range(1, 32 * d + 1)

    def search(self, matrix, progress):
        import faiss

        n, d = matrix.shape
        unit, weights, count = unit_of(matrix), weights_of(matrix), 2**self.code_bits
        values = matrix.values / unit
        coder = faiss.ResidualQuantizer(d, self.parts, self.code_bits)
        trained_on = sample(values, weights, max(SAMPLE_ROWS, SAMPLE_PER_VECTOR * count), self.seed)
        coder.train_type = coder.Train_progressive_dim if len(trained_on) >= d else coder.Train_default
        coder.cp.niter, coder.cp.seed = self.steps, self.seed_of(0)
        coder.cp.min_points_per_centroid, coder.cp.max_points_per_centroid = 1, n
        coder.max_mem_distances, coder.use_beam_LUT, coder.max_beam_size = BEAM_BYTES, 1, 1  # a beam in training gains nothing
        coder.train(trained_on)
        if progress:
            progress({"step": 1, "steps": 2})
        coder.max_beam_size = self.beam
        codes = faiss.unpack_bitstrings(coder.compute_codes(values), self.parts, self.code_bits).astype(np.int64)
        return self.compressed(matrix, unit, refitted(values, codes, count, weights), codes)

    def decode(self, arrays, rows, d):
        books, codes = self.read_books(arrays), self.read_codes(arrays, rows)
        decoded = books[codes[:, 0]]
        for part in range(1, self.parts):
            decoded = decoded + books[codes[:, part]]
        return decoded


def sample(values: np.ndarray, weights: np.ndarray | None, most: int, seed: int) -> np.ndarray:
    """At most so many rows, the heavier ones more likely."""
    if len(values) <= most:
        return values
    chances = None if weights is None else weights.astype(np.float64) / weights.sum(dtype=np.float64)
    return values[np.sort(np.random.default_rng(seed).choice(len(values), most, replace=False, p=chances))]


def refitted(values: np.ndarray, codes: np.ndarray, count: int, weights: np.ndarray | None) -> np.ndarray:
    """The codebooks (parts, count, d) that with the given codes come closest to the rows."""
    from scipy import sparse

    n, parts = codes.shape
    places = (codes + count * np.arange(parts)).ravel()
    used = sparse.csr_array((np.ones(n * parts, np.float32), places, np.arange(0, n * parts + 1, parts)), (n, parts * count))
    weighted = used if weights is None else used * weights[:, None]
    inner, cross = (weighted.T @ used).toarray().astype(np.float64), (weighted.T @ values).astype(np.float64)
    inner[np.diag_indices(parts * count)] += 1e-6 * np.trace(inner) / (parts * count)
    return np.linalg.solve(inner, cross).astype(np.float32).reshape(parts, count, -1)
