import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import compress
from compress.__main__ import parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_library_example_runs_as_written(tmp_path):
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.S))
    alone = {
        "PYTHONPATH": str(ROOT),
        "PATH": "",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }  # other tests have a core too
    fewer = {
        "j=60, f": "j=60, restarts=1, steps=3, f",
        "texts_of_kinds(model, None)": "texts_of_kinds(model, None)[:24]",
        "result, texts)": "result, texts, steps=3, apart={'alike': texts[:9]})",
        "=500": "=40",
    }
    for written, run in fewer.items():
        assert written in code
        code = code.replace(written, run)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.match(r"23\.9 times smaller, relative error 0\.4[89]", done.stdout)
    assert "'healed': 0." in done.stdout and "neighbours" in done.stdout
    assert (tmp_path / "table.safetensors").stat().st_size > 1_000_000
    assert (tmp_path / "smaller" / "model.safetensors").stat().st_size < 47_000_000  # of 91 MB


@pytest.mark.parametrize("line", re.findall(r"^    python -m compress (.*)$", README, re.M))
def test_every_command_shown_is_one_that_is_understood(line):
    assert callable(parser().parse_args(shlex.split(line)).run)


def test_the_links_to_files_of_the_project_lead_somewhere():
    for path in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / path).is_file(), path


def test_every_method_of_the_library_is_in_the_tables_of_the_command_line():
    alone = {name for name, method in compress.METHODS.items() if not method.combines}
    assert alone == set(parser().parse_args(["sweep", "toy", "--out", "x"]).methods)
