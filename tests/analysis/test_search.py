"""Exact search before and after: what is lost is told exactly, ties are no one's luck, and a row is none of its own hits."""

from dataclasses import replace

import faiss
import numpy as np
import pytest

from compress import SVD, EmbeddingMatrix, InputError, Int8
from compress.analysis.search import SIMILARITIES, Queries, Truth, found_in, held_out, placed, search, truth_of


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    return EmbeddingMatrix(rng.normal(size=(3000, 16)) * rng.uniform(0.5, 2, size=(3000, 1)) + 0.3)


@pytest.fixture(scope="module", params=SIMILARITIES)
def truth(request, matrix):
    return truth_of(matrix, held_out(matrix, 200), request.param)


def by_hand(matrix, truth):
    """(q, n) similarities in double precision, of a query with itself −∞."""
    queries, rows = truth.queries.vectors.astype(np.float64), matrix.values.astype(np.float64)
    if truth.similarity == "cosine":
        found = queries @ (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T
    elif truth.similarity == "ip":
        found = queries @ rows.T
    else:
        found = -((queries[:, None] - rows) ** 2).sum(axis=2)
    found[np.arange(len(queries)), truth.queries.rows] = -np.inf
    return found


def test_the_nearest_rows_are_those_found_by_hand_and_by_faiss(matrix, truth):
    wanted = np.argsort(-by_hand(matrix, truth), axis=1)[:, :100]
    assert (truth.ids[:, :100] == wanted).mean() > 0.999
    if truth.similarity != "cosine":
        kind = faiss.METRIC_L2 if truth.similarity == "l2" else faiss.METRIC_INNER_PRODUCT
        ids = faiss.knn(truth.queries.vectors, np.array(matrix.values), 101, kind)[1]
        ids = np.stack([row[row != own][:100] for row, own in zip(ids, truth.queries.rows, strict=True)])
        assert placed(truth, ids).recall(100) == pytest.approx(1, abs=1e-4)


def test_a_row_is_never_its_own_hit(truth):
    assert not (truth.ids == truth.queries.rows[:, None]).any()


def test_a_lossless_table_loses_nothing(matrix, truth):
    found = search(matrix, matrix.values.copy(), truth)
    assert [found.recall(count) for count in (1, 10, 100)] == pytest.approx([1, 1, 1], abs=1e-4)
    assert found.rescored() == 10


def test_recall_falls_as_noise_grows_and_more_must_be_rescored(matrix, truth):
    noise, recalls, rescored = np.random.default_rng(1).normal(size=matrix.shape).astype(np.float32), [], []
    for size in (0.02, 0.1, 0.3, 1.0):
        found = search(matrix, matrix.values + size * noise, truth)
        recalls.append([found.recall(count) for count in (1, 10, 100)])
        rescored.append(found.rescored())
    assert (np.diff(recalls, axis=0) < 0).all() and recalls[0][1] > 0.9 and recalls[-1][1] < 0.5
    assert rescored == sorted(rescored) and rescored[0] < rescored[-1]


def test_places_are_those_of_a_full_sort_and_so_is_the_number_to_rescore(matrix, truth):
    table = matrix.values + 0.3 * np.random.default_rng(2).normal(size=matrix.shape).astype(np.float32)
    found = search(matrix, table, truth)
    order = np.argsort(-by_hand(EmbeddingMatrix(table), truth), axis=1)
    ranks = np.argsort(order, axis=1)
    nearest = np.take_along_axis(ranks, truth.ids[:, :10], axis=1)  # (q, 10) places, from 0
    for among in (10, 25, 400):
        assert found.recall(10, among) == pytest.approx((nearest < among).mean(), abs=2e-3)
    least = found.rescored(0.99)
    assert found.recall(10, least) >= 0.99 > found.recall(10, least - 1)


def test_rows_of_a_form_are_found_as_those_of_its_table(matrix, truth):
    result = SVD(j=6).fit(matrix)
    found, whole = search(matrix, result, truth), search(matrix, result.reconstruct(), truth)
    assert found.recall() == pytest.approx(whole.recall(), abs=1e-4) and 0 < found.recall() < 0.9
    assert search(matrix, Int8().fit(matrix), truth).recall() > found.recall()


def test_equal_rows_are_found_by_chance_and_count_all_where_they_were_equal_before():
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(40, 24)).astype(np.float32)
    matrix = EmbeddingMatrix(np.repeat(directions, 25, axis=0))
    queries = Queries(matrix.values[::25].copy(), np.arange(0, 1000, 25))
    truth = truth_of(matrix, queries, "cosine", 10)
    assert search(matrix, matrix, truth).recall() == 1  # any ten of the 24 will do
    alike = np.ones(matrix.shape, np.float32)
    assert search(matrix, alike, truth).recall() == pytest.approx(24 / 999, rel=1e-6)  # a row of 999, and 24 are right


def test_very_small_entries_are_searched_as_their_multiples(matrix):
    tiny = EmbeddingMatrix(matrix.values * np.float32(2.0**-100))
    noise = 0.3 * np.random.default_rng(4).normal(size=matrix.shape).astype(np.float32)
    for similarity in SIMILARITIES:
        one, other = (truth_of(each, held_out(each, 50), similarity) for each in (matrix, tiny))
        assert (one.ids == other.ids).all()
        near = search(matrix, matrix.values + noise, one), search(tiny, tiny.values + noise * np.float32(2.0**-100), other)
        assert near[0].recall() == pytest.approx(near[1].recall(), abs=2e-3)


def test_queries_of_another_width_are_refused_in_a_sentence(matrix):
    with pytest.raises(InputError, match=r"The queries have 7 columns, the rows 16; give vectors by the same model\."):
        truth_of(matrix, Queries(np.ones((3, 7), np.float32), np.full(3, -1)), "ip")
    with pytest.raises(ValueError, match="similarity must be one of cosine, ip, l2, got 'dot'"):
        truth_of(matrix, held_out(matrix), "dot")
    with pytest.raises(ValueError, match="the table searched must be 3000 × 16 as the matrix is"):
        search(matrix, matrix.values[:5], truth_of(matrix, held_out(matrix, 5), "ip"))


def test_no_query_finds_nothing_of_zeros():
    matrix = EmbeddingMatrix(np.concatenate([np.zeros((5, 4)), np.eye(4), -np.eye(4)]))
    queries = held_out(matrix)
    assert (queries.rows >= 5).all()
    truth = found_in(matrix, matrix, queries, "cosine", 100)
    assert isinstance(truth, Truth) and truth.ids.shape == (8, 12)
    assert search(matrix, matrix, replace(truth)).recall() == 1
