"""What the benchmarks share: a clock, a machine's line, the matrices, a file's bytes, an aligned table, a target met or missed."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from compress import (
    Compressed,
    EmbeddingMatrix,
    OptimizedProductQuantization,
    ProductQuantization,
    evaluate,
    load_matrix,
)
from compress.threads import one_thread

DATA = Path(__file__).parents[2] / "shared" / "data"
TABLES = ("w2v_text8_10k_100d", "tencent_char_thucnews", "glove100_tripadvisor_5k")
BITS, TIGHT, STEPS, FINAL = (4, 5, 6, 7, 8), 0.9, 2, 3


def heading(title: str) -> None:
    print(f"{title} ({os.cpu_count()} cores)\n")


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_seconds(run: Callable[[EmbeddingMatrix], object], matrix: EmbeddingMatrix, times: int = 3) -> float:
    """The median time of a run on the matrix, which each time is new, so that no sum kept from a run before is used."""
    fresh = [EmbeddingMatrix(matrix.values) for _ in range(times)]
    return statistics.median(seconds(partial(run, each)) for each in fresh)


def demo() -> EmbeddingMatrix:
    """The demo matrix in memory, its pages touched."""
    return EmbeddingMatrix(load_matrix("demo").values.copy())


def glue_sentences(of_sst2: int = 15_000) -> list[str]:
    """The sentences of the training parts of STS-B, CoLA and RTE and some of SST-2's, as they lie in the shared data, without their
    labels; three words or more."""

    def cells(name):
        return [line.rstrip("\n").split("\t") for line in (DATA / name).read_text("utf-8").splitlines()]

    reviews = [line[0] for line in cells("glue_sst2/sif_sentiment-train")]
    chosen = np.sort(np.random.default_rng(0).choice(len(reviews), min(of_sst2, len(reviews)), replace=False))
    found = [reviews[at] for at in chosen]
    found += [text for line in cells("glue_stsb/sts-train.tsv") for text in line[5:7]]
    found += [line[3] for line in cells("glue_cola/in_domain_train.tsv")]
    found += [text for line in cells("glue_rte/train.tsv")[1:] for text in line[1:3]]
    return [text for text in found if len(text.split()) > 2]


def table_of(folder: Path) -> EmbeddingMatrix | None:
    """The table of a folder of the shared data, where it lies there."""
    for path in sorted(folder.glob("*.npy")):
        try:
            return load_matrix(path)
        except ValueError:
            continue
    return None


def file_bytes(result: Compressed) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return result.save(Path(folder) / "x.safetensors")


def error(matrix: EmbeddingMatrix, result: Compressed) -> float:
    return evaluate(matrix, result).relative_error


def best_product_codes(matrix: EmbeddingMatrix, n_bytes: float, turned: bool = True) -> Compressed:
    """The PQ with the least error in so many bytes, 4 to 8 bits a code; with `turned` also OPQ, on all and on fewer dimensions,
    where it takes nearly all of the bytes. The best after a few steps are fitted in full."""
    n, d = matrix.shape
    plain = {ProductQuantization(code_bits=bits).within(n, d, n_bytes) for bits in BITS}
    dims = (None, *(d * part // 20 for part in range(8, 20, 2))) if turned else ()
    kinds = [OptimizedProductQuantization(code_bits=bits, dims=each) for bits, each in product(BITS, dims)]
    tight = {each for kind in kinds if (each := kind.within(n, d, n_bytes)) and each.size(n, d) > TIGHT * n_bytes}
    with one_thread():
        drafted = sorted((plain | tight) - {None}, key=lambda each: error(matrix, replace(each, steps=STEPS).fit(matrix)))
        return min((each.fit(matrix) for each in drafted[:FINAL]), key=partial(error, matrix))


def against(value: float, target: float, form: str = ".4f") -> str:
    """A value beside the target that it should not exceed."""
    return f"{value:{form}} (≤ {target:{form}}: {'met' if value <= target else 'missed'})"


def at_least(value: float, target: float, form: str = ".4f") -> str:
    """A value beside the target that it should reach."""
    return f"{value:{form}} (≥ {target:{form}}: {'met' if value >= target else 'missed'})"


def table(columns: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Prints rows under their columns, the first column flush left, the others right."""
    lines = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        first, *others = (
            cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())
