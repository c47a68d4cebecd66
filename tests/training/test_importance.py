"""Importance: what a tied language model's rows weigh, the texts that it is measured on, and fits for it."""

import json

import numpy as np
import pytest
import torch

from compress import SVD, EmbeddingMatrix, Importance, Int8, Trellis, evaluate, fit_to, load_matrix
from compress.__main__ import main
from compress.training.importance import SPOKEN_POWER, drawn_of, importance_of
from compress.training.kinds import drawn, pieces_of, texts_apart, texts_of_kinds, written


@pytest.fixture
def matrix(llama):
    return EmbeddingMatrix(llama.table.detach().numpy().copy())


@pytest.fixture
def importance():
    """Of a table of 400 rows by 12 columns: one row in ten and one direction count."""
    metric = np.eye(12) + 60 * np.outer(*2 * [np.ones(12) / np.sqrt(12)])
    return Importance(np.where(np.arange(400) % 10 == 0, 7.3, 0.3), metric * 12 / np.trace(metric))


def test_a_row_of_a_tied_table_weighs_as_it_is_read_and_as_the_model_finds_it_probable(llama, matrix):
    texts = [tuple(row) for row in np.random.default_rng(0).integers(0, 50, (20, 12))]
    with torch.no_grad():
        chances = llama.network(torch.tensor(texts)).logits.softmax(-1).mean((0, 1)).numpy()
    expected = (chances + np.bincount(np.ravel(texts), minlength=50) / 240) ** SPOKEN_POWER
    found = importance_of(llama, matrix, texts)
    np.testing.assert_allclose(found.weights, expected / expected.mean(), rtol=1e-3)
    assert found.weights.min() > 0  # rows that no text shows too


def test_a_model_writes_texts_of_the_length_that_is_asked_the_same_for_the_same_seed(llama):
    one, same, other = written(llama, 3, 9), written(llama, 3, 9), written(llama, 3, 9, seed=1)
    assert [len(text) for text in one] == [9, 9, 9] and one == same != other
    assert max(max(text) for text in one) < 50


def test_without_a_text_given_ones_are_joined_and_the_model_writes_as_many(llama, monkeypatch):
    monkeypatch.setattr("compress.training.kinds.PIECES", 2)
    found = pieces_of(llama, [tuple(range(20)), tuple(range(30)), tuple(range(40))])
    assert [len(text) for text in found] == [32] * 4  # tokens that fit the model
    assert found[0] == (*range(20), *range(12)) and found[1][:18] == tuple(range(12, 30))


@pytest.mark.parametrize("method", [SVD(j=4), Trellis(rate=2.0, states=256)], ids=str)
def test_a_fit_for_it_loses_less_of_what_counts_and_more_of_the_rest(importance, method):
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal((400, 12)).astype(np.float32))
    plain, under = method.fit(matrix), method.fit_for(matrix, importance)
    assert under.n_bytes == plain.n_bytes and under.digest == matrix.digest
    assert importance.error(matrix, under) < 0.8 * importance.error(matrix, plain)
    assert evaluate(matrix, under).relative_error > evaluate(matrix, plain).relative_error


def test_where_all_counts_alike_its_error_is_the_relative_error():
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal((400, 12)).astype(np.float32))
    alike, result = Importance(np.ones(400), np.eye(12)), Int8().fit(matrix)
    assert alike.error(matrix, result) == pytest.approx(evaluate(matrix, result).relative_error, rel=1e-5)


def test_the_best_setting_for_a_size_is_the_one_that_loses_least_of_what_counts(importance):
    matrix = EmbeddingMatrix(np.random.default_rng(1).standard_normal((400, 12)).astype(np.float32))
    plain, best = (fit_to(matrix, "svd", 8, each) for each in (None, importance))
    assert best.ratio >= 8 and importance.error(matrix, best) < importance.error(matrix, plain)


def test_the_command_measures_it_by_a_text_and_says_what_is_lost_of_it(bert, tmp_path, capsys, reviews):
    bert.network.save_pretrained(tmp_path / "model")
    bert.tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "texts.txt").write_text("\n".join(text for text, _ in reviews))
    arguments = ["fit", str(tmp_path / "model"), "--method", "svd", "--j", "3", "--json", "--out", str(tmp_path / "x.safetensors")]
    assert main([*arguments, "--importance", f"model:{tmp_path / 'texts.txt'}"]) == 0
    row = json.loads(capsys.readouterr().out)
    plain = SVD(j=3).fit(load_matrix(tmp_path / "model"))
    matrix = load_matrix(tmp_path / "model")
    felt = importance_of(bert, matrix, [text for text, _ in reviews])
    assert row["importance_error"] < felt.error(matrix, plain) and row["relative_error"] > evaluate(matrix, plain).relative_error


@pytest.mark.parametrize(
    ("source", "more", "said"),
    [
        ("toy", ["--importance", "model"], "has no model to measure its importance by; open the model’s folder."),
        ("demo", ["--importance", "text"], "--importance is none or model[:TEXTFILE], got 'text'"),
        ("demo", ["--importance", "model", "--weights", "order:0.7"], "--importance measures the weights of rows too"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(source, more, said, capsys):
    assert main(["fit", source, "--method", "svd", "--j", "3", *more]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_words_are_drawn_by_their_order_and_no_special_token_among_them(bert):
    texts = drawn(bert, 400, seed=1)
    counts = np.bincount([number for each in bert.tokenizer(texts)["input_ids"] for number in each[1:-1]], minlength=45)
    assert texts == drawn(bert, 400, seed=1) != drawn(bert, 400, seed=2)
    assert not counts[:5].any() and counts[5:].all() and counts[5:15].sum() > 1.5 * counts[35:].sum()


def test_what_is_learnt_from_and_what_is_held_out_share_no_text(bert):
    held_out = texts_apart(bert)
    assert len(held_out) == 2 and not {*texts_of_kinds(bert, None)} & {text for part in held_out.values() for text in part}


def test_tokens_are_drawn_by_their_chances():
    chances = torch.tensor([[0, 0.5, 0, 0.3, 0.2, 0], [1, 0, 0, 0, 0, 0]], dtype=torch.float32)
    one, other = drawn_of(chances.repeat_interleave(8000, 0), torch.Generator().manual_seed(0)).split(8000)
    np.testing.assert_allclose(np.bincount(one, minlength=6) / 8000, chances[0], rtol=0, atol=0.02)
    assert not np.bincount(one, minlength=6)[[0, 2, 5]].any() and not other.any()
