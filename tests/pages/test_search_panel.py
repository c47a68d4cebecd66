"""Search on Model quality: recall of rows held out, of vectors in a file, with judgements; a text's hits before and after."""

import io
import json
import re

import numpy as np
import pytest
from safetensors.numpy import save_file

import compress
from compress import SVD
from compress.analysis.search import Queries, found_in, held_out, search, truth_of


def said(elements):
    return [re.sub(r"\\(.)", r"\1", each.value) for each in elements]


@pytest.mark.parametrize("similarity", ["Cosine", "ℓ2"])
def test_recall_of_rows_held_out_stands_in_cards_with_what_to_rescore(open_page, figures, similarity):
    page = open_page("model_quality", search_similarity=similarity)
    assert not page.exception
    matrix = compress.load_matrix("toy")
    truth = truth_of(matrix, held_out(matrix), {"Cosine": "cosine", "ℓ2": "l2"}[similarity])
    found, cards = search(matrix, SVD(j=3).fit(matrix), truth), figures(page)
    assert [cards[f"Recall@{count}"] for count in (1, 10, 100)] == [f"{found.recall(count):.3f}" for count in (1, 10, 100)]
    assert cards["To rescore for 0.99"] == f"{found.rescored():,}"


def array(values):
    held = io.BytesIO()
    np.save(held, values)
    return held.getvalue()


def test_a_file_of_queries_and_judgements_are_searched_and_another_width_is_a_sentence(open_page, figures, errors):
    page = open_page("model_quality", search_queries="File")
    assert "Give a file of query vectors, or judgements of rows, whose queries are rows too." in said(page.caption)
    matrix = compress.load_matrix("toy")
    queries = array(matrix.values[:20] + np.float32(1e-3))
    page.file_uploader(key="search_file").set_value(("queries.npy", queries, "application/octet-stream")).run()
    assert any(text.startswith("20 queries of the file, by cosine.") for text in said(page.caption))
    qrels = "".join(f"{row} 0 {row} 1\n" for row in range(5)).encode()
    page.file_uploader(key="search_qrels").set_value(("qrels.txt", qrels, "text/plain")).run()
    assert 0 < float(figures(page)["nDCG@10"]) <= 1
    page.file_uploader(key="search_file").set_value(("narrow.npy", array(np.ones((20, 2), np.float32)), "")).run()
    assert errors(page) == [f"The queries have 2 columns, the rows {matrix.shape[1]}; give vectors by the same model."]


def test_a_text_needs_a_model(open_page):
    page = open_page("model_quality", search_queries="Text", search_text="two words")
    assert "A text needs a model with a tokenizer; this matrix has none. Give vectors in a file." in said(page.caption)


def test_a_texts_hits_before_and_after_stand_side_by_side(open_page, tmp_path, monkeypatch):
    values = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)
    save_file({"embeddings.word_embeddings.weight": values}, tmp_path / "model.safetensors")
    config = {"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 60}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "vocab.txt").write_text("\n".join(f"word{row}" for row in range(60)))
    query = Queries(values[7:8] + values[9:10], np.array([-1]))
    monkeypatch.setattr("pages.parts.model_quality.search.text_query", lambda source, matrix, text: query)
    page = open_page("model_quality", matrix=tmp_path, search_queries="Text", search_text="word7 word9")
    assert not page.exception
    before, after = (table.value for table in page.dataframe if "nearness" in table.value)
    matrix = compress.load_matrix(tmp_path)
    result = SVD(j=1).fit(matrix)
    for table, shown in ((matrix, before), (result, after)):
        found = found_in(matrix, table, query, "cosine", 12)
        assert list(shown[matrix.row_word]) == [matrix.tokens[row] for row in found.ids[0]]
    assert sum("kept" in mark for mark in before[""]) == sum("kept" in mark for mark in after[""])
