"""What a smaller vocabulary saves and loses: on the texts that it is made for, on others of their kind, and on texts of another.

SmolLM2-135M in the folder that SMOLLM2 names, trimmed by the first half of TinyStories, and MiniLM, trimmed by built-in sentences;
both by script; then Trellis on what is left. Tokens change with the vocabulary, so bits are counted a character, not a token.
"""

import argparse
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.data import DATA
from benchmarks.language import FOLDER
from benchmarks.table import heading, table
from compress import Compressed, fit_to, load_matrix, trim
from compress.models.open import OpenModel, open_model, quiet
from compress.tasks import judge
from compress.tasks.texts import read_texts, texts_to_learn
from compress.training.importance import importance_of, pieces_of

STORIES = DATA / "tinystories_text" / "tinystories.txt"
JUDGED = 8000  # characters of each kind of text
RATIO, DEMO_RATIO = 12, 25
START = "<|endoftext|>"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    for part in parser.parse_args(arguments).only:
        PARTS[part]()


def language_model() -> None:
    if not STORIES.exists() or not (FOLDER / "config.json").exists():
        return
    half = STORIES.read_text(encoding="utf-8")
    seen, held = half[: len(half) // 2], half[len(half) // 2 :]
    texts = {"seen stories": seen, "held-out stories": held, "documentation": "\n".join(map(str, read_texts(None)[:300]))}
    heading("A smaller vocabulary, SmolLM2-135M")
    columns = ["table", "rows", "MB", *(f"{what}, {kind}" for kind in texts for what in ("tokens", "bits"))]
    rows = []
    with tempfile.TemporaryDirectory() as place, quiet():
        for name, made in {
            "as it is": None,
            "by the seen stories": {"texts": [seen, *seen.split("\n")]},
            "Latin script": {"scripts": ["Latin"]},
        }.items():
            where = FOLDER if made is None else Path(place) / name
            if made:
                trim(FOLDER, where, **made)
            matrix, model = load_matrix(where), open_model(where)
            n, d = matrix.shape
            rows.append((name, f"{n:,}", f"{4 * n * d / 1e6:.2f}", *read_by(model, texts)))
            importance = importance_of(model, matrix, pieces_of(model, texts_to_learn(None)))
            result = fit_to(matrix, "trellis", RATIO, importance)
            put(model, result)
            rows.append((f"  Trellis at {RATIO}, by importance", f"{n:,}", f"{result.n_bytes / 1e6:.2f}", *read_by(model, texts)))
    table(columns, rows)


def put(model: OpenModel, result: Compressed) -> None:
    """The decoded table in place of the model's own."""
    with torch.no_grad():
        model.table.copy_(torch.from_numpy(result.reconstruct()))


def read_by(model: OpenModel, texts: dict[str, str]) -> list[str]:
    """Of each text tokens a thousand characters, and bits a character of what the model thinks of it."""
    found = []
    for text in texts.values():
        tokens, nats, count = 0, 0.0, 0
        for piece in pieces(text[:JUDGED]):
            ids = [model.tokenizer.convert_tokens_to_ids(START), *model.tokenizer(piece, add_special_tokens=False)["input_ids"]]
            with torch.inference_mode():
                logits = model.network(torch.tensor([ids])).logits[0, :-1]
            nats += float(torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="sum"))
            tokens, count = tokens + len(ids) - 1, count + len(piece)
        found += [f"{1000 * tokens / count:.0f}", f"{nats / math.log(2) / count:.3f}"]
    return found


def pieces(text: str, length: int = 1000) -> Sequence[str]:
    """A text in parts of so many characters."""
    return [text[at : at + length] for at in range(0, len(text), length)]


def sentence_model() -> None:
    if not (DATA / "glue_stsb").exists():
        return
    heading("A smaller vocabulary, all-MiniLM-L6-v2; STS-B is text of another kind than what the vocabulary was made by")
    sentences = [str(text) for text in read_texts(None)]
    pairs = [line.split("\t") for line in (DATA / "glue_stsb" / "sts-dev.tsv").read_text(encoding="utf-8").splitlines()]
    judged = [text for pair in pairs for text in pair[5:7]]
    rows = []
    with tempfile.TemporaryDirectory() as place, quiet():
        for name, made in {
            "as it is": None,
            "by documentation": {"texts": sentences},
            "by STS-B": {"texts": judged},
            "Latin script": {"scripts": ["Latin"]},
        }.items():
            where: str | Path = "demo" if made is None else Path(place) / name
            if made:
                trim("demo", where, **made)
            matrix, model = load_matrix(where), open_model(where)
            n, d = matrix.shape
            result = fit_to(matrix, "trellis", DEMO_RATIO)
            score = judge(model, {"before": matrix, "trellis": result}, ["stsb"], DATA)[0]
            lengths = np.mean([len(model.tokenizer.tokenize(text)) for text in judged])
            rows.append(
                (
                    name,
                    f"{n:,}",
                    f"{4 * n * d / 1e6:.2f}",
                    f"{result.n_bytes / 1e6:.3f}",
                    f"{lengths:.2f}",
                    f"{score.before:.4f}",
                    f"{score.after:.4f}",
                )
            )
    table(["vocabulary", "rows", "MB", f"MB, Trellis at {DEMO_RATIO}", "tokens a sentence", "STS-B", "STS-B, Trellis"], rows)


PARTS = {"language": language_model, "sentences": sentence_model}

if __name__ == "__main__":
    main()
