"""What a language model loses by its table, which its output layer shares: the trellis, plain and by importance, rounding, and what
people would pick instead. And what a token then takes (head.py).

By the shared judge, on SmolLM2-135M in the folder that SMOLLM2 names; importance is measured on none of the judge’s texts.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from benchmarks import head
from benchmarks.fixed_peers import Peer, peers
from benchmarks.kept import kept_or
from benchmarks.limit import JUDGE, judged, judged_values
from benchmarks.peers import file_bytes
from benchmarks.table import against, heading, table
from compress import Compressed, EmbeddingMatrix, Importance, Int4, Int8, fit_to, load_matrix
from compress.models.open import OpenModel, open_model
from compress.training.importance import importance_of, kept_importance
from compress.training.kinds import texts_of_kinds

FOLDER = Path(os.environ.get("SMOLLM2", "~/.cache/smollm2")).expanduser()
KINDS = "documentation", "stories"
ASKED = {  # by ratio: KL and perplexity, of documentation and of stories
    4: ((0.001, 0.0005), (14.93, 8.97)),
    6: ((0.002, 0.002), (14.95, 9.0)),
    8: ((0.004, 0.005), (15.0, 9.05)),
    12: ((0.025, 0.03), (15.3, 9.3)),
    16: ((0.07, 0.08), (16.0, 9.8)),
}
SMALLER = 32, 65  # ratios of forms besides, the last smaller than any peer
LARGEST = 3.77  # the table as it was quantized, in fewer bytes than Q8_0


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    parser.add_argument("--kept", type=Path, help="a file that keeps what the judge said of peers; what was stopped goes on there")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="peers whose names begin so; all unless given")
    args = parser.parse_args(arguments)
    if not JUDGE.exists() or not (FOLDER / "config.json").exists():
        return
    matrix, model = load_matrix(FOLDER), open_model(FOLDER)

    def measured() -> Importance:
        began = time.perf_counter()
        found = importance_of(model, matrix, texts_of_kinds(model, None))
        print(f"Importance measured in {time.perf_counter() - began:.0f} s\n")
        return found

    importance = cache(lambda: kept_importance(args.kept and args.kept.with_suffix(".npz"), measured))
    parts = PARTS | {"peers": partial(beside_peers, tuple(args.peers or [""]))}
    for part in args.only:
        parts[part](matrix, model, importance, args.kept)


def by_ratio(matrix: EmbeddingMatrix, model: OpenModel, importance: Callable[[], Importance], kept: Path | None) -> None:
    heading("Language model, SmolLM2-135M")
    rows = [row(matrix, str(each), each.fit(matrix)) for each in (Int8(), Int4())]
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for ratio, asked in ASKED.items():
            rows.append(row(matrix, f"trellis at {ratio}", fit_to(matrix, "trellis", ratio)))
            result = fit_to(matrix, "trellis", ratio, importance())
            rows.append(row(matrix, f"trellis at {ratio}, by importance", result, asked))
            files.append(Path(folder) / f"trellis at {ratio}.safetensors")
            result.save(files[-1])
        columns = [f"{what}, {kind}" for what in ("KL", "perplexity") for kind in KINDS]
        table(["table", "ratio of the file", "error", *columns], rows)
        head.show(model.network, files)


def row(matrix: EmbeddingMatrix, name: str, result: Compressed, asked: tuple | None = None) -> tuple:
    said = judged("smollm2", result)
    found = [said[f"{what}_{kind}"] for what in ("kl", "perplexity") for kind in KINDS]
    forms = [".4f", ".4f", ".2f", ".2f"]
    wanted = [*asked[0], *asked[1]] if asked else [None] * 4
    cells = [
        f"{value:{form}}" if target is None else against(value, target, form)
        for value, target, form in zip(found, wanted, forms, strict=True)
    ]
    return (name, f"{matrix.n_bytes / file_bytes(result):.2f}", f"{said['relative_squared_error']:.5f}", *cells)


def beside_peers(
    begun: tuple[str, ...], matrix: EmbeddingMatrix, model: OpenModel, importance: Callable[[], Importance], kept: Path | None
) -> None:
    """Every peer whose name begins so, and the largest of our forms that takes no more bytes."""
    ours = {f"ours at {ratio}": partial(ours_at, matrix, importance, ratio) for ratio in (LARGEST, *ASKED, *SMALLER)}
    said: dict[str, dict] = {}
    chosen = [(name, make) for name, make in peers(matrix) if name.startswith(begun)]
    for name, make in [*ours.items(), *chosen]:
        said |= {name: kept_or(kept, name, partial(judged_peer, make))}
    rows, mine = [], [said.pop(name) for name in ours]
    for name, theirs in said.items():
        least = max((each for each in mine if each["n_bytes"] <= theirs["n_bytes"]), key=lambda each: each["n_bytes"], default=None)
        kls = [f"{each[f'kl_{kind}']:.2g}" if each else "" for kind in KINDS for each in (theirs, least)]
        ratios = [f"{matrix.n_bytes / each['n_bytes']:.2f}" if each else "" for each in (theirs, least)]
        perplexities = [f"{theirs[f'perplexity_{kind}']:.2f}" for kind in KINDS]
        rows.append((name, *ratios, f"{theirs['relative_squared_error']:.5f}", *kls, *perplexities))
    heading("Language model, SmolLM2-135M, beside what people would pick instead")
    columns = [f"{what}, {kind}" for kind in KINDS for what in ("KL", "ours")]
    table(["peer", "ratio", "of ours", "error", *columns, *(f"perplexity, {kind}" for kind in KINDS)], rows)


def ours_at(matrix: EmbeddingMatrix, importance: Callable[[], Importance], ratio: float) -> Peer:
    result = fit_to(matrix, "trellis", ratio, importance())
    return Peer(str(result.method), file_bytes(result), result.reconstruct())


def judged_peer(make: Callable[[], Peer]) -> dict:
    made = make()
    return {"n_bytes": made.n_bytes, **judged_values("smollm2", made.values)}


PARTS = {"ratios": by_ratio, "peers": partial(beside_peers, ("",))}

if __name__ == "__main__":
    main()
