"""The list of rows that a matrix could do without, and the matrix without them."""

import csv
import io
from datetime import date

import numpy as np
import pytest
from pyarrow import parquet

from compress import EmbeddingMatrix, InputError, load_matrix
from compress.analysis import cleaning
from compress.analysis.duplicates import equal_rows
from compress.analysis.near_rows import near_rows


@pytest.fixture
def matrix():
    """Rows 5 and 8 are row 0, row 6 is near row 1, row 2 is nearly zero, row 3 is zero."""
    values = np.random.default_rng(0).standard_normal((20, 40))
    values[[5, 8]], values[6], values[2], values[3] = values[0], values[1] * 2 + 0.1, values[2] * 1e-3, 0
    return EmbeddingMatrix(values, tokens=[f'=w{row}, "x"' for row in range(20)])


def test_empty_rows_are_those_of_zeros_and_those_near_it(matrix):
    assert cleaning.empty_rows(matrix).tolist() == [2, 3]


def test_far_rows_are_the_worst_that_are_not_empty(matrix):
    errors = np.arange(20) / 20
    errors[3] = np.inf
    assert cleaning.far_rows(matrix, errors, 3).tolist() == [19, 18, 17]
    assert len(cleaning.far_rows(matrix, errors, 99)) == 18


def test_the_list_says_why_and_which_row_of_a_group_stays(matrix):
    near = near_rows(matrix).groups(0.95)
    found = {cleaning.EQUAL: equal_rows(matrix), cleaning.NEAR: near, cleaning.EMPTY: cleaning.empty_rows(matrix)}
    table = cleaning.listed(matrix, found)
    exact = table["why"] == "exact duplicate"
    assert table["row"][exact].tolist() == [0, 5, 8] and table["kept"][exact].tolist() == [True, False, False]
    assert table["cosine"][exact] == pytest.approx(1)
    assert table["row"][table["why"] == "near duplicate"].tolist() == [0, 5, 8, 1, 6]
    assert cleaning.spare(table).tolist() == [2, 3, 5, 6, 8]
    assert len(cleaning.spare(cleaning.listed(matrix, {}))) == 0


def test_the_matrix_without_them_is_read_back_with_names_and_numbers(matrix, tmp_path):
    path = tmp_path / "kept.safetensors"
    path.write_bytes(cleaning.without(matrix, np.array([2, 3, 5, 6, 8])))
    left = load_matrix(path)
    rows = np.setdiff1d(np.arange(20), [2, 3, 5, 6, 8])
    assert np.array_equal(left.values, matrix.values[rows]) and list(left.tokens) == [matrix.tokens[row] for row in rows]


def test_a_matrix_that_would_be_left_without_rows_is_refused(matrix):
    with pytest.raises(InputError, match="fewer than 2 rows"):
        cleaning.without(matrix, np.arange(19))


def test_a_list_is_the_same_as_csv_and_as_parquet():
    columns = {"row": np.array([3, 4]), "name": ['=1+1, "x"\n', "\ud800<b>"], "cosine": np.array([0.5, np.nan])}
    columns["day"] = np.array(["2020-02-29", "NaT"], "datetime64[s]")
    text = cleaning.as_file(columns, ".csv").decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    table = parquet.read_table(io.BytesIO(cleaning.as_file(columns, ".parquet"))).to_pydict()
    assert [line["name"] for line in lines] == table["name"] == ['=1+1, "x"\n', "?<b>"]
    assert [int(line["row"]) for line in lines] == table["row"] == [3, 4]
    assert [line["day"] for line in lines] == ["2020-02-29", ""] and table["day"] == [date(2020, 2, 29), None]
    assert [line["cosine"] for line in lines] == ["0.5", ""] and table["cosine"] == [0.5, None]
