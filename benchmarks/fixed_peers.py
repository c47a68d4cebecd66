"""What people would pick instead, as it is: a table by another program's own format or search, decoded, with all its bytes.

What faiss draws from a seed, a rotation say, counts nothing; codebooks, norms and labels count as they would be kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import faiss
import numpy as np

from compress import EmbeddingMatrix, Method
from compress.coding import packing
from compress.methods import BlockFormats, Groups

Encoder = Callable[[np.ndarray], tuple[int, np.ndarray]]  # of values (n, d): bytes, and the values decoded


@dataclass(frozen=True, eq=False)
class Peer:
    """A table by some other program: its name, its bytes and what it decodes to (n, d)."""

    name: str
    n_bytes: int
    values: np.ndarray


def peers(matrix: EmbeddingMatrix) -> Iterator[tuple[str, Callable[[], Peer]]]:
    """Every peer of a matrix by name, made when it is called: those that a language model's users would pick first."""
    n, d = matrix.shape
    kept = [BlockFormats(name) for name in BlockFormats.precisions(n, d)["format"]]
    zeros = [("none", 32), ("range", 32), ("range", 64), ("hqq", 32), ("hqq", 64)]
    for method in [*kept, *(Groups(bits, group, zero) for bits in (4, 3, 2) for zero, group in zeros)]:
        yield str(method), partial(by_method, matrix, method)
    part = divisor(d)
    others: dict[str, Encoder] = {
        **{f"EDEN, {bits} bits": partial(eden, bits=bits) for bits in (4, 3, 2, 1)},
        **{f"TurboQuant, {bits} bits": partial(turbo_quant, bits=bits) for bits in (4, 3, 2, 1)},
        "RaBitQ": rabitq,
        "PRQ, 4 of 256 a part": partial(additive, kind=plain_residuals, sizes=(d // part, 4, 8), taught=8192),
        "PRQ, 2 of 256 a part": partial(additive, kind=faiss.ProductResidualQuantizer, sizes=(d // part, 2, 8)),
        "PLSQ, 2 of 256 a part": partial(additive, kind=faiss.ProductLocalSearchQuantizer, sizes=(d // part, 2, 8), taught=8192),
        "LSQ, 16 of 64": partial(additive, kind=faiss.LocalSearchQuantizer, sizes=(16, 6)),
        **{f"tensor train, rank {rank}": partial(tensor_train, rank=rank) for rank in (4, 3, 2, 1)},
        "row k-means, a sixteenth of the rows": partial(row_means, count=n // 16),
        "row k-means, an eighth of the rows": partial(row_means, count=n // 8),
    }
    for name, encode in others.items():
        yield name, partial(by_encoder, matrix, name, encode)


def divisor(d: int) -> int:
    """The largest number up to 8 that divides the columns."""
    return next(length for length in range(8, 0, -1) if d % length == 0)


def by_method(matrix: EmbeddingMatrix, method: Method) -> Peer:
    result = method.fit(matrix)
    return Peer(str(result.method), result.n_bytes, result.reconstruct())


def by_encoder(matrix: EmbeddingMatrix, name: str, encode: Encoder) -> Peer:
    values = np.ascontiguousarray(matrix.values, np.float32)
    return Peer(name, *encode(values))


def eden(values: np.ndarray, bits: int) -> tuple[int, np.ndarray]:
    """EDEN (S. Vargaftik et al., 2022), of its two scales the one that loses less."""
    index = faiss.IndexEDEN(values.shape[1], faiss.METRIC_L2, bits, faiss.EDENScaleType_BIASED)
    return coded(index, values)


def turbo_quant(values: np.ndarray, bits: int) -> tuple[int, np.ndarray]:
    """TurboQuant for least squares (A. Zandieh et al., 2025) of rows of length 1, whose lengths are kept in float16."""
    lengths = np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-30).astype(np.float32)
    index = faiss.IndexScalarQuantizer(values.shape[1], getattr(faiss.ScalarQuantizer, f"QT_{bits}bit_tqmse"))
    n_bytes, decoded = coded(index, values / lengths)
    return n_bytes + 2 * len(values), decoded * lengths.astype(np.float16).astype(np.float32)


def rabitq(values: np.ndarray) -> tuple[int, np.ndarray]:
    """RaBitQ (J. Gao and C. Long, 2024), one bit a number; the centre of the rows counts."""
    n_bytes, decoded = coded(faiss.IndexRaBitQ(values.shape[1], faiss.METRIC_L2), values)
    return n_bytes + 4 * values.shape[1], decoded


def coded(index: faiss.Index, values: np.ndarray) -> tuple[int, np.ndarray]:
    """Rows by the codes of an index."""
    index.train(values)
    codes = index.sa_encode(values)
    return codes.nbytes, index.sa_decode(codes)


def additive(values: np.ndarray, kind: Callable, sizes: tuple[int, ...], taught: int = 16384) -> tuple[int, np.ndarray]:
    """Rows, or each of some parts of them, as sums of vectors, which take 16 bits a number. sizes: how many parts, where there are
    several, how many vectors are added, and the bits that tell which. taught: rows that it is trained on, about."""
    coder = kind(values.shape[1], *sizes)
    coder.train(values[:: max(len(values) // taught, 1)])
    codes = coder.compute_codes(values)
    return codes.nbytes + 2 * sizes[-2] * 2 ** sizes[-1] * values.shape[1], coder.decode(codes)


def plain_residuals(*sizes: int) -> faiss.ProductResidualQuantizer:
    """PRQ whose codebooks are found by k-means at once, not in more dimensions step by step: in parts of 8 numbers that takes ten
    times as long and finds none that are better."""
    coder = faiss.ProductResidualQuantizer(*sizes)
    for part in range(coder.nsplits):
        faiss.downcast_AdditiveQuantizer(coder.subquantizer(part)).train_type = faiss.ResidualQuantizer.Train_default
    return coder


def tensor_train(values: np.ndarray, rank: int) -> tuple[int, np.ndarray]:
    """Each row a train of three tensors in float16, by successive singular value decompositions, as TensorGPT keeps rows (M. Xu,
    Y. L. Xu and D. P. Mandic, 2023). rank: of both joints, at most."""
    n, d = values.shape
    first = divisor(d)
    second = divisor(d // first)
    left, sizes, right = np.linalg.svd(values.reshape(n, first, -1), full_matrices=False)
    one = left[:, :, :rank]
    rest = (sizes[:, :rank, None] * right[:, :rank]).reshape(n, one.shape[2] * second, -1)
    left, sizes, right = np.linalg.svd(rest, full_matrices=False)
    two, three = left[:, :, :rank], sizes[:, :rank, None] * right[:, :rank]
    one, two, three = (each.astype(np.float16).astype(np.float32) for each in (one, two, three))
    joined = (two @ three).reshape(n, one.shape[2], -1)
    return 2 * (one.size + two.size + three.size), (one @ joined).reshape(n, d)


def row_means(values: np.ndarray, count: int) -> tuple[int, np.ndarray]:
    """Each row the nearest of `count` means, in float16, as model2vec's quantized vocabulary is."""
    means = faiss.Kmeans(values.shape[1], count, niter=8, seed=0, max_points_per_centroid=len(values), min_points_per_centroid=1)
    means.train(values)
    _, labels = means.index.search(values, 1)
    kept = means.centroids.reshape(count, -1).astype(np.float16)
    n_bytes = kept.nbytes + (len(values) * packing.width(count) + 7) // 8
    return n_bytes, kept[labels[:, 0]].astype(np.float32)
