"""Rows cut into parts, each part one of a few vectors: what similarity search calls product quantization."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from compress.methods.base import Method, rank_bound, tell_count

FLOAT = {32: np.float32, 16: np.float16}


@dataclass(frozen=True)
class VectorQuantization(Method):
    """A row is `parts` codes of `code_bits` bits, each the place of a vector in the codebook of its part.

    codebook_bits: stored precision of the codebooks, 32 or 16. steps: rounds of k-means; 2 gives a preview. The search is that of
    faiss (J. Johnson, M. Douze and H. Jégou, Billion-scale similarity search with GPUs, 2017), decoding needs none of it.
    """

    decoder = "vectors"
    knob = "parts"
    coded = True

    parts: int = setting(8, whole, 1)
    code_bits: int = setting(8, whole, 1, 12)
    codebook_bits: int = setting(16, one_of, tuple(FLOAT))
    steps: int = setting(25, whole, 1, 1000)
    seed: int = random_seed()

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        self.check(*matrix.shape)
        with one_faiss_thread():
            return self.search(matrix, progress)

    @abstractmethod
    def search(self, matrix: EmbeddingMatrix, progress: Progress | None) -> Compressed:
        """The codebooks and the codes that `fit` gives."""

    def compress(
        self, matrix: EmbeddingMatrix, unit: np.float32, books: np.ndarray, codes: np.ndarray, **others: np.ndarray
    ) -> Compressed:
        """Codes (n, parts) and codebooks in a unit, kept."""
        arrays = {
            "codes": packing.pack_stream(codes.ravel(), self.code_bits),
            "codebooks": self.rounded(books),
            "unit": np.array([unit]),
        }
        return Compressed(self, arrays | others, matrix.shape, matrix.digest)

    def rounded(self, books: np.ndarray) -> np.ndarray:
        """Codebooks as they are stored."""
        return books.astype(FLOAT[self.codebook_bits])

    def seed_of(self, part: int) -> int:
        """The seed of a part's k-means."""
        return int(np.random.default_rng((self.seed, part)).integers(2**31))

    def read_codes(self, arrays: dict[str, Any], rows: Any) -> Any:
        """(r, parts): where each part's vector lies among those of all codebooks."""
        xp = array_namespace(rows)
        part = xp.arange(self.parts, dtype=xp.int64, device=device(rows))
        codes = packing.read_stream(arrays["codes"], self.code_bits, rows[:, None] * self.parts + part)
        return codes + 2**self.code_bits * part

    def read_books(self, arrays: dict[str, Any]) -> Any:
        """The vectors of all codebooks, (parts · 2^code_bits, length) float32."""
        books = arrays["codebooks"]
        xp = array_namespace(books)
        return xp.reshape(xp.astype(books, xp.float32), (-1, books.shape[2])) * arrays["unit"]

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        moving: list[str] = [name for name in ("codebooks", "rotation") if name in arrays]
        parameters = {name: arrays[name].astype(np.float32) for name in moving}
        return Trainable(parameters, {name: arrays[name] for name in ("codes", "unit")})

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return arrays | {name: factors.within(array, arrays[name].dtype.type) for name, array in parameters.items()}

    def layout(self, n: int, d: int) -> Layout:
        return {
            "codes": (((n * self.parts * self.code_bits + 7) // 8,), np.uint8),
            "codebooks": ((self.parts, 2**self.code_bits, self.length(d)), FLOAT[self.codebook_bits]),
            "unit": ((1,), np.float32),
        }

    def length(self, d: int) -> int:
        """Columns of a codebook."""
        return d

    def parameter_count(self, n: int, d: int) -> int:
        """Of the codebooks, and a 32nd of a number for every bit of a code."""
        return self.parts * 2**self.code_bits * self.length(d) + (n * self.parts * self.code_bits + 31) // 32

    def check(self, n: int, d: int) -> None:
        whole("code_bits", self.code_bits, 1, min(12, n.bit_length() - 1), f"the matrix has {n:,} rows")

    def check_stored(self, arrays: dict[str, np.ndarray], n: int, d: int) -> None:
        super().check_stored(arrays, n, d)
        packing.check_spare(arrays["codes"], n * self.parts * self.code_bits, "codes")

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        return {"code_bits": [bits for bits in (4, 6, 8) if 2**bits <= n] or [n.bit_length() - 1]}

    @property
    def draft(self) -> Self:
        return replace(self, steps=min(self.steps, 2))


@dataclass(frozen=True)
class ProductQuantization(VectorQuantization):
    """Product quantization: the columns cut into `parts` of equal length, in each the nearest of 2^code_bits vectors (H. Jégou, M.
    Douze and C. Schmid, *Product quantization for nearest neighbor search*, 2011). The k-means of every part is weighted as the
    matrix is."""

    name = "pq"
    label = "PQ"
    place = 6
    effort = 4

    def search(self, matrix: EmbeddingMatrix, progress: Progress | None) -> Compressed:
        n, d = matrix.shape
        unit, weights, near = unit_of(matrix), weights_of(matrix), blocks.near_zero(matrix.squared_norms).any()
        books, codes = [], np.empty((n, self.parts), np.int64)
        for part in range(self.parts):
            points = columns(matrix.values, part, self.length(d)) / unit
            book = centroids(points, 2**self.code_bits, weights, self.steps, self.seed_of(part))
            books.append(with_zero(book) if near else book)
            codes[:, part] = nearest(points, self.rounded(books[-1]))
            tell_count(progress, "part", part + 1, self.parts)
        return self.compress(matrix, unit, np.stack(books), codes)

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        xp = array_namespace(arrays["codebooks"])
        return xp.reshape(self.read_books(arrays)[self.read_codes(arrays, rows)], (rows.shape[0], d))

    def length(self, d: int) -> int:
        return -(-d // self.parts)

    def check(self, n: int, d: int) -> None:
        super().check(n, d)
        check_divides("parts", self.parts, d, f"the matrix has {d:,} columns")

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        return divisors(d)

    @classmethod
    def examples(cls) -> list[Self]:
        return [cls(parts=11, code_bits=3, steps=4), cls(parts=1, code_bits=7, codebook_bits=32, seed=3)]


@dataclass(frozen=True)
class OptimizedProductQuantization(VectorQuantization):
    """Product quantization of turned rows, R found together with the codebooks: a ≈ q(aRᵀ)R (T. Ge, K. He, Q. Ke and J. Sun,
    *Optimized product quantization*, 2013).

    dims: rows of R (dims, d), orthonormal, stored in float16: fewer than the matrix's columns project on so many directions; None
    for all columns. It starts at the principal directions, dealt out so that every part has a like product of variances, and is
    then refitted after every round of k-means, `steps` times. Both are weighted as the matrix is.
    """

    name = "opq"
    label = "OPQ"
    place = 7
    spanning = ("rotation",)
    effort = 40

    dims: int | None = setting(None, whole, 1)

    def search(self, matrix: EmbeddingMatrix, progress: Progress | None) -> Compressed:
        n, d = matrix.shape
        unit, weights, count = unit_of(matrix), weights_of(matrix), 2**self.code_bits
        values, length, near = matrix.values / unit, self.length(d), blocks.near_zero(matrix.squared_norms).any()
        rotation, books = self.first_rotation(matrix), self.parts * [np.empty(0)]
        for step in range(self.steps):
            turned, decoded = values @ rotation.T, np.empty((n, self.turned(d)), np.float32)
            for part in range(self.parts):
                points = columns(turned, part, length)
                start = books[part] if step else None
                books[part] = centroids(points, count, weights, 1, self.seed_of(part), start)
                decoded[:, part * length : (part + 1) * length] = books[part][nearest(points, books[part])]
            if weights is not None:
                decoded *= weights[:, None]
            left, _, right = np.linalg.svd((decoded.T @ values).astype(np.float64), full_matrices=False)
            rotation = (left @ right).astype(np.float32)
            tell_count(progress, "round", step + 1, self.steps)
        kept = rotation.astype(np.float16)
        turned, codes = values @ kept.T.astype(np.float32), np.empty((n, self.parts), np.int64)
        for part in range(self.parts):
            points = columns(turned, part, length)
            book = centroids(points, count, weights, self.steps, self.seed_of(part), books[part])
            books[part] = with_zero(book) if near else book
            codes[:, part] = nearest(points, self.rounded(books[part]))
        return self.compress(matrix, unit, np.stack(books), codes, rotation=kept)

    def first_rotation(self, matrix: EmbeddingMatrix) -> np.ndarray:
        """(dims, d): each principal direction, the strongest first, goes to the part whose variances have the least product yet."""
        d = matrix.shape[1]
        length, logs = self.length(d), np.zeros(self.parts)
        members: list[list[int]] = [[] for _ in range(self.parts)]
        axes = matrix.axes[:, : self.turned(d)]
        weighted = (matrix.values @ axes.astype(np.float32)) ** 2
        energies = matrix.weights @ weighted.astype(np.float64)
        for direction, energy in enumerate(energies / max(energies.min(), 1e-9 * energies.max(), 1e-300) + 1e-9):
            part = min((part for part in range(self.parts) if len(members[part]) < length), key=lambda part: logs[part])
            members[part].append(direction)
            logs[part] += np.log(energy)
        return np.ascontiguousarray(axes[:, np.concatenate(members)].T, dtype=np.float32)

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        xp = array_namespace(arrays["codebooks"])
        turned = xp.reshape(self.read_books(arrays)[self.read_codes(arrays, rows)], (rows.shape[0], arrays["rotation"].shape[0]))
        return turned @ xp.astype(arrays["rotation"], xp.float32)

    def layout(self, n: int, d: int) -> Layout:
        return super().layout(n, d) | {"rotation": ((self.turned(d), d), np.float16)}

    def turned(self, d: int) -> int:
        """Columns of the turned rows."""
        return d if self.dims is None else self.dims

    def length(self, d: int) -> int:
        return -(-self.turned(d) // self.parts)

    def parameter_count(self, n: int, d: int) -> int:
        return super().parameter_count(n, d) + self.turned(d) * d

    def check(self, n: int, d: int) -> None:
        super().check(n, d)
        if self.dims is not None:
            whole("dims", self.dims, 1, *rank_bound(d, d))
        because = f"the matrix has {d:,} columns" if self.dims is None else f"dims is {self.dims:,}"
        check_divides("parts", self.parts, self.turned(d), because)

    @classmethod
    def choices(cls, n: int, d: int) -> dict[str, Sequence[Any]]:
        return {**cls.precisions(n, d), "dims": [None, *sorted({d // part for part in (2, 4) if d % part == 0 and d // part > 1})]}

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        return divisors(self.turned(d))

    @classmethod
    def examples(cls) -> list[Self]:
        return [
            cls(parts=11, code_bits=3, steps=4),
            cls(parts=2, code_bits=5, codebook_bits=32, dims=6, seed=3),
            cls(parts=1, code_bits=1, dims=1),
        ]


@contextmanager
def one_faiss_thread() -> Iterator[None]:
    """faiss on one thread: threads do not change what is found then, and those of a busy machine would wait for each other for many
    times the work."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def check_divides(name: str, value: int, whole: int, because: str) -> None:
    """Raises ValueError unless the setting divides a number."""
    if whole % value:
        raise ValueError(f"{name} must be a whole number that divides {whole:,} ({because}), got {value}")


def divisors(number: int) -> list[int]:
    """The whole numbers that divide a number, ascending."""
    return [each for each in range(1, number + 1) if number % each == 0]


def columns(values: np.ndarray, part: int, length: int) -> np.ndarray:
    """The columns of a part, (n, length) contiguous."""
    return np.ascontiguousarray(values[:, part * length : (part + 1) * length])


def unit_of(matrix: EmbeddingMatrix) -> np.float32:
    """The power of 2 at the largest entry, in which everything is within what float16 and squares in float32 can hold."""
    largest = max(float(matrix.values.max()), -float(matrix.values.min()))
    return np.float32(2.0 ** np.clip(np.ceil(np.log2(largest)), -120, 120)) if largest > 0 else np.float32(1)


def weights_of(matrix: EmbeddingMatrix) -> np.ndarray | None:
    """Row weights for k-means, which fails on a group of rows without any; None where they are uniform."""
    return np.maximum(matrix.weights, 1e-6).astype(np.float32) if matrix.weighted else None


def centroids(
    points: np.ndarray, count: int, weights: np.ndarray | None, steps: int, seed: int, start: np.ndarray | None = None
) -> np.ndarray:
    """So many means of points (n, length), trained on all of them: (count, length) float32."""
    import faiss

    means = faiss.Kmeans(
        points.shape[1], count, niter=steps, seed=seed, min_points_per_centroid=1, max_points_per_centroid=len(points)
    )
    means.train(points, weights, init_centroids=start)
    assert means.centroids is not None
    return means.centroids.reshape(count, -1)


def with_zero(book: np.ndarray) -> np.ndarray:
    """The codebook with the vector that is nearest to 0 moved there: rows near 0 then lose no more than all of themselves."""
    book[np.square(book).sum(axis=1).argmin()] = 0
    return book


def nearest(points: np.ndarray, book: np.ndarray) -> np.ndarray:
    """The place of each point's nearest vector in a codebook, (n,) int64."""
    import faiss

    return faiss.knn(points, book.astype(np.float32), 1)[1][:, 0]
