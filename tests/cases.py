"""Settings that reach every way of storing a result, and values that no setting takes, by method."""

from compress import METHODS, SVD, evaluate
from compress.coding.factors import BITS

CASES = {name: method.examples() for name, method in METHODS.items()}
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
    "trimmed": {
        "rows": [1, 0, -3, 2.5, "9", None, True],
        "of": ["", "nothing", "svd:30", "trimmed", 3, None],
        "at": [-1.0, float("nan"), "2", True],
    },
    "int8": {},
    "int4": {},
    "groups": {"bits": [0, 5, 4.0, "4", None, True], "group": [0, 48, 32.0, None], "zero": ["", "min", None, 0]},
    "blocks": {"format": ["", "q4_0", "Q9_0", None, 4]},
    "dimensions": {
        "kept": [0, -1, 2.5, "8", None, True],
        "over": ["least", "", None, 1],
        "factor_bits": [0, 12, 16.0, "16", None, True],
        "seed": [-1, 2**32, 0.0, None],
    },
}


def svd_by_fits(matrix, n_bytes):
    """SVD in at most so many bytes with the least error by what fits lower, and that error: of fits at every precision, each with
    the largest j."""
    n, d = matrix.shape
    found = {}
    for bits in BITS:
        js = [j for j in range(1, min(n, d) + 1) if SVD(j=j, factor_bits=bits).size(n, d) <= n_bytes]
        if js:
            method = SVD(j=js[-1], factor_bits=bits)
            found[method] = evaluate(matrix, method.fit(matrix)).weighted_error
    return min(found.items(), key=lambda each: each[1])
