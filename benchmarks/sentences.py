"""Six sentence tasks of the demo model, and how far its sentence vectors move: none of their texts is learnt from or chosen by."""

from functools import cache

import numpy as np

from benchmarks.data import DATA, demo, glue_part
from compress.linalg.blocks import unit_rows
from compress.models.open import open_model
from compress.tasks.bench import Bench
from compress.tasks.score import BEFORE

GENRES = "captions", "forums", "news"
TASKS = (*(f"STS-B {genre}" for genre in GENRES), "SST-2", "RTE", "stories")
EXAMPLES, HALVES, WORDS = 4000, 300, 60


@cache
def texts() -> dict[str, list[str]]:
    """By data set, the sentences of its tasks; those of pairs one after the other."""
    pairs = {name: glue_part(name, test=True) for name in ("stsb", "rte")}
    found = {name: [*part.texts, *(part.others or ())] for name, part in pairs.items()}
    paragraphs = [line.split() for line in (DATA / "tinystories_text" / "tinystories.txt").read_text().splitlines()]
    paragraphs = [words for words in paragraphs if len(words) > 20][:HALVES]
    halves = [half for words in paragraphs for half in (words[: len(words) // 2][:WORDS], words[len(words) // 2 :][:WORDS])]
    return found | {"sst2": [*glue_part("sst2", test=True).texts], "stories": [" ".join(half) for half in halves]}


def vectors(table: np.ndarray) -> dict[str, np.ndarray]:
    """By data set, its sentence vectors with a table, at length 1."""
    bench = Bench(open_model("demo"), {BEFORE: table})
    return {name: unit_rows(bench.vectors(BEFORE, part)) for name, part in texts().items()}


@cache
def of_the_model() -> dict[str, np.ndarray]:
    """The same with its own table."""
    return vectors(demo().values)


@cache
def head():
    """A linear head for SST-2, fitted on the model's own vectors of 4,000 training examples."""
    from sklearn.linear_model import LogisticRegression

    train = glue_part("sst2")
    chosen = np.random.default_rng(0).choice(len(train.texts), EXAMPLES, replace=False)
    bench = Bench(open_model("demo"), {BEFORE: demo().values})
    found = unit_rows(bench.vectors(BEFORE, [train.texts[at] for at in chosen]))
    return LogisticRegression(C=10, max_iter=2000).fit(found, [train.labels[at] for at in chosen])


def genres() -> np.ndarray:
    """(pairs,) the genre of each pair of STS-B's development set."""
    lines = (DATA / "glue_stsb" / "sts-dev.tsv").read_text("utf-8").splitlines()
    return np.array([line.split("\t")[0].removeprefix("main-") for line in lines if line])


def scores(table: np.ndarray) -> tuple[dict[str, float], float]:
    """By task, in points of 100: Spearman's correlation of cosines with the labels on the three genres of STS-B, accuracy of the
    head on SST-2, the area under the curve of cosines as a sign of entailment on RTE, and how often the second half of a story is
    nearest to its first. And 1 − cosine from the model's own vectors, the mean over data sets."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    found = vectors(table)
    cosines = {name: pairwise(found[name]) for name in ("stsb", "rte")}
    labels, genre = np.array(glue_part("stsb", test=True).labels, float), genres()
    of_genres = [spearmanr(cosines["stsb"][genre == each], labels[genre == each])[0] for each in GENRES]
    right = np.mean(head().predict(found["sst2"]) == np.array(glue_part("sst2", test=True).labels))
    entailed = [str(label) == "entailment" for label in glue_part("rte", test=True).labels]
    first, second = found["stories"][::2], found["stories"][1::2]
    together = np.mean((first @ second.T).argmax(1) == np.arange(len(first)))
    points = [*of_genres, right, roc_auc_score(entailed, cosines["rte"]), together]
    moved = [1 - np.mean((found[name] * own).sum(1)) for name, own in of_the_model().items()]
    return dict(zip(TASKS, (100 * float(each) for each in points), strict=True)), float(np.mean(moved))


def pairwise(found: np.ndarray) -> np.ndarray:
    """The cosine of each of the first half of unit rows with its partner in the second."""
    return (found[: len(found) // 2] * found[len(found) // 2 :]).sum(1)


def mean_change(before: dict[str, float], after: dict[str, float]) -> float:
    """Points, in the mean over tasks."""
    return float(np.mean([after[task] - before[task] for task in TASKS]))
