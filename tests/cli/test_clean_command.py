"""`clean` of the command line: its figures, its files, and one sentence where it fails."""

import json

import numpy as np
import pytest
from pyarrow import csv
from safetensors.numpy import load_file

import compress
from compress.__main__ import main
from compress.analysis.duplicates import Near


@pytest.fixture
def table(tmp_path):
    """200 rows of which 4 are others again, and 3 are near others."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((200, 30)).astype(np.float32)
    values[100:104] = values[:4]
    values[110:113] = values[10:13] + 0.1 * rng.standard_normal((3, 30))
    np.save(tmp_path / "table.npy", values)
    return tmp_path / "table.npy"


def test_clean_writes_the_list_and_the_matrix_without_it(table, tmp_path, capsys):
    compress.SVD(j=5).fit(compress.load_matrix(table)).save(tmp_path / "svd.safetensors")
    files = {name: tmp_path / name for name in ("list.csv", "kept.safetensors", "pairs.safetensors")}
    options = ["--out", files["list.csv"], "--without", files["kept.safetensors"], "--pairs", files["pairs.safetensors"]]
    options += ["--cosine", "0.97", "--file", tmp_path / "svd.safetensors", "--far", "2", "--json"]
    assert main(["clean", *map(str, [table, *options])]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["exact_duplicate_rows"], row["near_duplicate_groups"], row["near_duplicate_rows"], row["far_rows"]) == (8, 7, 14, 2)
    listed = csv.read_csv(files["list.csv"]).to_pydict()
    assert len(listed["row"]) == 8 + 14 + 2
    assert set(range(100, 104)) | set(range(110, 113)) <= {
        each for each, kept in zip(listed["row"], listed["kept"], strict=True) if not kept
    }
    assert compress.load_matrix(files["kept.safetensors"]).shape[0] == row["rows_without"] <= 193
    assert len(Near.of(load_file(files["pairs.safetensors"])).groups(0.9)) == 7


@pytest.mark.parametrize(
    "options, words",
    [(["--cosine", "2"], "between 0.5 and 1"), (["--out", "x.txt"], ".csv or .parquet"), (["--without", "x.npy"], ".safetensors")],
)
def test_options_that_make_no_sense_are_one_sentence(table, capsys, options, words):
    assert main(["clean", str(table), *options]) == 2
    assert words in capsys.readouterr().err
