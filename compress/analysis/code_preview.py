"""What a full fit of binary codes will lose, told quickly: by few passes over all rows, or over some, part of them judged apart.

Where a few passes over all rows are quick, they are made, and the full fit lies a little below. Else some rows are coded: a decoder
fitted to some rows holds those better, and other rows worse, than a decoder fitted to all rows holds its own. Both errors are
measured in one fit: rows that are held out get codes but have no say in the decoder. Between them lies the error of the full fit,
and fewer passes leave it a little too high. How far between and how little was measured once, on tables of words
(`python -m benchmarks.previews` measures it again), and what that left unexplained is part of the spread that is told.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method
from compress.methods.light_token import LightToken
from compress.solvers.binary_codes import TURNS

ROWS, HELD_OUT = (3200, 10_000), 700  # the fewest and the most that are coded, and those of a sample that are judged apart
WORK = {"refined": (0.76, 0.62), "paper": (1.6, 1.6)}  # seconds of the passes on one thread, about: over all rows, a sample
PATIENT = 2  # times the work, where nobody waits for it
WHOLE = {"refined": 1.0, "paper": 2.8}  # seconds within which the full fit is made at once
ALL = {"refined": 3, "paper": 17}  # passes for which there must be time where all rows are taken rather than a sample
PASSES = {"refined": (3, 7), "paper": (8, 20)}  # over a sample: fewest, and those for which more rows are not taken
CALM = 1  # of the passes: noise does more in few of them than calm
FEWEST_TURNS = 6  # of the rotation of a start, of which as large a share is made as of the passes
USEFUL = 100  # rows that count, at least; of fewer no sample is taken
ENOUGH = 40  # passes after which more gain little

BETWEEN = {"refined": (0.604, 0.234, 0.03), "paper": (0.26, 0.45, 0)}  # a share, and its rise with the gap and with stages
FALL, STAGED, TURNED = 0.047, 0.0115, 0.051  # of the error with passes, and more with stages and under the directional loss
FALLS_MOST = 2.5  # bits a column
LEFT, LEFT_OF = {"refined": 0.015, "paper": 0.03}, (0.03, 0.25)  # unexplained: a share of the error, and of both corrections
BEYOND = 0.025  # of the error, more unexplained for every bit a column above those: no table of words was measured there
FIGURES = ("relative_error", "weighted_error", "mean_cosine")


@dataclass(frozen=True)
class Estimate:
    """A figure of the full fit, and two standard errors of what is told."""

    value: float
    spread: float


@dataclass(frozen=True, eq=False)
class CodePreview:
    """Codes of some rows. matrix: all rows. sample: those that were coded, the first `fitted` of them those that the decoder is
    made for. sample_weights: theirs in the whole matrix, since a sample has a mean of its own. result: their codes, of the setting
    that was asked for. passes: those that were made, or epochs."""

    matrix: EmbeddingMatrix
    sample: EmbeddingMatrix
    sample_weights: np.ndarray
    fitted: int
    result: Compressed
    passes: int

    @cached_property
    def rows(self) -> int:
        """How many rows count."""
        return max(len(useful(self.matrix)), self.sample.shape[0])

    @property
    def whole(self) -> bool:
        """Whether this is the full fit itself."""
        method = self.result.method
        assert isinstance(method, LightToken)
        return self.sample is self.matrix and self.passes == asked_passes(method)

    @property
    def trained(self) -> EmbeddingMatrix:
        """The sample as the decoder sees it: rows that are held out have no weight."""
        return held_out(self.sample, self.fitted)


def held_out(sample: EmbeddingMatrix, fitted: int) -> EmbeddingMatrix:
    """The rows with the weights of the first `fitted` only."""
    if fitted == sample.shape[0]:
        return sample
    weights = np.where(np.arange(sample.shape[0]) < fitted, sample.weights, 0)
    return EmbeddingMatrix(sample.values, sample.tokens, weights, sample.name, sample.device, sample.row_word)


def code_preview(matrix: EmbeddingMatrix, method: LightToken, progress: Progress | None = None, patience: float = 1) -> CodePreview:
    """Codes of some rows, or of all where that is as quick, beside the low-rank part of all. patience: times the work that it may
    take. Raises ValueError as a fit does."""
    method.check(*matrix.shape)
    rows, fitted, passes = plan(method, matrix, patience)
    sample = rows_of(matrix, rows)
    if sample is matrix and passes == asked_passes(method):
        return CodePreview(matrix, matrix, matrix.weights, fitted, method.fit(matrix, progress), passes)
    base, even = method.base(matrix.even), sample.times(-matrix.exponent)
    arrays = base | {name: base[name][rows] for name in ("coefficients",) if name in base}
    if method.solver == "refined":
        turns = max(FEWEST_TURNS, TURNS * passes // method.passes)
        found = replace(method, passes=passes).encode(held_out(even, fitted), arrays, progress, calm=CALM, turns=turns)
    else:
        found = replace(method, epochs=passes).encode(held_out(even, fitted), arrays, progress)
    result = replace(found, method=method, digest=sample.digest, exponent=matrix.exponent)
    return CodePreview(matrix, sample, matrix.weights[rows], fitted, result, passes)


def preview_again(matrix: EmbeddingMatrix, result: Compressed, patience: float) -> CodePreview | None:
    """The preview whose codes were kept; None where they are of other rows than such a preview is made of now."""
    method = result.method
    assert isinstance(method, LightToken)
    rows, fitted, passes = plan(method, matrix, patience)
    sample = rows_of(matrix, rows)
    return CodePreview(matrix, sample, matrix.weights[rows], fitted, result, passes) if result.digest == sample.digest else None


def asked_passes(method: LightToken) -> int:
    """Passes of the refined solver, or epochs, a stage."""
    return method.passes if method.solver == "refined" else method.epochs


def plan(method: LightToken, matrix: EmbeddingMatrix, patience: float = 1) -> tuple[np.ndarray, int, int]:
    """The rows to code, how many of them, the first, the decoder is made for, and the passes or epochs."""
    n, d = matrix.shape
    solver, asked, work = method.solver, asked_passes(method), seconds_of(method, d)
    if fit_seconds(method, matrix.shape) <= min(patience, 1) * WHOLE[solver]:
        return np.arange(n), n, asked
    used = useful(matrix)
    (over_all, over_some), (fewest, wanted) = (patience * each for each in WORK[solver]), PASSES[solver]
    count = int(np.clip(over_some / (wanted * work), *ROWS))
    whole = count >= len(used) or (len(used) <= ROWS[1] and len(used) * min(ALL[solver], asked) * work <= over_all)
    rows = used if whole else np.random.default_rng(1).permutation(used)[:count]
    most = int((over_all if whole else over_some) / (len(rows) * work))
    passes = int(np.clip(most, fewest, asked)) if asked > fewest else asked
    return rows, len(rows) - (0 if whole else HELD_OUT), passes


def fit_seconds(method: LightToken, shape: tuple[int, int]) -> float:
    """What the full fit of a matrix of that shape takes, about."""
    return shape[0] * asked_passes(method) * seconds_of(method, shape[1])


def seconds_of(method: LightToken, d: int) -> float:
    """What a pass over one row takes, about: products with the decoder, and a turn of every bit."""
    if method.solver == "paper":
        return method.bits * d * 2.2e-10 * (0.6 + 0.4 * method.stages)
    slow = 1.0 if method.loss == "euclidean" else 1.8
    return slow * method.bits * ((method.stages + 1) / 2 * d * 1.0e-10 + 3.9e-8)


def useful(matrix: EmbeddingMatrix) -> np.ndarray:
    """The numbers of the rows that count, neither zero nor without weight; of all rows where those are few."""
    used = np.flatnonzero(matrix.squared_norms * matrix.weights > 0)
    return used if len(used) >= USEFUL else np.arange(matrix.shape[0])


def rows_of(matrix: EmbeddingMatrix, rows: np.ndarray) -> EmbeddingMatrix:
    """A matrix of these rows, by their names in the whole; the whole itself where they are as many."""
    if len(rows) == matrix.shape[0]:
        return matrix
    tokens = [matrix.tokens[row] for row in rows]
    return EmbeddingMatrix(matrix.rows[rows], tokens, matrix.weights[rows], matrix.name, matrix.device, matrix.row_word)


def expected(preview: CodePreview, part: Compressed | None = None) -> dict[str, Estimate]:
    """The figures of the full fit, by their names in Evaluation; of a code of its first stages, where one is given."""
    part = part or preview.result
    x, decoded, rank = preview.sample.values, part.reconstruct(), part.method.settings["rank"]
    squared, own, restored = (np.einsum("id,id->i", each, each).astype(np.float64) for each in (x - decoded, x, decoded))
    left = blocks.project(x, preview.matrix.axes[:, rank:]) ** 2  # (m, d - rank)
    sides = [side for side in np.split(np.arange(len(x)), [preview.fitted]) if len(side)]
    found = {}
    for name, weights, energies in zip(
        FIGURES, (np.ones(len(x)), preview.sample_weights), preview.matrix.energies[::-1], strict=False
    ):
        losses = [mean_loss(preview, weights[side], squared[side], left[side], energies[rank:]) for side in sides]
        scale = preview.rows / energies.sum()
        found[name] = full_fit(preview, part, [(scale * value, scale * error) for value, error in losses])
    missed = 1 - np.einsum("id,id->i", x, decoded) / np.sqrt(np.maximum(own * restored, 1e-30))
    angles = [missed[side][own[side] > 0] for side in sides]
    turned = full_fit(preview, part, [(each.mean(), short_of(preview, len(each)) * each.std()) for each in angles])
    return found | {"mean_cosine": replace(turned, value=1 - turned.value)}


def mean_loss(
    preview: CodePreview, weights: np.ndarray, squared: np.ndarray, left: np.ndarray, energies: np.ndarray
) -> tuple[float, float]:
    """The mean of wᵢ‖aᵢ − bᵢ‖² over all rows that count, and its standard error, from those of a sample (m,).

    A row that has much left (m, r) along the axes beyond the low-rank part loses much; what all rows have left there, their
    energies (r,), is known. So the mean is sought by regression on two sums of them: the whole, and what an ideal code leaves
    (reverse water-filling at this error).
    """
    lost = weights * squared
    if not energies.any():  # the low-rank part holds all
        return float(lost.mean()), float(short_of(preview, len(lost)) * lost.std())
    kept = np.stack([np.ones(len(energies)), ideal_share(energies, lost.sum() / max(weights @ left.sum(axis=1), 1e-300))], axis=1)
    told, known = weights[:, None] * (left @ kept), energies @ kept / preview.rows  # (m, 2), (2,)
    slopes = np.linalg.lstsq(told / known.max(), lost / known.max(), rcond=None)[0]
    rest = lost - told @ slopes
    return float(known @ slopes + rest.mean()), float(short_of(preview, len(rest)) * rest.std())


def ideal_share(energies: np.ndarray, share: float) -> np.ndarray:
    """(r,) of what each axis holds, what an ideal code leaves when it leaves this share of all: min(1, θ / energy)."""
    low, high = 0.0, float(energies.max())
    for _ in range(40):
        level = (low + high) / 2
        low, high = (level, high) if np.minimum(energies, level).sum() < share * energies.sum() else (low, level)
    return np.minimum(1, high / np.maximum(energies, 1e-300))


def short_of(preview: CodePreview, rows: int) -> float:
    """The standard error of a mean over so many rows, in standard deviations."""
    return float(np.sqrt(max(1 / rows - 1 / preview.rows, 0)))


def full_fit(preview: CodePreview, part: Compressed, sides: list[tuple[float, float]]) -> Estimate:
    """What the full fit loses, from the loss of fitted rows and of held-out ones, if any, each with its standard error."""
    (fitted, error), (apart, error_apart) = sides[0], sides[-1]
    if preview.whole or fitted <= 0 or apart <= 0:
        return Estimate(fitted, 0.0)
    solver = part.method.settings["solver"]
    share, rise, anew = BETWEEN[solver]
    share += anew * float(np.log(part.method.settings["stages"]))
    few = 1 - (preview.fitted / preview.rows) ** 1.3  # 0 where all rows were fitted
    gap = float(np.log(apart / fitted))
    between, slope = few * gap * (share + rise * gap), few * (share + 2 * rise * gap)
    fall = fall_with_passes(part.method, preview.passes, preview.matrix.shape[1])
    value = fitted * float(np.exp(between - fall))
    sampled = (1 - slope) * error / fitted, slope * error_apart / apart
    beyond = BEYOND * max(bits_a_column(part.method, preview.matrix.shape[1]) - FALLS_MOST, 0.0)
    unexplained = LEFT[solver], LEFT_OF[0] * between, LEFT_OF[1] * fall, beyond
    return Estimate(value, 2 * value * float(np.linalg.norm([*sampled, *unexplained])))


def bits_a_column(method: Method, d: int) -> float:
    """Of the columns' worth of directions that the bits are for."""
    return method.settings["bits"] / max(d - method.settings["rank"], 1)


def fall_with_passes(method: Method, passes: int, d: int) -> float:
    """How far the logarithm of the error would still fall with all passes: farthest at a few bits a column."""
    assert isinstance(method, LightToken)
    if method.solver == "paper":
        return 0.0
    bits = bits_a_column(method, d) / FALLS_MOST
    hump = bits**3 * np.exp(3 - 3 * bits)
    steep = FALL * hump + (STAGED * np.log(method.stages) + TURNED * (method.loss != "euclidean")) * hump**2
    return float(steep * np.log(min(method.passes, ENOUGH) / min(passes, method.passes, ENOUGH)))
