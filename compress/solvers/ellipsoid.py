"""An ellipsoid around the ball of an ℓp norm: low-rank approximation under ‖A x‖ₚ instead of ‖A x‖₂, with a proved factor."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from compress.errors import InputError, Progress, Step
from compress.linalg import eigen
from compress.threads import one_thread

CUTS = 5000
POLISH = 60
USUAL = 60  # rounds that are seldom exceeded


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """E = {x : ‖D Vᵀx‖₂ ≤ 1}, which contains B = {x : ‖A x‖ₚ ≤ 1}: ‖D Vᵀx‖₂ ≤ ‖A x‖ₚ ≤ proved · ‖D Vᵀx‖₂ for every x.

    axes: V (d, r), orthonormal columns, r the rank of A. stretches: D (r,), falling: the first axes are the directions in which the
    rows reach far, so axes[:, :j] is the best subspace of dimension j by this ellipsoid.
    measured: the largest ‖A x‖ₚ / ‖D Vᵀx‖₂ that a search found, at most proved. Up to √r (1 + tolerance) the method ended by
    itself, above it the rounds ran out. rounds: how many made cuts.
    """

    axes: np.ndarray
    stretches: np.ndarray
    proved: float
    measured: float
    rounds: int


def lowner(
    values: np.ndarray,
    p: float,
    weights: np.ndarray | None = None,
    tolerance: float = 0.01,
    rounds: int = 300,
    seed: int = 0,
    progress: Progress | None = None,
) -> Ellipsoid:
    """The ellipsoid method on B for A = values (n, d), d up to 64 or so; with weights (n,) the norm is (Σ wᵢ |aᵢ·x|ᵖ)^(1/p).

    Begins with the ball around B in coordinates that make the columns of A orthonormal. Where a point of the ellipsoid has
    ‖A x‖ₚ > √r (1 + tolerance), the slab |g·x| ≤ 1 of the gradient there contains B and cuts the ellipsoid to a smaller one. All is
    kept in coordinates of the present ellipsoid: A = Q M, and the ellipsoid is ‖M x‖₂ ≤ 1, the unit ball of z = M x.

    Tukan, Maalouf, Weksler and Feldman 2020, "Compressed Deep Networks: Goodbye SVD, Hello Robust Low-Rank Approximation", whose
    factor for the exact Löwner ellipsoid is √r. Cuts by slabs cannot go below √r, and tend to √r times the largest ellipsoid inside
    B. Where the first ball is within √r already, as for p = 2 and wherever n^|1/p - 1/2| ≤ √r, the answer is that of SVD.

    progress is told "round", "largest" and "goal" after each search, and may raise to stop. Raises ValueError for p and
    tolerance, InputError for values and weights.
    """
    if not p >= 1:
        raise ValueError(f"p must be at least 1, got {p}")
    if p == np.inf:
        raise ValueError("p must be finite, got inf")
    if not tolerance > 0:
        raise ValueError(f"tolerance must be above 0, got {tolerance}")
    rng = np.random.default_rng(seed)
    with one_thread():
        q, m = whiten(scaled_rows(values, p, weights), p)
        r = len(m)
        goal = np.sqrt(r) * (1 + tolerance)
        slabs = np.eye(r)
        for used in range(rounds + 1):
            starts = [slabs[:, rng.permutation(slabs.shape[1])[:r]], longest(q, r), rng.standard_normal((r, r))]
            found = search(q, p, np.hstack(starts), steps=4)
            if lengths(found).max() <= goal or used == rounds:
                found = search(q, p, np.hstack([found, rng.standard_normal((r, 512))]), steps=30)
            reached = float(lengths(found).max())
            if progress:
                figures = {"round": used, "largest": reached, "goal": float(goal)}
                progress(Step(min(used / USUAL, 1.0), f"round {used} of the ellipsoid", figures))
            if reached <= goal or used == rounds:
                break
            # Known slabs are cut below the goal, so that what is found beside them later is not just above it.
            change, slabs = cut(np.hstack([slabs, found]) if used else found, np.sqrt(r) * (1 + tolerance / 2))
            q, m = q @ change, np.linalg.solve(change, m)
            slabs = slabs[:, np.argsort(lengths(slabs))[-16 * r :]]
        proved = min(factors(q, p))
        _, stretches, axes = np.linalg.svd(m, full_matrices=False)
    return Ellipsoid(axes.T, stretches, proved, min(reached, proved), used)


def scaled_rows(values: np.ndarray, p: float, weights: np.ndarray | None) -> np.ndarray:
    """wᵢ^(1/p) aᵢ in float64, without those that are zero."""
    rows = np.asarray(values, np.float64)
    if weights is not None:
        if not (np.isfinite(weights).all() and np.min(weights) >= 0):
            raise InputError("Weights must be finite and not negative.")
        rows = rows * (np.asarray(weights, np.float64) ** (1 / p))[:, None]
    if not np.isfinite(rows).all():
        raise InputError("Some entries are not finite, so there is no ellipsoid; replace them.")
    rows = rows[rows.any(axis=1)]
    if not len(rows):
        raise InputError("Every row is zero, so there is no ellipsoid; give a row that is not.")
    return rows


def whiten(rows: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Q (n, r) and M (r, d) with A = Q M and ‖M x‖₂ ≤ ‖A x‖ₚ: the SVD, and ‖y‖₂ ≤ n^max(0, 1/2 - 1/p) ‖y‖ₚ."""
    left, values, right = np.linalg.svd(rows, full_matrices=False)
    r = int((values > values[0] * max(rows.shape) * np.finfo(np.float64).eps).sum())
    radius = len(rows) ** max(0.0, 1 / 2 - 1 / p)
    return left[:, :r] * radius, values[:r, None] * right[:r] / radius


def lengths(slabs: np.ndarray) -> np.ndarray:
    """‖g‖₂ of every column: 1 / ‖g‖₂ is the half width of the slab |g·z| ≤ 1, and ‖Q z‖ₚ ≥ ‖g‖₂ at z = g / ‖g‖₂."""
    return np.linalg.norm(slabs, axis=0)


def longest(q: np.ndarray, count: int) -> np.ndarray:
    """The rows of Q that reach farthest, as columns (r, count): for large p the norm is largest in their directions."""
    return q[np.argsort(np.einsum("ir,ir->i", q, q))[-count:]].T


def gradients(q: np.ndarray, p: float, points: np.ndarray) -> np.ndarray:
    """Of ‖Q z‖ₚ at points z (r, m), not zero: Qᵀ(sign(y) |y|^(p-1)) / ‖y‖ₚ^(p-1) with y = Q z, (r, m)."""
    y = q @ points  # (n, m)
    if p == 1:
        return q.T @ np.sign(y)
    y /= np.abs(y).max(axis=0)
    power = np.abs(y) ** (p - 1)
    norms = np.einsum("im,im->m", power, np.abs(y)) ** (1 / p)
    return q.T @ np.copysign(power, y) / norms ** (p - 1)


def search(q: np.ndarray, p: float, starts: np.ndarray, steps: int) -> np.ndarray:
    """Gradients (r, m) of ‖Q z‖ₚ on its way up over the unit ball: z ← g / ‖g‖₂ never lowers a convex function."""
    width = max(1, (1 << 24) // len(q))
    parts = []
    for first in range(0, starts.shape[1], width):
        slabs = starts[:, first : first + width]
        for _ in range(steps):
            slabs = gradients(q, p, slabs / lengths(slabs))
        parts.append(slabs)
    return np.hstack(parts)


def cut(slabs: np.ndarray, goal: float) -> tuple[np.ndarray, np.ndarray]:
    """The unit ball of r dimensions cut by the deepest of the slabs |g·z| ≤ 1 (r, m), again and again until none has ‖g‖₂ > goal.

    Returns C (r, r) and the slabs Cᵀg in the new coordinates: the cut ellipsoid is {C z : ‖z‖₂ ≤ 1}. The smallest ellipsoid around
    the part of the ball with |u·z| ≤ α < 1/√r has semi-axes α √r along u and √(r (1 - α²) / (r - 1)) across.
    """
    r = len(slabs)
    change, slabs = np.eye(r), slabs.copy()
    for _ in range(CUTS):
        sizes = lengths(slabs)
        deepest = int(sizes.argmax())
        if sizes[deepest] <= goal:
            break
        half = 1 / sizes[deepest]
        u = slabs[:, deepest] * half
        along, across = np.sqrt(r) * half, np.sqrt(r * (1 - half**2) / max(r - 1, 1))
        for rows in (slabs, change.T):  # both are multiplied by across · I + (along - across) u uᵀ, in place
            turned = (along - across) * (u @ rows)
            rows *= across
            rows += np.outer(u, turned)
    return change, slabs


def factors(q: np.ndarray, p: float) -> Iterable[float]:
    """Bounds of ‖Q z‖ₚ over the unit ball, each proved.

    Axes: √Σ ‖Q eᵢ‖ₚ², by Cauchy and Schwarz. p > 2, with ρᵢ = ‖qᵢ‖₂ ≥ |qᵢ·z|: λmax(Σ ρᵢ^(p-2) qᵢqᵢᵀ)^(1/p). p ≤ 2, for any τ > 0,
    by Hölder: (Στ)^(1/p - 1/2) λmax(Σ τᵢ^(1-2/p) qᵢqᵢᵀ)^(1/2). The best τᵢ is (qᵢᵀ W qᵢ)^(p/2) for the W of trace 1 with the
    largest Στ, which W ← Fᵀ G F / trace climbs to, G the matrix under λmax; there, for p = 1, it is within √(π/2) of the truth.
    """
    yield float(np.sqrt(np.square(np.linalg.norm(q, ord=p, axis=0)).sum()))
    if p > 2:
        rho = np.sqrt(np.einsum("ir,ir->i", q, q))
        top = rho.max()
        moment = (q * ((rho / top) ** (p - 2))[:, None]).T @ q
        yield float(top ** (1 - 2 / p) * eigen.eigenvalues(moment)[0] ** (1 / p))
        return
    root = np.eye(q.shape[1]) / np.sqrt(q.shape[1])  # F of W = F Fᵀ
    for _ in range(POLISH):
        w = np.square(q @ root).sum(axis=1)
        w = np.maximum(w, 1e-12 * w.max())
        moment = (q * (w ** (p / 2 - 1))[:, None]).T @ q
        yield float((w ** (p / 2)).sum() ** (1 / p - 1 / 2) * np.sqrt(eigen.eigenvalues(moment)[0]))
        size, turn = np.linalg.eigh(root.T @ moment @ root)
        root = root @ (turn * np.sqrt(np.maximum(size, 0) / size.sum()))
