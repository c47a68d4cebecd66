"""The matrices and texts that benchmarks work on: the demo, and what lies in the shared data."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from compress import EmbeddingMatrix, load_matrix
from compress.linalg.blocks import sample_rows
from compress.tasks.examples import Examples
from compress.tasks.glue import DEV, GLUE, TRAIN, read_part

DATA = Path(__file__).parents[2] / "shared" / "data"
TABLES = ("w2v_text8_10k_100d", "tencent_char_thucnews", "glove100_tripadvisor_5k")


def demo() -> EmbeddingMatrix:
    """The demo matrix in memory, its pages touched."""
    return EmbeddingMatrix(load_matrix("demo").values.copy())


def table_of(folder: Path) -> EmbeddingMatrix | None:
    """The table of a folder of the shared data, where it lies there."""
    for path in sorted(folder.glob("*.npy")):
        try:
            return load_matrix(path)
        except ValueError:
            continue
    return None


def glue_part(task: str, test: bool = False) -> Examples:
    """The training examples of a GLUE task in the shared data, or its development set."""
    return read_part(GLUE[task], DATA / f"glue_{task}", DEV if test else TRAIN)


def glue_sentences(of_sst2: int = 15_000) -> list[str]:
    """The sentences of the training parts of STS-B, CoLA and RTE and some of SST-2's, without their labels; three words or more."""
    reviews = glue_part("sst2").texts
    chosen = np.sort(np.random.default_rng(0).choice(len(reviews), min(of_sst2, len(reviews)), replace=False))
    found = [reviews[at] for at in chosen]
    for task in ("stsb", "cola", "rte"):
        part = glue_part(task)
        columns = [part.texts] if part.others is None else [part.texts, part.others]
        found += [text for row in zip(*columns, strict=True) for text in row]
    return [text for text in found if len(text.split()) > 2]


def glue_sentences_not_judged(tasks: Sequence[str], most: int) -> list[str]:
    """Sentences of the tasks' training examples, so many of each at most, none that their development sets hold."""
    judged: set[str] = set()
    found: dict[str, None] = {}
    for task in tasks:
        train, test = glue_part(task), glue_part(task, test=True)
        judged |= {*test.texts, *(test.others or ())}
        sentences = list(dict.fromkeys((*train.texts, *(train.others or ()))))
        found |= dict.fromkeys(sentences[at] for at in sample_rows(len(sentences), most, np.random.default_rng(0)))
    return [sentence for sentence in found if sentence not in judged]
