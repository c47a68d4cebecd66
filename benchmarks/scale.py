"""Tables that stay in their files: seconds and the peak of memory of a process that goes over a float16 file by blocks of rows, for
planted subspaces and several sizes, and how the seconds grow with the rows. Asked: at most 1 GB, and rows to the power of 1.05."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reading_memory import told as memory
from benchmarks.table import against, heading, table

D, K, J = 64, 5, 8
ROWS = 2_000_000  # of the largest table
SIZES = 4  # tables, each of half as many rows as the next
SLOW = 250_000  # rows of the largest table for what seeks a code for every row
MOST_BYTES, MOST_EXPONENT = 1e9, 1.05
WORK = ("first look", "spectrum", "projective", "light_token", "trellis")
CODED = ("light_token", "trellis")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the largest table, say 20000000")
    parser.add_argument("--coded-rows", type=int, default=SLOW, help="the same where a code is sought for every row")
    parser.add_argument("--work", nargs="+", choices=WORK, default=WORK)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.child:
        print(json.dumps(measured(args.child[0], Path(args.child[1]))))
        return
    heading(f"Tables in float16 files, {D} columns, {K} planted subspaces of dimension {J}")
    shown = []
    with tempfile.TemporaryDirectory() as folder:
        for work in args.work:
            largest = args.coded_rows if work in CODED else args.rows
            sizes = [largest >> halved for halved in reversed(range(SIZES))]
            found = [asked(work, written(Path(folder), n)) for n in sizes]
            exponent = fitted_exponent(sizes, [each["seconds"] for each in found])
            for n, each in zip(sizes, found, strict=True):
                last = against(exponent, MOST_EXPONENT, ".2f") if n == largest else ""
                peak = against(each["peak"] / 1e6, MOST_BYTES / 1e6, ",.0f")
                shown.append((work, f"{n:,}", f"{each['seconds']:.1f}", peak, f"{each['told']:.4g}", last))
    table(("", "rows", "seconds", "peak, MB", "tells", "exponent"), shown)
    print("tells: the effective rank of a spectrum, the relative error of a form that was read back from its file.")


def fitted_exponent(sizes: list[int], seconds: list[float]) -> float:
    """The slope of log seconds over log rows."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def written(folder: Path, n: int) -> Path:
    """The file of a table of so many rows, by blocks."""
    path, step = folder / f"{n}.npy", 1 << 18
    if not path.exists():
        rng = np.random.default_rng(0)
        bases = np.stack([np.linalg.qr(rng.standard_normal((D, J)))[0] for _ in range(K)]).astype(np.float32)  # (k, d, j)
        out = np.lib.format.open_memmap(path, "w+", np.float16, (n, D))
        for first in range(0, n, step):
            r = min(step, n - first)
            labels = rng.integers(K, size=r)
            rows = 0.05 * rng.standard_normal((r, D), np.float32)
            for z in range(K):
                own = np.flatnonzero(labels == z)
                rows[own] += rng.standard_normal((len(own), J), np.float32) @ bases[z].T
            out[first : first + r] = rows
        out.flush()
    return path


def asked(work: str, path: Path) -> dict[str, Any]:
    """What a process of its own measures."""
    command = [sys.executable, "-m", "benchmarks.scale", "--child", work, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measured(work: str, path: Path) -> dict[str, Any]:
    """Seconds from a file's name to the result, of forms to their file and what that loses; the peak of memory; what it tells."""
    import compress
    from compress.sources import in_place

    in_place.LARGE = 0  # small tables by blocks too
    methods: dict[str, Callable[[], compress.Method]] = {
        "projective": lambda: compress.ProjectiveClustering(k=K, j=J, factor_bits=8),
        "light_token": lambda: compress.LightToken(bits=D, passes=8),
        "trellis": lambda: compress.Trellis(rate=2.0, states=256),
    }

    def run() -> float:
        matrix = compress.load_matrix(path)
        if work == "first look":
            return compress.sampled_spectrum(matrix).effective_rank
        if work == "spectrum":
            return compress.spectrum(matrix).effective_rank
        file = path.with_suffix(f".{work}.safetensors")
        methods[work]().fit(matrix).save(file)
        return compress.evaluate(matrix, compress.load(file)).relative_error

    start = time.perf_counter()
    told = run()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak": memory("VmHWM"), "told": told}


if __name__ == "__main__":
    main()
