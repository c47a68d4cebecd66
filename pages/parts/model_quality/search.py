"""What search loses: recall by queries of three kinds, how many rows to rescore, and a text's hits before and after."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError
from compress.analysis.search import COUNT, COUNTS, Found, found_in, search, truth_of
from compress.charts import quality as quality_charts
from compress.charts.figure import METHOD_COLOURS, MUTED
from compress.models.facts import ModelFacts
from compress.sources import documentation
from compress.tasks.search import SHARE, Search, ndcgs, text_query
from pages.parts.cached import cached
from pages.parts.dial.answers import Figure
from pages.parts.dial.figures import figures
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.matrix import chosen
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.quick_fits import Fitted
from pages.parts.say import refused
from pages.parts.uploads import kept_upload

SHOWN = 12  # hits of a text
NAMES = {"cosine": "cosine", "ip": "inner product", "l2": "ℓ2 distance"}
READING = (
    "Recall@k is the share of a query's k nearest rows that are among the k nearest of the decoded ones; the query stays as it is. "
    "Rescoring takes the first rows of the compressed search and orders them by the original."
)


@dataclass(frozen=True, eq=False)
class Told:
    """What a search gave. recalls: by count. among, curve: recall@10 of so many rescored. n: queries. ndcg: before and after, where
    there are judgements."""

    recalls: dict[int, float]
    rescored: int
    among: np.ndarray
    curve: np.ndarray
    n: int
    ndcg: tuple[float, float] | None


@st.fragment
def search_panel(matrix: EmbeddingMatrix, fit: Fitted, facts: ModelFacts | None) -> None:
    """By itself: what it is set to changes nothing else."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = MODEL_QUALITY.queries.draw("Queries", "Rows of the matrix, each none of its own hits; vectors in a file; or a text.")
        similarity = MODEL_QUALITY.similarity.draw("Nearest by", "Of a query with a row; search is exact.")
        text = ""
        if kind == "text":
            about = "Its vector by the demo's model" if embeds() else "The mean of its tokens' rows"
            text = MODEL_QUALITY.text.draw("Text", "a few words", width=320, help=f"{about} is searched for.")
    try:
        if kind == "text":
            hits(matrix, fit, facts, similarity, text.strip())
        elif asked := asked_search(kind, similarity):
            shown(matrix, fit, told_of(matrix, fit, asked), asked)
    except InputError as error:
        refused(error)


def asked_search(kind: str, similarity: str) -> Search | None:
    """What is to be searched for; None while a file is still to be given."""
    if kind == "rows":
        return Search(similarity=similarity)
    left, right = st.columns(2)
    held = left.file_uploader("Query vectors", key="search_file", help="Any file that a matrix is read from, as wide.")
    about = "Lines of query, 0, row, relevance (TREC), or query, row, relevance (BEIR): by names or numbers of rows. For nDCG."
    judged = right.file_uploader("Judgements", key="search_qrels", help=about)
    places = {"search_file": held, "search_qrels": judged}
    paths = {place: Path(kept_upload(each, place)) if each else None for place, each in places.items()}
    if not any(paths.values()):
        st.caption("Give a file of query vectors, or judgements of rows, whose queries are rows too.")
        return None
    return Search(paths["search_file"], paths["search_qrels"], similarity, guarded=True)


@cached(16, "Searching …")
def told_of(matrix: EmbeddingMatrix, fit: Fitted, asked: Search) -> Told:
    queries, judged = asked.of(matrix)
    truth = truth_of(matrix, queries, asked.similarity)
    found = search(matrix, fit.result, truth)
    rescored, ndcg = found.rescored(SHARE), None
    if judged:
        (figure,) = ndcgs(matrix, fit.result, found, judged)
        ndcg = float(figure.before[0]), float(figure.after[0])
    among = places(found, rescored)
    curve = np.array([found.recall(COUNT, int(each)) for each in among])
    return Told({count: found.recall(count) for count in COUNTS}, rescored, among, curve, len(queries.rows), ndcg)


def places(found: Found, rescored: int) -> np.ndarray:
    """Numbers of rows that the curve is drawn at: from the least to where it has long reached what is asked for."""
    least = found.truth.check(COUNT)
    most = min(found.truth.n, max(2 * rescored, 10 * least))
    return np.unique(np.geomspace(least, most, 40).round().astype(int))


def shown(matrix: EmbeddingMatrix, fit: Fitted, told: Told, asked: Search) -> None:
    cards = [Figure(f"Recall@{count}", f"{recall:.3f}", help=READING) for count, recall in told.recalls.items()]
    if told.ndcg:
        before, after = told.ndcg
        about = "How high rows that were judged relevant stand among the nearest, 1 where all stand first."
        cards.append(Figure(f"nDCG@{COUNT}", f"{after:.3f}", f"{before:.3f} before", "off", help=about))
    about = f"So many of the first rows, held against the original, have a recall@{COUNT} of {SHARE:g}."
    cards.append(
        Figure(
            f"To rescore for {SHARE:g}", f"{told.rescored:,}", f"{told.rescored / matrix.shape[0]:.1%} of rows", "off", help=about
        )
    )
    figures(cards, "search_cards")
    live_chart(
        quality_charts.rescoring(told.among, told.curve, COUNT, SHARE, METHOD_COLOURS.get(fit.result.method.name, MUTED)),
        key="rescoring",
        alt=f"Recall@{COUNT} is {told.curve[0]:.3f} without rescoring and {SHARE:g} with {told.rescored:,} rows rescored",
    )
    queries = "rows held out" if asked.queries is None else "queries of the file"
    st.caption(f"{told.n:,} {queries}, by {NAMES[asked.similarity]}. {READING}")


def hits(matrix: EmbeddingMatrix, fit: Fitted, facts: ModelFacts | None, similarity: str, text: str) -> None:
    """The rows nearest to a text before and after, side by side."""
    if not embeds() and (facts is None or facts.tokenizer is False):
        st.caption("A text needs a model with a tokenizer; this matrix has none. Give vectors in a file.")
        return
    if not text:
        st.caption("Type a text to see its nearest rows before and after.")
        return
    sides = nearest(matrix, fit, chosen()[0], similarity, text)
    kept = {*sides["before"][0]} & {*sides["after"][0]}
    st.caption(f"{len(kept)} of the {len(sides['before'][0])} nearest are kept, by {NAMES[similarity]}.")
    for column, (when, (rows, scores)) in zip(st.columns(2), sides.items(), strict=True):
        with column:
            st.markdown(f"**Nearest {when}**")
            marks = ["✓ kept" if row in kept else "✗ lost" if when == "before" else "+ gained" for row in rows]
            names = [str(matrix.tokens[row]) for row in rows]
            st.dataframe(
                {"": marks, matrix.row_word: names, "nearness": scores},
                key=f"hits_{when}",
                hide_index=True,
                column_config={"nearness": st.column_config.NumberColumn(format="%.3f", width="small")},
            )


def embeds() -> bool:
    """Whether the matrix is the demo of sentences, whose model is here."""
    return chosen()[0] == documentation.SOURCE


@cached(16, "Searching …")
def nearest(
    matrix: EmbeddingMatrix, fit: Fitted, source: str, similarity: str, text: str
) -> dict[str, tuple[list[int], list[float]]]:
    """The rows nearest to a text and how near, before and after."""
    queries = text_query(source, matrix, text)
    found = {
        when: found_in(matrix, table, queries, similarity, SHOWN) for when, table in (("before", matrix), ("after", fit.result))
    }
    return {when: (each.ids[0].tolist(), each.scores[0].astype(float).tolist()) for when, each in found.items()}
