"""Memory that reading takes beside what is read: the peak of a process of its own over what it holds before, for files of each kind
that is read into memory."""

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.table import against, heading, table
from compress import load_matrix

N, D = 100_000, 100
WIDE = 8000  # columns
MOST = 2.0  # times what is read
STATUS = Path("/proc/self/status")
FEW = "few "  # before the name of a small file of the same kind, which is read first so that all modules are loaded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", type=Path, help="of reading this file: prints it beside what the file and the matrix take")
    if path := parser.parse_args().peak:
        print(json.dumps(peak(path)))
        return
    heading(f"Peak of memory, {N:,} × {D} unless told")
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), N, D, WIDE)
        write(Path(folder), 1000, 40, 30, FEW)
        shown = []
        for file in sorted(each for each in Path(folder).iterdir() if not each.name.startswith(FEW)):
            command = [sys.executable, "-m", "benchmarks.reading_memory", "--peak", str(file)]
            taken, held, in_file = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            sizes = (f"{each / 1e6:.0f}" for each in (in_file, held, taken))
            shown.append((file.name, *sizes, against(taken / max(held, in_file), MOST, ".2f")))
        table(("file", "MB", "matrix and names, MB", "peak, MB", "of the larger"), shown)


def peak(path: Path) -> tuple[int, int, int]:
    """Bytes: the peak while a file is read, what matrix and names take, and the file."""
    load_matrix(path.with_name(FEW + path.name))
    Path("/proc/self/clear_refs").write_text("5")
    before = told("VmRSS")
    matrix = load_matrix(path)
    names = sum(map(sys.getsizeof, matrix.tokens)) if matrix.has_tokens else 0
    return told("VmHWM") - before, matrix.n_bytes + names, path.stat().st_size


def told(what: str) -> int:
    """Bytes that the system tells of this process."""
    return next(int(line.split()[1]) * 1024 for line in STATUS.read_text().splitlines() if line.startswith(what))


def write(folder: Path, n: int, d: int, wide: int, prefix: str = "") -> None:
    """The files, of a matrix (n, d) and one of n / 50 rows and so many columns."""
    import onnx
    import pyarrow as pa
    from pyarrow import parquet

    rows = np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)
    words = [f"wordnumber{at}" for at in range(n)]
    across = rows.ravel()[: n // 50 * wide].reshape(-1, wide)
    names = [f"d{at}" for at in range(wide)]
    graph = onnx.helper.make_graph([], "table", [], [], [onnx.helper.make_tensor("table", 1, rows.shape, rows.ravel())])
    (folder / f"{prefix}floats.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    (folder / f"{prefix}words.pkl").write_bytes(pickle.dumps({word: row.copy() for word, row in zip(words, rows, strict=True)}))
    parquet.write_table(pa.table(dict(zip(names, across.T, strict=True))), folder / f"{prefix}wide.parquet")
    with open(folder / f"{prefix}wide.jsonl", "w") as file:
        file.writelines(json.dumps(dict(zip(names, row.tolist(), strict=True))) + "\n" for row in across[: n // 200])
    with open(folder / f"{prefix}short.txt", "w") as file:
        file.writelines(f"wordnumber{at} {x:.4f} {y:.4f}\n" for at, (x, y) in enumerate(rows.reshape(-1, 2)[: 15 * n]))


if __name__ == "__main__":
    main()
