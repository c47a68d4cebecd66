"""The short form of `make fuzz`: a few changed files a reader, in a process that may die of one."""

import json

from tests.fuzz.__main__ import good_files, run_child
from tests.fuzz.targets import TARGETS

COUNT = 25


def test_a_changed_file_ends_in_the_projects_own_error_or_in_a_matrix(tmp_path):
    for reader in TARGETS:
        good_files(reader, tmp_path)
    child = run_child(tmp_path, list(TARGETS), COUNT)
    assert child.returncode == 0, child.stderr[-2000:]
    told = [json.loads(line) for line in child.stdout.splitlines()]
    assert [each for each in told if "read" not in each] == []
    assert {each["reader"]: each["read"] for each in told} == dict.fromkeys(TARGETS, COUNT)
