import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix
from compress.form.metrics import error_text
from compress.lesson import budget
from compress.lesson.budget import RANKS, drawn, landscape
from compress.methods import SVD


@pytest.fixture(scope="module")
def picture():
    return drawn()


@pytest.fixture(scope="module")
def words():
    values = np.random.default_rng(0).standard_normal((300, 140)).astype(np.float32)
    return budget.table(EmbeddingMatrix(values))


@pytest.mark.parametrize("j", [1, 8, 55])
def test_the_error_and_the_bytes_are_those_of_svd(picture, j):
    matrix = EmbeddingMatrix(landscape())
    result = SVD(j=j).fit(matrix)
    assert picture.errors[j] == pytest.approx(compress.evaluate(matrix, result).relative_error, abs=2e-5)
    assert picture.n_bytes(j) == result.n_bytes and picture.whole == matrix.n_bytes


@pytest.mark.parametrize("j", [1, 8, 55])
def test_the_rows_shown_are_those_of_svd(picture, j):
    restored = SVD(j=j, factor_bits=32).fit(EmbeddingMatrix(landscape())).reconstruct()
    np.testing.assert_allclose(picture.at(j), restored, atol=2e-5)


def test_a_picture_takes_few_patterns_and_noise_takes_many(picture):
    assert picture.errors[13] < 0.05 < 0.5 < drawn(noise=True).errors[13]


def test_the_table_shows_its_most_used_rows():
    values = np.random.default_rng(0).standard_normal((200, 130)).astype(np.float32)
    tokens = [*(f"[unused{row}]" for row in range(100)), *(f"word{row}" for row in range(100))]
    shown = budget.table(EmbeddingMatrix(values, tokens)).shown
    np.testing.assert_array_equal(shown, values[100 : 100 + budget.SHOWN])


@pytest.mark.parametrize("step", [0, 4, len(RANKS) - 1])
def test_an_error_is_not_in_the_chart_until_it_is_told(picture, words, step):
    for told in (False, True):
        made = budget.chart(picture, words, step, told)
        (rows,) = (trace for trace in made.data if trace.name == "rows of words")
        said = f"error {error_text(words.errors[RANKS[step]])}" in " ".join(each.text for each in made.layout.annotations)
        assert list(rows.x) == (list(RANKS[: step + 1]) if told else []) and said == told


def test_the_chart_says_that_noise_is_noise(picture, words):
    heads = " ".join(each.text for each in budget.chart(picture, words, 3, True, noise=True).layout.annotations)
    assert "Grey noise" in heads and "Random rows" in heads
