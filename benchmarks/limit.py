"""What a byte buys: Trellis beside the ideal coder and every peer at equal bytes on disk, what models lose, and the times."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.clock import seconds
from benchmarks.data import DATA, TABLES, demo, table_of
from benchmarks.fixed_peers import Peer, peers
from benchmarks.kept import kept_or
from benchmarks.peers import PEERS, best_product_codes, error, file_bytes
from benchmarks.table import against, at_least, heading, table
from compress import (
    Compressed,
    EmbeddingMatrix,
    Int4,
    Int8,
    Method,
    Trellis,
    class_bound,
    fit_to,
    gaussian_bound,
    load_matrix,
)
from compress.threads import one_thread

BESIDE = (4, 6, 8, 10, 12.5, 16, 25, 40)  # ratios that other people's forms are held against
HEADER = 1344  # bytes of a file beside the arrays, at most
# error at a ratio, and share of the best peer's
TARGETS = {12.5: (0.027, 0.55), 25: (0.142, 0.55), 40: (0.277, 0.65), 100: (0.52, 0.78)}
SHOWN = ("parts", "code_bits", "dims", "k", "j", "factor_bits")
FACTORY = {40: (384, 24, 8), 100: (85, 17, 6)}  # dims, parts and bits of what a user of faiss would type

A, CLASSES, STATES = 0.7, 8, 1024  # of the order weights, one for all ratios, and of Trellis with them
JUDGED = {25: (0.8665, 0.788), 50: (0.861, 0.770), 103: (0.847, 0.737)}  # least STS-B and SST-2 at a ratio
SHARE, RATIOS = 0.8, (8, 16, 32)
PERPLEXITY, STORIES_RATIO = 5.75, 6
ENCODE, DECODE, ROWS = 90.0, 3.0, 20.0  # seconds, seconds, milliseconds
JUDGE = DATA.parent / "tools" / "judge.py"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    parser.add_argument("--kept", type=Path, help="a file that keeps what fixed peers lose; what was stopped goes on there")
    args = parser.parse_args(arguments)
    parts = PARTS | {"fixed": partial(beside_fixed, args.kept)}
    for number, part in enumerate(args.only):
        print(end="\n" if number else "")
        parts[part]()


def trellis_within(matrix: EmbeddingMatrix, n_bytes: float, **settings) -> Compressed:
    """Trellis in a file of at most so many bytes."""
    return Trellis(**settings).within(*matrix.shape, n_bytes - HEADER).fit(matrix)


@cache
def at_ratio(ratio: float) -> tuple[Compressed, float]:
    """Trellis of the demo matrix, and its seconds."""
    matrix = demo()
    start = time.perf_counter()
    result = trellis_within(matrix, matrix.n_bytes / ratio)
    return result, time.perf_counter() - start


def on_demo() -> None:
    matrix = demo()
    ideal, by_class, rows = gaussian_bound(matrix), class_bound(matrix), []
    for ratio, (target, _) in TARGETS.items():
        result, _ = at_ratio(ratio)
        reached = matrix.n_bytes / file_bytes(result)
        rows.append(
            (
                at_least(reached, ratio, ".2f"),
                against(error(matrix, result), target),
                f"{ideal.error(reached):.4f}",
                f"{by_class.error(reached):.4f}",
            )
        )
    heading("Trellis, demo matrix")
    table(["ratio of the file", "error", "ideal Gaussian coder", "ideal by 8 classes"], rows)
    beside_peers(matrix)


def beside_peers(matrix: EmbeddingMatrix) -> None:
    """For each ratio every peer at its own bytes, and Trellis in as many as the best of them; the quick ratios first."""
    ideal = gaussian_bound(matrix)

    def row(name, found, n_bytes, share=""):
        reached = matrix.n_bytes / n_bytes
        return name, f"{reached:.2f}", f"{found:.4f}", f"{found / ideal.error(reached):.2f}", share

    def compared(peers, share):
        best, _, n_bytes = peers[0]
        mine = trellis_within(matrix, n_bytes)
        ours = row("Trellis in as many bytes", error(matrix, mine), file_bytes(mine), share(error(matrix, mine) / best))
        print()
        rows = [row(name, found, size) for found, name, size in peers]
        table(["method", "ratio of the file", "error", "× ideal Gaussian", "of the best peer's"], [*rows, ours])
        sys.stdout.flush()

    for ratio, (_, target) in reversed(TARGETS.items()):
        with one_thread():  # two wait for each other in OPQ's many small products
            fits = [method.fit(matrix) for method in PEERS[ratio]]
        fits += [fit_to(matrix, "svd", ratio), fit_to(matrix, "projective", ratio, factor_bits=4)]
        peers = sorted((error(matrix, fit), named(fit.method), file_bytes(fit)) for fit in fits)
        compared(peers, partial(against, target=target, form=".3f"))
        if ratio in FACTORY:
            compared([faiss_peer(matrix, *FACTORY[ratio])], partial(against, target=target, form=".3f"))
    for fit in (Int8().fit(matrix), Int4().fit(matrix)):
        compared([(error(matrix, fit), named(fit.method), file_bytes(fit))], "{:.3f}".format)


def named(method: Method) -> str:
    settings = [f"{name} = {value}" for name, value in method.settings.items() if name in SHOWN and value is not None]
    return ", ".join([method.label, *settings])


def faiss_peer(matrix: EmbeddingMatrix, dims: int, parts: int, bits: int) -> tuple[float, str, int]:
    """What faiss makes of a recipe of its own: its error, name and bytes, with rotation and codebooks in float16."""
    import faiss

    n, d = matrix.shape
    values = np.ascontiguousarray(matrix.values)
    recipe = f"OPQ{parts}_{dims},PQ{parts}x{bits}"
    index = faiss.index_factory(d, recipe)
    index.train(values)
    left = (index.sa_decode(index.sa_encode(values)) - values) ** 2
    n_bytes = (n * parts * bits + 7) // 8 + 2 * (dims * d + 2**bits * dims)
    return float(left.sum(dtype=np.float64) / matrix.squared_norms.sum()), f"faiss {recipe}", n_bytes


def beside_fixed(kept: Path | None = None) -> None:
    """What people would pick for the demo's table, and Trellis in the largest of a few files that is no larger."""
    matrix = demo()

    def ours_at(ratio: float) -> dict:
        result, _ = at_ratio(ratio)
        return {"n_bytes": file_bytes(result), "error": error(matrix, result)}

    def lost_by(make: Callable[[], Peer]) -> dict:
        peer = make()
        lost = ((peer.values - matrix.values) ** 2).sum(dtype=np.float64) / (matrix.values**2).sum(dtype=np.float64)
        return {"n_bytes": peer.n_bytes, "error": float(lost)}

    ours = {ratio: kept_or(kept, f"ours at {ratio:g}", partial(ours_at, ratio)) for ratio in BESIDE}
    rows = []
    for name, make in peers(matrix):
        theirs = kept_or(kept, name, partial(lost_by, make))
        ratio = min((each for each in BESIDE if ours[each]["n_bytes"] <= theirs["n_bytes"]), default=None)
        if ratio is not None:
            reached, mine = matrix.n_bytes / theirs["n_bytes"], ours[ratio]["error"]
            share = f"{mine / theirs['error']:.2f}"
            rows.append((name, f"{reached:.2f}", f"{theirs['error']:.5f}", f"{ratio:g}", f"{mine:.5f}", share))
    heading("Demo matrix, beside what people would pick instead")
    table(["peer", "ratio", "error", "ratio of Trellis", "its error", "share"], rows)


def by_order() -> None:
    """With order weights: what MiniLM loses on STS-B and SST-2, and what it loses by PQ without weights."""
    if not JUDGE.exists():
        return
    plain, weighted, rows = demo(), load_matrix("demo", weights=f"order:{A}"), []
    for ratio, (stsb, sst2) in JUDGED.items():
        mine = trellis_within(weighted, plain.n_bytes / ratio, classes=CLASSES, states=STATES)
        peer = fit_to(plain, "pq", ratio)
        for name, result, form in (("Trellis", mine, at_least), ("PQ", peer, lambda value, _: f"{value:.4f}")):
            said = judged("minilm", result)
            rows.append(
                (
                    name,
                    at_least(plain.n_bytes / file_bytes(result), ratio, ".2f"),
                    form(said["stsb_dev_spearman"], stsb),
                    form(said["sst2_dev_accuracy_fixed_head"], sst2),
                    f"{error(plain, result):.4f}",
                )
            )
    heading(f"Order weights, a = {A}, {CLASSES} classes, {STATES} states, demo matrix; PQ without weights")
    table(["method", "ratio of the file", "STS-B", "SST-2", "unweighted error"], rows)


def judged(model: str, result: Compressed | None) -> dict:
    """What the judge says of a form of a model's table, of the table itself for None."""
    return judged_values(model, result and result.reconstruct())


def judged_values(model: str, values: np.ndarray | None) -> dict:
    """What the judge says of a model with those values as its table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "values.npy"
        if values is not None:
            np.save(path, values)
        command = [sys.executable, JUDGE, model, *([path] if values is not None else [])]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(said.splitlines()[-1])


def on_tables() -> None:
    rows = []
    for name in TABLES:
        matrix = table_of(DATA / name)
        for ratio in RATIOS if matrix else ():
            peer = best_product_codes(matrix, matrix.n_bytes / ratio - HEADER)
            mine = trellis_within(matrix, file_bytes(peer))
            theirs, ours = error(matrix, peer), error(matrix, mine)
            rows.append(
                (
                    name,
                    f"{matrix.n_bytes / file_bytes(peer):.2f}",
                    f"{matrix.n_bytes / file_bytes(mine):.2f}",
                    named(peer.method),
                    f"{theirs:.4f}",
                    f"{ours:.4f}",
                    against(ours / theirs, SHARE, ".3f"),
                )
            )
    heading("Other tables, Trellis beside the best PQ or OPQ")
    table(["table", "its ratio", "ratio of Trellis", "peer", "its error", "error of Trellis", "share"], rows)


def on_stories() -> None:
    if not (DATA / "stories260K").exists():
        return
    matrix, rows = load_matrix(DATA / "stories260K"), []
    int4 = Int4().fit(matrix)
    for result in (trellis_within(matrix, matrix.n_bytes / STORIES_RATIO), int4, trellis_within(matrix, file_bytes(int4))):
        ratio, perplexity = matrix.n_bytes / file_bytes(result), judged("stories260K", result)["perplexity"]
        rows.append((result.method.label, f"{ratio:.2f}", f"{error(matrix, result):.6f}", against(perplexity, PERPLEXITY)))
    heading("A language model's table, 512 × 64")
    table(["method", "ratio of the file", "error", "perplexity"], rows)


def times() -> None:
    matrix, rows = demo(), []
    some = np.random.default_rng(0).choice(matrix.shape[0], 1024, replace=False)
    for ratio in TARGETS:
        result, encode = at_ratio(ratio)
        with one_thread():
            decode = statistics.median(seconds(result.reconstruct) for _ in range(3))
            few = statistics.median(seconds(partial(result.rows, some)) for _ in range(9))
        rows.append((ratio, against(encode, ENCODE, ".1f"), against(decode, DECODE, ".2f"), against(1000 * few, ROWS, ".1f")))
    heading("Times, demo matrix; decoding on one thread")
    table(["ratio", "encode (s)", "decode all (s)", "decode 1,024 rows (ms)"], rows)


PARTS = {"demo": on_demo, "fixed": beside_fixed, "weights": by_order, "tables": on_tables, "stories": on_stories, "times": times}

if __name__ == "__main__":
    main()
