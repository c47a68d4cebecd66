"""Settings that reach every way of storing a result, and values that no setting takes, by method."""

from compress import (
    SVD,
    Dimensions,
    Int4,
    Int8,
    LightToken,
    LpLowRank,
    OptimizedProductQuantization,
    ProductQuantization,
    ProjectiveClustering,
    ResidualQuantization,
    Trellis,
)
from compress.coding.factors import BITS

CASES = {
    "svd": [*(SVD(j=3, factor_bits=bits) for bits in BITS), SVD(j=1), SVD(j=11)],
    "projective": [
        *(ProjectiveClustering(k=3, j=3, restarts=2, factor_bits=bits) for bits in BITS),
        *(ProjectiveClustering(k=4, j=3, affine=True, restarts=2, factor_bits=bits) for bits in BITS),
        ProjectiveClustering(k=1, j=3, factor_bits=4),
        ProjectiveClustering(k=1, j=2, affine=True),
        ProjectiveClustering(k=2, j=11, restarts=1),
        ProjectiveClustering(k=2, j=2, p=1.0, restarts=1, factor_bits=8),
        ProjectiveClustering(k=2, j=2, loss="tukey", restarts=1),
        ProjectiveClustering(k=1, j=2, loss="huber", scale=0.5),
        ProjectiveClustering(k=9, j=1, restarts=1, steps=1, seed=5),
    ],
    "lp": [
        *(LpLowRank(j=3, p=1.0, objective="rows", factor_bits=bits) for bits in BITS),
        *(LpLowRank(j=3, p=1.0, factor_bits=bits) for bits in BITS),
        LpLowRank(j=2, p=1.5, start="lowner"),
        LpLowRank(j=2, p=3.0, objective="rows"),
        LpLowRank(j=2, p=3.0),
        LpLowRank(j=4, p=2.0),
        LpLowRank(j=11, p=1.0),
        LpLowRank(j=1, p=5.0, steps=1),
        LpLowRank(j=2, p=1.2, objective="rows", steps=0),
    ],
    "light_token": [
        *(
            LightToken(bits=bits, rank=rank, factor_bits=kept, passes=3)
            for bits, rank, kept in ((16, 0, 8), (13, 2, 16), (21, 11, 8), (0, 3, 8), (0, 3, 16), (1, 0, 16))
        ),
        LightToken(bits=20, stages=3, passes=2, gain_bits=0),
        LightToken(bits=20, stages=2, passes=2, loss="direction", gain_bits=3),
        LightToken(bits=12, stages=2, solver="paper", epochs=2),
        LightToken(bits=12, rank=2, solver="paper", loss="direction", epochs=2, factor_bits=16),
    ],
    "trellis": [
        *(Trellis(rate=rate, states=256) for rate in (0.8, 1.2, 4.0, 14.0)),
        Trellis(rate=6.0, classes=1, states=1024, seed=3),
        Trellis(rate=8.0, classes=5),
    ],
    "pq": [
        ProductQuantization(parts=11, code_bits=3, steps=4),
        ProductQuantization(parts=1, code_bits=7, codebook_bits=32, seed=3),
    ],
    "opq": [
        OptimizedProductQuantization(parts=11, code_bits=3, steps=4),
        OptimizedProductQuantization(parts=2, code_bits=5, codebook_bits=32, dims=6, seed=3),
        OptimizedProductQuantization(parts=1, code_bits=1, dims=1),
    ],
    "rq": [
        ResidualQuantization(parts=5, code_bits=3, steps=4),
        ResidualQuantization(parts=2, code_bits=5, codebook_bits=32, beam=1, seed=3),
        ResidualQuantization(parts=1, code_bits=1, steps=1),
    ],
    "int8": [Int8()],
    "int4": [Int4()],
    "dimensions": [
        *(Dimensions(kept=7, factor_bits=bits) for bits in BITS),
        Dimensions(kept=1, seed=3),
        Dimensions(kept=4, over="largest", factor_bits=8),
        Dimensions(kept=11, factor_bits=32),
    ],
}
CODED = {
    "parts": [0, -1, 2.5, "8", None, True],
    "code_bits": [0, 13, 8.0, None, True],
    "codebook_bits": [0, 8, 16.0, "16", None, True],
    "steps": [0, 1001, 2.0, None],
    "seed": [-1, 2**32, 0.0, None],
}
BAD = {
    "svd": {"j": [0, -1, 2.5, "three", None, True], "factor_bits": [0, 12, 16.0, "16", None, True]},
    "projective": {
        "k": [0, 65537, 2.0, None, True],
        "j": [0, -3, 1.5, None],
        "affine": [2, 0.5, "yes", None],
        "loss": ["l1", "", None, 1],
        "p": [0.99, 0, -1, float("nan"), float("inf"), 33, "1", None, True],
        "scale": [0, -1.0, float("nan"), float("inf"), "far", True],
        "restarts": [0, 1001, 1.0, None],
        "steps": [0, 1001, "12"],
        "factor_bits": [3, 32.0, None],
        "seed": [-1, 2**32, 0.0, None],
    },
    "lp": {
        "j": [0, -1, 2.5, None, True],
        "p": [0.99, 0, -1, float("nan"), float("inf"), 33, "1", None, True],
        "objective": ["row", "", None, 1],
        "start": ["svd", None, 0],
        "steps": [-1, 1001, 1.0, None],
        "factor_bits": [0, 12, 16.0, None],
        "seed": [-1, 2**32, 0.0, None],
    },
    "light_token": {
        "rank": [-1, 1.5, None, True],
        "bits": [-1, 2.5, "8", None, True],
        "stages": [0, 1025, 1.0, None, 400],
        "loss": ["cosine", None, 1],
        "solver": ["itq", None],
        "temperature": [0, 1.5, float("nan"), "hot", None],
        "epochs": [0, 2.0, None],
        "passes": [0, 1001, 2.0, None],
        "gain_bits": [-1, 9, 1.0, None],
        "factor_bits": [64, 4, 8.0, None],
        "seed": [-1, 2**32, 0.0, None],
    },
    "trellis": {
        "rate": [0, -1.0, float("nan"), float("inf"), "2", None, True],
        "classes": [0, 257, 2.0, None, True],
        "states": [0, 512, 1024.0, None],
        "seed": [-1, 2**32, 0.0, None],
    },
    "pq": CODED,
    "opq": CODED | {"dims": [0, -1, 2.0, "8", True]},
    "rq": CODED | {"beam": [0, 65, 1.0, None, True]},
    "int8": {},
    "int4": {},
    "dimensions": {
        "kept": [0, -1, 2.5, "8", None, True],
        "over": ["least", "", None, 1],
        "factor_bits": [0, 12, 16.0, "16", None, True],
        "seed": [-1, 2**32, 0.0, None],
    },
}
