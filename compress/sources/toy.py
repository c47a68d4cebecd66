"""Points planted around flats, made by code: what a method should find is known."""

import numpy as np

from compress.errors import InputError
from compress.sources.choice.info import Read, TensorInfo

N_ROWS, K, J, DIM = 3000, 4, 3, 30  # of the toy matrix
INFO = TensorInfo("embedding", (N_ROWS, DIM), "float32")


def planted(
    n_rows: int = N_ROWS,
    k: int = K,
    j: int = J,
    dim: int = DIM,
    noise: float = 0.01,
    outliers: float = 0.03,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows around k random flats of dimension j, in random order, and some that lie near none.

    A row of flat c is Vc·u + noise·e with Vc (dim, j) orthonormal and u, e standard normal; an outlier is e alone.
    noise: standard deviation of each entry around the flat. outliers: share of the rows, in [0, 1).
    Returns values (n_rows, dim) float32 and labels (n_rows,): 0 … k−1, or −1 for an outlier. Flats differ in size by at
    most one row. Raises ValueError naming the setting that is out of bounds.
    """
    bounds = {
        "n_rows must be at least 2": n_rows >= 2,
        f"k must be between 1 and n_rows ({n_rows})": 1 <= k <= n_rows,
        f"j must be between 1 and dim ({dim})": 1 <= j <= dim,
        "noise must be at least 0": noise >= 0,
        "outliers must be at least 0 and less than 1": 0 <= outliers < 1,
    }
    for bound, held in bounds.items():
        if not held:
            given = {"n_rows": n_rows, "k": k, "j": j, "noise": noise, "outliers": outliers}[bound.split()[0]]
            raise ValueError(f"{bound}, got {given}")
    rng = np.random.default_rng(seed)
    labels = np.arange(n_rows) % k
    labels[: round(outliers * n_rows)] = -1
    labels = rng.permutation(labels)
    values = rng.standard_normal((n_rows, dim))
    values[labels >= 0] *= noise
    for label in range(k):
        basis, _ = np.linalg.qr(rng.standard_normal((dim, j)))  # (dim, j)
        inside = labels == label
        values[inside] += rng.standard_normal((inside.sum(), j)) @ basis.T
    return values.astype(np.float32), labels


def infos(_: str) -> list[TensorInfo]:
    """The one tensor of the toy matrix."""
    return [INFO]


def read(_: str, tensor: str | None) -> Read:
    """The toy matrix; tokens "flat 2 · 17" and "outlier 5", all counted from 1."""
    if tensor not in (None, INFO.name):
        raise InputError(f"The toy matrix has the one tensor {INFO.name}, not {tensor!r}; leave the tensor out.")
    values, labels = planted()
    counts = dict.fromkeys(range(-1, K), 0)
    tokens = []
    for label in labels.tolist():
        counts[label] += 1
        tokens.append(f"outlier {counts[label]}" if label < 0 else f"flat {label + 1} · {counts[label]}")
    return Read(values, tokens, "row")
