"""What search loses, as a task: by held-out rows or a file of queries, with judgements of either form; bad files in a sentence."""

import json

import numpy as np
import pytest

from compress import EmbeddingMatrix, InputError, Int4, advise, load, load_matrix, tasks
from compress.__main__ import main
from compress.analysis.search import held_out, search, truth_of
from compress.tasks.search import ndcg, read_judgements, text_query
from compress.training.asking import AskedModel

NAMES = [f"doc{row}" for row in range(60)]


@pytest.fixture
def matrix():
    rng = np.random.default_rng(0)
    return EmbeddingMatrix(rng.normal(size=(60, 8)), NAMES, name="docs")


@pytest.fixture
def files(matrix, tmp_path):
    """Queries beside rows, one each, and which row each is beside, as TREC and as BEIR write it."""
    rng = np.random.default_rng(1)
    beside = rng.permutation(60)[:12]
    np.save(tmp_path / "queries.npy", matrix.values[beside] + 0.01 * rng.normal(size=(12, 8)).astype(np.float32))
    (tmp_path / "trec.txt").write_text(
        "".join(f"{at} 0 doc{row} 2\n{at} 0 doc{(row + 1) % 60} 0\n" for at, row in enumerate(beside))
    )
    lines = "".join(f"{at}\t{row}\t1\n" for at, row in enumerate(beside))
    (tmp_path / "beir.tsv").write_text(f"query-id\tcorpus-id\tscore\n{lines}")
    return tmp_path


def judged(matrix, table, **search):
    found = tasks.judge(None, {"before": matrix, "after": table}, ["search"], search=search)
    return {score.metric: score for score in found}


def test_recall_is_that_of_held_out_rows_and_a_form_is_never_decoded_whole(matrix, monkeypatch):
    result = Int4().fit(matrix)
    wanted = search(matrix, result, truth_of(matrix, held_out(matrix), "l2"))
    monkeypatch.setattr(type(result), "reconstruct", None)
    scores = judged(matrix, result, similarity="l2")
    assert [*scores] == ["recall@10", "recall@1", "recall@100", "rescored for 0.99"]
    assert scores["recall@10"].after == wanted.recall() < scores["recall@10"].before == 1
    assert scores["rescored for 0.99"].after == wanted.rescored() and scores["recall@1"].n == 60


@pytest.mark.parametrize("qrels", ["trec.txt", "beir.tsv"])
def test_judged_rows_beside_the_queries_are_found_first_and_by_noise_no_more(matrix, files, qrels):
    given = {"queries": files / "queries.npy", "qrels": files / qrels}
    scores = judged(matrix, matrix, **given)
    assert scores["nDCG@10"].before == scores["nDCG@10"].after == 1 and scores["nDCG@10"].n == 12
    noise = np.random.default_rng(2).normal(size=matrix.shape).astype(np.float32)
    assert judged(matrix, noise, **given)["nDCG@10"].after < 0.6


def test_judgements_without_a_file_of_queries_are_of_rows_which_are_none_of_their_own_hits(matrix, tmp_path):
    (tmp_path / "qrels.txt").write_text("doc3 0 doc3 1\ndoc3 0 doc5 1\n")
    score = judged(matrix, matrix, qrels=tmp_path / "qrels.txt")["nDCG@10"]
    assert score.n == 1 and 0 <= score.before < 1


def test_ndcg_is_the_sum_of_discounted_gains_over_the_best_there_could_be():
    ids = np.array([[4, 7, 1, *range(20, 30)]])
    wanted = (3 / np.log2(2) + 1 / np.log2(4)) / (3 / np.log2(2) + 2 / np.log2(3) + 1 / np.log2(4))
    assert ndcg(ids, {0: {4: 3.0, 1: 1.0, 99: 2.0}}) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a b\n", "Line 1 of qrels.txt is no judgement"),
        ("0 0 doc1 1\n0 0 doc2 much\n", "Line 2 of qrels.txt is no judgement"),
        ("0 0 doc1 0\n", "judges no row as relevant"),
        ("", "judges no row as relevant"),
        ("0 0 doc99 1\n", "names the row “doc99”, which is not there; ids are names of rows, or numbers below 60"),
        ("77 0 doc1 1\n", "names the query “77”, which is not there; .* below 12"),
    ],
)
def test_judgements_that_cannot_be_used_are_a_sentence(matrix, files, text, said):
    (files / "qrels.txt").write_text(text)
    with pytest.raises(InputError, match=said):
        judged(matrix, matrix, queries=files / "queries.npy", qrels=files / "qrels.txt")


def test_bad_queries_are_a_sentence(matrix, tmp_path):
    np.save(tmp_path / "narrow.npy", np.ones((4, 5), np.float32))
    with pytest.raises(InputError, match="The queries have 5 columns, the rows 8"):
        judged(matrix, matrix, queries=tmp_path / "narrow.npy")
    np.save(tmp_path / "zeros.npy", np.eye(4, 8, k=1, dtype=np.float32)[::-1] * [[1], [0], [1], [1]])
    with pytest.raises(InputError, match=r"zeros\.npy has a query of zeros, to which nothing is near by cosine"):
        judged(matrix, matrix, queries=tmp_path / "zeros.npy")
    with pytest.raises(InputError, match=r"There is nothing at .*none\.npy"):
        judged(matrix, matrix, queries=tmp_path / "none.npy")
    with pytest.raises(InputError, match=r"no\.txt cannot be read"):
        read_judgements(tmp_path / "no.txt")


def test_the_command_line_judges_search(matrix, files, capsys):
    np.save(files / "docs.npy", matrix.values)
    source, form = str(files / "docs.npy"), files / "x.safetensors"
    Int4().fit(matrix).save(form)
    told = ["--queries", str(files / "queries.npy"), "--qrels", str(files / "beir.tsv"), "--similarity", "ip", "--json"]
    assert main(["judge", source, "--file", str(form), "--tasks", "search", *told]) == 0
    scores = {row["metric"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (
        scores["recall@10"]["after"]
        == judged(matrix, load(form), queries=files / "queries.npy", similarity="ip")["recall@10"].after
    )
    assert 0 < scores["nDCG@10"]["before"] <= 1


def test_advice_takes_a_bound_on_recall_without_a_model(matrix):
    found = advise(matrix, until=AskedModel("toy", "recall@10 >= .9"), methods=["int8", "int4"])
    assert found.best.figures["judged recall@10"] >= 0.9 == pytest.approx(0.9)
    assert found.best.figures["judged recall@10, before"] == 1


def test_a_text_is_searched_for_by_the_mean_of_its_tokens_rows():
    matrix = load_matrix("demo")
    query = text_query("demo", matrix, "violin music")
    rows = [list(matrix.tokens).index(word) for word in ("violin", "music")]
    np.testing.assert_allclose(query.vectors[0], matrix.values[rows].mean(axis=0), rtol=1e-6)
    with pytest.raises(InputError, match="The tokenizer finds no token with a row in this text"):
        text_query("demo", matrix, " ")
    with pytest.raises(InputError, match="a matrix without a model, and so without a tokenizer"):
        text_query("toy", matrix, "violin")
