"""The coder that comes close to the limit: a shared basis, row classes, water-filled rates, and a trellis."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from array_api_compat import array_namespace, device

from compress.checks import one_of, random_seed, real, setting, whole
from compress.coding import as_quantized, basis_code, escapes, nothing, packing
from compress.coding.classes import Classes, find_classes
from compress.coding.escapes import ENTRY, Escapes, beyond, classes_within
from compress.coding.layout import Layout, bytes_of, check_stored
from compress.coding.rate_plan import Plan, least_basis, least_bytes, plan_within
from compress.coding.trellis_code import (
    GUARD,
    KINDS,
    SEEDS,
    Schedule,
    Starts,
    encode,
    kinds_at,
    levels_of,
    multiply,
    reach,
    read,
    spread,
)
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.form.metrics import FAR
from compress.form.trainable import Trainable
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method, seen_through, tell_count

SAMPLE = 16384  # rows that classes are found and their statistics taken from
REFITTED, PASSES = 6000, 2  # rows that scales are refitted on, and how often
BLOCK = 8192  # rows that are coded at a time
MANY = 1 << 22  # rows of which it is not kept where each begins
ROUNDS = 2  # of what escapes, and the classes of the rest
RISK = 2  # times the error of an ideal coder: for rows that lose this, it is looked at what they lose
OCTAVE = 16  # steps of stored scales in an octave


@dataclass(frozen=True)
class Trellis(Method):
    """A row is its class's mean and its numbers in the principal axes, coded by a trellis (coding/trellis_code.py) at the rates of
    reverse water-filling: a number has ½ log₂⁺(w σ² / θ) bits, with its class's variance σ² in that direction and mean weight w.

    rate: the size in bits a number of the matrix, everything counted: 32 / ratio. Of more than 10 the rest is left empty. classes:
    of rows, at most; they share the basis and have their own means and variances (coding/classes.py). states: of the trellis, 256,
    1024 or 4096; more are slower and a little closer. Stored: the rows' bits, labels, the kind, scale and mean of each class and
    direction, and the basis, coded by the same trellis; no basis where the columns do better as they are; and which rows are 0
    (coding/nothing.py). Row weights enter all of it. (Cover and Thomas, Elements of Information Theory, chapter 10; the combination
    is ours.) A matrix that was quantized to 8 bits before is kept as it was (coding/as_quantized.py), where the rate is enough.
    """

    name = "trellis"
    label = "Trellis"
    place = 5
    decoder = "trellis"
    knob = "rate"
    coded = True
    effort = 14

    rate: float = setting(1.28, real, 1e-6, 1e4)
    classes: int = setting(8, whole, 1, 256)
    states: int = setting(4096, one_of, tuple(SEEDS))
    seed: int = random_seed()

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        self.check(*matrix.shape)
        arrays = self.as_it_was(matrix, progress) or self.code_rows(matrix, None, progress)
        return Compressed(self, arrays, matrix.shape, matrix.digest)

    def fit_under(self, matrix: EmbeddingMatrix, root: np.ndarray, progress: Progress | None = None) -> Compressed:
        """Directions that are to be stored are then no longer at right angles, nor of one length as they are seen."""
        self.check(*matrix.shape)
        arrays = self.as_it_was(matrix, progress) or self.code_rows(seen_through(matrix, root), root, progress)
        return Compressed(self, arrays, matrix.shape, matrix.digest)

    def as_it_was(self, matrix: EmbeddingMatrix, progress: Progress | None) -> dict[str, np.ndarray] | None:
        """The arrays that give a matrix back that was quantized before, where there are bytes for them."""
        n, d = matrix.shape
        spare = self.size(n, d) - bytes_of(as_quantized.layout(n, d))
        arrays = as_quantized.code(matrix) if spare >= 0 else None
        if arrays is None:
            return None
        tell_count(progress, "row", n, n)
        return arrays | {"spare": np.zeros(spare, np.uint8)}

    def code_rows(self, matrix: EmbeddingMatrix, root: np.ndarray | None, progress: Progress | None) -> dict[str, np.ndarray]:
        """The arrays for rows of A M, which `matrix` holds, that decode to those of A. root: M (d, d), None for 1."""
        n, d = matrix.shape
        rng = np.random.default_rng(self.seed)
        axes, plan, classes, labels = self.plan(matrix, rng, root is not None)
        schedule = Schedule(kinds_at(plan.rates), self.states)
        arrays = {"kinds": schedule.kinds, "labels": packing.pack_stream(labels, packing.width(len(plan.rates)))}
        inverse, lengths = axes[:, plan.kept], np.ones(len(plan.kept), np.float32)
        directions = inverse.T if root is None else blocks.unit_rows(inverse.T @ np.linalg.inv(root))
        arrays |= basis_code.code(directions, plan.basis_rates)
        if plan.basis_rates is not None:
            basis = basis_code.decode(arrays, d).astype(np.float64)
            if root is not None:  # numbers in units in which an error of each counts the same
                basis = basis @ root
                lengths = np.linalg.norm(basis, axis=1).astype(np.float32)
            inverse = (np.linalg.pinv(basis) * lengths).astype(np.float32)
        sample = blocks.sample_rows(n, SAMPLE, rng)
        numbers, own = matrix.rows[sample] @ inverse, labels[sample].astype(np.int64)
        classes = classes.along(plan.kept)
        apart = escaping(numbers, own, matrix.weights[sample], classes, plan)
        classes = classes_within(numbers, own, matrix.weights[sample], classes, apart)
        arrays |= stored_means(classes.means / lengths)
        means = read_means(arrays) * lengths
        about = classes.variances + (classes.means - means) ** 2  # the means as they are stored
        scales = (np.sqrt(about) * spread(plan.rates)).astype(np.float32)
        sample = blocks.sample_rows(n, REFITTED, rng)
        own = labels[sample].astype(np.int64)
        numbers = matrix.rows[sample] @ inverse - means[own]
        ends = (reach(plan.rates) * scales)[own]
        numbers[beyond(numbers, ends, matrix.weights[sample], plan.level) > 0] = 0
        for _ in range(PASSES):
            scales = refit_scales(scales, numbers, own, matrix.weights[sample], schedule)
        arrays |= stored_scales(scales / lengths)
        scales = read_scales(arrays) * lengths
        n_bits, extra_bits = schedule.lengths @ np.bincount(labels, minlength=len(plan.rates))
        arrays["extra"] = np.zeros((int(extra_bits) + 7) // 8, np.uint8)
        rest = self.size(n, d) - sum(array.nbytes for array in arrays.values())
        needed = GUARD + (int(n_bits) + 7) // 8
        kept = replace(classes, means=means, variances=about)
        escaped, risky = found_beyond(matrix, inverse, kept, reach(plan.rates) * scales, labels, plan)
        risky = nothing.within(risky, matrix.squared_norms, rest - needed)
        escaped = escaped.within(rest - needed - len(nothing.gaps(risky)))
        halves, unit = np.zeros(len(escaped.rows), np.float16), escapes.unit_for(matrix, inverse / lengths)
        arrays["codes"], worse = np.zeros(rest - escaped.n_bytes, np.uint8), [risky[:0]]
        at, extra_at = 8 * GUARD, 0
        for first in range(0, n, BLOCK):
            rows = slice(first, first + BLOCK)
            classed = labels[rows].astype(np.int64)
            numbers = blocks.project(matrix.rows[rows], inverse, matrix.device) - means[classed]
            part, own, directions = escaped.at(first, first + BLOCK)
            units = unit * lengths[directions]
            halves[part] = numbers[own, directions] / units
            numbers[own, directions] -= halves[part] * units
            symbols = encode(numbers, classed, scales, schedule)
            own = risky[(risky >= first) & (risky < first + BLOCK)]
            left = numbers[own - first] - levels_of(symbols[own - first], labels[own], schedule) * scales[labels[own]]
            worse.append(own[blocks.squared_norms(left) > blocks.squared_norms(matrix.rows[own] @ inverse)])
            bits, more = schedule.pack(symbols, classed)
            at = packing.put_bits(arrays["codes"], at, bits)
            extra_at = packing.put_bits(arrays["extra"], extra_at, more)
            tell_count(progress, "row", min(first + BLOCK, n), n)
        spared = nothing.stored(np.concatenate(worse))
        arrays["codes"] = arrays["codes"][: len(arrays["codes"]) - sum(array.nbytes for array in spared.values())]
        return arrays | escaped.stored(halves, unit) | spared

    def plan(self, matrix: EmbeddingMatrix, rng: np.random.Generator, turned: bool) -> tuple[np.ndarray, Plan, Classes, np.ndarray]:
        """The axes (d, m), the plan, the classes and that of each row (n,): in the principal axes or, where they need not be turned
        and that is better, in the columns as they are."""
        n, d = matrix.shape
        sample = blocks.sample_rows(n, SAMPLE, rng)
        found: list[tuple[Plan, Classes, np.ndarray, Callable[..., Plan | None]] | None] = []
        for axes in (matrix.axes[:, : min(n, d)].astype(np.float32), np.eye(d, dtype=np.float32))[: 1 if turned else 2]:

            def plan_of(
                classes: Classes, spent: float = 0, counts: np.ndarray | None = None, rotated: bool = not found
            ) -> Plan | None:
                counts = n * classes.shares if counts is None else counts
                return plan_within(self.size(n, d) - int(spent), classes, counts, d, self.states, rotated)

            coefficients = blocks.project(matrix.rows[sample], axes, matrix.device)
            best = best_classes(coefficients, matrix, sample, self.classes, plan_of)
            found.append((*best, axes, plan_of) if best else None)
        plan, classes, axes, plan_of = min(filter(None, found), key=lambda each: each[0].error)
        labels, entries, risky = np.empty(n, np.uint8), 0, [np.zeros(0, np.int64)]
        for rows, block in blocks.walk(matrix.rows):
            coefficients, weights = block @ axes, matrix.weights[rows]
            labels[rows] = classes.assign(coefficients, weights, plan.level)
            kept, norms = classes.along(plan.kept), matrix.squared_norms[rows]
            entries += int(np.count_nonzero(escaping(coefficients[:, plan.kept], labels[rows], weights, kept, plan)))
            risky.append(rows.start + at_risk(coefficients[:, plan.kept], norms, labels[rows], kept, plan))
        counts = np.bincount(labels, minlength=len(classes.shares))
        spent = ENTRY * entries + len(nothing.gaps(np.concatenate(risky)))
        final = plan_of(classes, spent, counts) or plan_of(classes, 0, counts)
        assert final is not None
        return axes, final, classes, labels

    def prepared(self, arrays: dict[str, Any], n: int, d: int) -> dict[str, Any]:
        """The class of every row, the bit at which it begins, scales and means as floats, and the basis."""
        if as_quantized.KEPT in arrays:
            return as_quantized.opened(arrays)
        stream = arrays["codes"]
        xp = array_namespace(stream)
        schedule = Schedule(blocks.to_host(arrays["kinds"]), self.states)
        assert schedule.tables  # made here, where no graph is traced
        width = packing.width(len(schedule.kinds))
        if isinstance(stream, np.ndarray) and n > MANY:
            labels = packing.read_bytes(arrays["labels"], width, n)
            starts, extra_starts = (Starts.of(labels, lengths) for lengths in schedule.lengths)
        else:
            labels = packing.read_stream(arrays["labels"], width, xp.arange(n, dtype=xp.int64, device=device(stream)))
            lengths = xp.asarray(schedule.lengths, device=device(stream))[:, labels]
            starts, extra_starts = xp.cumulative_sum(lengths, axis=1) - lengths
        return {
            "codes": stream,
            "extra": arrays["extra"],
            "schedule": schedule,
            "labels": labels,
            "starts": starts,
            "extra_starts": extra_starts,
            "scales": read_scales(arrays),
            "means": read_means(arrays),
            "basis": basis_code.decode(arrays, d) if arrays["basis"].shape[0] else None,
            **escapes.opened(arrays, n),
            **nothing.opened(arrays, n),
        }

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        if as_quantized.KEPT in arrays:
            return as_quantized.decode(arrays, rows)
        labels = arrays["labels"][rows]
        labels = labels.astype(np.int64, copy=False) if isinstance(labels, np.ndarray) else labels
        starts, extra_starts = arrays["starts"][rows], arrays["extra_starts"][rows]
        numbers = read(arrays["codes"], arrays["extra"], starts, extra_starts, labels, arrays["schedule"])
        numbers = escapes.add(numbers * arrays["scales"][labels] + arrays["means"][labels], rows, arrays)
        numbers = numbers * arrays["there"][rows] if "there" in arrays else numbers
        return numbers if arrays["basis"] is None else numbers @ arrays["basis"]

    def against(self, arrays: dict[str, Any], vectors: Any) -> dict[str, Any] | None:
        if as_quantized.KEPT in arrays:
            return None
        return arrays | {"basis": vectors.T if arrays["basis"] is None else arrays["basis"] @ vectors.T}

    def products(self, arrays: dict[str, Any], vectors: Any) -> Any | None:
        """Straight from the codes, each class's scales taken into the vectors."""
        xp = array_namespace(vectors)
        if as_quantized.KEPT in arrays:
            whole = as_quantized.multiply(arrays, np.ascontiguousarray(vectors))
            return whole if whole is None else xp.asarray(whole)
        known = self.against(arrays, vectors)
        if known is None:
            return None
        turned = known["basis"].T  # (v, m)
        own = np.asarray(arrays["scales"][:, None] * turned), np.asarray(arrays["means"] @ turned.T)
        starts, labels, schedule = (arrays["starts"], arrays["extra_starts"]), arrays["labels"], arrays["schedule"]
        found = multiply(arrays["codes"], arrays["extra"], *starts, labels, schedule, *own)
        if found is None:
            return None
        found = xp.asarray(escapes.multiply(found, np.asarray(turned), arrays))
        return found * arrays["there"] if "there" in arrays else found

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        prepared = self.prepared(arrays, n, d)
        prepared |= {name: np.asarray(prepared[name]) for name in ("starts", "extra_starts") if name in prepared}
        names = [name for name in ("steps", "scales", "means", "basis") if prepared.get(name) is not None]
        parameters = {name: prepared.pop(name) for name in names}
        return Trainable(parameters, prepared)

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A basis is coded anew, at the rates it had; the lengths of its directions go into scales and means."""
        tight, lengths = dict(arrays), 1.0
        if "steps" in parameters:
            return tight | {"steps": as_quantized.stored_steps(parameters["steps"])}
        if "basis" in parameters:
            lengths = np.linalg.norm(parameters["basis"], axis=1)
            tight |= basis_code.code(blocks.unit_rows(parameters["basis"]), arrays["basis_rates"] / 2)
            tight |= escapes.stretched(arrays, lengths)
        return tight | stored_means(parameters["means"] * lengths) | stored_scales(np.abs(parameters["scales"] * lengths))

    def layout(self, n: int, d: int) -> None:
        """Not known before a fit: how many classes, directions and bits are best, the rows say; only their sum is set."""

    def size(self, n: int, d: int) -> int:
        return int(n * d * self.rate / 8 + 1e-6)

    def bulk(self, n: int, d: int) -> tuple[str, int]:
        """The basis of one direction, without which there is no form: what else is stored follows from the rows."""
        return "basis", least_basis(d)

    def parameter_count(self, n: int, d: int) -> int:
        """A 32nd of a number for every bit."""
        return (8 * self.size(n, d) + 31) // 32

    def check(self, n: int, d: int) -> None:
        least = self.smallest(n, d).rate
        if self.rate < least:
            raise ValueError(f"rate must be a number at least {least:.6g} (for {n:,} rows of {d:,} columns), got {self.rate!r}")

    def check_stored(self, arrays: dict[str, np.ndarray], n: int, d: int) -> None:
        self.check(n, d)
        if as_quantized.KEPT in arrays:
            known = as_quantized.layout(n, d)
            check_stored(arrays, known | {"spare": ((self.size(n, d) - bytes_of(known),), np.uint8)})
            return
        c, m = np.shape(arrays.get("kinds", ()))[:2] or (0, 0)
        layout: Layout = {
            "kinds": ((c, m), np.uint8),
            "labels": (((n * packing.width(c) + 7) // 8,), np.uint8),
            "means": ((c, m), np.int8),
            "mean_scales": ((m,), np.float32),
            "scales": ((c, m), np.uint8),
            "least_scale": ((1,), np.float32),
            **basis_code.layout(arrays.get("basis_rates"), d),
        }
        if not c or not 0 < m <= d or arrays["kinds"].max() >= KINDS or (m < d and not layout["basis_rates"][0][0]):
            raise ValueError("array 'kinds' is not one of directions of the matrix")
        counts = np.bincount(packing.read_bytes(np.asarray(arrays.get("labels")), packing.width(c), n), minlength=c)
        if len(counts) > c:
            raise ValueError("array 'labels' has classes that are not there")
        bits, extra_bits = Schedule(arrays["kinds"], self.states).lengths @ counts
        layout |= escapes.layout(arrays, n, m) | nothing.layout(arrays, n)
        layout["extra"] = (((int(extra_bits) + 7) // 8,), np.uint8)
        layout["codes"] = ((self.size(n, d) - bytes_of(layout),), np.uint8)
        check_stored(arrays, layout)
        if GUARD + (int(bits) + 7) // 8 > len(arrays["codes"]):
            raise ValueError("array 'codes' is shorter than the rows' bits")

    def within(self, n: int, d: int, n_bytes: float) -> Self | None:
        return replace(self, rate=8 * int(n_bytes) / (n * d)) if n_bytes >= least_bytes(d) else None

    def smallest(self, n: int, d: int) -> Self:
        return replace(self, rate=8 * least_bytes(d) / (n * d))

    @property
    def draft(self) -> Self:
        return replace(self, states=256)

    @property
    def quick(self) -> bool:
        return False  # a draft is a full fit with fewer states, so none is its own

    @classmethod
    def examples(cls) -> list[Self]:
        rates = [cls(rate=rate, states=256) for rate in (0.8, 1.2, 4.0, 14.0)]
        return [*rates, cls(rate=6.0, classes=1, states=1024, seed=3), cls(rate=8.0, classes=5)]


def best_classes(
    coefficients: np.ndarray, matrix: EmbeddingMatrix, sample: np.ndarray, most: int, plan_of: Callable[..., Plan | None]
) -> tuple[Plan, Classes] | None:
    """Of one class and of `most`, half of that, a quarter, … what leaves the least error to an ideal coder in as many bytes, with
    what escapes stored besides, and which rows are 0; None where not even one class fits. coefficients: of a sample of the rows."""
    weights, times = matrix.weights[sample], matrix.shape[0] / len(sample)

    def planned(count: int, level: float) -> tuple[Plan, Classes, int] | None:
        classes = find_classes(coefficients, weights, count, level)
        plan = plan_of(classes)
        if plan is None:
            return None
        own, norms = classes.assign(coefficients, weights, plan.level), matrix.squared_norms[sample]
        risky = at_risk(coefficients[:, plan.kept], norms, own, classes.along(plan.kept), plan)
        spared = plan_of(classes, times * len(risky))
        if spared is None:
            return plan, classes, len(risky)
        plan = spared
        for _ in range(ROUNDS):
            labels = classes.assign(coefficients, weights, plan.level)
            apart = np.zeros(coefficients.shape, bool)
            apart[:, plan.kept] = escaping(coefficients[:, plan.kept], labels, weights, classes.along(plan.kept), plan)
            inner = classes_within(coefficients, labels, weights, classes, apart)
            lighter = plan_of(inner, times * (ENTRY * np.count_nonzero(apart) + len(risky)))
            if not lighter or lighter.error > plan.error:
                break
            plan, classes = lighter, inner
        return plan, classes, 0

    single = planned(1, 1.0)
    if single is None:
        return None
    found, count = [single], min(most, len(weights) // 2)
    while count > 1:
        several = planned(count, single[0].level)
        if several:
            found.append(several)
            if len(found) > 2 and several[0].error > found[-2][0].error:
                break
        count //= 2
    return min(found, key=lambda each: (each[2], each[0].error))[:2]


def escaping(numbers: np.ndarray, labels: np.ndarray, weights: np.ndarray, classes: Classes, plan: Plan) -> np.ndarray:
    """(n, m) bool: which numbers of rows along the plan's directions escape."""
    ends = (reach(plan.rates) * spread(plan.rates) * np.sqrt(classes.variances)).astype(np.float32)
    return beyond(numbers - classes.means[labels].astype(np.float32), ends[labels], weights, plan.level) > 0


def at_risk(numbers: np.ndarray, norms: np.ndarray, labels: np.ndarray, classes: Classes, plan: Plan) -> np.ndarray:
    """Which rows, of numbers (r, m) along the plan's directions and squared norms (r,), may lose more than all of themselves, and
    than FAR times what rows lose in the mean: with RISK times the error of an ideal coder."""
    coded = plan.rates > 0
    noise = np.where(coded, classes.variances * 4.0**-plan.rates, 0).sum(axis=1)[labels]
    apart = (~coded).astype(np.float32)[labels]
    apart *= numbers - classes.means.astype(np.float32)[labels]
    left = blocks.squared_norms(apart) + np.maximum(norms - blocks.squared_norms(numbers), 0)
    share = np.minimum((left + noise) / np.maximum(norms, 1e-300), 1).mean()
    return np.flatnonzero(left + RISK * noise > max(1.0, FAR * share) * norms)


def found_beyond(
    matrix: EmbeddingMatrix, inverse: np.ndarray, classes: Classes, ends: np.ndarray, labels: np.ndarray, plan: Plan
) -> tuple[Escapes, np.ndarray]:
    """What of the numbers A V, V (d, m) `inverse`, escapes, over the ends (c, m) of their classes; and the rows at risk."""
    found, rows_at_risk = [], []
    for rows, block in blocks.walk(matrix.rows):
        own, numbers = labels[rows], blocks.project(block, inverse, matrix.device)
        over = beyond(numbers - classes.means[own], ends[own], matrix.weights[rows], plan.level)
        rows_at_risk.append(rows.start + at_risk(numbers, matrix.squared_norms[rows], own, classes, plan))
        at, directions = np.nonzero(over)
        found.append((rows.start + at, directions, over[at, directions]))
    return Escapes(*(np.concatenate(parts) for parts in zip(*found, strict=True))), np.concatenate(rows_at_risk)


def refit_scales(
    scales: np.ndarray, numbers: np.ndarray, labels: np.ndarray, weights: np.ndarray, schedule: Schedule
) -> np.ndarray:
    """The scales (c, m) that fit the levels that are chosen with the present ones best, held to those where rows are few."""
    levels = levels_of(encode(numbers, labels, scales, schedule), labels, schedule)
    one = np.zeros((len(scales), len(labels)), np.float32)
    one[labels, np.arange(len(labels))] = weights
    cross, square = one @ (numbers * levels), one @ levels**2
    hold = 16 * weights.mean()
    return np.where(schedule.kinds > 0, np.maximum(cross + hold * scales, 0) / (square + hold), 0).astype(np.float32)


def stored_scales(scales: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays that keep scales (c, m) to the nearest step of an octave, above the least."""
    least = np.float32(max(scales[scales > 0].min(initial=np.inf), scales.max() * 2.0**-15)) if scales.max() > 0 else np.float32(1)
    steps = np.rint(OCTAVE * np.log2(np.maximum(scales, least) / least))
    return {"scales": steps.astype(np.uint8), "least_scale": np.array([least], np.float32)}


def read_scales(arrays: dict[str, Any]) -> Any:
    """(c, m) float32; numpy arrays or torch tensors."""
    xp = array_namespace(arrays["scales"])
    return arrays["least_scale"] * 2 ** (xp.astype(arrays["scales"], xp.float32) / OCTAVE)


def stored_means(means: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays that keep means (c, m) in whole numbers, with a scale for every direction."""
    largest = np.maximum(np.abs(means).max(axis=0), 1e-30)
    units = (largest / 127).astype(np.float32)
    return {"means": np.rint(means / units).astype(np.int8), "mean_scales": units}


def read_means(arrays: dict[str, Any]) -> Any:
    """(c, m) float32; numpy arrays or torch tensors."""
    xp = array_namespace(arrays["means"])
    return xp.astype(arrays["means"], xp.float32) * arrays["mean_scales"]
