"""Jobs: how a command is written, and what is said of it while it runs."""

import io
import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import compress
from compress import EmbeddingMatrix, ProjectiveClustering, __main__
from pages.parts.work import jobs, queue
from pages.parts.work.job import Job, time_left
from pages.parts.work.watch import left_words


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


class Running:
    """A job that has told some steps and goes on."""

    key, running, waiting, lost, error, left = "key", True, False, False, None, None

    def __init__(self, *events):
        self.events, self.ending = list(events), False

    def stop(self):
        self.ending = True


def watching():
    from pages.parts.work.watch import watch

    watch("fit", "Full fit")


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
    job = Job("key", ["fit", "toy"])
    step = {"share": 0.5, "words": "half"}
    job._read(io.StringIO(f'a word of a library\n{json.dumps(step)}\n5\n{{"a": 1}}\ncompress: no file\n'))
    assert (
        job.events == [step] and len(job.times) == 1 and job.errors == ["a word of a library", "5", '{"a": 1}', "compress: no file"]
    )


STEADY = [(100.0 + 2 * step, 0.05 * step) for step in range(11)]  # half in 20 s
LEFT = {  # what was told, when it is asked, and the seconds left
    "as long again": (STEADY, 120, 20),
    "less as time goes by": (STEADY, 125, 15),
    "nothing once it is over": (STEADY, 141, None),
    "nothing told": ([], 100, None),
    "nothing but the beginning": (STEADY[:1], 160, None),
    "too short a time": (STEADY[:3], 104, None),
    "too small a share": ([(0, 0.0), (30, 0.01), (60, 0.02)], 60, None),
    "what was kept does not count": ([(0, 0.0), (0.2, 0.3), (0.4, 0.5), (10.4, 0.6), (20.4, 0.7)], 20.4, 30),
    "steps of no share do not count": ([(0, 0.0), (10, 0.2), (39, 0.2), (40, 0.2)], 40, 10),
    "the pace of late": ([(5.0 * at, 0.02 * at) for at in range(5)] + [(20 + at, 0.08 + 0.04 * at) for at in range(1, 21)], 40, 3),
}


@pytest.mark.parametrize("name", LEFT)
def test_the_time_left_follows_from_the_share_and_the_time_it_took(name):
    told, now, left = LEFT[name]
    assert time_left(told, now) == (None if left is None else pytest.approx(left))


def test_the_time_left_is_what_the_work_itself_told():
    job = Job("key", [])
    job.events, job.times = [{"share": 0.1, "left": 90.0}], [time.monotonic() - 30]
    job.process = SimpleNamespace(poll=lambda: None)
    assert job.left == pytest.approx(60, abs=5)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (4, ", a few seconds left"),
        (12, ", about 10 s left"),
        (44, ", about 40 s left"),
        (57, ", about 1 min left"),
        (131, ", about 2 min left"),
        (3600, ", about 60 min left"),
        (9000, ", about 2 h left"),
    ],
)
def test_the_time_left_is_said_no_more_exactly_than_it_is_known(seconds, words):
    assert left_words(seconds) == words
    page = AppTest.from_function(watching)
    page.session_state["jobs"] = {"fit": Running({"share": 0.5, "words": "half"})}
    page.session_state["jobs"]["fit"].left = seconds
    assert page.run().get("progress")[0].proto.text == f"Full fit: half{words}"


class Begun(Job):
    """A job that is at work."""

    waiting = False


class Stopped(Running):
    """A job that was stopped at its last step."""

    arguments = ("sweep", "toy")
    running, stopped = False, True


def test_a_stopped_job_says_what_is_kept_and_goes_on_by_the_same_command(monkeypatch):
    begun = []
    monkeypatch.setattr(queue, "Job", lambda key, arguments, **_: begun.append((key, arguments)) or Begun(key, arguments))
    page = AppTest.from_function(watching)
    page.session_state["jobs"] = {"fit": Stopped({"share": 0.6, "words": "12 fitted", "kept": "12 of 20 settings"})}
    page.run()
    assert [caption.value for caption in page.caption] == ["Full fit stopped. Kept: 12 of 20 settings."]
    page.button(key="go_on_fit").click().run()
    assert begun == [("key", ("sweep", "toy"))] and page.get("progress")


def test_a_job_that_was_stopped_before_it_told_anything_can_be_gone_on_with():
    page = AppTest.from_function(watching)
    page.session_state["jobs"] = {"fit": Stopped()}
    page.run()
    assert page.caption[0].value == "Full fit stopped before it had begun." and page.button(key="go_on_fit")


def test_a_stopped_job_that_has_kept_nothing_says_that_it_begins_anew():
    page = AppTest.from_function(watching)
    page.session_state["jobs"] = {"fit": Stopped({"share": 0.6, "words": "restart 2"})}
    page.run()
    assert page.caption[0].value.endswith("Nothing is finished that could be kept, so it begins anew.") and not page.button
