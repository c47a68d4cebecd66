"""Previews beside the full fits that they stand in for: how far off, whether the spread covers it, which order they give. And what
Hash codes tells while a hand moves, from the table that is made ahead, beside full fits at other lengths and ranks."""

import argparse
import tempfile
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.data import DATA, demo, table_of
from benchmarks.table import against, heading, table
from compress import EmbeddingMatrix, evaluate
from compress.analysis.code_curves import CodeCurves, ideal_coders
from compress.analysis.code_preview import code_preview, expected
from compress.answers.codes import codes as table_of_codes
from compress.answers.codes import read
from compress.methods import (
    LightToken,
    LpLowRank,
    Method,
    ProductQuantization,
    ProjectiveClustering,
    ResidualQuantization,
    Trellis,
)
from compress.threads import one_thread, one_torch_thread
from compress.tuning.fits import Fits
from compress.tuning.sweep import Trials

OFF = 3.0  # percent that a preview may lie beside the full fit
APART = 1.05  # times the error from which on two settings must come in the right order
WEIGHTED = 0.5  # exponent of the weights by order

LARGE = [
    *(LightToken(bits=bits) for bits in (32, 128, 256, 376, 384, 512)),
    LightToken(rank=16, bits=256),
    LightToken(rank=32, bits=64),
    LightToken(rank=64, bits=384),
    LightToken(bits=384, stages=4),
    LightToken(rank=32, bits=512, stages=8),
    LightToken(bits=384, loss="direction"),
    *(LightToken(bits=bits, solver="paper") for bits in (128, 384)),
    LightToken(rank=16, bits=256, solver="paper", stages=4),
]
LARGE_WEIGHTED = [
    *(LightToken(bits=bits) for bits in (128, 384)),
    LightToken(rank=16, bits=256, stages=2),
    LightToken(bits=256, solver="paper"),
]
SMALL = [
    *(LightToken(bits=bits) for bits in (16, 48, 100, 128, 256, 384, 512)),
    *(LightToken(rank=rank, bits=bits) for rank, bits in ((8, 128), (32, 128), (16, 384))),
    *(LightToken(bits=bits, stages=stages) for bits, stages in ((128, 4), (256, 8))),
    LightToken(bits=128, loss="direction"),
    LightToken(rank=4, bits=256, stages=2, loss="direction"),
    *(LightToken(bits=bits, solver="paper") for bits in (64, 128, 384)),
    LightToken(bits=64, solver="paper", epochs=60),
    LightToken(bits=256, stages=4, solver="paper"),
    LightToken(rank=16, bits=128, solver="paper"),
]
SMALL_WEIGHTED = [
    *(LightToken(bits=bits) for bits in (48, 128)),
    LightToken(rank=16, bits=384),
    LightToken(bits=256, stages=4),
    LightToken(bits=128, solver="paper"),
]
DRAFTED: list[Method] = [
    *(ProjectiveClustering(k=k, j=j) for k, j in ((2, 10), (5, 20), (10, 20), (5, 40))),
    *(LpLowRank(p=1.0, j=j, objective=objective) for objective in ("rows", "entries") for j in (10, 40)),
    *(Trellis(rate=rate) for rate in (0.5, 1.28)),
    *(ProductQuantization(parts=parts) for parts in (5, 20)),
    *(ResidualQuantization(parts=parts) for parts in (2, 6)),
    *(LightToken(bits=bits) for bits in (48, 128)),
]


FIRST = 8  # previews of a table that has just begun
GRIDS = {  # bits and ranks of full fits that a table is held against
    "demo": ((48, 200, 400), (0, 16, 48, 64)),
    "w2v_text8_10k_100d": ((24, 112, 288, 480), (0, 6, 24, 48, 64)),
    "glove100_tripadvisor_5k": ((24, 112, 288, 480), (0, 6, 24, 48, 64)),
    "glove100_tripadvisor_5k, 64 columns": ((24, 112, 288, 480), (6, 20, 40, 52, 60, 63)),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", type=Path, help="folder in which full fits are kept from one run to the next")
    parser.add_argument("--only", choices=("demo", "w2v_text8_10k_100d", "glove100_tripadvisor_5k"))
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        store = Trials((given.kept or Path(folder)) / "full.sqlite")
        if given.only in (None, "demo"):
            matrix = demo()
            codes("demo", matrix, LARGE, store)
            ahead("demo", matrix, store)
            codes("demo, weighted", by_order(matrix), LARGE_WEIGHTED, store)
        for name in ("w2v_text8_10k_100d", "glove100_tripadvisor_5k"):
            found = table_of(DATA / name) if given.only in (None, name) else None
            if found is not None:
                codes(name, found, SMALL, store)
                ahead(name, found, store)
                if name.startswith("glove"):
                    ahead(f"{name}, 64 columns", EmbeddingMatrix(found.values[:2500, :64].copy()), store)
                codes(f"{name}, weighted", by_order(found), SMALL_WEIGHTED, store)
                drafts(name, found, store)


def by_order(matrix: EmbeddingMatrix) -> EmbeddingMatrix:
    """The matrix with weights that fall with a row's number."""
    return EmbeddingMatrix(matrix.values, None, (np.arange(matrix.shape[0]) + 1.0) ** -WEIGHTED)


def codes(name: str, matrix: EmbeddingMatrix, methods: Sequence[LightToken], store: Trials) -> None:
    """Previews of Hash codes."""
    fits, rows, pairs, covered = Fits(matrix, store, None, 1), [], [], 0
    for method in methods:
        full = fits.full(method).figures["weighted_error"]
        with one_thread(), one_torch_thread(method.solver == "paper"):
            start = time.perf_counter()
            told = expected(code_preview(matrix, method))["weighted_error"]
            took = time.perf_counter() - start
        pairs.append((full, told.value))
        covered += abs(told.value - full) <= told.spread + 1e-6 * full
        off = f"{100 * (told.value / full - 1):+.2f}"
        rows.append((words(method), f"{full:.4g}", f"{told.value:.4g} ± {told.spread:.2g}", off, f"{took:.2f}"))
    heading(f"Previews of codes, {name}")
    table(["setting", "full fit", "preview", "% off", "seconds"], rows)
    order(pairs)
    print(f"within the spread told: {covered} of {len(rows)}\n")


def ahead(name: str, matrix: EmbeddingMatrix, store: Trials) -> None:
    """The answers of Hash codes' dials, from one preview, from the first of the table and from all of it."""
    fits, grown, start = Fits(matrix, store, None, 1), [], time.process_time()
    table_of_codes(matrix, lambda arrays: grown.append((arrays, time.process_time() - start)), lambda step: None)
    ideals, (lengths, ranks), rows, every = ideal_coders(matrix), GRIDS[name], [], []
    first = LightToken()
    told = {"one preview": {first: expected(code_preview(matrix, first))}}
    for count in (min(FIRST, len(grown)), len(grown)):
        arrays, took = grown[count - 1]
        told[f"{count} in {took:.0f} s"] = read(first, arrays)
    for method in (LightToken(rank=rank, bits=bits) for rank in ranks for bits in lengths):
        full = fits.full(method).figures["weighted_error"]
        found = [CodeCurves(ideals, matrix.shape[1], known).told([method])[0]["weighted_error"] for known in told.values()]
        off = [100 * (each.value / full - 1) for each in found]
        shown = (
            "…" if np.isnan(each) else f"{each:+.2f} ± {100 * one.spread / full:.0f}" for each, one in zip(off, found, strict=True)
        )
        rows.append((words(method), f"{full:.4g}", *shown))
        every.append(off)
    heading(f"What dials answer, {name}")
    table(["setting", "full fit", *(f"% off, {each}" for each in told)], rows)
    farthest, unknown = np.nanmax(np.abs(every), axis=0, initial=0.0), int(np.isnan(every)[:, -1].sum())
    print(f"\nfarthest off: {', '.join(against(each, OFF, '.1f') for each in farthest)} %")
    print(f"not told with the whole table: {unknown} of {len(rows)}\n")


def drafts(name: str, matrix: EmbeddingMatrix, store: Trials) -> None:
    """Previews of the other methods, fitted to all rows in fewer steps."""
    fits, rows, pairs = Fits(matrix, store, None, 1), [], []
    for method in DRAFTED:
        full = fits.full(method).figures["weighted_error"]
        with one_thread():
            told = evaluate(matrix, method.draft.fit(matrix)).weighted_error
        pairs.append((full, told))
        rows.append((words(method), f"{full:.4g}", f"{told:.4g}", f"{100 * (told / full - 1):+.2f}"))
    heading(f"Previews of other methods, {name}")
    table(["setting", "full fit", "preview", "% off"], rows)
    order(pairs)
    print()


def order(pairs: Sequence[tuple[float, float]]) -> None:
    """Says the largest gap, and how many pairs of settings with errors far apart the previews put in the wrong order."""
    far = [(one, other) for one, other in combinations(pairs, 2) if max(one[0], other[0]) >= APART * min(one[0], other[0])]
    wrong = sum((one[0] - other[0]) * (one[1] - other[1]) <= 0 for one, other in far)
    print(f"\nfarthest off: {against(max(100 * abs(told / full - 1) for full, told in pairs), OFF, '.1f')} %")
    print(f"pairs at least {100 * (APART - 1):.0f} % apart in the wrong order: {wrong} of {len(far)}")


def words(method: Method) -> str:
    """A setting without what it has by default."""
    usual = type(method)()
    told = [f"{name}={value}" for name, value in method.settings.items() if value != getattr(usual, name) or name == method.knob]
    return f"{method.name} {' '.join(told)}"


if __name__ == "__main__":
    main()
