"""The short form of `make fuzz`: a few changed files a reader, in a process that may die of one."""

import json
import tempfile
from pathlib import Path

from tests.fuzz.__main__ import good_files, place_for_files, run_child
from tests.fuzz.targets import TARGETS

COUNT = 25


def test_a_changed_file_ends_in_the_projects_own_error_or_in_a_matrix():
    with tempfile.TemporaryDirectory(dir=place_for_files()) as held:
        for reader in TARGETS:
            good_files(reader, Path(held))
        child = run_child(Path(held), list(TARGETS), COUNT)
    assert child.returncode == 0, child.stderr[-2000:]
    told = [json.loads(line) for line in child.stdout.splitlines()]
    assert [each for each in told if "read" not in each] == []
    assert {each["reader"]: each["read"] for each in told} == dict.fromkeys(TARGETS, COUNT)
