"""What search loses at 32 × beside what vector databases keep, and the seconds that counting it takes."""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.clock import seconds
from benchmarks.kept import kept_or
from benchmarks.peers import best_product_codes
from benchmarks.table import against, heading, table
from compress import Compressed, EmbeddingMatrix, ResidualQuantization, Trellis, load_matrix
from compress.analysis.peers import RESCORED, peers
from compress.analysis.search import held_out, search, truth_of
from compress.linalg.blocks import unit_rows

RATIO = 32.0
LIMIT = 5.0  # seconds
SHAPE = 200_000, 384
SOURCES = ("demo", "demo:glove")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS], help="parts to run")
    parser.add_argument("--kept", type=Path, help="a file that keeps what is measured; what was stopped goes on there")
    args = parser.parse_args(arguments)
    for number, part in enumerate(args.only):
        print(end="\n" if number else "")
        PARTS[part](args.kept)


def times(kept: Path | None = None) -> None:
    """Recall of one setting of documents' vectors, made by code: what each step takes."""
    rng = np.random.default_rng(0)
    n, d = SHAPE
    values = rng.standard_normal((n, 48), np.float32) @ rng.standard_normal((48, d), np.float32)
    matrix = EmbeddingMatrix(values + 0.5 * rng.standard_normal((n, d), np.float32))
    few, queries = held_out(matrix, 8), held_out(matrix)
    search(matrix, matrix, truth_of(matrix, few, "cosine"))  # compiles
    result = Trellis(states=256).within(n, d, matrix.n_bytes / RATIO).fit(matrix)
    once = seconds(lambda: truth_of(matrix, queries, "cosine"))
    truth = truth_of(matrix, queries, "cosine")
    decode = seconds(result.reconstruct)
    begun = time.perf_counter()
    recall = search(matrix, result, truth).recall()
    whole = time.perf_counter() - begun
    bare = seconds(lambda: search(matrix, matrix, truth))
    row = (str(result.method), f"{once:.2f}", f"{decode:.2f}", f"{bare:.2f}", against(whole, LIMIT, ".2f"), f"{recall:.3f}")
    heading(f"Recall@1, 10, 100 of {len(queries.rows):,} queries among {n:,} × {d}")
    columns = ["setting", "original, once (s)", "decoding alone (s)", "search alone (s)", "both (s)", "recall@10"]
    table(columns, [row])


def beside_peers(kept: Path | None = None) -> None:
    """Recall@10 by cosine of every peer at its own bytes and of the trellis at 32 ×."""
    for number, source in enumerate(SOURCES):
        print(end="\n" if number else "")
        try:
            matrix = load_matrix(source)
        except ValueError as error:
            print(error)
            continue
        queries = held_out(matrix)
        truth = truth_of(matrix, queries, "cosine")
        found: list[tuple[str, dict]] = []
        for name, make in every(matrix, truth):
            found += kept_or(kept, f"{source} {name}", make).items()
        found.sort(key=lambda each: (-each[1]["ratio"] // 4, -each[1]["recall"]))
        heading(f"{source}, recall@10 by cosine of {len(queries.rows):,} rows held out")
        table(
            ["code", "ratio", "recall@1", "recall@10", "recall@100", "to rescore for .99"],
            [(name, *(f"{each[figure]:{form}}" for figure, form in FIGURES.items())) for name, each in found],
        )


FIGURES = {"ratio": ".2f", "first": ".3f", "recall": ".3f", "hundred": ".3f", "rescored": ",d"}


def every(matrix: EmbeddingMatrix, truth) -> Iterator[tuple[str, Callable[[], dict]]]:
    n, d = matrix.shape
    units = EmbeddingMatrix(unit_rows(matrix.values), name=matrix.name)
    whole = matrix.n_bytes / RATIO

    def figures(found, n_bytes: int, recall: float | None = None) -> dict:
        own = found.recall() if recall is None else recall
        told = {"ratio": matrix.n_bytes / n_bytes, "first": found.recall(1), "recall": own, "hundred": found.recall(100)}
        return told | {"rescored": found.rescored()}

    def ours(name: str, fit: Callable[[], Compressed]) -> dict:
        result = fit()
        found, label = search(matrix, result, truth), name.format(result.method)
        rescored = figures(found, result.n_bytes, found.recall(among=RESCORED))
        return {label: figures(found, result.n_bytes), f"{label}, {RESCORED} rescored": rescored}

    def theirs(make) -> dict:
        return {peer.name: figures(peer.found, peer.n_bytes, peer.recall) for peer in make()}

    def trellis(on: EmbeddingMatrix, **settings) -> Compressed:
        return Trellis(**settings).within(n, d, whole).fit(on)

    for name, make in peers(matrix, truth):
        yield name, partial(theirs, make)
    yield "PQ", partial(ours, "best PQ, {}", lambda: best_product_codes(units, whole, turned=False))
    for bits in (4, 6, 8):
        rq = ResidualQuantization(code_bits=bits).within(n, d, whole)
        if rq is not None:
            yield f"RQ {bits}", partial(ours, "{}", partial(rq.fit, units))
    yield "trellis", partial(ours, "Trellis", partial(trellis, matrix))
    yield "trellis of unit rows", partial(ours, "Trellis of unit rows", partial(trellis, units))


PARTS: dict[str, Callable[[Path | None], None]] = {"times": times, "peers": beside_peers}

if __name__ == "__main__":
    main()
