"""ℓp low rank against SVD: planted outliers, the demo matrix as it is and with far rows, time, and the proved ellipsoid."""

import argparse

import numpy as np

from benchmarks.clock import median_seconds
from benchmarks.data import demo
from benchmarks.table import against, heading, table
from compress import SVD, EmbeddingMatrix, LpLowRank, evaluate
from compress.analysis.spectrum import principal_angles
from compress.solvers.ellipsoid import lowner
from compress.solvers.lewis import lewis_moments

SEEDS = 20
J = 115
SECONDS = {"rows": 3.0, "entries": 20.0}
L1_SHARE, CLEAN_SHARE, DEGREES = 0.42, 0.01, 1.0  # of SVD's ℓ1 error, of its squared error over the clean rows; to the planted one
FAR_ERROR = 0.383  # relative error over the other rows, 1 % of all multiplied by 20


def main(arguments: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    planted_outliers()
    on_the_demo()
    ellipsoids()


def planted_outliers() -> None:
    """2000 × 60 of rank 12, 40 rows replaced by far ones; the mean over seeds."""
    found = {"rows": [], "entries": []}
    svd_degrees = []
    for seed in range(SEEDS):
        matrix, subspace, clean = planted(seed)
        base = SVD(j=12, factor_bits=32).fit(matrix)
        l1, squared = errors(matrix, base, clean)
        svd_degrees.append(degrees(base, subspace))
        for objective, rows in found.items():
            result = LpLowRank(j=12, p=1.0, objective=objective, factor_bits=32).fit(matrix)
            mine = errors(matrix, result, clean)
            rows.append((mine[0] / l1, mine[1] / squared, degrees(result, subspace)))
    heading(f"ℓ1 low rank, 2000 × 60 of rank 12 with 40 far rows, mean of {SEEDS} seeds")
    print(f"SVD's angle to the planted subspace: {np.mean(svd_degrees):.1f}°")
    table(
        ["objective", "ℓ1 error / SVD's", "squared error of clean rows / SVD's", "largest angle (°)", "worst angle (°)"],
        [
            (
                name,
                against(np.mean(rows, axis=0)[0], L1_SHARE),
                against(np.mean(rows, axis=0)[1], CLEAN_SHARE),
                against(np.mean(rows, axis=0)[2], DEGREES, ".3f"),
                f"{np.max(rows, axis=0)[2]:.3f}",
            )
            for name, rows in found.items()
        ],
    )


def planted(seed: int) -> tuple[EmbeddingMatrix, np.ndarray, np.ndarray]:
    """The matrix, a basis of its subspace (60, 12), and which rows are clean."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((60, 12)))[0]
    values = 3 * rng.standard_normal((2000, 12)) @ basis.T + 0.1 * rng.standard_normal((2000, 60))
    far = rng.choice(2000, 40, replace=False)
    values[far] = 30 * rng.standard_normal((40, 60))
    clean = np.ones(2000, bool)
    clean[far] = False
    return EmbeddingMatrix(values.astype(np.float32)), basis, clean


def errors(matrix, result, clean) -> tuple[float, float]:
    """Σ|aᵢⱼ−bᵢⱼ| over all rows, Σ‖aᵢ−bᵢ‖² over the clean ones."""
    left = result.reconstruct().astype(np.float64) - matrix.values
    return np.abs(left).sum(), (left[clean] ** 2).sum()


def degrees(result, subspace: np.ndarray) -> float:
    """The largest principal angle between a fit's subspace and another of the same dimension."""
    found = np.linalg.qr(result.arrays["bases"][0].T.astype(np.float64))[0].T
    return float(principal_angles(np.stack([found, subspace.T]))[0, 1].max())


def on_the_demo() -> None:
    matrix = demo()
    rng = np.random.default_rng(0)
    values, others = matrix.values.copy(), np.ones(len(matrix.values), bool)
    others[rng.choice(len(values), len(values) // 100, replace=False)] = False
    values[~others] *= 20
    far = EmbeddingMatrix(values)
    rows = []
    for method in (SVD(j=J), LpLowRank(j=J, p=1.0, objective="rows"), LpLowRank(j=J, p=1.0)):
        evaluation = evaluate(matrix, method.fit(matrix))
        left = ((method.fit(far).reconstruct() - values)[others] ** 2).sum(dtype=np.float64) / matrix.squared_norms[others].sum()
        objective = getattr(method, "objective", None)
        took = median_seconds(method.fit, matrix)
        rows.append(
            (
                f"lp, {objective}" if objective else "SVD",
                f"{evaluation.l1_error:.4f}",
                f"{evaluation.relative_error:.4f}",
                f"{evaluation.median_row_error:.4f}",
                against(left, FAR_ERROR) if objective else f"{left:.4f}",
                against(took, SECONDS[objective], ".2f") if objective else f"{took:.2f}",
            )
        )
    heading(f"p = 1 on the demo matrix, j = {J}")
    table(["method", "ℓ1 error", "relative error", "median row", "others' error, 1 % of rows × 20", "seconds"], rows)


def ellipsoids() -> None:
    """The ellipsoids that a fit starts from: how far each is proved, and found, from the ball ‖Ax‖₁ ≤ 1."""
    rng = np.random.default_rng(0)
    heading("ellipsoids near {x : ‖Ax‖₁ ≤ 1}: factors")
    rows = []
    for n, d in ((500, 20), (2000, 60)):
        values = rng.standard_t(2, (n, d)).astype(np.float32)
        found = lowner(values, 1.0)
        weights, _ = lewis_moments(EmbeddingMatrix(values), 1.0)
        rows.append((f"{n} × {d}", f"{np.sqrt(d):.3f}", f"{found.proved:.3f}", f"{found.measured:.3f}", f"{weights.sum():.2f}"))
    table(["Student t rows", "√d", "Löwner: proved", "measured", "Lewis weights' sum (d when settled)"], rows)


if __name__ == "__main__":
    main()
