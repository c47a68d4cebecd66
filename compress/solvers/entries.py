"""The solver behind the entrywise ℓp form: min Σ wᵢ |aᵢₗ − uᵢ·vₗ|^p over coefficients uᵢ of rows and directions vₗ of columns.

With one factor fixed the other's rows are ℓp regressions, each on its own: `regress` lowers them all at once. The two factors take
turns, the second on the transposed matrix. |r|^p is at most a weighted square around the present residual (p ≤ 2), so a few steps
of conjugate gradients on Σ |r|^(p−2) r'², which never form the n systems of j × j, already lower the ℓp sum itself.
"""

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from compress.errors import Progress, Step
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix

SETTLED = 1e-4  # relative fall of the cost below which a fit has settled
NEAR = 1e-3  # of a row's mean size: residuals below it weigh as if they were as large
BLOCK_BYTES = 8 << 20


def fit_entries(
    matrix: EmbeddingMatrix, basis: np.ndarray, p: float, steps: int, progress: Progress | None, last_rounds: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (n, j) and an orthonormal basis (d, j), from a basis to start at. One step lowers rows, then columns, and at the
    end the rows are lowered in so many rounds. The cost that `progress` is told, Σ wᵢ|aᵢₗ−bᵢₗ|^p over Σ wᵢ|aᵢₗ|^p, never rises."""
    weights = matrix.weights if matrix.weighted else None
    basis = np.array(basis, dtype=np.float32)
    coefficients = blocks.project(matrix.rows, basis, matrix.device)
    whole = sum(float(matrix.weights[rows] @ power_sums(block, p, None, unit(matrix))) for rows, block in blocks.walk(matrix.rows))
    before = np.inf
    for step in range(steps):
        lower_rows(matrix, coefficients, basis, p)
        cost = lower_columns(matrix, coefficients, basis, p, weights) / whole
        if progress:
            figures = {"restart": None, "step": step + 1, "rows": len(coefficients), "cost": cost, "scale": None}
            progress(Step((step + 1) / steps, f"pass {step + 1} over all rows, cost {cost:.4f}", figures))
        if cost > before * (1 - SETTLED):
            break
        before = cost
    lower_rows(matrix, coefficients, basis, p, last_rounds)
    return decorrelate(coefficients, basis)


def unit(matrix: EmbeddingMatrix) -> float:
    """The mean size of an entry, which no entry exceeds by more than n·d, so that no power overflows."""
    return matrix.absolute_sum / matrix.size


def lower_rows(matrix: EmbeddingMatrix, coefficients: np.ndarray, basis: np.ndarray, p: float, rounds: int = 1) -> None:
    """Lowers every row's cost by its coefficients, in place."""
    fixed = blocks.to_device(basis, matrix.device)
    for rows, block in blocks.walk(matrix.rows, BLOCK_BYTES):
        values, known = on_device(matrix, block, coefficients[rows])
        found, _ = regress(values, known, fixed, p, rounds=rounds, unit=unit(matrix))
        coefficients[rows] = blocks.to_host(found)


def lower_columns(
    matrix: EmbeddingMatrix, coefficients: np.ndarray, basis: np.ndarray, p: float, weights: np.ndarray | None, rounds: int = 1
) -> float:
    """Lowers every column's cost by its entries of the basis, in place; the cost of all of them."""
    n, d = matrix.shape
    fixed = blocks.to_device(coefficients, matrix.device)
    there = None if weights is None else blocks.to_device(weights.astype(np.float32), matrix.device)
    step, cost = max(1, BLOCK_BYTES // (4 * n)), 0.0
    for start in range(0, d, step):
        columns = slice(start, start + step)
        block = np.ascontiguousarray(matrix.values[:, columns].T)
        values, known = on_device(matrix, block, basis[columns])
        found, costs = regress(values, known, fixed, p, there, rounds, unit=unit(matrix))
        basis[columns] = blocks.to_host(found)
        cost += float(costs.sum())
    return cost


def on_device(matrix: EmbeddingMatrix, *arrays: np.ndarray) -> list[Any]:
    """The arrays on the matrix's device."""
    return [blocks.to_device(array, matrix.device) for array in arrays]


def regress(
    values: Any,
    coefficients: Any,
    basis: Any,
    p: float,
    weights: Any = None,
    rounds: int = 1,
    steps: int = 4,
    unit: float = 1.0,
) -> tuple[Any, Any]:
    """Lowers Σₗ wₗ |aᵢₗ − uᵢ·vₗ|^p for every row aᵢ of values (m, q) at once, basis (q, j), weights (q,): the coefficients (m, j)
    and what each row costs with them (m,) float64, sizes taken in that unit. No row's cost rises. numpy arrays or torch tensors.

    Each round weighs the squared residuals anew and takes a few steps of conjugate gradients. Above p = 2 the weighted square is no
    bound: there the first of a few steps that lowers the row's cost is taken, beginning with Newton's.
    """
    xp = array_namespace(values)
    near = xp.maximum(NEAR * xp.mean(xp.abs(values), axis=1, keepdims=True), 1e-30 * xp.ones_like(values[:, :1]))
    residuals = values - coefficients @ basis.T
    costs = power_sums(residuals, p, weights, unit)
    for _ in range(rounds):
        sizes = xp.maximum(xp.abs(residuals), near)
        w = near / sizes if p == 1 else (sizes / (near if p < 2 else xp.max(sizes, axis=1, keepdims=True))) ** (p - 2)
        w = w if weights is None else w * weights
        move, change = descend(residuals, w, basis, steps)
        for stride in (1.0,) if p <= 2 else (1 / (p - 1), 0.3 / (p - 1), 0.1 / (p - 1)):
            trial = residuals - stride * change
            now = power_sums(trial, p, weights, unit)
            lower = now < costs
            coefficients = xp.where(lower[:, None], coefficients + stride * move, coefficients)
            residuals = xp.where(lower[:, None], trial, residuals)
            costs = xp.where(lower, now, costs)
            move = xp.where(lower[:, None], 0 * move, move)
            change = xp.where(lower[:, None], 0 * change, change)
    return coefficients, costs


def power_sums(residuals: Any, p: float, weights: Any, unit: float) -> Any:
    """Σₗ wₗ |rᵢₗ / unit|^p of every row, float64."""
    xp = array_namespace(residuals)
    sizes = xp.abs(residuals) * (1 / unit)
    if p > 2:  # 1e9 to the largest p is still a number
        sizes = xp.minimum(xp.astype(sizes, xp.float64), 1e9 * xp.ones_like(sizes[:1, :1], dtype=xp.float64))
    sizes = sizes if p == 1 else sizes**p
    return xp.sum(sizes if weights is None else sizes * weights, axis=1, dtype=xp.float64)


def descend(residuals: Any, w: Any, basis: Any, steps: int) -> tuple[Any, Any]:
    """A few steps of conjugate gradients on Σₗ wᵢₗ (rᵢₗ − Δᵢ·vₗ)² for every row: Δ (m, j) and Δ Vᵀ (m, q). The metric is that of
    the rows' mean weights."""
    xp = array_namespace(residuals)
    j = basis.shape[1]
    inner = (basis.T * xp.mean(w, axis=0)) @ basis  # (j, j)
    ridge = 1e-6 * xp.linalg.trace(inner) / j + 1e-30
    metric = xp.linalg.inv(inner + ridge * xp.eye(j, dtype=inner.dtype))
    gradient = (w * residuals) @ basis
    direction = gradient @ metric
    slope = xp.sum(gradient * direction, axis=1, keepdims=True)
    moved: Any = 0.0
    changed: Any = 0.0
    for step in range(steps):
        reach = direction @ basis.T
        weighed = w * reach
        length = ratio(slope, xp.sum(weighed * reach, axis=1, keepdims=True))
        moved, changed = moved + length * direction, changed + length * reach
        if step + 1 < steps:
            gradient = gradient - length * (weighed @ basis)
            steep = gradient @ metric
            fresh = xp.sum(gradient * steep, axis=1, keepdims=True)
            direction, slope = steep + ratio(fresh, slope) * direction, fresh
    return moved, changed


def ratio(above: Any, below: Any) -> Any:
    """above / below, 0 where there is nothing left to divide by."""
    xp = array_namespace(above)
    return xp.where(below > 1e-30, above / xp.maximum(below, 1e-30 * xp.ones_like(below)), 0 * above)


def decorrelate(coefficients: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same product with an orthonormal basis whose directions do not correlate, the strongest first."""
    frame, triangle = np.linalg.qr(basis.astype(np.float64))
    moments = triangle @ blocks.gram(coefficients) @ triangle.T
    turn = np.linalg.eigh(moments)[1][:, ::-1]
    return blocks.project(coefficients, triangle.T @ turn), (frame @ turn).astype(np.float32)
