"""Jobs: how a command is written, and what is said of it while it runs."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import compress
from compress import EmbeddingMatrix, ProjectiveClustering, __main__
from pages.parts import jobs


@pytest.fixture
def matrix(cache, monkeypatch):
    monkeypatch.setattr(jobs, "chosen", lambda: ("toy", None))
    return compress.load_matrix("toy")


def test_options_are_written_as_the_command_line_reads_them(matrix):
    given = {"methods": ["svd", "lp"], "ratios": (25.0, np.float64(1 / 3)), "k": [2, 3], "affine": True, "factor_bits": 8}
    found = jobs.arguments("sweep", matrix, **given, seed=None, progress=False, out=Path("x"))
    lists = ["--methods", "svd,lp", "--ratios", "25.0,0.3333333333333333", "--k", "2,3"]
    assert found == ["sweep", "toy", *lists, "--affine", "--factor-bits", "8", "--out", "x"]
    args = __main__.parser().parse_args(found)
    assert args.methods == ["svd", "lp"] and args.ratios == [25, 1 / 3] and args.k == [2, 3] and args.affine is True


def test_the_settings_of_a_method_come_back_from_the_command_line(matrix):
    method = ProjectiveClustering(k=3, j=2, p=1.3, affine=True)
    args = __main__.parser().parse_args(jobs.arguments("fit", matrix, method=method.name, **method.settings))
    given = {name: getattr(args, name) for name in method.settings if getattr(args, name) is not None}
    assert args.method == method.name and ProjectiveClustering(**given) == method


def test_tensor_and_weights_in_use_go_along_unless_others_are_given(matrix, monkeypatch):
    weighted = EmbeddingMatrix(matrix.values, weights=np.arange(1.0, len(matrix.values) + 1))
    monkeypatch.setattr(jobs, "chosen", lambda: ("file", "table"))
    found = jobs.arguments("map", weighted)
    assert found[:4] == ["map", "file", "--tensor", "table"] and found[4] == "--weights" and found[5].startswith("column:")
    assert jobs.arguments("map", weighted, weights="uniform") == ["map", "file", "--weights", "uniform", "--tensor", "table"]
    assert jobs.arguments("map", matrix, "other") == ["map", "other"]


class Running:
    """A job that has told some steps and goes on."""

    key, running, error = "key", True, None

    def __init__(self, *events):
        self.events, self.ending = list(events), False

    def stop(self):
        self.ending = True


def watching():
    from pages.parts import jobs

    jobs.watch("fit", "Full fit")


@pytest.mark.parametrize(
    ("events", "value", "words"),
    [
        ([], 0, "Full fit: opening the matrix"),
        ([{"share": 0.1, "words": "restart 1 of 8"}, {"share": 0.25, "words": "restart 2 of 8"}], 25, "Full fit: restart 2 of 8"),
        ([{"share": 1.2, "words": "done"}], 100, "Full fit: done"),
    ],
)
def test_a_bar_says_the_newest_step_after_its_title(events, value, words):
    page = AppTest.from_function(watching)
    page.session_state["jobs"] = {"fit": Running(*events)}
    page.run()
    (bar,) = page.get("progress")
    assert not page.exception and (bar.proto.value, bar.proto.text) == (value, words)
    page.button(key="stop_fit").click().run()
    assert page.session_state["jobs"]["fit"].ending


def test_what_is_no_step_is_what_went_wrong(monkeypatch):
    job = object.__new__(jobs.Job)
    job.events, job.errors = [], []
    step = {"share": 0.5, "words": "half"}
    job._read(io.StringIO(f'a word of a library\n{json.dumps(step)}\n5\n{{"a": 1}}\ncompress: no file\n'))
    assert job.events == [step] and job.errors == ["a word of a library", "5", '{"a": 1}', "compress: no file"]
