"""Two coordinates for every row, to draw a map with."""

from functools import partial
from pathlib import Path

import numpy as np

from compress.errors import Progress, Step
from compress.linalg import blocks, eigen
from compress.linalg.lazy import Table
from compress.matrix import EmbeddingMatrix

DIMENSIONS = 64  # leading principal directions that UMAP is given
LARGE, SAMPLE = 100_000, 50_000  # rows from which on principal axes are those of a sample, and how many that takes
FIRST = 5_000  # rows that are laid out before all are
MANY = 10_000  # rows from which on a map takes fewer epochs
FEW, MORE = 200, 500  # epochs
GENTLE = 0.25  # of the step of a first map, that of a map of all rows: groups stay where they are
SHIPPED, VERSION = Path(__file__).parent / "maps", 1  # version: one more where maps come out different


def pca_map(matrix: EmbeddingMatrix) -> np.ndarray:
    """Each row's coordinates along two principal axes of the centred rows: (n, 2) float32. Of a large matrix the axes are those of
    50,000 rows taken by chance: their angle to the axes of all is smaller than a map shows."""
    values: Table = matrix.rows
    weights, gram = matrix.weights, None
    if matrix.shape[0] > LARGE:
        rows = blocks.sample_rows(matrix.shape[0], SAMPLE, np.random.default_rng(0))
        values, weights = np.ascontiguousarray(values[rows]), weights[rows]
        gram = blocks.gram(values, weights if matrix.weighted else None, matrix.device)
    mean = sum((weights[at] @ block for at, block in blocks.walk(values)), np.zeros(matrix.shape[1])) / weights.sum()
    centred = (matrix.gram if gram is None else gram) - weights.sum() * np.outer(mean, mean)
    axes = eigen.eigenvectors(centred)[:, :2]
    axes = axes if matrix.shape[1] > 1 else np.hstack([axes, 0 * axes])
    return blocks.project(matrix.rows, axes, matrix.device) - (mean @ axes).astype(np.float32)


def umap_map(matrix: EmbeddingMatrix, seed: int = 0, progress: Progress | None = None, rows: int | None = None) -> np.ndarray:
    """UMAP of the rows by cosine distance within their leading 64 principal directions: (n, 2) float32, see `layout`. The same seed
    gives the same map.

    rows: how many of them are laid out, taken by chance; each of the others is placed beside its nearest. All unless given: then
    they begin where 5,000 and the others beside them came to lie, so that groups lie where they lay in that first map.
    """
    from compress.analysis import layout

    if rows is not None and rows < 1:
        raise ValueError(f"rows must be 1 or more, got {rows}")
    tell = progress or (lambda step: None)
    tell(Step(0.0, "finding neighbours", {"stage": "neighbours", "done": 0.0}))
    n, places = matrix.shape[0], in_box(pca_map(matrix))
    if n < 4:
        return places  # too few for neighbours
    unit = blocks.unit_rows(blocks.project(matrix.rows, matrix.axes[:, :DIMENSIONS], matrix.device))
    first, epochs = min(n, rows or FIRST), FEW if n > MANY else MORE
    todo = [FEW * first, epochs * n if rows is None else 0] if first < n else [epochs * n, 0]

    def told(stage: int, done: float) -> None:
        share = (sum(todo[:stage]) + done * todo[stage]) / sum(todo)
        tell(Step(share, f"laying out, {share:.0%}", {"stage": "layout", "done": share}))

    if first == n:
        return layout.lay_out(places, unit, epochs, seed, partial(told, 0))
    chosen = np.zeros(n, bool)
    chosen[np.random.default_rng(seed).permutation(n)[:first]] = True
    places[chosen] = layout.lay_out(places[chosen], unit[chosen], FEW, seed, partial(told, 0))
    places[~chosen] = layout.placed_beside(places[chosen], unit[chosen], unit[~chosen], seed)
    return layout.lay_out(places, unit, epochs, seed, partial(told, 1), GENTLE) if todo[1] else places


def in_box(positions: np.ndarray) -> np.ndarray:
    """Positions (n, 2) stretched to fill a square of side 10, as float32."""
    sides = np.ptp(positions, axis=0)
    return (10 * (positions - positions.min(axis=0)) / np.where(sides > 0, sides, 1)).astype(np.float32)


def in_two_bytes(positions: np.ndarray) -> np.ndarray:
    """Positions (n, 2) as uint16, the longer side of their box 65,535 steps long."""
    low = positions.min(axis=0)
    return np.rint((positions - low) / (np.ptp(positions, axis=0).max() or 1) * 65535).astype(np.uint16)


def shipped_map(matrix: EmbeddingMatrix) -> np.ndarray | None:
    """The UMAP map of a matrix that ships with this program, (n, 2) uint16; None where none does. The demo's was made by
    `python -m compress map demo --small --out compress/analysis/maps/DIGEST-VERSION.npy`."""
    path = SHIPPED / f"{matrix.digest}-{VERSION}.npy"
    return np.load(path, allow_pickle=False) if path.exists() else None
