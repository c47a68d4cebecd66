"""The solver behind projective clustering: k flats, found by assigning every row and refitting every flat.

Plain alternation is slow to leave a poor partition, because a row pulls its own flat towards itself and so rates it too well. Two
steps (ours) mend that: a start from rows that already lie near each other, tried on a sample; and, until the last passes, a row's
distance to its own flat taken as if the flat had been fitted without it (the leave-one-out residual of least squares).

The loss stands apart (losses.py). It rises with the distance, so a row's flat is its nearest under every loss; what a loss changes
is how much the row weighs in the refit.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from compress.errors import Progress, Step
from compress.linalg import blocks, eigen
from compress.linalg.lazy import LazyRows, Table
from compress.linalg.projected import project_some
from compress.matrix import EmbeddingMatrix
from compress.solvers.lewis import lewis_axes
from compress.solvers.losses import Loss
from compress.solvers.sample import lewis_start, lowered, sample_of, scaled

SAMPLE_ROWS = 4096
PREVIEW_ROWS = 16384
SMALL = 1 << 20  # numbers of second moments that are taken along with a pass
MANY = 1 << 25  # numbers of the rows that stand for those which stay in their file
SETTLED = 1e-4  # relative fall of the cost below which a run has settled
DRAFT_WORK, DRAFT_PASSES = 4e9, 6  # products that a draft's passes over all rows may take, and how many passes at most
KMEANS = 8  # passes of k-means
HALVING = 2  # passes of a search for two flats among the rows of one
Moments: TypeAlias = tuple[np.ndarray, ...]
REWEIGHTED = 2  # refits of given groups under a loss that is no least squares


@dataclass(frozen=True, eq=False)
class Flats:
    """k flats: bases (k, r, j) with orthonormal columns; offsets (k, r), each the point of its flat nearest the origin, 0 for
    linear subspaces; leverages (k, j), how strongly a row's squared coordinates pull its flat."""

    bases: np.ndarray
    offsets: np.ndarray
    leverages: np.ndarray
    affine: bool


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that a solver works on: values (n, r); squared norms (n,) in all columns, of which `outside` (n,) lies outside these
    r and no flat here can reach it; weights (n,) or None for uniform."""

    values: Table
    norms: np.ndarray
    weights: np.ndarray | None
    outside: np.ndarray | float = 0.0
    device: str = "cpu"

    @property
    def held(self) -> np.ndarray:
        """The values, of rows that are in memory."""
        assert isinstance(self.values, np.ndarray)
        return self.values

    @property
    def weighted_norms(self) -> np.ndarray:
        return self.norms if self.weights is None else self.norms * self.weights

    @cached_property
    def floor(self) -> np.ndarray:
        """The squared distance of each row that float32 can tell from 0."""
        typical = np.median(self.norms[self.norms > 0]) if self.norms.any() else 1.0
        return 1e-6 * np.maximum(self.norms, typical)


@dataclass(frozen=True)
class Report:
    """Tells `progress`, if there is one, how far a search is: restarts on a sample, its first half where there are any, and passes
    over all rows. Each step says the cost and the scale of the loss with it."""

    progress: Progress | None
    loss: Loss
    passes: int
    restarts: int = 0

    def tell_restart(self, restart: int, step: int, rows: int, cost: float) -> None:
        """Of a step of a restart, which is counted from 0."""
        words = f"restart {restart + 1} of {self.restarts}"
        self.tell(restart / self.restarts / 2, words, {"restart": restart, "step": step, "rows": rows, "cost": cost})

    def tell_pass(self, step: int, rows: int, cost: float) -> None:
        """Of a pass over all rows, which is counted from 1."""
        share = step / max(self.passes, 1)
        words = f"pass {step} over all rows, {'error' if self.loss.plain else 'cost'} {cost:.4f}"
        figures = {"restart": None, "step": step, "rows": rows, "cost": cost}
        self.tell((1 + share) / 2 if self.restarts else share, words, figures)

    def tell(self, share: float, words: str, figures: dict[str, Any]) -> None:
        """Of any step."""
        if self.progress:
            self.progress(Step(share, words, {**figures, "scale": self.loss.scale}))


def find_flats(
    matrix: EmbeddingMatrix,
    k: int,
    j: int,
    affine: bool,
    restarts: int,
    steps: int,
    seed: int,
    loss: Loss,
    progress: Progress | None,
    axes: np.ndarray | None = None,
) -> tuple[Flats, np.ndarray, np.ndarray | None]:
    """k flats of dimension j near the rows, the label of each row's nearest flat (n,), and the row weights of the last refit.

    Each restart runs on a sample; the best goes on over all rows for at most `steps` passes: leave-one-out passes in the leading
    principal directions, then plain ones in all of them, whose cost Σ wᵢ ρ(dist) never rises. One step gives a draft: a few of the
    leave-one-out passes, as many as are quick; none has rows take the nearest of what the sample gave. Where the rows stay in their
    file, the leave-one-out passes go over some of them, drawn evenly. Where the loss has no scale yet, the distances of a
    least-squares fit give it. axes: (d, d), as columns, that the preview of one linear subspace starts at, those of Lewis weights
    unless given.
    """
    n = matrix.shape[0]
    everything = all_rows(matrix)
    if k == 1 and steps == 1 and not loss.plain and not affine:
        some = sample_of(matrix, seed=seed)
        start = (lewis_start(some) if axes is None else axes)[:, :j]
        loss = scaled(loss, some, start)
        flats = linear(lowered(some, start, loss))
        view = measure(everything, flats, loss)
        Report(progress, loss, 1).tell_pass(1, n, view.cost)
        return flats, view.labels, view.weights
    if k == 1:
        flats = refit(everything, np.zeros(n, np.int64), 1, j, affine, everything.weights)
        if not loss.plain and not affine:  # far rows have turned that one, and may never let go of it
            flats = replace(flats, bases=lewis_axes(matrix, 1.0, 2)[None, :, :j].astype(np.float32))
        flats, view = settle(everything, flats, loss, 1 if loss.plain else steps, progress)
        return flats, view.labels, view.weights

    axes = leading_axes(matrix, j)
    rng = np.random.default_rng(seed)
    drawn = np.sort(
        rng.choice(n, min(n, max(SAMPLE_ROWS, 8 * k * j)), replace=False)
    )  # a draw even of all: seeds give what they gave
    sample = rotate(everything, axes, drawn)
    if loss.needs_scale:
        trial = best_of_restarts(sample, k, j, affine, 1, 2, np.random.default_rng(seed), Report(None, Loss(), 1, 1))
        trial = preview(everything, rotate_back(trial, axes), Loss(), np.random.default_rng(seed))
        loss = estimate_scale(loss, everything, trial)
    report = Report(progress, loss, steps, restarts)
    flats = best_of_restarts(sample, k, j, affine, restarts, min(4, steps + 1), rng, report)

    stay = isinstance(everything.values, LazyRows)
    leading = rotate(everything, axes, blocks.sample_rows(n, MANY // axes.shape[1], rng) if stay else slice(None))
    passes = draft_passes(leading.values.shape, k, j) if steps == 1 else min(steps, max(1, 2 * steps // 3))
    flats, view, step = alternate(leading, flats, passes, True, replace(report, passes=max(passes, steps)))
    del leading
    if stay:
        flats, view, _ = alternate(everything, rotate_back(flats, axes), steps - step if steps > 1 else 0, False, report, step)
        return *largest_first(flats, view.labels), view.weights
    flats = refit(everything, view.labels, k, j, affine, view.weights)
    if steps <= 1:
        return *largest_first(flats, view.labels), view.weights
    flats, view, _ = alternate(everything, flats, steps - step, False, report, step)
    return *largest_first(flats, view.labels), view.weights


def draft_passes(shape: tuple[int, int], k: int, j: int) -> int:
    """How many passes over rows of that shape (n, r) a draft makes: one is not enough anywhere."""
    return max(2, min(DRAFT_PASSES, int(DRAFT_WORK / (shape[0] * shape[1] * k * j))))


def in_two(matrix: EmbeddingMatrix, members: np.ndarray, j: int, affine: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of some rows, by their numbers (m,), lie in the second of two flats of dimension j by least squares, (m,) bool, and
    the cost of each there, (m,) wᵢ dist²: a few leave-one-out passes from k-means."""
    if len(members) < 2:
        return np.zeros(len(members), bool), np.zeros(len(members))
    rows = rotate(all_rows(matrix), leading_axes(matrix, j), members)
    start = clusters(rows, 2, j, np.random.default_rng(seed))
    flats = refit(rows, start, 2, j, affine, rows.weights)
    view = alternate(rows, flats, HALVING, True, Report(None, Loss(), HALVING))[1]
    return view.labels == 1, view.costs


def leading_axes(matrix: EmbeddingMatrix, j: int) -> np.ndarray:
    """The principal directions that flats of dimension j are sought in, as columns (d, r)."""
    return matrix.axes[:, : min(matrix.shape[1], 2 * j + 64)].astype(np.float32)


def flats_of(
    matrix: EmbeddingMatrix, labels: np.ndarray, k: int, j: int, affine: bool, loss: Loss
) -> tuple[Flats, np.ndarray | None]:
    """The best flat of each of k given groups of rows, and the row weights of the last refit: the matrix's own for least squares,
    under another loss those after a few refits."""
    rows = all_rows(matrix)
    flats, weights = refit(rows, labels, k, j, affine, rows.weights), rows.weights
    for _ in range(0 if loss.plain else REWEIGHTED):
        loss = estimate_scale(loss, rows, flats) if loss.needs_scale else loss
        weights = damp(weights, measure(rows, flats, loss).weights, loss)
        flats = refit(rows, labels, k, j, affine, weights)
    return flats, weights


def linear(basis: np.ndarray) -> Flats:
    """One linear subspace, of a basis (d, j)."""
    d, j = basis.shape
    return Flats(basis[None].astype(np.float32), np.zeros((1, d), np.float32), np.zeros((1, j), np.float32), False)


def preview(everything: Rows, flats: Flats, loss: Loss, rng: np.random.Generator) -> Flats:
    """The flats refitted to some of the rows."""
    k, _, j = flats.bases.shape
    rows = take_rows(everything, blocks.sample_rows(len(everything.values), max(PREVIEW_ROWS, 32 * k * j), rng))
    view = measure(rows, flats, loss)
    return refit(rows, view.labels, k, j, flats.affine, view.weights)


def settle(rows: Rows, flats: Flats, loss: Loss, steps: int, progress: Progress | None) -> tuple[Flats, "View"]:
    """The flats carried on from where they are until the cost settles, for at most `steps` passes, and how the rows lie to them."""
    if loss.needs_scale:
        loss = estimate_scale(loss, rows, flats)
    flats, view, _ = alternate(rows, flats, steps, False, Report(progress, loss, steps))
    return flats, view


def estimate_scale(loss: Loss, rows: Rows, flats: Flats) -> Loss:
    """The loss with its scale from the distances of the rows to these flats."""
    return loss.scaled(np.maximum(measure(rows, flats, Loss()).nearest, rows.floor))


def all_rows(matrix: EmbeddingMatrix) -> Rows:
    """The rows of a matrix as they are."""
    return Rows(matrix.rows, matrix.squared_norms, matrix.weights if matrix.weighted else None, 0.0, matrix.device)


def take_rows(rows: Rows, members: np.ndarray) -> Rows:
    """Some of the rows."""
    weights = None if rows.weights is None else rows.weights[members]
    return Rows(rows.values[members], rows.norms[members], weights, 0.0, rows.device)


def largest_first(flats: Flats, labels: np.ndarray) -> tuple[Flats, np.ndarray]:
    """The same flats numbered by how many rows they hold."""
    k = len(flats.bases)
    order = np.argsort(-np.bincount(labels, minlength=k), kind="stable")
    numbers = np.empty(k, labels.dtype)
    numbers[order] = np.arange(k)
    return Flats(flats.bases[order], flats.offsets[order], flats.leverages[order], flats.affine), numbers[labels]


def rotate(rows: Rows, axes: np.ndarray, members: np.ndarray | slice = slice(None)) -> Rows:
    """The rows (or some of them) in the coordinates of the axes (d, r)."""
    weights = None if rows.weights is None else rows.weights[members]
    values, norms = project_some(rows.values, members, axes, rows.device), rows.norms[members]
    return Rows(values, norms, weights, np.maximum(norms - blocks.squared_norms(values), 0), rows.device)


def rotate_back(flats: Flats, axes: np.ndarray) -> Flats:
    """Flats in the coordinates of the axes (d, r), brought back to d columns."""
    return Flats(axes @ flats.bases, flats.offsets @ axes.T, flats.leverages, flats.affine)


def best_of_restarts(
    rows: Rows, k: int, j: int, affine: bool, restarts: int, steps: int, rng: np.random.Generator, report: Report
) -> Flats:
    """The flats of the restart that costs least on these rows, each carried on for a few steps, on few rows until it settles.
    Starts take turns: k-means, and neighbourhoods."""
    best, least, loss = None, np.inf, report.loss
    for restart in range(restarts):
        start = neighbourhoods if restart % 2 else clusters
        flats, weights = refit(rows, start(rows, k, j, rng), k, j, affine, rows.weights), rows.weights
        cost, fallen, step = np.inf, np.inf, 0
        while step < steps or (fallen > SETTLED and len(rows.values) < SAMPLE_ROWS and step < 50):
            view = measure(rows, flats, loss)
            weights = damp(weights, view.weights, loss)
            flats = refit(rows, fill_empty(view.left_out(rows), view.costs, k, j), k, j, affine, weights)
            now = view.cost
            step, fallen, cost = step + 1, (cost - now) / max(now, 1e-300), now
            report.tell_restart(restart, step, len(rows.values), cost)
        if best is None or cost < least:
            best, least = flats, cost
    assert best is not None
    return best


def alternate(rows: Rows, flats: Flats, steps: int, careful: bool, report: Report, done: int = 0) -> tuple[Flats, "View", int]:
    """Assigns and refits until the cost settles or the steps are used up: flats, how the rows lie to them, steps done in all."""
    k, _, j = flats.bases.shape
    loss = report.loss
    view = measure(rows, flats, loss)
    weights = rows.weights
    for _ in range(steps):
        done += 1
        target = fill_empty(view.left_out(rows) if careful else view.labels, view.costs, k, j)
        weights = damp(weights, view.weights, loss)
        known = view.moments if target is view.labels else None
        moved = refit(rows, target, k, j, flats.affine, weights, known)
        now = measure(rows, moved, loss)
        settled = now.cost > view.cost * (1 - SETTLED)
        if now.cost <= view.cost:
            flats, view = moved, now
        report.tell_pass(done, len(rows.values), view.cost)
        if settled:
            break
    return flats, view, done


def damp(old: np.ndarray | None, new: np.ndarray | None, loss: Loss) -> np.ndarray | None:
    """The weights of the next refit, between the last ones and those that the loss asks for where it asks to go slowly."""
    if loss.damping == 1 or new is None:
        return new
    return new**loss.damping * (1.0 if old is None else old ** (1 - loss.damping))


def refit(
    rows: Rows, labels: np.ndarray, k: int, j: int, affine: bool, weights: np.ndarray | None, moments: Moments | None = None
) -> Flats:
    """The best flat of each group of rows: the leading eigenvectors of its weighted (and centred, if affine) second moments, which
    may be known."""
    squares, sums, totals = moments or blocks.group_moments(rows.values, labels, k, weights, rows.device)
    r = rows.values.shape[1]
    bases, offsets = np.zeros((k, r, j), np.float32), np.zeros((k, r), np.float32)
    leverages = np.zeros((k, j), np.float32)
    for z in range(k):
        mean = sums[z] / max(totals[z], 1e-300)
        centred = squares[z] - totals[z] * np.outer(mean, mean) if affine else squares[z]
        values, vectors = eigen.leading(centred, j)
        rest = max(np.trace(centred) - values.sum(), 0.0) / max(r - j, 1)
        bases[z] = vectors
        if affine:
            offsets[z] = mean - vectors @ (vectors.T @ mean)
        if values[0] > 0:  # else no row of the group has a weight
            leverages[z] = 1 / np.maximum(values - rest, 1e-6 * max(values[0], 1e-30))
    return Flats(bases, offsets, leverages, affine)


def residuals(rows: Rows, flats: Flats) -> tuple[np.ndarray, np.ndarray]:
    """Squared distance of every row to every flat (n, k), and the row's pull on each flat (n, k), its leverage if it is in."""
    k, r, j = flats.bases.shape
    mix = np.zeros((k * j, 2 * k), np.float32)
    for z in range(k):
        mix[z * j : (z + 1) * j, z] = 1
        mix[z * j : (z + 1) * j, k + z] = flats.leverages[z]
    basis = flats.bases.transpose(1, 0, 2).reshape(r, k * j)
    reached = blocks.squared_projections(rows.values, basis, mix, rows.device)
    distances = rows.norms[:, None] - reached[:, :k]
    if flats.affine:  # a flat's offset is orthogonal to its basis
        distances -= 2 * blocks.project(rows.values, flats.offsets.T, rows.device)
        distances += (flats.offsets.astype(np.float64) ** 2).sum(axis=1)
    return np.maximum(distances, 0), reached[:, k:]


@dataclass(frozen=True, eq=False)
class View:
    """How rows lie to flats: squared distances (n, k) and pulls (n, k), see `residuals`; labels (n,) of the nearest flats; nearest
    (n,) squared distances to those; costs (n,), wᵢ ρ of them; weights (n,) of the rows in the next refit, wᵢ dρ/ds, None where
    uniform; cost, Σ wᵢ ρ(dist) over `whole`, Σ wᵢ ρ(‖aᵢ‖); moments of the groups of the labels, see `blocks.group_moments`, where
    they were taken in the same pass."""

    distances: np.ndarray
    pulls: np.ndarray
    labels: np.ndarray
    nearest: np.ndarray
    costs: np.ndarray
    weights: np.ndarray | None
    cost: float
    whole: float
    moments: Moments | None = None

    def left_out(self, rows: Rows) -> np.ndarray:
        """Labels by distance, that to a row's own flat taken as if the flat had been fitted without the row: least squares
        understates a member's squared residual by (1 − leverage)²."""
        distances, own = self.distances.copy(), (np.arange(len(self.labels)), self.labels)
        leverage = self.pulls[own] if self.weights is None else self.pulls[own] * self.weights
        distances[own] += (distances[own] - rows.outside) * ((1 - np.minimum(leverage, 0.9)) ** -2 - 1)
        return distances.argmin(axis=1)


def measure(rows: Rows, flats: Flats, loss: Loss) -> View:
    """How the rows lie to the flats under a loss. Of rows that stay in their file, distances and pulls are not kept."""
    if isinstance(rows.values, LazyRows):
        return measure_by_blocks(rows, flats, loss)
    distances, pulls = residuals(rows, flats)
    labels = distances.argmin(axis=1)
    nearest = distances[np.arange(len(labels)), labels]
    if loss.plain:
        weights, costs, whole = rows.weights, nearest, rows.norms
    else:
        squared = np.maximum(nearest, rows.floor)
        weights, costs, whole = loss.pull(squared), loss.cost(squared), loss.cost(np.maximum(rows.norms, rows.floor))
        weights = weights if rows.weights is None else weights * rows.weights
    if rows.weights is not None:
        costs, whole = costs * rows.weights, whole * rows.weights
    every = max(float(whole.sum()), 1e-300)
    return View(distances, pulls, labels, nearest, costs, weights, float(costs.sum() / every), every)


def measure_by_blocks(rows: Rows, flats: Flats, loss: Loss) -> View:
    """The same, with one block of the rows in memory at a time, and labels in as few bytes as they need."""
    n, k = len(rows.values), len(flats.bases)
    labels, nearest = np.empty(n, np.min_scalar_type(k)), np.empty(n, np.float32)
    weights = None if loss.plain else np.empty(n)
    costs, lost, whole = nearest if loss.plain and rows.weights is None else np.empty(n, np.float32), 0.0, 0.0
    moments = None
    for part, block in blocks.walk(rows.values):
        own = Rows(block, rows.norms[part], None if rows.weights is None else rows.weights[part], 0.0, rows.device)
        if not loss.plain:
            vars(own)["floor"] = rows.floor[part]
        view = measure(own, flats, loss)
        labels[part], nearest[part], costs[part] = view.labels, view.nearest, view.costs
        if weights is None and k * block.shape[1] ** 2 <= SMALL:
            here = blocks.group_moments(block, view.labels, k, own.weights, rows.device)
            moments = here if moments is None else tuple(a + b for a, b in zip(moments, here, strict=True))
        if weights is not None:
            weights[part] = view.weights
        lost, whole = lost + float(view.costs.sum()), whole + view.whole
    none: np.ndarray = np.empty((0, k), np.float32)
    weights, cost = rows.weights if weights is None else weights, lost / max(whole, 1e-300)
    return View(none, none, labels, nearest, costs, weights, cost, whole, moments)


def fill_empty(labels: np.ndarray, costs: np.ndarray, k: int, j: int) -> np.ndarray:
    """The labels, with every empty group given the j rows that cost most: a new flat holds those exactly."""
    empty = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
    if len(empty):
        labels, dearest = labels.copy(), np.argsort(costs)[::-1]
        for count, z in enumerate(empty):
            labels[dearest[count * j : (count + 1) * j]] = z
    return labels


def clusters(rows: Rows, k: int, j: int, rng: np.random.Generator) -> np.ndarray:
    """Labels of k-means on the directions of the rows, from k of them; a cluster may be empty. SciPy's gives the same and takes
    longer to load than a draft to make."""
    directions = rows.held[:, :128] / np.sqrt(np.maximum(rows.norms, 1e-30))[:, None].astype(np.float32)
    centres, labels = directions[rng.choice(len(directions), k, replace=False)], np.zeros(len(directions), np.int64)
    for _ in range(KMEANS):
        labels = (directions @ centres.T - np.square(centres).sum(axis=1) / 2).argmax(axis=1)
        counts = np.bincount(labels, minlength=k)
        there, order = np.flatnonzero(counts), np.argsort(labels, kind="stable")
        sums = np.add.reduceat(directions[order], (counts.cumsum() - counts)[there], axis=0)
        centres[there] = sums / counts[there, None].astype(np.float32)
    return labels


def neighbourhoods(rows: Rows, k: int, j: int, rng: np.random.Generator) -> np.ndarray:
    """Labels by k flats, each through a row and its neighbours in angle, each row drawn where the flats so far leave most."""
    directions = rows.held / np.sqrt(np.maximum(rows.norms, 1e-30))[:, None].astype(np.float32)
    near = min(len(directions), 2 * j + 2)
    left = np.maximum(rows.weighted_norms, 0)
    distances = np.empty((len(directions), k))
    for z in range(k):
        centre = rng.choice(len(left), p=left / left.sum()) if left.sum() > 0 else rng.integers(len(left))
        angles = np.abs(directions @ directions[centre])
        members = np.argpartition(-angles, near - 1)[:near]
        basis = np.linalg.svd(rows.held[members], full_matrices=False)[2][:j]
        distances[:, z] = rows.norms - blocks.squared_projections(rows.values, basis.T, np.ones((len(basis), 1)))[:, 0]
        left = np.maximum(distances[:, : z + 1].min(axis=1), 0)
    return distances.argmin(axis=1)
