"""A faiss index of the stored codes, for methods whose code faiss has: PQ, OPQ and RQ. It finds what search among the decoded rows
finds, by ℓ2 or by inner product, and holds no more than codes and codebooks in float32."""

from typing import Any

import numpy as np

from compress.checks import one_of
from compress.errors import InputError
from compress.form.compressed import Compressed

INDEXED = ("pq", "opq", "rq")
METRICS = ("l2", "ip")


def search_index(result: Compressed, metric: str = "l2") -> Any:
    """The faiss index of a compressed form. Raises InputError for a method that faiss has no code of, or for numbers that its
    float32 cannot hold."""
    import faiss

    one_of("metric", metric, METRICS)
    method: Any = result.method
    if method.name not in INDEXED:
        raise InputError(f"faiss has no code of {method.label}; PQ, OPQ and RQ become an index, for others take search.py.")
    n, d = result.shape
    by = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    books = np.ldexp(method.read_books(result.arrays), result.exponent).astype(np.float32)
    if not np.isfinite(books).all():
        raise InputError("The codebooks have numbers beyond float32, which faiss computes in; take search.py.")
    index: Any
    codes = method.read_codes(result.arrays, np.arange(n)) - 2**method.code_bits * np.arange(method.parts)
    packed = faiss.pack_bitstrings(codes.astype(np.int32), method.code_bits)
    if method.name == "rq":
        index = faiss.IndexResidualQuantizer(d, method.parts, method.code_bits, by)
        faiss.copy_array_to_vector(books.ravel(), index.rq.codebooks)
        index.rq.is_trained = index.is_trained = True
        index.add_sa_codes(packed)
        return index
    width = books.shape[1] * method.parts
    index = faiss.IndexPQ(width, method.parts, method.code_bits, by)
    faiss.copy_array_to_vector(books.ravel(), index.pq.centroids)
    index.is_trained = True
    index.add_sa_codes(packed)
    if method.name == "pq":
        return index
    turn: Any = faiss.LinearTransform(d, width, False)
    faiss.copy_array_to_vector(result.arrays["rotation"].astype(np.float32).ravel(), turn.A)
    turn.is_trained = turn.is_orthonormal = True
    whole = faiss.IndexPreTransform(turn, index)
    turn.this.disown()
    index.this.disown()
    return whole
