"""Losses ρ of a row's distance to its flat: how much a row that lies far away may pull.

Each is written in the squared distance s, in which all but ℓp above p = 2 are concave. A concave function lies below its tangents,
so a refit by least squares with row weights dρ/ds, the `pull`, can only lower Σ wᵢ ρ(sᵢ): iteratively reweighted least squares.
Near 0 each is s itself times a constant, and p = 2 is plain least squares.
"""

from dataclasses import dataclass, replace

import numpy as np

EFFICIENT = {"huber": 1.345, "cauchy": 2.385, "geman_mcclure": 3.787, "welsch": 2.985, "tukey": 4.685}
"""The scale, in standard deviations, that keeps 95 % of least squares' efficiency on Gaussian residuals."""

LARGEST_P = 32
NAMES = ("lp", *EFFICIENT)
LABELS = {
    "lp": "ℓp",
    "huber": "Huber",
    "cauchy": "Cauchy",
    "geman_mcclure": "Geman–McClure",
    "welsch": "Welsch",
    "tukey": "Tukey",
}


@dataclass(frozen=True)
class Loss:
    """ρ by name: lp with its exponent p ≥ 1, or one of the others. scale: λ > 0, a distance; None while it is still to be
    estimated. Under ℓp it is only the unit of distances, which keeps their powers within range."""

    name: str = "lp"
    p: float = 2.0
    scale: float | None = None

    @property
    def plain(self) -> bool:
        """Whether this is least squares."""
        return self.name == "lp" and self.p == 2

    @property
    def needs_scale(self) -> bool:
        return not self.plain and self.scale is None

    @property
    def damping(self) -> float:
        """How far to go from the old weights towards the new: all the way, but above p = 2 only as far as Newton's step does."""
        return 1 / max(1.0, self.p - 1) if self.name == "lp" else 1.0

    def scaled(self, squared: np.ndarray) -> "Loss":
        """The same loss with λ from the squared distances of rows: its constant for 95 % efficiency times their median distance;
        under ℓp the largest distance."""
        apart = np.sqrt(squared[squared > 0], dtype=np.float64)
        if not len(apart):
            return replace(self, scale=1.0)
        return replace(self, scale=float(apart.max() if self.name == "lp" else EFFICIENT[self.name] * np.median(apart)))

    def cost(self, squared: np.ndarray) -> np.ndarray:
        """ρ of each squared distance, in units of λ²."""
        if self.plain:
            return squared
        s = self.in_scale(squared)
        match self.name:
            case "lp":
                return s ** (self.p / 2)
            case "huber":
                return np.where(s <= 1, s, 2 * np.sqrt(s) - 1)
            case "cauchy":
                return np.log1p(s)
            case "geman_mcclure":
                return s / (1 + s)
            case "welsch":
                return -np.expm1(-s)
            case "tukey":
                return (1 - (1 - np.minimum(s, 1)) ** 3) / 3
        raise AssertionError(self.name)

    def pull(self, squared: np.ndarray) -> np.ndarray:
        """dρ/ds at each squared distance, up to a constant: the row's weight in the next refit."""
        if self.plain:
            return np.ones_like(squared)
        s = self.in_scale(squared)
        match self.name:
            case "lp":
                return s ** (self.p / 2 - 1)
            case "huber":
                return 1 / np.sqrt(np.maximum(s, 1))
            case "cauchy":
                return 1 / (1 + s)
            case "geman_mcclure":
                return 1 / (1 + s) ** 2
            case "welsch":
                return np.exp(-s)
            case "tukey":
                return (1 - np.minimum(s, 1)) ** 2
        raise AssertionError(self.name)

    def in_scale(self, squared: np.ndarray) -> np.ndarray:
        """Squared distances in units of λ²."""
        assert self.scale is not None
        return squared / self.scale**2
