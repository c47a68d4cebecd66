"""What a smaller vocabulary saves and loses: on the texts that it was made by, on others of their kind, and on another kind.

SmolLM2-135M, in the folder that SMOLLM2 names, and all-MiniLM-L6-v2, each with its whole vocabulary, with what the first half of
TinyStories or the built-in sentences need, and with Latin script alone; then Trellis on what is left. Tokens change with the
vocabulary, so bits are counted a character, not a token.
"""

import argparse
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from benchmarks.data import DATA, glue_part
from benchmarks.language import FOLDER
from benchmarks.table import heading, table
from compress import Compressed, fit_to, load_matrix, trim
from compress.models.open import OpenModel, open_model, quiet
from compress.tasks import judge
from compress.tasks.texts import read_texts, texts_to_learn
from compress.training.importance import importance_of
from compress.training.kinds import texts_of_kinds

STORIES = DATA / "tinystories_text" / "tinystories.txt"
JUDGED = 6000  # characters of each kind of text
PAIRS = 500
RATIO, DEMO_RATIO = 12, 25
START = "<|endoftext|>"
VOCABULARIES = ("whole", "stories", "documentation", "latin")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--by", nargs="+", choices=VOCABULARIES, default=VOCABULARIES, help="vocabularies, one after another")
    parser.add_argument("--ratio", type=float, help=f"of Trellis; {RATIO} and {DEMO_RATIO} unless given; 0: none for SmolLM2")
    args = parser.parse_args(arguments)
    for name in args.model:
        MODELS[name](args.by, args.ratio)


@contextmanager
def trimmed_by(name: str, source: str | Path) -> Iterator[str | Path]:
    """The model of a source with a vocabulary, in a folder while it is looked at; as it is for "whole"."""
    made: dict[str, dict] = {
        "stories": {"texts": [stories()[0], *stories()[0].split("\n")]},
        "documentation": {"texts": [str(text) for text in texts_to_learn(None)]},
        "latin": {"scripts": ["Latin"]},
    }
    with tempfile.TemporaryDirectory() as place, quiet():
        if name in made:
            trim(source, Path(place) / name, **made[name])
        yield Path(place) / name if name in made else source


def stories() -> tuple[str, str]:
    """The first half of TinyStories, and the second."""
    text = STORIES.read_text(encoding="utf-8")
    return text[: len(text) // 2], text[len(text) // 2 :]


def language_model(vocabularies: Sequence[str], ratio: float | None = None) -> None:
    if not STORIES.exists() or not (FOLDER / "config.json").exists():
        return
    seen, held = stories()
    texts = {"seen stories": seen, "other stories": held, "documentation": "\n".join(map(str, read_texts(None)[:300]))}
    heading("A smaller vocabulary, SmolLM2-135M: tokens a thousand characters and bits a character")
    rows = []
    for name in vocabularies:
        with trimmed_by(name, FOLDER) as where:
            matrix, model = load_matrix(where), open_model(where)
            rows.append((name, f"{matrix.shape[0]:,}", f"{matrix.n_bytes / 1e6:.1f}", *read_by(model, texts)))
            if ratio != 0:
                importance = importance_of(model, matrix, texts_of_kinds(model, None))
                result = fit_to(matrix, "trellis", ratio or RATIO, importance)
                put(model, result)
                label, n_bytes = f"{name}, Trellis at {ratio or RATIO:g}", f"{result.n_bytes / 1e6:.2f}"
                rows.append((label, f"{matrix.shape[0]:,}", n_bytes, *read_by(model, texts)))
    table(["vocabulary", "rows", "MB", *(f"{what}, {kind}" for kind in texts for what in ("tokens", "bits"))], rows)


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


def sentence_model(vocabularies: Sequence[str], ratio: float | None = None) -> None:
    if not STORIES.exists() or not (DATA / "glue_stsb").exists():
        return
    heading(f"A smaller vocabulary, all-MiniLM-L6-v2, on {PAIRS} pairs of STS-B, which is none of the texts it was made by")
    part = glue_part("stsb", test=True)
    judged = [*part.texts[:PAIRS], *(part.others or ())[:PAIRS]]
    rows = []
    for name in vocabularies:
        with trimmed_by(name, "demo") as where:
            matrix, model = load_matrix(where), open_model(where)
            result = fit_to(matrix, "trellis", ratio or DEMO_RATIO)
            score = judge(model, {"before": matrix, "trellis": result}, ["stsb"], DATA, limit=PAIRS)[0]
            tokens = [model.tokenizer.tokenize(text) for text in judged]
            unknown = sum(each.count(model.tokenizer.unk_token) for each in tokens)
            figures = f"{sum(map(len, tokens)) / len(tokens):.2f}", f"{unknown}", f"{score.before:.4f}", f"{score.after:.4f}"
            sizes = f"{matrix.shape[0]:,}", f"{matrix.n_bytes / 1e6:.1f}", f"{result.n_bytes / 1e6:.2f}"
            rows.append((name, *sizes, *figures))
    columns = [
        "vocabulary",
        "rows",
        "MB",
        f"MB, Trellis at {DEMO_RATIO}",
        "tokens a sentence",
        "unknown",
        "STS-B",
        "STS-B, Trellis",
    ]
    table(columns, rows)


MODELS = {"smollm2": language_model, "minilm": sentence_model}

if __name__ == "__main__":
    main()
