"""What search loses: how much exact search among the decoded rows finds of what it finds among the rows as they are."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from compress.analysis.search import COUNT, COUNTS, QUERIES, TIES, Found, Queries, Table, found_in, held_out, search, truth_of
from compress.errors import InputError
from compress.files import read_lines
from compress.linalg.blocks import sample_rows
from compress.matrix import EmbeddingMatrix
from compress.models.open import open_tokenizer
from compress.sources import documentation, load_matrix
from compress.sources.limits import OF_TEXT, check_fits
from compress.tasks.needs import Need
from compress.tasks.score import BEFORE, Figure, Task

if TYPE_CHECKING:
    from compress.tasks.bench import Bench

SHARE = 0.99  # of the nearest that rescoring is to find
Judgements = Mapping[int, Mapping[int, float]]  # of a query, by its place among the queries: how relevant rows are


@dataclass(frozen=True)
class Search(Task):
    """Recall@1, 10 and 100: the share of a query's nearest rows that are among as many nearest of the decoded rows, by exact search
    both times, the query as it is. With judgements nDCG@10 before and after. And how many of the first rows must be rescored by the
    original for a recall@10 of .99.

    queries: a file of vectors, as any matrix is read; None for rows of the matrix itself, held out by a seed, each none of its own
    hits, or for those that `qrels` judges. qrels: a file of judgements, see `read_judgements`. similarity: cosine, ip or l2. most:
    of the queries, drawn by a seed. guarded: whether the file of queries is read in a process of its own.
    """

    queries: Path | None = None
    qrels: Path | None = None
    similarity: str = "cosine"
    most: int = QUERIES
    guarded: bool = False
    name: str = "search"
    needs: ClassVar[tuple[Need, ...]] = ()
    by_blocks: ClassVar[bool] = True

    def material(self) -> Any:
        return [self.similarity, self.most, *(path and digest(path) for path in (self.queries, self.qrels))]

    @cached_property
    def asked(self) -> EmbeddingMatrix | None:
        """The file of queries."""
        return load_matrix(self.queries, guarded=self.guarded) if self.queries else None

    def of(self, matrix: EmbeddingMatrix) -> tuple[Queries, Judgements | None]:
        """The queries, and their judgements. Raises InputError where they cannot be held against the matrix."""
        judged = named = None
        if self.qrels:
            judged, named = judged_rows(self.qrels, matrix, self.asked)
        if self.asked is None:
            found = held_out(matrix, self.most) if named is None else Queries(matrix.rows[named], named)
            return found, judged
        chosen = sample_rows(len(self.asked.values), self.most, np.random.default_rng(0)) if named is None else named
        vectors = self.asked.values[chosen]
        if self.similarity == "cosine" and not vectors.any(axis=1).all():
            raise InputError(f"{self.asked.name} has a query of zeros, to which nothing is near by cosine; leave it out.")
        return Queries(np.ascontiguousarray(vectors), np.full(len(vectors), -1)), judged

    def figures(self, bench: "Bench", table: str) -> list[Figure]:
        def opened() -> EmbeddingMatrix:
            return EmbeddingMatrix(bench.before, bench.names)

        matrix = bench.once(("matrix", BEFORE), opened)
        queries, judged = bench.once(("queries", self, BEFORE), lambda: self.of(matrix))
        truth = truth_of(matrix, queries, self.similarity, tell=lambda share: bench.tell(BEFORE, share))
        found = search(matrix, bench.tables[table], truth, lambda share: bench.tell(table, share))
        return [*recalls(found), *(ndcgs(matrix, bench.tables[table], found, judged) if judged else [])]


def recalls(found: Found) -> list[Figure]:
    """Recall@10 first, the others, and the rows to be rescored."""
    q, first = len(found.truth.ids), sorted(COUNTS, key=lambda count: count != COUNT)
    figures = [Figure(f"recall@{count}", [1.0], [found.recall(count)], None, q) for count in first]
    least, rescored = found.truth.check(COUNT), found.rescored(SHARE)
    return [*figures, Figure(f"rescored for {SHARE:g}", [least], [rescored], None, q, "less")]


def ndcgs(matrix: EmbeddingMatrix, table: Table, found: Found, judged: Judgements) -> list[Figure]:
    """nDCG@10 of the rows found first, before and after, the mean over the queries that have a relevant row."""
    truth = found.truth
    after = found_in(matrix, table, truth.queries, truth.similarity, COUNT + TIES)
    return [Figure(f"nDCG@{COUNT}", [ndcg(truth.ids, judged)], [ndcg(after.ids, judged)], None, len(judged))]


def ndcg(ids: np.ndarray, judged: Judgements) -> float:
    """Σ rᵢ / log₂(i + 1) over the first ten rows i of each query, over what it could be at best; as trec_eval counts, gains are the
    judgements themselves."""
    discounts = 1 / np.log2(np.arange(COUNT) + 2)
    found = []
    for query, relevant in judged.items():
        gains = np.array([relevant.get(int(row), 0.0) for row in ids[query, :COUNT]])
        ideal = np.sort(np.array([*relevant.values()]))[::-1][:COUNT]
        found.append(gains @ discounts[: len(gains)] / (ideal @ discounts[: len(ideal)]))
    return float(np.mean(found))


def judged_rows(path: Path, matrix: EmbeddingMatrix, asked: EmbeddingMatrix | None) -> tuple[Judgements, np.ndarray]:
    """The judgements of a file by the place of each query, and which rows of the queries these are, of the matrix where there is no
    file of them."""
    told = read_judgements(path)
    queries = rows_of_ids(path, "query", [*told], asked or matrix)
    documents = rows_of_ids(path, "row", [*dict.fromkeys(each for by in told.values() for each in by)], matrix)
    judged = {place: {documents[each]: gain for each, gain in by.items()} for place, by in enumerate(told.values())}
    return judged, np.array([queries[each] for each in told])


def read_judgements(path: Path) -> dict[str, dict[str, float]]:
    """How relevant rows are, by the ids of query and row: lines of `query 0 row relevance` as TREC has them, or of
    `query-id corpus-id score` as BEIR has them, with or without that header. Queries without a relevant row are left out.

    Raises InputError that names the line.
    """
    found: dict[str, dict[str, float]] = {}
    try:
        check_fits(OF_TEXT * path.stat().st_size, path.name)
        lines = read_lines(path)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or error}); check the file.") from error
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
        if not line.strip() or (number == 1 and cells[0].lower() in ("query-id", "query_id", "qid")):
            continue
        try:
            query, row, gain = (cells[0], *cells[-2:]) if len(cells) in (3, 4) else ("", "", "")
            relevance = float(gain)
        except ValueError:
            relevance = np.nan
        if not np.isfinite(relevance):
            raise InputError(
                f"Line {number:,} of {path.name} is no judgement; each is `query 0 row relevance` or `query row relevance`."
            )
        if relevance > 0:
            found.setdefault(query, {})[row] = relevance
    if not found:
        raise InputError(f"{path.name} judges no row as relevant to a query; check the file.")
    return found


def rows_of_ids(path: Path, what: str, ids: Sequence[str], matrix: EmbeddingMatrix) -> dict[str, int]:
    """The rows that ids name: by the rows' names where all are such, else by their numbers from 0."""
    n = matrix.shape[0]
    if matrix.has_tokens:
        named = {str(token): row for row, token in enumerate(matrix.tokens)}
        if all(each in named for each in ids):
            return {each: named[each] for each in ids}
    for each in ids:
        if not (each.isdecimal() and int(each) < n):
            raise InputError(
                f"{path.name} names the {what} “{each[:40]}”, which is not there; ids are names of rows, or numbers below {n:,}."
            )
    return {each: int(each) for each in ids}


def text_query(source: str | os.PathLike, matrix: EmbeddingMatrix, text: str) -> Queries:
    """A text as a query among the rows of its model's table: the mean of its tokens' rows, without those that every text has around
    it; among sentences that the demo's model embedded, its own vector by that. Raises InputError where the model has no tokenizer,
    or finds nothing in the text."""
    if source == documentation.SOURCE:
        from compress.tasks.documentation import embedded

        return Queries(embedded([text], lambda step: None, None), np.array([-1]))
    tokenizer = open_tokenizer(source)
    if tokenizer is None:
        raise InputError("The model has no tokenizer, so a text cannot be searched for; give vectors in a file.")
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = [each for each in ids if each < matrix.shape[0]]
    vector = matrix.rows[ids].mean(axis=0, keepdims=True) if ids else np.zeros((1, matrix.shape[1]), np.float32)
    if not vector.any():
        raise InputError("The tokenizer finds no token with a row in this text; type another one.")
    return Queries(vector, np.array([-1]))


def digest(path: Path) -> str:
    """A hash of a file's bytes."""
    try:
        return blake2b(path.expanduser().read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or error}); check the file.") from error


def search_task(
    queries: Path | str | None = None, qrels: Path | str | None = None, similarity: str = "cosine", limit: int | None = None
) -> Search:
    """The task with its files named, of which those that are there are read now, so that what is wrong with one is said first."""
    named, judged = (None if path is None else Path(path).expanduser() for path in (queries, qrels))
    task = Search(named, judged, similarity)
    if limit is not None:
        task = replace(task, most=min(limit, QUERIES))
    if task.asked is None and task.qrels:
        read_judgements(task.qrels)
    return task
