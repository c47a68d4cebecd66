"""What people would pick instead, at its best: product codes and their kin within so many bytes."""

import tempfile
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

from compress import Compressed, EmbeddingMatrix, OptimizedProductQuantization, ProductQuantization, ResidualQuantization, evaluate
from compress.threads import one_thread

BITS, TIGHT, STEPS, FINAL = (4, 5, 6, 7, 8), 0.9, 2, 3
PQ, OPQ, RQ = ProductQuantization, OptimizedProductQuantization, ResidualQuantization
PEERS = {  # the settings with the least error within a ratio that were found among all parts, codes of 4 to 9 bits, and dims
    12.5: (PQ(parts=192, code_bits=5), OPQ(parts=125, code_bits=7, dims=375)),
    25: (PQ(parts=64, code_bits=7), OPQ(parts=64, code_bits=6), OPQ(parts=70, code_bits=6, dims=280), RQ(parts=67, code_bits=4)),
    40: (PQ(parts=48, code_bits=6), OPQ(parts=32, code_bits=6), OPQ(parts=52, code_bits=5, dims=208), RQ(parts=42, code_bits=4)),
    100: (PQ(parts=16, code_bits=6), OPQ(parts=17, code_bits=6, dims=85), RQ(parts=26, code_bits=3)),
}


def file_bytes(result: Compressed) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return result.save(Path(folder) / "x.safetensors")


def error(matrix: EmbeddingMatrix, result: Compressed) -> float:
    return evaluate(matrix, result).relative_error


def best_product_codes(matrix: EmbeddingMatrix, n_bytes: float, turned: bool = True) -> Compressed:
    """The PQ with the least error in so many bytes, 4 to 8 bits a code; with `turned` also OPQ, on all and on fewer dimensions,
    where it takes nearly all of the bytes. The best after a few steps are fitted in full."""
    n, d = matrix.shape
    plain = {ProductQuantization(code_bits=bits).within(n, d, n_bytes) for bits in BITS}
    dims = (None, *(d * part // 20 for part in range(8, 20, 2))) if turned else ()
    kinds = [OptimizedProductQuantization(code_bits=bits, dims=each) for bits, each in product(BITS, dims)]
    tight = {each for kind in kinds if (each := kind.within(n, d, n_bytes)) and each.size(n, d) > TIGHT * n_bytes}
    with one_thread():
        drafted = sorted((plain | tight) - {None}, key=lambda each: error(matrix, replace(each, steps=STEPS).fit(matrix)))
        return min((each.fit(matrix) for each in drafted[:FINAL]), key=partial(error, matrix))
