"""A new method is one file: the command line, a sweep, the export and the Trade-offs page find what the file says, nothing else."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
FILE = '''
"""The first columns of a row; the others are read as 0."""

from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace, device

from compress.checks import setting, whole
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.methods.base import Method, tell_count

DECODER = """\\"\\"\\"Loads embedding.safetensors: a row is its first numbers, and zeros.\\"\\"\\"

import torch


def prepare(header, arrays):
    return {}


def decode(header, arrays, rows):
    numbers = arrays["numbers"][rows]
    return torch.nn.functional.pad(numbers, (0, header["shape"][1] - numbers.shape[1]))
"""


@dataclass(frozen=True)
class FirstColumns(Method):
    """The first `width` columns of a row in float32."""

    name = "first_columns"
    label = "First columns"
    decoder = DECODER
    knob = "width"

    width: int = setting(2, whole, 1)

    def fit(self, matrix, progress=None):
        self.check(*matrix.shape)
        tell_count(progress, "column", self.width, self.width)
        return Compressed(self, {"numbers": matrix.values[:, : self.width]}, matrix.shape, matrix.digest)

    def decode(self, arrays, rows, d):
        numbers = arrays["numbers"][rows]
        xp = array_namespace(numbers)
        rest = xp.zeros((numbers.shape[0], d - self.width), dtype=xp.float32, device=device(numbers))
        return xp.concat([numbers, rest], axis=1)

    def trainable(self, arrays, n, d):
        return Trainable(arrays, {})

    def stored(self, arrays, parameters):
        return parameters

    def layout(self, n, d):
        return {"numbers": ((n, self.width), np.float32)}

    def parameter_count(self, n, d):
        return n * self.width

    def check(self, n, d):
        whole("width", self.width, 1, d)

    def knob_values(self, n, d):
        return range(1, d + 1)
'''
WORK = """
import json
from pathlib import Path
from streamlit.testing.v1 import AppTest
import compress
from compress.__main__ import main

for line in Path("commands").read_text().splitlines():
    assert main(json.loads(line)) == 0, line
page = AppTest.from_file("pages/tradeoffs.py", default_timeout=60)
page.session_state["source"] = ("toy", None)
page.run()
assert not page.exception
print(json.dumps({
    "methods": list(compress.METHODS),
    "labels": page.selectbox(key="sweep_method").options,
    "file": compress.__file__,
}))
"""
ALONE = """
import importlib.util, sys
assert importlib.util.find_spec("compress") is None
sys.path.insert(0, ".")
import load, numpy, torch
numpy.save("decoded.npy", load.load("embedding.safetensors")(torch.arange(5)).numpy())
try:
    load.load("../other.safetensors")
except ValueError as error:
    print(error)
"""


def run(code, folder, *options):
    done = subprocess.run([sys.executable, *options, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the program with one file more, and what a person does there; what was said, line by line."""
    folder = tmp_path_factory.mktemp("house")
    for name in ("compress", "pages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "compress" / "methods" / "first_columns.py").write_text(FILE.lstrip(), encoding="utf-8")
    commands = [
        ["fit", "toy", "--method", "first_columns", "--width", "3", "--out", "x.safetensors", "--progress", "--json"],
        ["fit", "toy", "--method", "int8", "--out", "other.safetensors", "--json"],
        ["export", "x.safetensors", "--out", "out", "--source", "toy", "--json"],
        ["sweep", "toy", "--methods", "first_columns", "--ratios", "4,8", "--out", "trials", "--json"],
    ]
    (folder / "commands").write_text("\n".join(json.dumps(each) for each in commands))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLATLAND_CACHE", str(folder / "cache"))
        said = [json.loads(line) for line in run(WORK, folder)]
    assert Path(said[-1]["file"]).is_relative_to(folder)
    return folder, said


def test_it_comes_after_the_others(house):
    from compress import METHODS

    assert house[1][-1]["methods"] == [*METHODS, "first_columns"]


def test_the_command_line_fits_it_and_a_sweep_finds_its_sizes(house):
    fitted, *_ = house[1]
    swept = [row for row in house[1] if "ratio" in row and row["method"] == "first_columns"][1:]
    assert (fitted["method"], fitted["width"]) == ("first_columns", 3)
    assert len(swept) == 2 and [row["ratio"] >= ratio for row, ratio in zip(swept, (4, 8), strict=True)] == [True, True]


def test_its_export_decodes_without_this_project_and_refuses_other_files(house):
    from compress import load_matrix

    said = run(ALONE, house[0] / "out", "-I")
    values = load_matrix("toy").values[:5]
    np.testing.assert_array_equal(np.load(house[0] / "out" / "decoded.npy")[:, :3], values[:, :3])
    assert not np.load(house[0] / "out" / "decoded.npy")[:, 3:].any()
    assert said == ["../other.safetensors is not a file that this load.py can read; it reads first_columns"]
    assert (house[0] / "out" / "embedding.onnx").exists()


def test_the_page_offers_it_by_its_label(house):
    assert "First columns" in house[1][-1]["labels"]
