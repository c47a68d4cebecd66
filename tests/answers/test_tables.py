"""Tables of answers: what a command makes, what it keeps while it grows, and what it refuses."""

import json

import numpy as np
import pytest

from compress import InputError, Stop
from compress.__main__ import main
from compress.answers import tables
from compress.errors import Step


def squares(matrix, keep, progress, most=4):
    """A table that grows by a row at a time and goes on where it was."""
    rows = list(keep.begun.get("squares", []))
    while len(rows) < most:
        rows.append(float(len(rows)) ** 2)
        keep({"squares": np.array(rows)})
        progress(Step(len(rows) / most, f"{len(rows)} of {most}"))
    return {"squares": np.array(rows), "shape": np.array(matrix.shape)}


@pytest.fixture
def out(tmp_path, monkeypatch):
    monkeypatch.setitem(tables.TABLES, "squares", squares)
    return tmp_path / "table.safetensors"


def test_the_command_writes_the_arrays_of_a_table(out, capsys):
    settings = ["--table", "squares", "--settings", '{"most": 3}', "--out", str(out), "--progress", "--json"]
    assert main(["answers", "toy", *settings]) == 0
    printed, steps = capsys.readouterr()
    found = tables.read(out)
    assert found.whole and found.arrays["squares"].tolist() == [0, 1, 4] and found.arrays["shape"].tolist() == [3000, 30]
    assert json.loads(printed)["squares"] == "3 float64"
    assert [json.loads(step)["words"] for step in steps.splitlines()] == ["1 of 3", "2 of 3", "3 of 3"]


def test_a_table_that_was_stopped_keeps_what_it_has_and_goes_on_from_there(out, small):
    def stop(step):
        if step.share == 0.5:
            raise Stop

    with pytest.raises(Stop):
        tables.make(small, "squares", out, stop, {})
    found = tables.read(out)
    assert not found.whole and found.arrays["squares"].tolist() == [0, 1]
    steps = []
    tables.make(small, "squares", out, steps.append, {})
    assert [step.words for step in steps] == ["3 of 4", "4 of 4"]
    assert tables.read(out).whole and tables.read(out).arrays["squares"].tolist() == [0, 1, 4, 9]


def test_a_damaged_table_is_refused_and_made_anew(out, small):
    out.write_bytes(b"cut short")
    with pytest.raises(InputError, match="table of answers"):
        tables.read(out)
    tables.make(small, "squares", out, lambda step: None, {})
    assert tables.read(out).whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--settings", '{"least": 3}'], "the table squares has no setting least; it has most"),
        (["--out", "x.npy"], "must end in .safetensors"),
    ],
)
def test_what_a_table_does_not_take_is_refused_in_a_sentence(out, capsys, options, message):
    assert main(["answers", "toy", "--table", "squares", "--out", str(out), *options]) == 2
    assert message in capsys.readouterr().err and not out.exists()


def test_settings_that_are_no_json_object_are_refused(out, capsys):
    with pytest.raises(SystemExit):
        main(["answers", "toy", "--table", "squares", "--out", str(out), "--settings", "[3]"])
    assert "settings are a JSON object, such as" in capsys.readouterr().err
