"""UMAP coordinates of all rows: shipped, kept on disk, or from a job."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress import EmbeddingMatrix, cache
from compress.analysis.scatter import FIRST, shipped_map
from compress.sources.weights import UNIFORM
from pages.parts.cached import cached
from pages.parts.work import jobs
from pages.parts.work.ahead import await_file


@dataclass(frozen=True, eq=False)
class Umap:
    """positions: (n, 2). whole: whether all rows are laid out; in a first map some are, and each of the others lies beside its
    nearest."""

    positions: np.ndarray
    whole: bool


def umap_of(matrix: EmbeddingMatrix) -> Umap | None:
    """The best map there is by now. A first one is asked for where there is none, unless that was stopped or failed, and one of all
    rows ahead."""
    shipped = shipped_map(matrix)
    if shipped is not None:
        return Umap(shipped, True)
    path = path_of(matrix, whole=True)
    positions = on_disk(path, matrix)
    if positions is not None:
        return Umap(positions, True)
    positions = on_disk(path_of(matrix, whole=False), matrix)
    if positions is not None:
        await_file("umap", path, jobs.arguments("map", matrix, weights=UNIFORM, out=path))
        return Umap(positions, False)
    first = FIRST if matrix.shape[0] > FIRST else None
    ask(matrix, whole=first is None, again=False, urgent=True, rows=first)
    return None


def lay_out_all(matrix: EmbeddingMatrix) -> None:
    """Asks for a map of all rows at once."""
    ask(matrix, whole=True)


def ask(matrix: EmbeddingMatrix, whole: bool, **options) -> None:
    path = path_of(matrix, whole)
    jobs.run("map", matrix, name="umap", key=path.stem, weights=UNIFORM, out=path, **options)


def path_of(matrix: EmbeddingMatrix, whole: bool) -> Path:
    """Where a map is kept: by the digest alone, for the job opens the matrix with uniform weights, since a map is for the eye."""
    return cache.folder("maps") / f"{matrix.digest}{'' if whole else '-first'}.npy"


def job_key(matrix: EmbeddingMatrix, umap: Umap | None) -> str:
    """What the job of the map that comes next works on."""
    return path_of(matrix, umap is not None or matrix.shape[0] <= FIRST).stem


def on_disk(path: Path, matrix: EmbeddingMatrix) -> np.ndarray | None:
    if not path.exists():
        return None
    jobs.use(path)
    positions = read(str(path), path.stat().st_mtime_ns)
    if positions is None or positions.shape != (matrix.shape[0], 2):
        path.unlink()
        return None
    return positions


@cached(4)
def read(path: str, written: int) -> np.ndarray | None:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError):
        return None
