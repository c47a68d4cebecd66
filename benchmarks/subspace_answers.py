"""What Subspaces tells while k or j moves, beside what it shows then: a preview at once, the full fit later.

Run: python -m benchmarks.subspace_answers [--kept FOLDER] [--only NAME] [--write]
"""

import argparse
import lzma
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.data import DATA, demo, table_of
from benchmarks.table import against, heading, table
from compress import EmbeddingMatrix, ProjectiveClustering, evaluate
from compress.analysis.groupings import Grouping, best, errors_of_j, errors_of_k
from compress.answers import tables
from compress.answers.subspaces import FIRST, anchor, drafted, every_j, reach, tables_of
from compress.threads import one_thread
from compress.tuning.fits import Fits
from compress.tuning.sweep import Trials

OFF = 3.0  # percent of the error
UNKNOWN = "…"  # where nothing is told
GRIDS = {  # where the dials stand, and where they are moved to: k at that j, and j at that k
    "demo": (ProjectiveClustering(k=5, j=60), (2, 3, 7, 10, 14, 20, 32), (10, 30, 45, 115, 190)),
    "w2v_text8_10k_100d": (ProjectiveClustering(k=5, j=10), (2, 3, 7, 10, 14, 20, 32), (2, 5, 17, 30, 60)),
    "glove100_tripadvisor_5k": (ProjectiveClustering(k=5, j=10), (2, 3, 7, 10, 14, 20, 32), (2, 5, 17, 30, 60)),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", type=Path, help="folder in which full fits are kept from one run to the next")
    parser.add_argument("--only", choices=GRIDS)
    parser.add_argument("--write", action="store_true", help="only write the tables of the demo that ship with the program")
    given = parser.parse_args(arguments)
    if given.write:
        return ship(demo())
    with tempfile.TemporaryDirectory() as folder:
        store = Trials((given.kept or Path(folder)) / "full.sqlite")
        for name in [given.only] if given.only else GRIDS:
            matrix = demo() if name == "demo" else table_of(DATA / name)
            if matrix is not None:
                compared(name, matrix, store)


def ship(matrix: EmbeddingMatrix) -> None:
    """Makes the tables that the page opens on."""
    for name, settings in tables_of(GRIDS["demo"][0], matrix.shape).items():
        path = tables.shipped_path(tables.file_name(matrix.key, name, settings))
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "table.safetensors"
            tables.make(matrix, name, made, lambda step: None, settings)
            path.write_bytes(lzma.compress(made.read_bytes(), preset=9))
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def compared(name: str, matrix: EmbeddingMatrix, store: Trials) -> None:
    """Of k: by the drafts that are made first, and by one at that k. Of j: by the groups shown, and by drafts at some j."""
    now, ks, js = GRIDS[name]
    fits, most, rows = Fits(matrix, store, None, [1]), min(matrix.shape), []
    with one_thread():
        start = time.process_time()
        first = {k: [drafted(matrix, replace(now, k=k, j=anchor(now.j, most)))] for k in FIRST}
        took = time.process_time() - start
        for k in ks:
            found = [each for known in first.values() for each in known]
            own = first.get(k) or [drafted(matrix, replace(now, k=k, j=anchor(now.j, most)), found)]
            told = [errors_of_k(known, now.j, [k])[0][0] for known in (first, first | {k: own})]
            rows.append(row(matrix, fits, replace(now, k=k), told, own))
        shown = drafted(matrix, now)
        every = [drafted(matrix, method) for method in every_j(now, matrix.shape)]
        for j in js:
            known = [shown, *first[now.k]], [shown, *first[now.k], *every]
            rows.append(row(matrix, fits, replace(now, j=j), [errors_of_j(each, reach(matrix))[0][j] for each in known], known[1]))
    heading(f"Answers of Subspaces, {name}: {len(FIRST)} drafts in {took:.0f} s")
    table(["setting", "full fit", "preview", "at first, % off", "with all drafts", "of the full fit"], rows)
    farthest = [max(abs(float(each[at])) for each in rows if each[at] != UNKNOWN) for at in (3, 4, 5)]
    print(f"\nfarthest from the preview: {against(farthest[0], OFF, '.1f')} % at first, {against(farthest[1], OFF, '.1f')} % later")
    print(f"farthest from the full fit, later: {against(farthest[2], OFF, '.1f')} %\n")


def row(matrix: EmbeddingMatrix, fits: Fits, method: ProjectiveClustering, told: list[float], known: list[Grouping]) -> tuple:
    """A setting, its errors, and how far off in percent what the dial tells is."""
    full = fits.full(method).figures["relative_error"]
    groups = best(known, method.j)
    assert groups is not None
    preview = evaluate(matrix, method.of_groups(matrix, groups.labels.astype(int))).relative_error
    off = [100 * (each / preview - 1) for each in told]
    of_full = 100 * (told[-1] / full - 1)
    told_off = (UNKNOWN if np.isnan(each) else f"{each:+.2f}" for each in (*off, of_full))
    return f"k = {method.k}, j = {method.j}", f"{full:.4f}", f"{preview:.4f}", *told_off


if __name__ == "__main__":
    main()
