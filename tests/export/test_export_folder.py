"""The folder of an export: whole or not at all, with figures that were measured, and of use without this project."""

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from cases import svd_by_fits

import compress
from compress import SVD, EmbeddingMatrix, InputError, Int8, Trellis
from compress.__main__ import main
from compress.export import NAMES, export_folder, exported, zip_of
from compress.export.card import in_onnx
from compress.tuning.opponents import best_svd

pytestmark = pytest.mark.usefixtures("operators_read_once")


@pytest.fixture(scope="module")
def matrix(flats):
    return EmbeddingMatrix(flats[0].values, name="flats|of <three>")


@pytest.fixture(scope="module")
def result(matrix):
    return SVD(j=3, factor_bits=8).fit(matrix)


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_the_folder_works_where_this_project_is_not(matrix, result, tmp_path):
    folder = export_folder(result, tmp_path / "out" / "table", matrix)
    assert folder == tmp_path / "out" / "table" and names(folder) == sorted(NAMES) and names(folder.parent) == ["table"]
    found = compress.load(folder / "embedding.safetensors")
    assert found.method == result.method and np.array_equal(found.reconstruct(), result.reconstruct())
    done = subprocess.run([sys.executable, "-I", folder / "load.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "240 x 11, svd {'j': 3, 'factor_bits': 8}" in done.stdout
    first = json.loads(done.stdout.splitlines()[1].removeprefix("row 0 begins "))
    assert first == pytest.approx(result.rows([0])[0, :4].tolist(), abs=1e-6)


def test_the_code_on_the_card_runs_in_the_folder(matrix, tmp_path):
    result = Trellis(rate=4.0, states=256).fit(matrix)
    folder = export_folder(result, tmp_path / "x", onnx=False)
    code = (folder / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    code += "\nprint(layer(torch.arange(240)).shape)"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "torch.Size([240, 11])"


def test_the_card_has_the_measured_figures(matrix, result, tmp_path):
    scores = [{"task": "a|b", "before": 0.81234567, "after": 0.8}, {"task": "other", "after": 1}]
    done = exported(result, tmp_path / "x", matrix, scores=scores)
    evaluation = compress.evaluate(matrix, result)
    card = (tmp_path / "x" / "README.md").read_text(encoding="utf-8")
    assert card == done.card and card.startswith("# flats\\|of \\<three\\>, compressed\n")
    for figure in (evaluation.relative_error, evaluation.l1_error, evaluation.worst_cosine, result.ratio):
        assert f"| {figure:.4g} |" in card
    best, _ = svd_by_fits(matrix, result.n_bytes)
    error = best_svd(matrix, result.n_bytes).error
    told = f"| Relative error of SVD at its best in as many bytes | {error:.4g} (j = {best.j}, factor_bits = {best.factor_bits}) |"
    assert told in card and best.factor_bits == 4
    assert f"{result.n_bytes:,} bytes" in card and result.digest in card and "j = 3, factor_bits = 8" in card
    assert "| a\\|b | 0.8123 | 0.8 |" in card and "| other |  | 1 |" in card
    assert "Weighted error" not in card
    assert done.difference <= 1e-5 and in_onnx(done.difference, None) in card and "over 240 rows" in card
    assert f"({done.sizes['embedding.onnx']:,} bytes)" in card
    assert done.sizes == {each.name: each.stat().st_size for each in (tmp_path / "x").iterdir()}


def test_the_weighted_error_is_on_the_card_where_rows_are_weighted(matrix, tmp_path):
    weighted = EmbeddingMatrix(matrix.values, weights=np.arange(240) + 1.0)
    result = SVD(j=2).fit(weighted)
    done = exported(result, tmp_path / "x", evaluation=compress.evaluate(weighted, result), onnx=False)
    assert f"| Weighted error | {compress.evaluate(weighted, result).weighted_error:.4g} |" in done.card


def test_how_far_onnx_is_from_torch_is_one_sentence():
    assert in_onnx(3.04e-7, None) == "onnxruntime gives entries at most 3.0e-07 of the largest one away from those of torch."
    assert in_onnx(0.0, None) == "onnxruntime gives the vectors that torch gives, to the last bit."
    assert in_onnx(None, "it is too large") == "There is no ONNX file: it is too large."


def test_a_table_on_the_card_has_as_many_cells_in_every_line(matrix, result, tmp_path):
    card = exported(result, tmp_path / "x", matrix, onnx=False).card
    lines = [line for line in card.splitlines() if line.startswith("| ")]
    assert len(lines) > 10 and {line.replace("\\|", "").count("|") for line in lines} == {3}


def test_without_a_matrix_the_card_says_that_nothing_was_measured(result, tmp_path):
    done = exported(result, tmp_path / "x", onnx=False)
    assert "Its errors were not measured." in done.card and "Relative error" not in done.card
    assert "There is no ONNX file: it was not asked for." in done.card
    assert names(tmp_path / "x") == ["README.md", "embedding.safetensors", "load.py"] and done.difference is None


def test_a_layer_that_onnx_cannot_hold_is_left_out_and_the_card_says_why(result, tmp_path, monkeypatch):
    monkeypatch.setattr("compress.export.onnx_layer.MOST_BYTES", 10)
    done = exported(result, tmp_path / "x")
    assert "embedding.onnx" not in done.sizes
    assert "There is no ONNX file: the stored arrays take 765 bytes, one ONNX file has room for 10." in done.card


def test_another_matrix_is_refused(matrix, result, tmp_path):
    with pytest.raises(ValueError, match="the compressed form was made from another matrix than other"):
        export_folder(result, tmp_path / "x", EmbeddingMatrix(matrix.values * 2, name="other"))
    assert not names(tmp_path)


def test_an_export_takes_the_place_of_an_export(matrix, result, tmp_path):
    export_folder(result, tmp_path / "x")
    (tmp_path / "x" / "__pycache__").mkdir()
    export_folder(Int8().fit(matrix), tmp_path / "x", onnx=False)
    assert names(tmp_path / "x") == ["README.md", "embedding.safetensors", "load.py"] and names(tmp_path) == ["x"]
    assert compress.load(tmp_path / "x" / "embedding.safetensors").method == Int8()


@pytest.mark.parametrize("held", [["notes.txt"], ["README.md"], [*NAMES, "notes.txt"]], ids=str)
def test_a_folder_that_holds_other_files_is_left_as_it_is(result, tmp_path, held):
    (tmp_path / "x").mkdir()
    for name in held:
        (tmp_path / "x" / name).write_text("mine")
    other = "README.md" if held == ["README.md"] else "notes.txt"
    with pytest.raises(InputError, match=rf"x holds other files, such as {other}; name a new folder or an empty one\."):
        export_folder(result, tmp_path / "x")
    assert names(tmp_path / "x") == sorted(held) and (tmp_path / "x" / held[0]).read_text() == "mine"


def test_a_file_is_no_folder(result, tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(InputError, match="x is a file; name a folder to export to"):
        export_folder(result, tmp_path / "x")


def test_an_export_that_fails_leaves_what_was_there(matrix, result, tmp_path, monkeypatch):
    export_folder(result, tmp_path / "x", onnx=False)

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr("compress.export.card", fail)
    for folder in ("x", "y"):
        with pytest.raises(OSError, match="disk full"):
            export_folder(Int8().fit(matrix), tmp_path / folder, onnx=False)
    assert names(tmp_path) == ["x"] and compress.load(tmp_path / "x" / "embedding.safetensors").method == result.method


def test_the_archive_holds_the_files_of_the_folder(result, tmp_path):
    folder = export_folder(result, tmp_path / "table")
    (folder / "notes.txt").write_text("mine")
    with zipfile.ZipFile(io.BytesIO(zip_of(folder))) as archive:
        assert archive.namelist() == [f"table/{name}" for name in NAMES]
        for name in NAMES:
            assert archive.read(f"table/{name}") == (folder / name).read_bytes()


def test_the_command_writes_the_folder_and_tells_its_figures(capsys, matrix, result, tmp_path):
    np.save(tmp_path / "flats.npy", matrix.values)
    result.save(tmp_path / "x.safetensors")
    arguments = ["export", tmp_path / "x.safetensors", "--out", tmp_path / "out", "--source", tmp_path / "flats.npy", "--json"]
    assert main([str(each) for each in arguments]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["out"] == str(tmp_path / "out") and 0 <= row["onnx_difference"] <= 1e-5
    assert {name: row[name] for name in NAMES} == {each.name: each.stat().st_size for each in (tmp_path / "out").iterdir()}
    assert "# flats" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert main([str(each) for each in [*arguments[:2], "--out", tmp_path, "--no-onnx"]]) == 2
    assert "holds other files" in capsys.readouterr().err
