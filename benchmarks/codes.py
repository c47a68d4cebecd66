"""LightToken on the demo matrix and on the tables beside: error at equal bytes, the two solvers, stages, and the layer's time."""

import argparse
import time

from benchmarks.clock import seconds
from benchmarks.data import DATA, TABLES, demo, table_of
from benchmarks.peers import best_product_codes
from benchmarks.table import against, heading, table
from compress import EmbeddingMatrix, LightToken, evaluate
from compress.tuning.fitting import within

TARGETS = {25: 0.190, 40: 0.317, 103: 0.575}  # relative error at a ratio
SECONDS, SECONDS_BITS = 60.0, 384
LAYER = 4.0  # times a gather and one product
PQ_RATIO = 16


def main(arguments: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    matrix = demo()
    by_ratio(matrix)
    solvers(matrix)
    layer(matrix)
    peers()


def by_ratio(matrix: EmbeddingMatrix) -> None:
    rows = []
    for ratio, target in TARGETS.items():
        method = within(LightToken(), matrix.shape, ratio)
        start = time.perf_counter()
        result = method.fit(matrix)
        took = time.perf_counter() - start
        evaluation = evaluate(matrix, result)
        rows.append(
            (
                f"≥ {ratio}",
                f"{evaluation.ratio:.2f}",
                method.bits,
                against(evaluation.relative_error, target),
                f"{evaluation.mean_cosine:.4f}",
                f"{took:.1f}",
            )
        )
    heading("LightToken, refined, demo matrix")
    table(["ratio", "reached", "bits", "error", "mean cosine", "seconds"], rows)
    took = seconds(lambda: LightToken(bits=SECONDS_BITS).fit(EmbeddingMatrix(matrix.values)))
    print(f"\nfit at {SECONDS_BITS} bits: {against(took, SECONDS, '.1f')} s")


def solvers(matrix: EmbeddingMatrix) -> None:
    """The trained autoencoder beside the refined codes, in one stage and in four."""
    rows = []
    for ratio in TARGETS:
        method = within(LightToken(), matrix.shape, ratio)
        errors = []
        for solver in ("paper", "refined"):
            for stages in (1, 4):
                found = LightToken(bits=method.bits, stages=stages, solver=solver).fit(matrix)
                errors.append(f"{evaluate(matrix, found).relative_error:.4f}")
        rows.append((method.bits, *errors))
    print()
    table(["bits", "paper, 1 stage", "paper, 4 stages", "refined, 1 stage", "refined, 4 stages"], rows)


def layer(matrix: EmbeddingMatrix) -> None:
    import torch

    result = LightToken(bits=384, passes=2).fit(matrix)
    packed = result.to_layer()
    plain, square = torch.nn.Embedding.from_pretrained(torch.from_numpy(matrix.values.copy())), torch.randn(384, 384)
    ids = torch.randint(0, matrix.shape[0], (8, 128), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours, theirs = (min(seconds(run) for _ in range(50)) for run in (lambda: packed(ids), lambda: plain(ids) @ square))
    print(f"\nlayer, 8 × 128 ids, 384 bits: {against(ours / theirs, LAYER, '.2f')} × a gather and a 384 × 384 product")


def peers() -> None:
    """The best PQ within the ratio, codebooks in float16, beside LightToken at no more bytes."""
    rows = []
    for name in TABLES:
        found = table_of(DATA / name)
        if found is None:
            continue
        n, d = found.shape
        best = evaluate(found, best_product_codes(found, found.n_bytes / PQ_RATIO, turned=False))
        candidates = [within(LightToken(rank=rank), found.shape, best.ratio) for rank in (0, 1, 2, 4, 8)]
        fits = [evaluate(found, each.fit(found)) for each in candidates if each]
        mine = min(fits, key=lambda each: each.relative_error)
        rows.append(
            (
                name,
                f"{n} × {d}",
                f"{best.relative_error:.4f} at {best.ratio:.2f}",
                f"{against(mine.relative_error, best.relative_error)} at {mine.ratio:.2f}",
            )
        )
    print()
    table(["table", "shape", "PQ", "LightToken"], rows)


if __name__ == "__main__":
    main()
