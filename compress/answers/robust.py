"""What one subspace under a robust loss leaves, and what SVD does, at every p, j, and number and length of planted rows.

All is computed on rows that stand for all (solvers/sample.py). Every fit starts where the preview does, at Lewis axes: one that
starts at the last of a path carries its far rows on, and is not what is shown once the dial is let go.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np

from compress.analysis.outliers import planted_rows
from compress.analysis.spectrum import principal_angles
from compress.coding import factors
from compress.errors import Progress, Step
from compress.form.compressed import Compressed
from compress.form.metrics import Evaluation
from compress.linalg import blocks, eigen
from compress.matrix import EmbeddingMatrix
from compress.methods.lp import PREVIEW_ROWS
from compress.solvers.entries import fit_entries, lower_rows
from compress.solvers.losses import Loss
from compress.solvers.sample import PASSES, Sample, drawn, lewis_start, lowered, quantiles, sample_of_rows, sample_rows, scaled
from compress.threads import one_thread

FIGURES = ("l1_error", "relative_error", "weighted_error", "median_row_error", "others", "clean", "turned", "turned_most")
"""Of a fit and of SVD: error figures as in Evaluation; the relative error over the rows that were not planted, and what SVD without
planted rows leaves of it; the mean and the largest principal angle in degrees to that SVD's subspace."""
ANGLES = np.array([name.startswith("turned") for name in FIGURES])
DIALS = ("p", "planted", "length", "j")
POINTS, FAR_POINTS = 129, 33  # quantiles of residuals, of rows that were not planted and of those that were
MOST_PLANTED = 2048  # planted rows in a sample
FEW_COLUMNS = 64  # that a table with every value takes a fraction of a second for
STEEP = 8.0  # times, beyond which what falls to 0 is taken to fall by steps
NOTHING = 1e-5  # an error that is mostly rounding
TINY = 1e-13  # of an error that is none
LONGEST = 50.0  # of planted rows, in median rows
Arrays = dict[str, np.ndarray]


SCALES = {"planted": np.log1p, "length": np.sqrt}  # of dials along which less and less changes


@dataclass(frozen=True, eq=False)
class View:
    """A fit and SVD beside each other, at one setting or at several (m, …). figures: (2, 8), see FIGURES. apart: the mean angle in
    degrees between the two subspaces. near, far: (2, 129) and (2, 33), even quantiles of ‖aᵢ − bᵢ‖ over the rows that were not
    planted and over those that were, 0 where there are none."""

    figures: np.ndarray
    apart: np.ndarray
    near: np.ndarray
    far: np.ndarray

    @property
    def key(self) -> str:
        """What tells one from another."""
        state = blake2b(digest_size=16)
        for array in vars(self).values():
            state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()

    def __getitem__(self, row: int) -> "View":
        return View(**{name: array[row] for name, array in vars(self).items()})

    def of(self, name: str) -> np.ndarray:
        """A figure by name, of the fit and of SVD, (…, 2)."""
        return self.figures[..., FIGURES.index(name)]

    @property
    def of_svd(self) -> "View":
        """SVD beside itself, which is what is seen at p = 2."""
        twice = {name: np.repeat(getattr(self, name)[..., 1:, :], 2, axis=-2) for name in ("figures", "near", "far")}
        return View(apart=np.zeros_like(self.apart), **twice)


Place = Mapping[str, float]
"""Where the dials stand, by their names in DIALS."""


@dataclass(frozen=True, eq=False)
class Around:
    """What is known around a setting: where its dials stand, what is seen there, and what gives the table along a dial (see
    `robust`) that was made there or nearby, None for none."""

    place: Place
    view: View
    table: Callable[[str], Arrays | None]

    def along(self, dial: str, values: np.ndarray, place: Place) -> View | None:
        """The views at values of a dial beside a place of the others; None where a table is missing."""
        view = self.at({**place, dial: self.place[dial]})
        return None if view is None else self.moved(dial, values, view)

    def at(self, place: Place) -> View | None:
        """The view of a place; None where a table is missing."""
        view: View | None = self.view
        for dial in DIALS:
            counts = dial != "length" or (self.place["planted"] and place["planted"])
            if view is not None and counts and place[dial] != self.place[dial]:
                there = self.moved(dial, np.array([place[dial]]), view)
                view = None if there is None else there[0]
        return view

    def moved(self, dial: str, values: np.ndarray, view: View) -> View | None:
        known = {self.place[dial]: view} | ({2.0: view.of_svd} if dial == "p" else {})
        table = self.table(dial)
        return None if table is None else between(table, dial, values, known)


@dataclass(frozen=True)
class Setting:
    """j, loss, entries: of the fit, the loss with its scale or to be given one by the rows, of rows or of single entries. planted,
    length: how many rows are planted and how many median rows long each is."""

    j: int
    loss: Loss
    entries: bool
    planted: int
    length: float


def robust(
    matrix: EmbeddingMatrix,
    keep: Callable[[Arrays], None],
    progress: Progress | None,
    *,
    j: int,
    loss: str = "lp",
    p: float = 1.0,
    scale: float | None = None,
    entries: bool = False,
    planted: int = 0,
    length: float = 20.0,
    most: int = 1,
    coarse: bool = False,
    dials: Sequence[str] = DIALS,
    values: Sequence[float] | None = None,
) -> Arrays:
    """The table of a matrix around a setting: for each of DIALS that it has, as "p.values" (m,), and the View there, as "p.near".

    most: rows that can be planted. coarse: on fewer rows and at fewer values, in a fraction of a second. dials: of these only.
    values: at these only.
    """
    now = Setting(j, Loss(loss, p, scale), entries, planted, length)
    with one_thread():
        rows = sample_rows(matrix.shape[1]) // (2 if coarse else 1)
        world = World(matrix, most, coarse, rows // 2 if entries else rows)
        world.at(now)
        arrays: Arrays = {}
        for number, dial in enumerate(dials):
            at, found = sorted(values or world.values(dial, now)), []
            with closing(world.views([moved(now, dial, value) for value in at])) as views:
                for view in views:
                    found.append(view)
                    if progress:
                        progress(Step((number + len(found) / len(at)) / len(dials), f"answers along {dial}", {"dial": dial}))
            if found:
                arrays[f"{dial}.values"] = np.array(at, float)
                arrays |= {f"{dial}.{name}": array for name, array in vars(stacked(found)).items()}
                keep(arrays)
    return arrays


def moved(setting: Setting, dial: str, value: float) -> Setting:
    """A setting with a dial at another value."""
    if dial == "p":
        return replace(setting, loss=replace(setting.loss, p=float(value)))
    if dial == "length":
        return replace(setting, length=float(value))
    return replace(setting, planted=int(value)) if dial == "planted" else replace(setting, j=int(value))


def exact(
    planted: EmbeddingMatrix,
    far: np.ndarray,
    clean: EmbeddingMatrix,
    fitted: Sequence[Compressed],
    evaluations: Sequence[Evaluation],
) -> View:
    """The view of a fit and of SVD, of all rows, with planted rows far (a mask). The third of each is SVD of the matrix without."""
    lengths = [lengths_left(matrix, each) for matrix, each in zip((planted, planted, clean), evaluations, strict=True)]
    turns = principal_angles(np.concatenate([factors.read_bases(each.arrays) for each in fitted]))
    norms = max(float(planted.squared_norms[~far].sum()), 1e-300)
    others = [float((each[~far] ** 2).sum()) / norms for each in lengths]
    rows = [
        [getattr(evaluations[row], name) for name in FIGURES[:4]]
        + [others[row], others[2], turns[row, 2].mean(), turns[row, 2, -1]]
        for row in (0, 1)
    ]
    near = [np.quantile(each[~far], np.linspace(0, 1, POINTS)) for each in lengths[:2]]
    spread = [np.quantile(each[far], np.linspace(0, 1, FAR_POINTS)) if far.any() else np.zeros(FAR_POINTS) for each in lengths[:2]]
    return View(np.array(rows), np.asarray(turns[0, 1].mean()), np.stack(near), np.stack(spread))


def lengths_left(matrix: EmbeddingMatrix, evaluation: Evaluation) -> np.ndarray:
    """‖aᵢ − bᵢ‖ of every row; 0 for a row of zeros."""
    errors = evaluation.row_errors
    return np.sqrt(np.where(np.isfinite(errors), errors, 0) * matrix.squared_norms)


def stacked(views: Sequence[View]) -> View:
    """Views one after another, (m, …)."""
    return View(*(np.stack([getattr(view, name) for view in views]) for name in vars(views[0])))


def between(arrays: Arrays, dial: str, values: np.ndarray, known: Mapping[float, View]) -> View | None:
    """The views at values of a dial, by a table and what is known at some of them; None where the table has no such dial.

    Errors and residuals of the table are multiplied, and angles shifted, by what brings them to those known, in between in between;
    what is known at a j that leaves hardly anything, and rounding is most of it, tells nothing of other j.
    """
    if f"{dial}.values" not in arrays:
        return None
    at = arrays[f"{dial}.values"]
    table = {name: arrays[f"{dial}.{name}"] for name in ("figures", "apart", "near", "far")}
    places = np.array(sorted(known))
    there = stacked([known[place] for place in places])

    scale = SCALES.get(dial, np.asarray)

    def told(values: np.ndarray) -> dict[str, np.ndarray]:
        return {name: interpolated(scale(values), scale(at), array, dial == "j") for name, array in table.items()}

    found, here = told(values), View(**told(places))
    told_by = (there.of("relative_error") > NOTHING) | (dial != "j")
    times = {
        name: interpolated(values, places, np.where(told_by[..., None], quotient(there, here, name), 1.0))
        for name in ("figures", "near", "far")
    }
    shift = interpolated(values, places, there.figures - here.figures)
    return View(
        np.where(ANGLES, np.clip(found["figures"] + shift, 0, 90), found["figures"] * times["figures"]),
        np.clip(found["apart"] + interpolated(values, places, there.apart - here.apart), 0, 90),
        found["near"] * times["near"],
        found["far"] * times["far"],
    )


def quotient(there: View, here: View, name: str) -> np.ndarray:
    """Of two views' arrays; 1 where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = getattr(there, name) / getattr(here, name)
    return np.where(np.isfinite(found) & (found > 0), found, 1.0)


def interpolated(values: np.ndarray, at: np.ndarray, array: np.ndarray, falling: bool = False) -> np.ndarray:
    """An array (m, …) that is known at rising values (m,), at others, as at the ends beyond those. falling: whether it changes by
    factors rather than by steps, where it is not about to be 0."""
    right = np.clip(np.searchsorted(at, values), 1, max(len(at) - 1, 1))
    if len(at) == 1:
        return np.repeat(array, len(values), axis=0)
    share = np.clip((values - at[right - 1]) / (at[right] - at[right - 1]), 0, 1).reshape(-1, *[1] * (array.ndim - 1))
    left, right = array[right - 1], array[right]
    even = left * (1 - share) + right * share
    steady = falling & (np.minimum(left, right) > np.maximum(left, right) / STEEP)
    return np.where(steady, np.where(steady, left, 1) ** (1 - share) * np.where(steady, right, 1) ** share, even)


def counted(quantiles: np.ndarray, rows: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many of so many rows (m,) lie in each bin, (m, bins), by even quantiles (m, points); those below the first edge in the
    first bin, those beyond the last in none."""
    shares = np.linspace(0, 1, quantiles.shape[1])
    below = np.stack([np.interp(edges, each, shares, left=0.0) for each in quantiles])
    below[:, 0] = 0
    return np.rint(rows[:, None] * np.diff(below, axis=1))


@dataclass(frozen=True, eq=False)
class Planted:
    """A sample of a matrix with planted rows: far (m,) says which those are. plain, others: (d, d) second moments, with equal
    weights, of all rows and of all that were not planted."""

    sample: Sample
    far: np.ndarray
    plain: np.ndarray
    others: np.ndarray

    @cached_property
    def svd(self) -> np.ndarray:
        """(d, d) principal axes, as columns."""
        return eigen.leading(self.sample.gram, len(self.sample.gram))[1]

    @cached_property
    def lewis(self) -> np.ndarray:
        """(d, d) where robust fits start, as columns."""
        return lewis_start(self.sample)


class World:
    """A matrix, and what becomes of it where rows are planted. most, coarse: see `robust`. rows: of the sample."""

    def __init__(self, matrix: EmbeddingMatrix, most: int, coarse: bool, rows: int):
        self.matrix, self.most, self.coarse = matrix, most, coarse
        self.hasty = coarse and hasty(matrix)  # fewer passes, and where other rows are planted from the axes of the rest
        self.rows, counts = drawn(matrix, rows)
        sample = sample_of_rows(matrix, self.rows, counts)
        plain = blocks.gram(matrix.rows, None, matrix.device) if matrix.weighted else matrix.gram
        self.clean = Planted(sample, np.zeros(len(sample.values), bool), plain, plain)
        self.planted: dict[tuple[int, float], Planted] = {}  # where the setting is, and the last two
        self.svd: tuple = None, None  # planted, length and j, and SVD's figures there

    def count(self, every: int, least: int) -> int:
        """How many values of a dial a table has, of every one where it is not coarse."""
        return min(every, max(least, every * FEW_COLUMNS // self.matrix.shape[1])) if self.coarse else every

    def at(self, setting: Setting) -> Planted:
        """The sample with the rows of a setting planted."""
        key = setting.planted, setting.length
        if not setting.planted:
            return self.clean
        planted = self.planted.get(key)
        if planted is None:
            for old in [*self.planted][1:-1]:
                self.planted.pop(old, None)
            planted = self.planted[key] = self.plant(*key)
        return planted

    def plant(self, planted: int, length: float) -> Planted:
        numbers, values = planted_rows(self.matrix, planted, length)
        weights, clean = self.matrix.weights[numbers], self.clean.sample
        before, now = ([blocks.gram(rows, each) for each in (weights, None)] for rows in (self.matrix.rows[numbers], values))
        gram, others = self.matrix.gram - before[0] + now[0], self.clean.plain - before[1]
        kept, some = ~np.isin(self.rows, numbers), slice(None, None, -(-planted // MOST_PLANTED))
        values, weights = values[some].astype(np.float32), weights[some]
        sample = Sample(
            np.concatenate([clean.values[kept], values]),
            np.concatenate([clean.norms[kept], blocks.squared_norms(values)]),
            np.concatenate([clean.counts[kept], np.full(len(values), planted / len(values))]),
            np.concatenate([clean.weights[kept], weights]),
            gram,
        )
        return Planted(sample, np.arange(len(sample.values)) >= kept.sum(), others + now[1], others)

    def views(self, settings: Sequence[Setting]) -> Generator[View]:
        """In order; from two threads where a hand waits."""
        with ThreadPoolExecutor(2 if self.coarse else 1) as pool:
            try:
                yield from pool.map(self.view, settings)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def view(self, setting: Setting) -> View:
        """What the preview of a setting and SVD leave."""
        planted = self.at(setting)
        svd = planted.svd[:, : setting.j]
        basis, left = self.fit(setting)
        key = setting.planted, setting.length, setting.j
        known, of_svd = self.svd
        if known != key:
            of_svd = self.figures(setting, svd, unreached(planted.sample, svd))
            self.svd = key, of_svd
        both = self.figures(setting, basis, left), of_svd
        figures, near, far = (np.stack(each) for each in zip(*both, strict=True))
        return View(figures, np.asarray(angles(basis, svd).mean()), near, far)

    def fit(self, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
        """(d, j) of a setting, found as its preview is, and what it leaves of the sample's rows (m, d)."""
        planted = self.at(setting)
        sample, loss = planted.sample, setting.loss
        there = not self.hasty or planted in [*self.planted.values()][:1]
        start = (planted if there else self.clean).lewis[:, : setting.j]
        if setting.entries:  # at p = 2 too, so that it goes on smoothly from below
            return fitted_entries(sample, start, loss.p, self.matrix.shape[0] <= PREVIEW_ROWS)
        if loss.plain:
            basis = planted.svd[:, : setting.j]
        else:
            basis = lowered(sample, start, scaled(loss, sample, start), 2 if self.hasty else PASSES)
        return basis, unreached(sample, basis)

    def figures(self, setting: Setting, basis: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """FIGURES (8,) of a subspace (d, j) that leaves so much of the sample's rows (m, d), and the quantiles of its residuals, of
        rows that were not planted and of those that were."""
        planted, clean = self.at(setting), self.clean.svd[:, : setting.j]
        sample, far = planted.sample, planted.far
        squared = np.einsum("id,id->i", left, left).astype(np.float64)
        absolute = np.abs(left).sum(axis=1, dtype=np.float64)
        counts, norms, there = sample.counts, sample.norms, sample.norms > 0
        apart = counts @ squared / (counts @ sample.squared_distances(basis)) if setting.entries else 1.0  # from projections
        turned = angles(basis, clean)
        found = (
            counts @ absolute / (counts @ np.abs(sample.values).sum(axis=1, dtype=np.float64)),
            apart * beyond(planted.plain, basis),
            apart * beyond(sample.gram, basis),
            quantiles(squared[there] / norms[there], counts[there], 3)[1],
            apart * beyond(planted.others, basis),
            beyond(planted.others, clean),
            turned.mean(),
            turned[-1],
        )
        lengths = np.sqrt(squared)
        spread = quantiles(lengths[far], counts[far], FAR_POINTS) if far.any() else np.zeros(FAR_POINTS)
        return np.array(found), quantiles(lengths[~far], counts[~far], POINTS), spread

    def values(self, dial: str, now: Setting) -> list[float]:
        """At which a table along a dial is known, the one of the setting among them; none of a dial that changes nothing."""
        if dial == "p":
            even = np.append(np.linspace(1, 2, self.count(21, 6)), now.loss.p)
            return np.unique(even.round(4)).tolist() if now.loss.name == "lp" else []
        if dial == "planted":
            turns = [now.j // 2, now.j, 3 * now.j // 2]  # about as many as SVD has directions for
            return spread(0, self.most, self.count(14, 5), 2.5, [now.planted, 5, *turns])
        if dial == "length":
            return spread(1, LONGEST, self.count(20, 7), 1.5, [2, 3, now.length]) if now.planted else []
        near = [int(now.j * share) for share in (0.6, 0.8, 1.25, 1.6)]
        return spread(1, min(self.matrix.shape), self.count(48, 9), 2.0, [now.j, *near])


def hasty(matrix: EmbeddingMatrix) -> bool:
    """Whether a coarse table has no time for a preview's own passes."""
    return matrix.shape[1] > 2 * FEW_COLUMNS


def spread(low: float, high: float, count: int, power: float, others: Sequence[float]) -> list[float]:
    """Whole numbers from low to high, by a power above 1 closer where they are small, and others within."""
    values = np.append(np.rint(low + (high - low) * np.linspace(0, 1, count) ** power), others)
    return np.unique(values[(values >= low) & (values <= high)]).tolist()


def beyond(moments: np.ndarray, basis: np.ndarray) -> float:
    """The share of all rows' squared lengths, by their second moments (d, d), that lies outside a subspace (d, j)."""
    basis = basis.astype(np.float64)
    return max(1 - float(np.sum((moments @ basis) * basis) / max(np.trace(moments), 1e-300)), TINY)


def unreached(sample: Sample, basis: np.ndarray) -> np.ndarray:
    """The rows less their projections on a basis (d, j)."""
    basis = basis.astype(np.float32)
    return sample.values - (sample.values @ basis) @ basis.T


def fitted_entries(sample: Sample, start: np.ndarray, p: float, whole: bool) -> tuple[np.ndarray, np.ndarray]:
    """A basis (d, j) from one step that lowers Σ|aᵢₗ−bᵢₗ|^p, and what is left of the rows (m, d). whole: whether the preview is
    fitted to all rows."""
    rows = EmbeddingMatrix(sample.values, weights=sample.counts * sample.weights)
    coefficients, basis = fit_entries(rows, start, p, 1, None, 3 if whole else 0)
    if not whole:
        coefficients = blocks.project(rows.values, basis)
        lower_rows(rows, coefficients, basis, p)
    return basis, sample.values - coefficients @ basis.T


def angles(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Principal angles (j,) in degrees between subspaces of orthonormal bases (d, j), ascending."""
    cosines = np.linalg.svd(one.T.astype(np.float32) @ other.astype(np.float32), compute_uv=False)
    return np.degrees(np.arccos(np.clip(cosines, 0, 1)))
