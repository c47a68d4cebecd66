import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix
from compress.analysis.neighbours import neighbours
from compress.form.metrics import error_text
from compress.lesson import token
from compress.lesson.token import KEPT, LOST, METHOD, NEW, STEPS, chart, common_words, pipeline
from compress.methods import SVD
from compress.methods.light_token import prefixes
from compress.sources import planted

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words(count):
    """Names of three letters."""
    return ["".join(LETTERS[number // 26**place % 26] for place in range(3)) for number in range(count)]


@pytest.fixture(scope="module")
def table():
    values, _ = planted(n_rows=600, k=4, j=3, dim=60, noise=0.2, outliers=0.0, seed=0)
    return EmbeddingMatrix(values, words(600))


@pytest.fixture(scope="module")
def found(table):
    return pipeline(table)


def test_every_step_is_what_the_method_stores_by_then(table, found):
    result = METHOD.fit(table)
    low = SVD(j=METHOD.rank, factor_bits=8).fit(table)
    np.testing.assert_array_equal(found.tables[0], table.values[found.crowd])
    for after, part in zip(found.tables[1:], [low, *prefixes(table, result)], strict=True):
        np.testing.assert_array_equal(after, part.rows(found.crowd))
    assert len(found.tables) == len(STEPS)
    assert found.error == compress.evaluate(table, result).relative_error


def test_the_bytes_of_a_row_and_its_share_are_all_that_is_stored(table, found):
    n = table.shape[0]
    assert [found.own(step) for step in range(len(STEPS))] == [240, 7, 13, 19, 25, 31]
    assert found.own(5) == METHOD.rank + METHOD.bits / 8
    for step, part in enumerate(found.parts, start=1):
        assert n * (found.own(step) + found.shared(step)) == pytest.approx(part.n_bytes)


def test_errors_and_cosines_are_those_of_the_row(table, found):
    one = token.token(found, 17)
    evaluation = compress.evaluate(table, found.parts[-1])
    assert one.errors[-1] == pytest.approx(evaluation.row_errors[found.crowd[17]], rel=1e-4)
    assert one.errors[0] == 0 and one.cosines[0] == pytest.approx(1)
    cosine = one.rows[0] @ one.rows[-1] / np.linalg.norm(one.rows[0]) / np.linalg.norm(one.rows[-1])
    assert one.cosines[-1] == pytest.approx(cosine, rel=1e-5)


def test_neighbours_are_those_of_the_library(found):
    one = token.token(found, 3)
    near = neighbours(found.tables[0], found.tables[-1], 3, token.COUNT)
    np.testing.assert_array_equal(one.neighbours[-1].after, near.after)
    assert one.neighbours[0].overlap == 1


def test_words_come_in_order_of_use_and_pieces_are_left_out():
    tokens = ["[PAD]", "[unused0]", "é", "the", "##ing", "of", "and", "1999", "was", "for", "with", "that", "his"]
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal((13, 4)).astype(np.float32), tokens)
    assert [tokens[row] for row in common_words(matrix)] == ["the", "and", "was", "for", "with", "that", "his"]


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_the_chart_shows_what_is_stored_and_the_marks_of_its_neighbours(found, step):
    one = token.token(found, 40)
    made = chart(found, one, step)
    heads = " ".join(each.text for each in made.layout.annotations)
    assert token.stored(found, one, step) in heads and f"error of this row {error_text(one.errors[step])}" in heads
    near = one.neighbours[step]
    before, after = (
        [text.split("</b>")[0].removeprefix("<b>") for text in trace.text]
        for trace in made.data
        if trace.type == "scatter" and trace.textposition == "middle right"
    )
    assert before.count(LOST) == len(near.lost) and after.count(NEW) == len(near.gained)
    assert before.count(KEPT) == after.count(KEPT) == token.COUNT - len(near.lost)


def test_bits_light_up_stage_by_stage(found):
    one = token.token(found, 5)
    for step in range(len(STEPS)):
        (cells,) = (trace.z for trace in chart(found, one, step).data if trace.type == "heatmap" and trace.xaxis == "x4")
        shown = cells[~np.isnan(cells)]
        np.testing.assert_array_equal(shown, one.signs[: len(shown)] > 0)
        assert len(shown) == 48 * max(step - 1, 0)


def test_a_token_that_reads_as_a_tag_is_shown_as_text():
    values = np.random.default_rng(0).standard_normal((300, 50)).astype(np.float32)
    names = [f"<b>{row}" for row in range(300)]
    found = pipeline(EmbeddingMatrix(values, names))
    made = chart(found, token.token(found, 0), 2)
    assert "&lt;b&gt;0" in made.layout.annotations[0].text


def test_numbers_clearly_below_zero_have_a_dash_in_their_cell(found):
    one = token.token(found, 5)
    row, limit = one.rows[0], token.DASHED * token.SPREAD * one.rows[0].std()
    (dashes,) = (trace for trace in chart(found, one, 0).data if trace.type == "scatter" and trace.xaxis == "x3")
    assert set(np.array(dashes.y) * token.ACROSS + np.array(dashes.x)) == set(np.flatnonzero(row < -limit)) != set()


def test_a_row_as_it_was_is_nearest_to_itself_and_all_bits_bring_it_back(found):
    for place in (0, 40, 300):
        one = token.token(found, place)
        assert one.nearest[0] == one.nearest[-1] == one.name
        cosines = [np.dot(row, one.rows[1]) / np.linalg.norm(row) for row in found.tables[0]]
        assert one.nearest[1] == found.words[int(np.argmax(cosines))]
