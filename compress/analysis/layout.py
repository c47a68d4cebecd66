"""UMAP by umap-learn (McInnes, Healy and Melville 2018) that begins within seconds: neighbours are exact and found by products of
matrices, rows start from given places, and what umap-learn compiles is kept on disk, once a machine."""

import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from types import ModuleType

import numpy as np

NEIGHBOURS = 15  # of a row, itself among them
EXACT = 100_000  # rows up to which neighbours are exact
PROBES = 32  # lists of rows looked at for each row of a larger matrix
BESIDE = 0.05  # how far from the row that it is nearest to one is placed which is not laid out


def nearest_rows(unit: np.ndarray, others: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` rows of `unit` (n, d) with the largest cosines to each of `others` (m, d), the largest first, and the cosines:
    both (m, count). All rows are of length 1."""
    import faiss

    n, dim = unit.shape
    if n <= EXACT:
        cosines, rows = faiss.knn(others, unit, count, metric=faiss.METRIC_INNER_PRODUCT)
        return rows, cosines
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, int(4 * n**0.5), faiss.METRIC_INNER_PRODUCT)
    index.train(unit[:: n // EXACT + 1])
    index.add(unit)
    index.nprobe = PROBES
    cosines, rows = index.search(others, count)
    return rows, cosines


def placed_beside(places: np.ndarray, unit: np.ndarray, others: np.ndarray, seed: int) -> np.ndarray:
    """Places (m, 2) for the rows `others` (m, d), each beside that of the row of `unit` (n, d) which is nearest to it."""
    rows, _ = nearest_rows(unit, others, 1)
    return places[rows[:, 0]] + BESIDE * np.random.default_rng(seed).standard_normal((len(others), 2)).astype(np.float32)


def lay_out(
    start: np.ndarray, unit: np.ndarray, epochs: int, seed: int, told: Callable[[float], None], rate: float = 1.0
) -> np.ndarray:
    """The places (n, 2) float32 of rows `unit` (n, d) of length 1, from where they `start` (n, 2), stretched to a square.
    told: the share that is done. rate: of the first steps, which fall to none; small ones leave groups where they are."""
    count = min(NEIGHBOURS, len(unit))
    rows, cosines = with_itself(*nearest_rows(unit, unit, count))
    apart = 1e-4 * np.random.default_rng(seed).standard_normal(start.shape)  # equal places would have no side to stretch
    mapper = umap_learn().UMAP(
        n_neighbors=count,
        min_dist=0.05,
        metric="cosine",
        init=(start + apart).astype(np.float32),
        n_epochs=epochs,
        learning_rate=rate,
        random_state=seed,
        n_jobs=1,
        precomputed_knn=(rows, np.maximum(1 - cosines, 0)),
        verbose=True,
        tqdm_kwds={"file": Epochs(told), "bar_format": "{n_fmt}/{total_fmt}", "mininterval": 0.2},
    )
    with redirect_stdout(StringIO()), warnings.catch_warnings():  # it prints its stages, and warns that it cannot place other rows
        warnings.simplefilter("ignore")
        return mapper.fit_transform(unit).astype(np.float32)


def with_itself(rows: np.ndarray, cosines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours (n, c) of rows among themselves with each row its own first, which others that are equal may have driven back."""
    own, n = rows == np.arange(len(rows))[:, None], len(rows)
    place = np.where(own.any(axis=1), own.argmax(axis=1), rows.shape[1] - 1)
    rows, cosines = rows.astype(np.int32), cosines.astype(np.float32)
    rows[np.arange(n), place], cosines[np.arange(n), place] = rows[:, 0], cosines[:, 0]
    rows[:, 0], cosines[:, 0] = np.arange(n), 1
    return rows, cosines


@cache
def umap_learn() -> ModuleType:
    """umap-learn, with all that it compiles kept on disk by numba: of itself it compiles most of that in every process, for half a
    minute."""
    import umap
    from numba.core.registry import CPUDispatcher

    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "umap":
            for compiled in vars(module).values():
                if isinstance(compiled, CPUDispatcher):
                    compiled.enable_caching()
    return umap


class Epochs:
    """A file that a progress bar writes "done/all" to, told on as a share."""

    def __init__(self, told: Callable[[float], None]):
        self.told = told

    def write(self, text: str) -> None:
        done, _, total = text.strip().partition("/")
        if done.isdigit() and total.isdigit():
            self.told(int(done) / max(int(total), 1))

    def flush(self) -> None:
        pass
