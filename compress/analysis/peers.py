"""What vector databases keep of a matrix for search, each as it is used, with all its bytes.

What faiss draws from a seed counts nothing; ranges, centres, norms and factors count as they would be kept. For cosine all keep
rows of length 1, as they would be put in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from compress.analysis.search import COUNT, GRAIN, Found, Rows, Truth, rows_of, search
from compress.linalg.blocks import unit_rows, walk
from compress.matrix import EmbeddingMatrix

QUANTILE = 0.99  # of a column's entries lie in the range of int8, as Qdrant and Lucene take it
SAMPLED = 65536  # rows that ranges and codes are trained on
RESCORED = 100  # rows that are held against the original


@dataclass(frozen=True, eq=False)
class Peer:
    """A code of another program. n_bytes: of all that it keeps for search. rescored: whether the rows found first are held against
    the original, which is then to be kept besides. note: how it is searched."""

    name: str
    n_bytes: int
    found: Found
    rescored: bool = False

    @property
    def recall(self) -> float:
        """Recall@10."""
        return self.found.recall(COUNT, RESCORED if self.rescored else None)


@dataclass(frozen=True, eq=False)
class Coded:
    """Rows by codes (n, …). decode: of some codes the rows (r, d)."""

    codes: np.ndarray
    decode: Callable[[np.ndarray], np.ndarray]
    d: int

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        return len(self.codes), self.d

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """Decodes some."""
        return self.decode(np.ascontiguousarray(self.codes[rows]))


def peers(matrix: EmbeddingMatrix, truth: Truth) -> Iterator[tuple[str, Callable[[], list[Peer]]]]:
    """The codes by name, each made when it is called."""
    d = matrix.shape[1]
    yield "int8 by column", partial(int8, matrix, truth)
    yield "binary", partial(binary, matrix, truth)
    for name in ("RaBitQ", "EDEN", "TurboQuant"):
        bits = [1] if name == "RaBitQ" else [1, 2, 4]
        for each in bits:
            yield f"{name}, {each} bit{'s' * (each > 1)}", partial(faiss_code, matrix, truth, name, each, d)


def int8(matrix: EmbeddingMatrix, truth: Truth) -> list[Peer]:
    """Columns in 256 even steps over the range of most of their entries, or of all where that finds more."""
    found = []
    sample = sampled(matrix, truth.similarity)
    for tail in ((1 - QUANTILE) / 2, 0.0):
        low, high = np.quantile(sample, [tail, 1 - tail], axis=0).astype(np.float32)
        step = np.maximum((high - low) / 255, np.finfo(np.float32).tiny)
        codes = np.concatenate(
            [np.clip(np.rint((block - low) / step), 0, 255).astype(np.uint8) for block in blocks_of(matrix, truth.similarity)]
        )
        table = Coded(codes, partial(stepped, low, step), matrix.shape[1])
        found.append(Peer("int8 by column", codes.nbytes + 8 * matrix.shape[1], searched(matrix, table, truth)))
    return [max(found, key=lambda peer: peer.recall)]


def stepped(low: np.ndarray, step: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Rows of whole numbers in steps of their columns, from the least."""
    return codes * step + low


def binary(matrix: EmbeddingMatrix, truth: Truth) -> list[Peer]:
    """Signs of the centred entries, by Hamming distance and held against the query as it is, and rescored: the better of signs
    alone, and signs times a step of their column around the centre."""
    d = matrix.shape[1]
    sample = sampled(matrix, truth.similarity)
    centre = sample.mean(axis=0)
    steps = np.abs(sample - centre).mean(axis=0)
    codes = np.concatenate([np.packbits(block > centre, axis=1) for block in blocks_of(matrix, truth.similarity)])
    vectors = queries_of(matrix, truth) - centre

    def signs(codes: np.ndarray) -> np.ndarray:
        return 2 * np.unpackbits(codes, axis=1, count=d).astype(np.float32) - 1

    plain = Coded(codes, signs, d)
    hamming = search(matrix, plain, truth.asked_by(np.where(vectors > 0, 1, -1).astype(np.float32), "ip", 0.25))
    scale = float(GRAIN * np.linalg.norm(vectors, axis=1).max() * np.sqrt(d))
    both = [
        searched(matrix, Coded(codes, lambda codes: centre + signs(codes) * steps, d), truth),
        search(matrix, plain, truth.asked_by(vectors, "ip", scale)),
    ]
    near, size = max(both, key=Found.recall), codes.nbytes
    every = ("binary, Hamming", size + 4 * d, hamming), ("binary, asymmetric", size + 8 * d, near)
    return [
        Peer(f"{name}{f', {RESCORED} rescored' if rescored else ''}", n_bytes, found, rescored)
        for name, n_bytes, found in every
        for rescored in (False, True)
    ]


def faiss_code(matrix: EmbeddingMatrix, truth: Truth, name: str, bits: int, d: int) -> list[Peer]:
    """RaBitQ (J. Gao and C. Long, 2024), EDEN (S. Vargaftik et al., 2022) and TurboQuant for least squares (A. Zandieh et al.,
    2025) as faiss has them: of the two scales of EDEN the better, lengths of TurboQuant kept in float16 where rows have any."""
    import faiss

    sample, found = np.ascontiguousarray(sampled(matrix, truth.similarity)), []
    kinds: dict[str, Callable[[], list[Any]]] = {
        "RaBitQ": lambda: [faiss.IndexRaBitQ(d, faiss.METRIC_L2)],
        "EDEN": lambda: [
            faiss.IndexEDEN(d, faiss.METRIC_L2, bits, scale) for scale in (faiss.EDENScaleType_BIASED, faiss.EDENScaleType_UNBIASED)
        ],
        "TurboQuant": lambda: [faiss.IndexScalarQuantizer(d, getattr(faiss.ScalarQuantizer, f"QT_{bits}bit_tqmse"))],
    }
    for index in kinds[name]():
        long = name == "TurboQuant" and truth.similarity != "cosine"
        index.train(unit_rows(sample) if long else sample)
        blocks = [*blocks_of(matrix, truth.similarity)]
        codes = np.concatenate([index.sa_encode(np.ascontiguousarray(unit_rows(block) if long else block)) for block in blocks])
        size, decode = codes.nbytes + (4 * d if name == "RaBitQ" else 0), index.sa_decode
        if long:
            lengths = np.concatenate([np.linalg.norm(block, axis=1) for block in blocks]).astype(np.float16)
            codes, size = np.concatenate([codes, lengths[:, None].view(np.uint8)], axis=1), size + lengths.nbytes

            def decode(codes: np.ndarray, inner: Any = index.sa_decode) -> np.ndarray:
                lengths = np.ascontiguousarray(codes[:, -2:]).view(np.float16).astype(np.float32)
                return inner(np.ascontiguousarray(codes[:, :-2])) * lengths

        label = f"{name}, {bits} bit{'s' * (bits > 1)}"
        found.append(Peer(label, size, searched(matrix, Coded(codes, decode, d), truth)))
    return [max(found, key=lambda peer: peer.recall)]


def searched(matrix: EmbeddingMatrix, table: Rows, truth: Truth) -> Found:
    """By the truth's similarity to what is decoded; for cosine, where rows were of length 1, or by inner product, the better."""
    found = [search(matrix, table, truth)]
    if truth.similarity == "cosine":
        found.append(search(matrix, table, truth.asked_by(queries_of(matrix, truth), "ip", GRAIN)))
    return max(found, key=Found.recall)


def queries_of(matrix: EmbeddingMatrix, truth: Truth) -> np.ndarray:
    """(q, d) the queries as they are put in."""
    return unit_rows(truth.queries.vectors) if truth.similarity == "cosine" else truth.queries.vectors


def blocks_of(matrix: EmbeddingMatrix, similarity: str) -> Iterator[np.ndarray]:
    """The rows as they are put in, some at a time."""
    for rows, _ in walk(matrix.rows):
        yield rows_of(matrix, matrix, rows, similarity)[0] if similarity == "cosine" else matrix.rows[rows]


def sampled(matrix: EmbeddingMatrix, similarity: str) -> np.ndarray:
    """Some of them, evenly."""
    some = matrix.rows[:: max(1, matrix.shape[0] // SAMPLED)]
    return unit_rows(some) if similarity == "cosine" else some
