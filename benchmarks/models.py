"""What models lose against how small their tables are: every method beside what people would pick; the demo takes hours."""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.data import DATA, glue_sentences_not_judged
from benchmarks.limit import A
from benchmarks.table import heading, table
from compress import Compressed, EmbeddingMatrix, evaluate, load_matrix
from compress.errors import Step
from compress.training.comparison import COMPARED, RATIOS, SAVED, SETTINGS, STEPS, Cell, Row, Size, compare, fit, plan

PEERS = ("pq", "int8", "int4")
TASKS = {"stsb": "STS-B", "sst2": "SST-2", "cola": "CoLA", "rte": "RTE"}
HEALED_OUT_OF_DOMAIN = (25.0, 103.0)
FILES = {  # what a part needs of the shared data
    "ncf": ("ncf_ml1m/mlp.npz",),
    "tflite": ("tflite_avgword/weights.npz", "glue_sst2/sif_sentiment-dev"),
    "thucnews": ("tencent_char_thucnews/embedding_f32.npy",),
    "stories": ("stories260K/model.safetensors",),
    "demo": tuple(f"glue_{task}" for task in TASKS),
}
AT = {"ncf": (2, 4, 5, 10), "tflite": (5, 10, 25), "thucnews": (5, 10, 25), "stories": (5, 10, 20), "demo": RATIOS}
OF_A_TASK = 5000  # sentences that heal the demo model
LEAST_SAVED = {"light_token": 0.6, "pq": 0.4}  # below, codes are so long that a fit takes ten minutes and more, and loses nothing


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    parser.add_argument("--ratios", nargs="+", type=float, help="instead of each part's own")
    parser.add_argument("--saved", nargs="*", type=float, default=SAVED, help="shares of numbers saved, of the demo")
    parser.add_argument("--out", type=Path, help="the folder that keeps fits and scores; what was stopped goes on there")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for part in args.only:
            if all((DATA / file).exists() for file in FILES[part]):
                sizes = [Size("ratio", ratio) for ratio in args.ratios or AT[part]]
                more = [Size("saved", saved) for saved in args.saved] if part == "demo" else []
                PARTS[part](sizes, more, args.out or Path(folder))
                print(flush=True)


def forms(matrix: EmbeddingMatrix, sizes: Sequence[Size]) -> Iterable[tuple[Size | None, Compressed]]:
    """Every method and peer at every size that it reaches."""
    for cell in plan((*COMPARED, *PEERS), sizes):
        result = fit(matrix, cell.method, cell.size, SETTINGS.get(cell.method, {}))
        if result is not None:
            yield cell.size, result


def scored(title: str, matrices: Sequence[EmbeddingMatrix], sizes: Sequence[Size], columns: Sequence[str], score) -> None:
    """A table of what a small model scores with its tables compressed. score: of decoded tables, a figure a column."""
    before = score(*(matrix.values for matrix in matrices))
    rows = [("as it is", "1.00", "0.0000", *(f"{each:.4f}" for each in before))]
    size = None
    for both in zip(*(forms(matrix, sizes) for matrix in matrices), strict=True):
        if both[0][0] != size:
            size = both[0][0]
            rows.append([""] * len(rows[0]))
        results = [result for _, result in both]
        shares = np.array([matrix.squared_norms.sum() for matrix in matrices])
        lost = np.average([evaluate(*each).relative_error for each in zip(matrices, results, strict=True)], weights=shares)
        ratio = sum(matrix.n_bytes for matrix in matrices) / sum(result.n_bytes for result in results)
        found = score(*(result.reconstruct() for result in results))
        rows.append((named(results[0].method), f"{ratio:.2f}", f"{lost:.4f}", *(f"{each:.4f}" for each in found)))
    heading(title)
    table(["method", "ratio", "error", *columns], rows)


def named(method) -> str:
    bits = f", {method.factor_bits} bits" if hasattr(method, "factor_bits") and method.name != "light_token" else ""
    return method.label + bits


def ncf(sizes, _, folder) -> None:
    held = {name.split(".")[-1]: array for name, array in np.load(DATA / "ncf_ml1m" / "mlp.npz").items()}
    matrices = [EmbeddingMatrix(held[f"{which}_embedding_W"]) for which in ("user", "item")]
    scored(
        "A recommender, MLP of neural collaborative filtering on MovieLens 1M, both tables compressed",
        matrices,
        sizes,
        ["HR@10", "NDCG@10"],
        partial(hits, held, *left_out()),
    )


def left_out() -> tuple[np.ndarray, np.ndarray]:
    """Users (n,), and for each (n, 100) items of which the first is the one that was left out."""
    folder = DATA / "ncf_ml1m"
    with open(folder / "ml-1m.test.rating") as right, open(folder / "ml-1m.test.negative") as wrong:
        rows = [(*left.split("\t")[:2], *other.split("\t")[1:]) for left, other in zip(right, wrong, strict=True)]
    found = np.array(rows, np.int64)
    return found[:, 0], found[:, 1:]


def hits(held: dict, users: np.ndarray, items: np.ndarray, user_table: np.ndarray, item_table: np.ndarray) -> tuple[float, float]:
    """HR@10 and NDCG@10 of the item that was left out among the 99 others."""
    pairs = np.concatenate([np.repeat(user_table[users][:, None], items.shape[1], axis=1), item_table[items]], axis=-1)
    for layer in (1, 2, 3):
        pairs = np.maximum(pairs @ held[f"layer{layer}_W"] + held[f"layer{layer}_b"], 0)
    scores = (pairs @ held["prediction_W"])[..., 0]
    rank = (scores[:, 1:] > scores[:, :1]).sum(axis=1)
    return float((rank < 10).mean()), float(np.where(rank < 10, 1 / np.log2(rank + 2.0), 0).mean())


def tflite(sizes, _, folder) -> None:
    held = np.load(DATA / "tflite_avgword" / "weights.npz")
    scored(
        "A mobile sentiment classifier, mean of word vectors and two dense layers, 10,000 × 16, SST-2",
        [EmbeddingMatrix(held["embedding"])],
        sizes,
        ["accuracy", "padding kept"],
        partial(sentiment, held, *reviews()),
    )


def reviews() -> tuple[list[list[int]], np.ndarray]:
    """256 token ids of every sentence, as the model was trained on them, and labels."""
    lines = (DATA / "tflite_avgword" / "text_classification_vocab.txt").read_text().splitlines()
    vocabulary = {word: int(number) for word, number in (line.rsplit(" ", 1) for line in lines)}
    start, unknown, padding = (vocabulary[f"<{name}>"] for name in ("START", "UNKNOWN", "PAD"))
    rows = labelled(DATA / "glue_sst2" / "sif_sentiment-dev")
    ids = [[start, *(vocabulary.get(word, unknown) for word in re.split(r"\W+", text.lower()) if word)] for text, _ in rows]
    return [each[:256] + [padding] * (256 - len(each)) for each in ids], np.array([label for _, label in rows])


def labelled(path: Path) -> list[tuple[str, int]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return [(text, int(label)) for text, label in (line.rsplit("\t", 1) for line in lines if line.strip())]


def sentiment(held: dict, ids: list, labels: np.ndarray, words: np.ndarray) -> tuple[float, float]:
    """Accuracy with these words, and with the padding's own row in its place, which is most of every mean."""
    kept = words.copy()
    kept[ids[0][-1]] = held["embedding"][ids[0][-1]]
    return accuracy(held, ids, labels, words), accuracy(held, ids, labels, kept)


def accuracy(held: dict, ids: list, labels: np.ndarray, words: np.ndarray) -> float:
    mean = np.stack([words[each].mean(axis=0) for each in ids])
    hidden = np.maximum(mean @ held["dense_w"].T + held["dense_b"], 0)
    return float(((hidden @ held["dense1_w"].T + held["dense1_b"]).argmax(axis=1) == labels).mean())


def thucnews(sizes, _, folder) -> None:
    matrix = load_matrix(DATA / "tencent_char_thucnews" / "embedding_f32.npy")
    scored(
        "Topics of Chinese titles, mean of character vectors and logistic regression, 4,762 × 200",
        [matrix],
        sizes,
        ["fixed head", "new head"],
        partial(topics, head(matrix.values)),
    )


@cache
def titles(part: str) -> tuple[list[list[int]], np.ndarray]:
    folder = DATA / "tencent_char_thucnews"
    vocabulary = json.loads((folder / "vocab.json").read_text())
    rows = labelled(folder / f"{part}.txt")
    return [[vocabulary.get(letter, vocabulary["<UNK>"]) for letter in text] for text, _ in rows], np.array([y for _, y in rows])


def head(characters: np.ndarray):
    """Logistic regression on the development titles."""
    from sklearn.linear_model import LogisticRegression

    ids, labels = titles("dev")
    return LogisticRegression(C=10, max_iter=2000).fit(means(characters, ids), labels)


def topics(fixed, characters: np.ndarray) -> tuple[float, float]:
    """Accuracy of a head fitted with the original characters, and of one fitted with these."""
    ids, labels = titles("test")
    x = means(characters, ids)
    return fixed.score(x, labels), head(characters).score(x, labels)


def means(characters: np.ndarray, ids: list[list[int]]) -> np.ndarray:
    return np.stack([characters[each].mean(axis=0) for each in ids])


def stories(sizes, _, folder: Path) -> None:
    """The first half of the paragraphs heals, the second judges."""
    from compress.models.open import open_model

    source = DATA / "stories260K"
    paragraphs = json.loads((source / "tinystories_ids.json").read_text())
    half = len(paragraphs) // 2
    healing = {"first half": [tuple(ids) for ids in paragraphs[:half]]}
    judged = folder / "second_half.json"
    judged.write_text(json.dumps(paragraphs[half:]))
    cells = plan((*COMPARED, *PEERS), sizes, healing)
    rows = compare(open_model(source), load_matrix(source), cells, ["perplexity"], folder, text=judged, texts=healing, steps=STEPS)
    heading(f"A language model's table, 512 × 64, tied; healed in {STEPS} steps")
    show(rows, {"perplexity": "perplexity"})


def on_demo(sizes, more, folder: Path) -> None:
    """The most telling sizes first; a stopped run shows what is finished."""
    from compress.models.open import open_model
    from compress.tasks.texts import texts_to_learn

    matrix = load_matrix("demo")
    texts = {"GLUE": glue_sentences_not_judged(TASKS, OF_A_TASK), "docstrings": texts_to_learn(None)}
    sizes = [*sizes[:3], *more[:1], *sizes[3:], *more[1:]]
    cells = []
    for size in sizes:
        cells += [Cell(method, size) for method in (*COMPARED, "pq")]
        cells += [Cell(method, size, "GLUE") for method in COMPARED]
        if size.by == "ratio" and size.value in HEALED_OUT_OF_DOMAIN:
            cells.append(Cell("trellis", size, "docstrings"))
    cells = [*filter(worth_a_fit, cells), Cell("int8", None), Cell("int4", None)]
    rows = compare(
        open_model("demo"),
        matrix,
        cells,
        TASKS,
        folder,
        data=DATA,
        texts=texts,
        weighted={"trellis": load_matrix("demo", weights=f"order:{A}")},
        progress=said,
    )
    heading(f"The demo model, linear heads fitted before compression; Trellis with order weights, a = {A}; healed in {STEPS} steps")
    show(rows, TASKS)


def worth_a_fit(cell: Cell) -> bool:
    if cell.size.by == "ratio" or cell.method not in LEAST_SAVED:
        return True
    return cell.healed_by is None and cell.size.value >= LEAST_SAVED[cell.method]


def said(step: Step) -> None:
    """A line a cell on standard error, as the demo takes hours."""
    if step.figures.get("stage") == "fit":
        print(*(step.figures[name] for name in ("done", "of", "method", "size", "healed_by")), file=sys.stderr, flush=True)


def show(rows: Iterable[Row], tasks: dict[str, str]) -> None:
    """A table of rows, also of those that came before a stop: each task's first figure, and how much worse it is."""
    shown, size = [], None
    try:
        for row in rows:
            if not shown:
                before = [row.score(task).before for task in tasks]
                shown.append(["as it is", "", "1.00", "0 %", "0.0000", *(cell for each in before for cell in (f"{each:.4f}", ""))])
            if row.cell.size != size:
                size = row.cell.size
                shown.append([str(size), *[""] * (4 + 2 * len(tasks))])
            figures = (cell for task in tasks for cell in (f"{row.score(task).after:.4f}", f"{row.score(task).lost:+.4f}"))
            shown.append(
                [
                    named(row.method),
                    row.cell.healed_by or "",
                    f"{row.figures['ratio']:.2f}",
                    f"{row.figures['saved']:.0%}",
                    f"{row.figures['relative_error']:.4f}",
                    *figures,
                ]
            )
    finally:
        columns = [cell for name in tasks.values() for cell in (name, "drop")]
        table(["method", "healed by", "ratio", "saved", "error", *columns], shown)


PARTS = {"ncf": ncf, "tflite": tflite, "thucnews": thucnews, "stories": stories, "demo": on_demo}

if __name__ == "__main__":
    main()
