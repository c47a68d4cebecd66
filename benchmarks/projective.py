"""k subspaces on the demo matrix: error, time, and time against the plain EM; then the draft that previews it."""

import argparse

import numpy as np

from benchmarks.clock import median_seconds
from benchmarks.data import demo
from benchmarks.plain_em import RESTARTS, STEPS, step_seconds
from benchmarks.table import against, heading, table
from compress import EmbeddingMatrix, ProjectiveClustering, evaluate

TARGETS = {(5, 60): 0.4925, (5, 115): 0.3185, (10, 60): 0.4720}  # relative errors
FIRST = (5, 60)  # the setting that the bounds on time are for
SECONDS = 4.0
SHARE = 1 / 300  # of the plain EM's time
DRAFT_SECONDS = 0.5
DRAFT_EXCESS = 6.0  # percent above the full fit's error


def main(arguments: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    matrix = demo()
    wide = matrix.values.astype(np.float64)
    full, drafts = [], []
    for (k, j), target in TARGETS.items():
        method = ProjectiveClustering(k=k, j=j)
        error, draft_error = (error_of(matrix, each) for each in (method, method.draft))
        took, draft_took = (median_seconds(each.fit, matrix) for each in (method, method.draft))
        plain = step_seconds(wide, k, j) * RESTARTS * STEPS
        name = f"k = {k}, j = {j}"
        full.append(
            (
                name,
                against(error, target),
                against(took, SECONDS, ".2f") if (k, j) == FIRST else f"{took:.2f}",
                f"{plain:.0f}",
                share(took, plain) if (k, j) == FIRST else f"1/{plain / took:.0f}",
            )
        )
        drafts.append(
            (
                name,
                f"{draft_error:.4f}",
                against(100 * (draft_error / error - 1), DRAFT_EXCESS, ".1f"),
                against(draft_took, DRAFT_SECONDS, ".2f") if (k, j) == FIRST else f"{draft_took:.2f}",
            )
        )
    heading("k subspaces, demo matrix")
    table(["full fit", "error", "seconds", "plain EM (s)", "share of its time"], full)
    print()
    table(["draft", "error", "% above the full fit", "seconds"], drafts)
    print(f"\nTimes are medians of 3. The plain EM's time is one step's, run once, times {RESTARTS} × {STEPS}.")


def share(took: float, plain: float) -> str:
    return f"1/{plain / took:.0f} (≤ 1/{1 / SHARE:.0f}: {'met' if took <= SHARE * plain else 'missed'})"


def error_of(matrix: EmbeddingMatrix, method: ProjectiveClustering) -> float:
    return evaluate(matrix, method.fit(matrix)).relative_error


if __name__ == "__main__":
    main()
