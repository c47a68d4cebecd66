"""The table of Hash codes: the figures of a few lengths and ranks, from which those of all others follow."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from compress.analysis.bound import Bound
from compress.analysis.code_curves import BITS, CLEAR, RANKS, CodeCurves, Figures, ideal_coders
from compress.analysis.code_preview import FIGURES, PATIENT, Estimate, code_preview, expected, fit_seconds
from compress.errors import Progress, Step
from compress.form.metrics import evaluate
from compress.matrix import EmbeddingMatrix
from compress.methods.light_token import LightToken
from compress.threads import one_thread, one_torch_thread

Arrays = dict[str, np.ndarray]

LENGTHS = (8, 16, 32, 64, 96, 128, 192, 256, 320, 384, 448)
DEPTHS = (0, 1, 4, 8, 16, 24, 32, 40, 48)
FIRST = 128  # bits, of the first setting
MOST = 60  # settings
QUICK = 12.0  # seconds of a full fit


def codes(
    matrix: EmbeddingMatrix,
    keep: Callable[[Arrays], None],
    progress: Progress,
    stages: int = 1,
    loss: str = "euclidean",
    solver: str = "refined",
    temperature: float = 0.01,
    epochs: int = 20,
) -> Arrays:
    """bits (m,), rank (m,), and each of FIGURES (m, 2), value and spread, by previews or by quick fits: always of the setting that
    those before leave most in doubt, first of those of rank 0, then of all."""
    usual = LightToken(stages=stages, loss=loss, solver=solver, temperature=temperature, epochs=epochs)
    ideals, known = ideal_coders(matrix), read(usual, getattr(keep, "begun", {}))
    for depths in ((0,), DEPTHS):
        offered = settings(usual, matrix.shape, depths)
        while len(known) < MOST and (method := most_in_doubt(offered, known, ideals, matrix.shape[1])):
            with one_thread(), one_torch_thread(solver == "paper"):
                known[method] = figures_of(matrix, method)
            keep(written(known))
            words = f"{len(known)} codes tried, the last of {method.bits} bits beside rank {method.rank}"
            progress(Step(len(known) / MOST, words))
    return written(known)


def figures_of(matrix: EmbeddingMatrix, method: LightToken) -> Figures:
    """By a preview, or by the full fit where that is quick."""
    if fit_seconds(method, matrix.shape) > QUICK:
        return expected(code_preview(matrix, method, patience=PATIENT))
    found = evaluate(matrix, method.fit(matrix))
    return {name: Estimate(getattr(found, name), 0.0) for name in FIGURES}


def settings(usual: LightToken, shape: tuple[int, int], depths: tuple[int, ...]) -> list[LightToken]:
    """Those that are worth a try, within what a matrix of that shape allows: of such ranks, and where these are several of the
    largest too."""
    (least, most), deepest = BITS, min(RANKS[1], *shape)
    most = min(most, shape[0] - 1)
    lengths = {min(least, most), *(each for each in LENGTHS if each < most), most}
    ranks = {0, *(each for each in depths if each < deepest), *([deepest] if len(depths) > 1 else [])}
    return [replace(usual, bits=bits, rank=rank) for rank in sorted(ranks) for bits in sorted(lengths) if bits >= usual.stages]


def most_in_doubt(
    offered: list[LightToken], known: dict[LightToken, Figures], ideals: Mapping[str, list[Bound]], d: int
) -> LightToken | None:
    """Of those that are not known the one whose error is told least exactly; None where all are told well enough."""
    rest = [each for each in offered if each not in known]
    if not rest:
        return None
    if not known:
        return min(rest, key=lambda each: (abs(each.bits - FIRST), each.rank))
    doubts = CodeCurves(ideals, d, known).doubts(rest)
    return rest[int(np.argmax(doubts))] if doubts.max() > CLEAR else None


def written(known: Mapping[LightToken, Figures]) -> Arrays:
    """What is known as the table holds it."""
    arrays = {name: np.array([getattr(each, name) for each in known]) for name in ("bits", "rank")}
    return arrays | {name: np.array([(each[name].value, each[name].spread) for each in known.values()]) for name in FIGURES}


def read(usual: LightToken, arrays: Mapping[str, np.ndarray]) -> dict[LightToken, Figures]:
    """What a table holds, by setting."""
    methods = [
        replace(usual, bits=int(bits), rank=int(rank))
        for bits, rank in zip(arrays.get("bits", ()), arrays.get("rank", ()), strict=True)
    ]
    return {method: {name: Estimate(*map(float, arrays[name][at])) for name in FIGURES} for at, method in enumerate(methods)}
