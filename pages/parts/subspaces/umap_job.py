"""UMAP coordinates of all rows: from a job, kept on disk for next time."""

import numpy as np

from compress import EmbeddingMatrix
from compress.sources.weights import UNIFORM
from pages.parts.cached import cached
from pages.parts.kept import cache_folder
from pages.parts.work import jobs


def umap_positions(matrix: EmbeddingMatrix) -> np.ndarray | None:
    """The map where it is on disk; else its job is started, unless that was stopped or failed."""
    # by the digest alone: the job opens the matrix with uniform weights, since a map is for the eye
    path = cache_folder("maps") / f"{matrix.digest}.npy"
    if path.exists():
        positions = read(str(path), path.stat().st_mtime_ns)
        if positions is not None and positions.shape == (matrix.shape[0], 2):
            return positions
        path.unlink()
    jobs.run("map", matrix, name="umap", key=matrix.digest, again=False, weights=UNIFORM, out=path)
    return None


@cached(4)
def read(path: str, written: int) -> np.ndarray | None:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError):
        return None
