"""Files of texts and of labelled examples that a person brings."""

import pytest

from compress import InputError
from compress.sources import limits
from compress.tasks.texts import read_texts
from compress.tasks.uploads import read_upload


@pytest.mark.parametrize("read", [read_texts, read_upload])
def test_a_text_that_memory_has_no_room_for_is_refused_before_it_is_read(read, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY_LIMIT", 100)
    (tmp_path / "long.csv").write_text("text,label\n" + 10 * "good,1\n")
    with pytest.raises(InputError, match=r"^long\.csv needs 810 bytes of memory and 100 bytes can be had"):
        read(tmp_path / "long.csv")
