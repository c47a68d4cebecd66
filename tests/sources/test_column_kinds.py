"""What columns hold is seen from their values."""

import numpy as np
import pytest

from compress.sources.column_kinds import LONGEST, MOST_CATEGORIES, Categories, Dates, Numbers, Texts, typed


def test_repeated_words_are_categories_the_most_frequent_first():
    found = typed(["b", "a", " b", "c", "", "a", "b", "c"], "topic")
    assert isinstance(found, Categories) and found.names == ("b", "a", "c") and found.counts.tolist() == [3, 2, 2]
    assert found.codes.dtype == np.int32 and found.codes.tolist() == [0, 1, 0, 2, -1, 1, 0, 2]


@pytest.mark.parametrize(
    "values", [["True", "False", "True", "True"], np.array([True, False, True, True]), np.array([1, 0, 1, 1], object)]
)
def test_truths_are_categories(values):
    found = typed(values, "good")
    assert isinstance(found, Categories) and found.counts.tolist() == [3, 1]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("k", np.tile([0.0, 1, 2, np.nan], 20), Categories),  # few whole numbers
        ("k", np.tile(np.arange(100.0), 3), Numbers),  # many
        ("cluster", np.tile(np.arange(100.0), 3), Categories),  # which its name says to be labels
        ("year", np.tile([2023.0, 2024], 20), Numbers),  # which its name says to measure
        ("k", np.array([0.5, 1, 2, 0.5]), Numbers),
        ("k", ["3", "+4.5", "", "NA", "1e2"], Numbers),
        ("id", np.arange(5), Numbers),
    ],
)
def test_whole_numbers_are_labels_where_few_differ_or_their_name_says_so(name, values, kind):
    assert isinstance(typed(values, name), kind)


def test_what_is_no_finite_number_is_empty():
    assert np.isnan(typed(["3.5", "", "nan", "inf"], "x").values).tolist() == [False, True, True, True]
    assert np.isnan(typed(np.array([3.5, np.nan, -np.inf, 1]), "x").values).tolist() == [False, True, True, False]


def test_labels_that_are_numbers_keep_their_names_and_their_empty_cells():
    found = typed(np.array([7, np.nan, 7, 12, 12, 7]), "label")
    assert found.names == ("7", "12") and found.codes.tolist() == [0, -1, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", "2024-02-29T00:00:00"),
        ("2024-02-29 13:05", "2024-02-29T13:05:00"),
        ("2024-02-29T13:05:09.123456789", "2024-02-29T13:05:09"),
        ("2024-02-29T01:05:09+02:00", "2024-02-28T23:05:09"),
        ("2024-02-29 13:05:09Z", "2024-02-29T13:05:09"),
    ],
)
def test_iso_dates_are_dates(text, day):
    found = typed([text, "", "null", text], "when")
    assert isinstance(found, Dates) and found.values.dtype == "datetime64[s]"
    assert found.values[0] == np.datetime64(day) and np.isnat(found.values[1:3]).all()


def test_a_month_that_is_none_makes_text_of_a_column():
    assert isinstance(typed(["2024-13-01", "2024-01-01", "2024-01-02"], "when"), Texts)


def test_mixed_types_are_text():
    values = ["1", "2024-01-01", "word", "4.5"]
    found = typed(values, "x")
    assert isinstance(found, Texts) and list(found.values) == values


def test_words_that_nearly_all_differ_are_text_and_addresses_are_told():
    pages = [f"https://example.org/{row}" for row in range(19)]
    assert typed([*pages, ""], "page").urls
    assert not typed([f"name {row}" for row in range(20)], "page").urls


def test_so_many_categories_that_no_legend_holds_them_are_text():
    names = [f"c{number}" for number in range(MOST_CATEGORIES)]
    assert len(typed(names * 2, "user").names) == MOST_CATEGORIES
    assert isinstance(typed([*names, "one more"] * 2, "user"), Texts)


def test_a_long_text_makes_text_of_a_column():
    assert isinstance(typed(["a" * LONGEST] * 4, "x"), Categories)
    assert isinstance(typed([*["a"] * 4, "b" * 1_000_000], "x"), Texts)


@pytest.mark.parametrize("values", [["", " ", ""], np.full(3, np.nan), np.array([None] * 3)])
def test_a_column_of_nothing_is_text(values):
    found = typed(values, "x")
    assert isinstance(found, Texts) and len(found.values) == 3


def test_lists_are_text_of_their_first_numbers():
    found = typed(np.arange(12, dtype=np.float32).reshape(2, 6), "second")
    assert isinstance(found, Texts) and found.values[1] == "6, 7, 8, 9 …" and found.values[:1] == ["0, 1, 2, 3 …"]


def test_half_a_letter_breaks_no_column():
    assert typed(["\ud83d", "a", "\ud83d", "a"], "x").names == ("?", "a")
