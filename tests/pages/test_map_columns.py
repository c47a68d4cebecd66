"""Columns on the map: as colours, as cells on hover, as what is filtered, sought and listed."""

import io

import numpy as np
import pandas as pd
import pytest

from compress import EmbeddingMatrix
from compress.analysis.cleaning import as_file
from compress.sources.column_kinds import Categories, Dates, Numbers, Texts, typed
from pages.parts.map import MapSelection, by_column
from pages.parts.map.chosen import filter_of, shown_by
from pages.parts.map.colouring import OTHER, coloured
from pages.parts.map.packing import LONGEST_TEXT, packed_columns
from pages.parts.map.ticks import date_ticks, number_ticks
from pages.parts.subspaces.listed import order_of, values_of
from pages.parts.subspaces.search import rows_with


def categories(n):
    """`n` categories, the first with the most rows, and a row without one."""
    codes = np.concatenate([np.repeat(np.arange(n), np.arange(n, 0, -1)), [-1]]).astype(np.int32)
    return Categories("kind", codes, tuple(f"name {z}" for z in range(n)), np.arange(n, 0, -1))


def test_the_commonest_eleven_have_colours_and_all_others_one():
    header, colours = coloured(by_column(categories(14)))
    assert header["names"] == [*(f"name {z}" for z in range(11)), "other (3 more)"]
    assert header["counts"] == [*range(14, 3, -1), 3 + 2 + 1]
    assert header["palette"][11] == OTHER and header["palette"].index(OTHER) == 11
    assert header["missing"] == 1 and colours[-1] == 255


def test_twelve_categories_need_no_others():
    assert coloured(by_column(categories(12)))[0]["names"][11] == "name 11"


def test_numbers_over_decades_are_spread_by_their_logarithm_unless_one_is_no_more_than_0():
    wide = np.geomspace(1, 1e5, 500)
    assert by_column(Numbers("price", wide)).log
    assert not by_column(Numbers("price", np.r_[wide, 0])).log
    assert not by_column(Numbers("year", np.arange(1900.0, 2020))).log


def test_dates_are_coloured_by_seconds_and_those_that_are_missing_by_none():
    column = Dates("day", np.array(["2020-01-01", "2020-01-03", "NaT"], "datetime64[s]"))
    header, colours = coloured(by_column(column))
    assert header["dates"] and colours.tolist() == [0, 253, 255]
    assert header["limits"] == pytest.approx([1577836800 + 0.01 * 172800, 1577836800 + 0.99 * 172800])


@pytest.mark.parametrize(
    ("low", "high", "log", "texts"),
    [
        (0.0, 10.0, False, ["0", "2", "4", "6", "8", "10"]),
        (-0.3, 0.12, False, ["-0.3", "-0.2", "-0.1", "0.0", "0.1"]),
        (1990.2, 2019.9, False, ["2000", "2010"]),
        (0.5, 2000.0, True, ["1", "10", "100", "1000"]),
        (3.0, 3.0, False, ["3"]),
    ],
)
def test_ticks_are_round_numbers(low, high, log, texts):
    ticks = number_ticks(low, high, log)
    assert [text for _, text in ticks] == texts
    assert all(-1e-9 <= place <= 1 + 1e-9 for place, _ in ticks)


@pytest.mark.parametrize(
    ("first", "last", "texts"),
    [
        ("1990-05-01", "2019-01-01", ["2000", "2010"]),
        ("2019-11-20", "2020-06-10", ["2020-01", "2020-03", "2020-05"]),
        ("2020-02-27", "2020-03-02", ["02-27", "02-28", "02-29", "03-01", "03-02"]),
        ("2020-01-01T09:30", "2020-01-01T13:00", ["01 10:00", "01 11:00", "01 12:00", "01 13:00"]),
    ],
)
def test_ticks_of_dates_are_a_calendars(first, last, texts):
    low, high = (float(np.datetime64(each, "s").astype(np.int64)) for each in (first, last))
    assert [text for _, text in date_ticks(low, high)] == texts


def test_dates_beyond_any_calendar_have_ticks_too():
    assert all(text for _, text in date_ticks(-1e14, 1e14))


def test_a_filter_hides_values_or_leaves_a_range():
    colours = np.array([0, 1, 2, 255], np.uint8)
    assert shown_by(filter_of({"legend": "a", "hidden": [1, 255]}, "a"), colours).tolist() == [True, False, True, False]
    assert shown_by(filter_of({"legend": "a", "range": [1, 253]}, "a"), colours).tolist() == [False, True, True, False]
    assert shown_by(None, colours) is None


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "all",
        {"legend": "b", "hidden": [1]},
        {"legend": "a"},
        {"legend": "a", "hidden": []},
        {"legend": "a", "hidden": [256]},
        {"legend": "a", "hidden": [True]},
        {"legend": "a", "hidden": "1"},
        {"legend": "a", "range": [0]},
        {"legend": "a", "range": [0, 1e3]},
        {"legend": "a", "range": [0, None]},
    ],
)
def test_what_is_no_filter_of_this_legend_hides_nothing(sent):
    assert filter_of(sent, "a") is None


def test_rows_that_are_hidden_are_not_chosen():
    chosen = MapSelection(np.array([0, 2, 3])).among(np.array([True, True, False, True]))
    assert chosen.rows.tolist() == [0, 3]


def test_cells_on_hover_are_codes_numbers_seconds_or_lines():
    columns = [
        Categories("kind", np.array([1, -1], np.int32), ("<b>", "two\nlines"), np.array([0, 1])),
        Numbers("size", np.array([0.1, np.nan])),
        Numbers("id", np.array([2.0**40 + 1, 3])),
        Dates("day", np.array(["1970-01-02", "NaT"], "datetime64[s]")),
        Texts("text", ["x" * 1_000_000, "a\nb"], False),
    ]
    headers, cells = packed_columns(columns)
    assert [header["kind"] for header in headers] == ["category", "number", "number", "date", "text"]
    assert headers[0]["names"] == ["<b>", "two␤lines"] and list(cells[0]) == [1, 255]
    assert np.frombuffer(cells[1], "<f4").tolist() == [pytest.approx(0.1), pytest.approx(np.nan, nan_ok=True)]
    assert np.frombuffer(cells[2], "<f8").tolist() == [2.0**40 + 1, 3]
    assert np.frombuffer(cells[3], "<f8")[0] == 86400
    assert [len(line) for line in cells[4].decode().split("\n")] == [LONGEST_TEXT, 3]


def test_words_are_found_in_names_first_and_then_in_other_columns():
    matrix = EmbeddingMatrix(np.eye(4, dtype=np.float32), ["red", "blue", "Blues", "green"])
    columns = [typed(["a BLUE sky", "", "", "<b>.*</b>"], "text"), Numbers("size", np.arange(4.0))]
    assert rows_with(matrix, "blues", columns).tolist() == [2]
    assert rows_with(matrix, "blue", columns).tolist() == [1, 0]
    assert rows_with(matrix, ".*", columns).tolist() == [3]
    assert rows_with(matrix, "", columns).tolist() == []


def test_a_table_is_ordered_with_what_is_missing_last():
    assert order_of(np.array([2.0, np.nan, 3, 1]), least_first=False).tolist() == [2, 0, 3, 1]
    assert order_of(np.array([2.0, np.nan, 3, 1]), least_first=True).tolist() == [3, 0, 2, 1]
    assert order_of(["b", None, "C", "a"], least_first=True).tolist() == [3, 0, 2, 1]
    assert order_of(np.array(["2020", "NaT", "2021"], "datetime64[s]"), least_first=False).tolist() == [2, 0, 1]


@pytest.mark.parametrize(("ending", "read"), [(".csv", pd.read_csv), (".parquet", pd.read_parquet)])
def test_a_download_holds_every_cell_whole(ending, read):
    kind = Categories("kind", np.array([0, -1, 0], np.int32), ('<b>,"x"',), np.array([2]))
    text, rows = "long, " * 100 + "\ud800", np.array([2, 0])
    cells = {"row": rows, "kind": values_of(kind, rows), "text": [text, "b\nc"], "size": np.array([0.5, np.nan])}
    back = read(io.BytesIO(as_file(cells, ending)))
    assert list(back.columns) == ["row", "kind", "text", "size"]
    assert back["row"].tolist() == [2, 0] and back["kind"].tolist() == ['<b>,"x"'] * 2
    assert back["text"].tolist() == ["long, " * 100 + "?", "b\nc"]
    assert back["size"][0] == 0.5 and np.isnan(back["size"][1])
