"""Two coordinates for every row, to draw a map with."""

import numpy as np

from compress.errors import Progress, Step
from compress.linalg import blocks, eigen
from compress.matrix import EmbeddingMatrix

DIMENSIONS = 64  # leading principal directions that UMAP is given


def pca_map(matrix: EmbeddingMatrix) -> np.ndarray:
    """Each row's coordinates along two principal axes of the centred rows: (n, 2) float32."""
    assert matrix.weights is not None
    mean = matrix.weights @ matrix.values / matrix.weights.sum()
    centred = matrix.gram - matrix.weights.sum() * np.outer(mean, mean)
    axes = eigen.eigenvectors(centred)[:, :2]
    axes = axes if matrix.shape[1] > 1 else np.hstack([axes, 0 * axes])
    return blocks.project(matrix.values, axes, matrix.device) - (mean @ axes).astype(np.float32)


def umap_map(matrix: EmbeddingMatrix, seed: int = 0, progress: Progress | None = None) -> np.ndarray:
    """UMAP of the rows by cosine distance within their leading 64 principal directions: (n, 2) float32 (McInnes, Healy and Melville
    2018). The same seed gives the same map."""
    import umap

    tell = progress or (lambda step: None)
    words = "finding neighbours; the first map takes longest"
    tell(Step(0.1, words, {"stage": "neighbours", "done": 0.0}))
    leading = blocks.project(matrix.values, matrix.axes[:, :DIMENSIONS], matrix.device)
    neighbours = min(15, len(leading) - 1)
    told = {"file": Epochs(tell), "bar_format": "{n_fmt}/{total_fmt}", "mininterval": 0.2}
    settings = {"n_neighbors": neighbours, "min_dist": 0.05, "metric": "cosine", "init": "pca", "random_state": seed}
    mapper = umap.UMAP(**settings, n_jobs=1, verbose=True, tqdm_kwds=told)
    return mapper.fit_transform(leading).astype(np.float32)


class Epochs:
    """A file that a progress bar writes "done/all" to, told on as the share of the layout that is done."""

    def __init__(self, tell: Progress):
        self.tell = tell

    def write(self, text: str) -> None:
        done, _, total = text.strip().partition("/")
        if done.isdigit() and total.isdigit():
            share = int(done) / max(int(total), 1)
            self.tell(Step(0.4 + 0.6 * share, f"laying out, {share:.0%}", {"stage": "layout", "done": share}))

    def flush(self) -> None:
        pass
