"""Which rows are 0: told in as many bytes, and read back."""

import numpy as np
import pytest

from compress.coding import nothing


@pytest.mark.parametrize("rows", [[0], [5], [255], [254, 255, 256], [0, 1, 700, 2000], [2999], list(range(0, 3000, 255))], ids=str)
def test_rows_are_read_back(rows):
    arrays = nothing.stored(np.array(rows))
    assert nothing.layout(arrays, 3000) == {"nothing": (arrays["nothing"].shape, np.uint8)}
    there = nothing.opened(arrays, 3000)["there"]
    assert there.shape == (3000, 1) and np.flatnonzero(there[:, 0] == 0).tolist() == rows


def test_no_rows_are_no_array():
    assert nothing.stored(np.zeros(0, np.int64)) == nothing.layout({}, 9) == nothing.opened({}, 9) == {}


def test_the_shortest_rows_are_told_where_there_is_no_room_for_all():
    rows, norms = np.arange(100, 900, 8), np.linspace(1, 0, 1000)
    for room in (-3, 0, 1, 4, 50, 99, 100, 1000):
        told = nothing.within(rows, norms, room)
        assert len(nothing.gaps(told)) <= max(room, 0)
        assert told.tolist() == rows[len(rows) - len(told) :].tolist()
    assert len(nothing.within(rows, norms, 50)) > 40 and len(nothing.within(rows, norms, 100)) == 100


def test_rows_beyond_the_last_are_refused():
    arrays = nothing.stored(np.array([4, 900]))
    with pytest.raises(ValueError, match=r"^array 'nothing' has rows that are not there$"):
        nothing.layout(arrays, 900)
