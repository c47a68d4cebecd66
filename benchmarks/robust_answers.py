"""What Robustness tells while a dial moves, beside what it shows then. Run: python -m benchmarks.robust_answers"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.data import DATA, demo, table_of
from benchmarks.table import against, heading, table
from compress import SVD, EmbeddingMatrix, LpLowRank, ProjectiveClustering, evaluate
from compress.analysis.outliers import plant
from compress.answers.robust import FIGURES, View, between, exact, robust
from compress.methods import Method
from compress.threads import one_thread
from pages.parts.fits import previewed

OFF = 3.0  # percent of the error
TABLES = ("demo", "w2v_text8_10k_100d", "glove100_tripadvisor_5k")
ERRORS = FIGURES[:5]
NOW = [
    (LpLowRank(j=30, p=p, objective=objective), planted, 20.0)
    for p, objective, planted in ((1.0, "rows", 0), (1.0, "rows", 20), (1.5, "rows", 60), (1.0, "entries", 0))
]
NOW.append((ProjectiveClustering(k=1, j=30, loss="cauchy"), 20, 20.0))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=TABLES)
    parser.add_argument("--coarse", action="store_true", help="the table that is made once the page is still")
    given = parser.parse_args(arguments)
    for name in TABLES:
        matrix = None if given.only not in (None, name) else demo() if name == "demo" else table_of(DATA / name)
        if matrix is not None:
            with one_thread():
                compared(name, matrix, given.coarse)


def compared(name: str, matrix: EmbeddingMatrix, coarse: bool) -> None:
    """Every dial from every setting of NOW."""
    rows, worst = [], 0.0
    for method, planted, length in NOW:
        start = time.process_time()
        settings = {key: value for key, value in method.settings.items() if key in ("j", "p", "loss", "scale")}
        most = matrix.shape[0] // 20
        settings["entries"] = method.settings.get("objective") == "entries"
        arrays = robust(matrix, lambda arrays: None, None, planted=planted, length=length, most=most, coarse=coarse, **settings)
        took = time.process_time() - start
        now = shown(matrix, method, planted, length)
        for dial, value, there in moved(method, planted, length, most):
            known = {float(getattr(method, dial, {"planted": planted, "length": length}.get(dial))): now}
            if dial == "p":
                known[2.0] = shown(matrix, replace(method, p=2.0), planted, length)
            told = between(arrays, dial, np.array([value]), known)
            asked = shown(matrix, *there)
            off = {each: 100 * np.abs(told[0].of(each) / asked.of(each) - 1).max() for each in ERRORS}
            turned = np.abs(told[0].figures - asked.figures)[:, 6].max()
            worst = max(worst, off["relative_error"], off["l1_error"])
            words = f"{method.name} {getattr(method, 'objective', getattr(method, 'loss', ''))} p={method.p:g} planted={planted}"
            rows.append((words, f"{dial} = {value:g}", *(f"{off[each]:.2f}" for each in ERRORS), f"{turned:.1f}", f"{took:.2f}"))
    heading(f"Answers of Robustness, {name}")
    table(["from", "to", *(f"{each} % off" for each in ERRORS), "turned ° off", "table s"], rows)
    print(f"farthest off, ℓ1 and relative error: {against(worst, OFF, '.2f')} %\n")


def moved(method: Method, planted: int, length: float, most: int) -> Iterator[tuple[str, float, tuple[Method, int, float]]]:
    """Dials, values and the settings there."""
    if method.name == "lp":
        for p in (1.0, 1.22, 1.48, 1.73, 1.96):
            yield "p", p, (replace(method, p=p), planted, length)
    for j in (10, 26, 36, 55, 80):
        yield "j", j, (replace(method, j=j), planted, length)
    for count in (0, 5, 33, 100, most):
        yield "planted", count, (method, count, length)
    for far in (2.5, 8.0, 17.5, 45.0) if planted else ():
        yield "length", far, (method, planted, far)


def shown(matrix: EmbeddingMatrix, method: Method, planted: int, length: float) -> View:
    """What the page shows of a setting at first."""
    work, rows = plant(matrix, planted, length)
    far = np.zeros(len(matrix.values), bool)
    far[rows] = True
    base = SVD(j=method.j)
    fitted = [previewed(work, method, lambda step: None), base.fit(work), base.fit(matrix)]
    return exact(
        work, far, matrix, fitted, [evaluate(each, result) for each, result in zip((work, work, matrix), fitted, strict=True)]
    )


if __name__ == "__main__":
    main()
