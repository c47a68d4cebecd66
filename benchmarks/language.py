"""What a language model loses by its table, which its output layer shares: the trellis, plain and by importance, and rounding. And
what a token then takes (head.py).

By the shared judge, on SmolLM2-135M in the folder that SMOLLM2 names; importance is measured on none of the judge’s texts.
"""

import os
import tempfile
import time
from pathlib import Path

from benchmarks import head
from benchmarks.limit import JUDGE, judged
from benchmarks.peers import file_bytes
from benchmarks.table import against, heading, table
from compress import Compressed, EmbeddingMatrix, Int4, Int8, fit_to, load_matrix
from compress.models.open import open_model
from compress.training.importance import importance_of
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


def main() -> None:
    if not JUDGE.exists() or not (FOLDER / "config.json").exists():
        return
    matrix, model = load_matrix(FOLDER), open_model(FOLDER)
    began = time.perf_counter()
    importance = importance_of(model, matrix, texts_of_kinds(model, None))
    heading(f"Language model, SmolLM2-135M; importance measured in {time.perf_counter() - began:.0f} s")
    rows = [row(matrix, str(each), each.fit(matrix)) for each in (Int8(), Int4())]
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for ratio, asked in ASKED.items():
            rows.append(row(matrix, f"trellis at {ratio}", fit_to(matrix, "trellis", ratio)))
            result = fit_to(matrix, "trellis", ratio, importance)
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


if __name__ == "__main__":
    main()
