"""Binary codes with a linear decoder: rows xᵢ ≈ base + gᵢ · sᵢ D + o, signs sᵢ in {−1, +1}^L, gains gᵢ of a few levels.

Ours, in place of LightToken's trained autoencoder: a start from rotated principal directions (ITQ, Gong and Lazebnik 2011), some
passes shaken by falling noise, which leave poor codes behind, and then in turn the signs of every row, bit by bit, its gain, and
the decoder by least squares. None of these last three raises the loss.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compress.linalg import eigen
from compress.linalg.lazy import LazyRows, Table
from compress.solvers.code_losses import euclidean, product, turn_of
from compress.solvers.packed_signs import PackedSigns

ROWS = 2048  # at a time, so that their signs stay in the cache
TOGETHER = 32  # bits between two updates of all the others
TURNS = 25  # of the rotation of a start
SAMPLE_ROWS = 8192  # that tell the rotation
NOISE = 0.3  # of the first pass, in units of a bit's own energy
SEEN = 4  # every so many shaken passes the loss is taken, which costs a third of a pass
CALM = 6  # passes without noise, the last ones
SETTLED = 1e-5  # relative fall of the loss below which a search has settled


@dataclass(frozen=True, eq=False)
class Target:
    """What codes are fitted to: rows (n, d), what is stored of them already, base(rows) (r, d), their weights (n,), and the loss of
    a row from x·x̂, ‖x̂‖² and ‖x‖²."""

    values: Table
    base: Callable[[Any], np.ndarray]
    weights: np.ndarray
    loss: Callable[[Any, Any, Any], Any]

    def blocks(self) -> Iterator[slice]:
        """All rows, some at a time."""
        n = len(self.values)
        return (slice(first, min(first + ROWS, n)) for first in range(0, n, ROWS))


@dataclass(frozen=True, eq=False)
class Codes:
    """signs (n, L) int8, or PackedSigns of rows that stay in their file; level (n,) of each row among the gain levels (g,); decoder
    D (L, d); offset o (d,), which rows of a gain of 0 are without."""

    signs: Any
    level: np.ndarray
    levels: np.ndarray
    decoder: np.ndarray
    offset: np.ndarray

    @property
    def gains(self) -> np.ndarray:
        """(n,) of each row."""
        return self.levels[self.level]

    def gains_of(self, rows: slice | np.ndarray) -> np.ndarray:
        """(r,) of some rows."""
        return self.levels[self.level[rows]]

    def decode(self, rows: slice | np.ndarray) -> np.ndarray:
        """What the codes add to the base of some rows, (r, d)."""
        gains = self.gains_of(rows)[:, None]
        return (self.signs[rows] * gains) @ self.decoder + self.offset * (gains != 0)


def fit_codes(
    target: Target,
    bits: int,
    levels: int,
    passes: int,
    seed: int,
    tell: Callable,
    kept: Codes | None = None,
    calm: int = CALM,
    turns: int = TURNS,
) -> Codes:
    """Codes of so many bits; with `kept`, whose bits stay as they are, that many more. `tell` is told every pass, with the loss
    where it was taken. calm: passes without noise, the last ones. turns: of the rotation of a start."""
    rng = np.random.default_rng(seed)
    codes = start(target, bits, levels, rng, kept, turns)
    first = 0 if kept is None else kept.signs.shape[1]
    shaken = max(0, passes - calm)
    for step in range(shaken):
        codes = improve(target, codes, first, NOISE * (1 - step / shaken), rng)
        tell(step, None if step % SEEN else total(target, codes))
    return settle(target, codes, passes - shaken, tell, first, shaken)


def settle(target: Target, codes: Codes, passes: int, tell: Callable, first: int = 0, done: int = 0) -> Codes:
    """The codes carried on, from bit `first` on, until the loss settles, for at most so many passes."""
    before = total(target, codes)
    for step in range(passes):
        codes = improve(target, codes, first)
        now = total(target, codes)
        tell(done + step, now)
        if now > before * (1 - SETTLED):
            break
        before = now
    return codes


def improve(target: Target, codes: Codes, first: int = 0, noise: float = 0.0, rng: np.random.Generator | None = None) -> Codes:
    """The codes after one pass over signs, from bit `first` on, gains and decoder."""
    sweep(target, codes, first, noise, rng)
    codes = refit_gains(target, codes)
    return refit_decoder(target, codes)


def total(target: Target, codes: Codes) -> float:
    """Σ wᵢ times the loss of row i, over Σ wᵢ ‖aᵢ‖²."""
    lost = whole = 0.0
    for rows in target.blocks():
        x, decoded = target.values[rows], decode(target, codes, rows)
        own = squares(x)
        lost += float(target.weights[rows] @ target.loss(inner(x, decoded), squares(decoded), own).astype(np.float64))
        whole += float(target.weights[rows] @ own.astype(np.float64))
    return float(lost / max(whole, 1e-300))


def decode(target: Target, codes: Codes, rows: slice) -> np.ndarray:
    """Some rows as they are decoded, (r, d)."""
    return target.base(rows) + codes.decode(rows)


def squares(rows: np.ndarray) -> np.ndarray:
    """‖xᵢ‖² of each row, (r,)."""
    return np.einsum("id,id->i", rows, rows)


def inner(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """xᵢ·yᵢ of each row with the other's, (r,)."""
    return np.einsum("id,id->i", one, other)


def start(target: Target, bits: int, levels: int, rng: np.random.Generator, kept: Codes | None, turns: int) -> Codes:
    """Signs of the rows' leading principal coordinates, rotated so that taking signs costs little; where there are more bits than
    directions, those of what is then left, and so on."""
    d = target.values.shape[1]
    codes = kept or first_gains(target, levels)
    if isinstance(target.values, LazyRows):
        return start_by_blocks(target, bits, rng, codes, turns)
    while (missing := bits - codes.signs.shape[1] + (0 if kept is None else kept.signs.shape[1])) > 0:
        left = np.concatenate([target.values[rows] - decode(target, codes, rows) for rows in target.blocks()])
        left /= np.maximum(codes.gains, 1e-30)[:, None]
        weighted = left * np.sqrt(target.weights * codes.gains**2, dtype=np.float32)[:, None]
        axes = eigen.eigenvectors((weighted.T @ weighted).astype(np.float64))[:, : min(missing, d)].astype(np.float32)
        signs = np.where(left @ (axes @ rotation(left @ axes, rng, turns)) >= 0, 1, -1).astype(np.int8)
        grown = np.concatenate([codes.decoder, np.zeros((signs.shape[1], d), np.float32)])
        codes = refit_decoder(target, replace(codes, signs=np.concatenate([codes.signs, signs], axis=1), decoder=grown))
    return codes


def start_by_blocks(target: Target, bits: int, rng: np.random.Generator, codes: Codes, turns: int) -> Codes:
    """So many bits more, of rows that stay in their file."""
    n, d = target.values.shape
    stop = codes.signs.shape[1] + bits
    while (missing := stop - codes.signs.shape[1]) > 0:
        moments, before = np.zeros((d, d)), codes.signs.shape[1]
        for rows in target.blocks():
            weighted = left_of(target, codes, rows)
            weighted *= np.sqrt(target.weights[rows] * codes.gains_of(rows) ** 2, dtype=np.float32)[:, None]
            moments += weighted.T @ weighted
        axes = eigen.eigenvectors(moments)[:, : min(missing, d)].astype(np.float32)
        some = rng.choice(n, SAMPLE_ROWS, replace=False) if n > SAMPLE_ROWS else np.arange(n)
        towards = axes @ rotation(left_of(target, codes, some) @ axes, rng, turns)
        signs = PackedSigns(n, before + towards.shape[1])
        for rows in target.blocks():
            new = np.where(left_of(target, codes, rows) @ towards >= 0, 1, -1).astype(np.int8)
            signs[rows] = np.concatenate([codes.signs[rows], new], axis=1)
        grown = np.concatenate([codes.decoder, np.zeros((towards.shape[1], d), np.float32)])
        codes = refit_decoder(target, replace(codes, signs=signs, decoder=grown))
    return codes


def left_of(target: Target, codes: Codes, rows: slice | np.ndarray) -> np.ndarray:
    """What the codes leave of some rows, (r, d), in units of their gains."""
    left = target.values[rows] - target.base(rows) - codes.decode(rows)
    return left / np.maximum(codes.gains_of(rows), 1e-30)[:, None]


def first_gains(target: Target, levels: int) -> Codes:
    """No bits yet; each row's gain after the length that is left of it, the offset its mean."""
    n, d = target.values.shape
    offset = sum((target.weights[rows] @ (target.values[rows] - target.base(rows)) for rows in target.blocks()), np.zeros(d)) / n
    lengths = np.concatenate([np.sqrt(squares(target.values[rows] - target.base(rows) - offset)) for rows in target.blocks()])
    typical = max(float(lengths.mean()), 1e-30)
    chosen = np.quantile(lengths, (np.arange(levels) + 0.5) / levels) / typical
    chosen = np.where(chosen > 1e-3, chosen, 1.0).astype(np.float32) if levels > 1 else np.ones(1, np.float32)
    offset = offset.astype(np.float32)
    if isinstance(target.values, np.ndarray):
        level = np.abs(lengths[:, None] / typical - chosen).argmin(axis=1)
        return Codes(np.zeros((n, 0), np.int8), level, chosen, np.zeros((0, d), np.float32), offset)
    level = np.empty(n, np.uint8)
    for rows in target.blocks():
        level[rows] = np.abs(lengths[rows, None] / typical - chosen).argmin(axis=1)
    return Codes(PackedSigns(n, 0), level, chosen, np.zeros((0, d), np.float32), offset)


def rotation(coordinates: np.ndarray, rng: np.random.Generator, turns: int) -> np.ndarray:
    """An orthonormal matrix (m, m) that brings coordinates (n, m) near the corners of a cube."""
    m = coordinates.shape[1]
    if len(coordinates) > SAMPLE_ROWS:
        coordinates = coordinates[rng.choice(len(coordinates), SAMPLE_ROWS, replace=False)]
    turn = np.linalg.qr(rng.standard_normal((m, m)))[0].astype(np.float32)
    for _ in range(turns):
        left, _, right = np.linalg.svd(coordinates.T @ np.where(coordinates @ turn >= 0, np.float32(1), np.float32(-1)))
        turn = left @ right
    return turn


def sweep(target: Target, codes: Codes, first: int = 0, noise: float = 0.0, rng: np.random.Generator | None = None) -> None:
    """Goes once over the bits of every row from `first` on and flips, in place, each whose flip lowers the row's loss (by more than
    noise times its own energy, if any)."""
    decoder = codes.decoder[first:]
    gram = decoder @ decoder.T  # (L - first, L - first)
    for rows in target.blocks():
        x, gains, every = target.values[rows], codes.gains_of(rows), codes.signs[rows]
        decoded = decode(target, codes, rows)
        own, a, q = squares(x), inner(x, decoded), squares(decoded)
        reach, along = x @ decoder.T, decoded @ decoder.T  # (r, L - first): x·D, x̂·D
        for begin in range(0, len(decoder), TOGETHER):
            bits = slice(begin, min(begin + TOGETHER, len(decoder)))
            signs = every[:, first:][:, bits].T.astype(np.float32)  # (b, r)
            old, near, far = signs.copy(), along[:, bits].T.copy(), reach[:, bits].T.copy()
            local = gram[bits, bits]
            for bit in range(len(signs)):
                change = -2 * gains * signs[bit]
                step = change * change * local[bit, bit]
                a_new, q_new = a + change * far[bit], q + 2 * change * near[bit] + step
                rise = target.loss(a_new, q_new, own) - target.loss(a, q, own)
                if noise and rng is not None:
                    rise += noise * step * rng.standard_normal(len(step), dtype=np.float32)
                flip = np.flatnonzero(rise < 0)
                signs[bit, flip] *= -1
                a[flip], q[flip] = a_new[flip], q_new[flip]
                near[bit + 1 :, flip] += local[bit + 1 :, bit, None] * change[flip]
            every[:, first:][:, bits] = signs.T
            if bits.stop < len(decoder):
                along[:, bits.stop :] += ((signs - old) * gains).T @ gram[bits, bits.stop :]
        if isinstance(codes.signs, PackedSigns):  # of others these are views
            codes.signs[rows] = every


def refit_gains(target: Target, codes: Codes) -> Codes:
    """Every row's best gain among the levels, and every level's best value for its rows."""
    if len(codes.levels) == 1:
        return codes
    found, best = nearest_gains(target, codes)
    return better_of(target, found, replace(found, levels=best))


def nearest_gains(target: Target, codes: Codes) -> tuple[Codes, np.ndarray]:
    """The codes with every row's best gain among the levels, and the levels (g,) that are best for these rows; 0 stays 0."""
    level = np.empty_like(codes.level)
    above, below = np.zeros(len(codes.levels)), np.zeros(len(codes.levels))
    for rows in target.blocks():
        x, known = target.values[rows], target.base(rows)
        base, pattern = known + codes.offset, codes.signs[rows].astype(np.float32) @ codes.decoder
        own, fixed, mixed, energy = squares(x), squares(base), inner(base, pattern), squares(pattern)
        at, reach = inner(x, base), inner(x, pattern)
        lost = [target.loss(at + g * reach, fixed + 2 * g * mixed + g * g * energy, own) for g in codes.levels]
        for zero in np.flatnonzero(codes.levels == 0):
            lost[zero] = target.loss(inner(x, known), squares(known), own)
        level[rows] = np.argmin(lost, axis=0)
        above += np.bincount(level[rows], target.weights[rows] * (reach - mixed), minlength=len(above))
        below += np.bincount(level[rows], target.weights[rows] * energy, minlength=len(above))
    better = (below > 0) & (above > 0) & (codes.levels != 0)
    return replace(codes, level=level), np.where(better, above / np.maximum(below, 1e-300), codes.levels).astype(np.float32)


def sparing(target: Target, codes: Codes) -> Codes:
    """The codes with a gain at 0, the one that is missed the least, if there is more than one, and some row loses more than all of
    itself."""
    worse = [
        (squares(target.values[rows] - decode(target, codes, rows)) > squares(target.values[rows])).any()
        for rows in target.blocks()
    ]
    if len(codes.levels) == 1 or not any(worse):
        return codes
    places = np.arange(len(codes.levels))
    tried = (refit_gains(target, replace(codes, levels=np.where(places == zero, np.float32(0), codes.levels))) for zero in places)
    return nearest_gains(target, min(tried, key=lambda each: total(target, each)))[0]


def refit_decoder(target: Target, codes: Codes) -> Codes:
    """The decoder and offset by least squares, the rows weighted as the loss asks: a bound of it that touches it here."""
    bits = codes.signs.shape[1]
    moments, cross = np.zeros((bits + 1, bits + 1)), np.zeros((bits + 1, target.values.shape[1]))
    for rows in target.blocks():
        x, base = target.values[rows], target.base(rows)
        weights = target.weights[rows].astype(np.float32)
        if target.loss is not euclidean:
            decoded = decode(target, codes, rows)
            weights = weights * (1 + turn_of(inner(x, decoded), product(squares(decoded), squares(x))))
        used, gains = np.empty((len(x), bits + 1), np.float32), codes.gains_of(rows)[:, None]
        used[:, :bits], used[:, bits:] = codes.signs[rows] * gains, gains != 0
        weighted = used * weights[:, None]
        moments += weighted.T @ used
        cross += weighted.T @ (x - base)
    moments[np.diag_indices(bits)] += 1e-6 * np.trace(moments) / (bits + 1) + 1e-30
    found = np.linalg.solve(moments, cross).astype(np.float32)
    return better_of(target, codes, replace(codes, decoder=found[:bits], offset=found[bits]))


def better_of(target: Target, one: Codes, other: Codes) -> Codes:
    """The other where it loses less, else the one. Under the Euclidean loss least squares needs no such look."""
    if target.loss is euclidean:
        return other
    return other if total(target, other) <= total(target, one) else one
