"""Export's panel of the whole model: what it will take, what rounding adds, and the file itself."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import compress
from compress.export.gguf_model import gguf_model, write_gguf
from compress.export.packed_model import READERS, write_packed
from pages.parts.export.whole_model import written, written_folder
from pages.parts.quick_fits import quick
from tests.export.test_gguf_model import written as written_gguf
from tests.export.test_packed_model import llama

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("cache")


def panel(source, **held):
    """Export with the panel open, and what its widgets hold; its captions."""
    page = AppTest.from_file(ROOT / "pages" / "export.py", default_timeout=60)
    page.session_state["source"] = (str(source), None)
    page.query_params["pins"], page.query_params["export"] = '[["int8",{}]]', "int8 by row"
    page.session_state["whole_model"] = True
    for key, value in held.items():
        page.session_state[key] = value
    page.run()
    assert not page.exception
    return page, " ".join(caption.value for caption in page.caption).replace("\\", "")


def test_a_gguf_file_is_offered_with_its_bytes_and_what_rounding_adds(tmp_path, capsys):
    path = written_gguf(tmp_path / "model.gguf")
    page, words = panel(path)
    matrix = compress.load_matrix(path)
    fit = quick(matrix, compress.Int8())
    done = write_gguf(fit.result, gguf_model(path, matrix.shape), tmp_path / "out.gguf")
    assert (
        f"{done.model_bytes:,} bytes instead of {done.model_bytes_before:,}" in words
        and "The output layer is the table too." in words
    )
    assert f"Rounding to Q8_0 has a relative error of ≈ {done.rounding:.3g} by itself" in words
    assert any(f"--as gguf --model {path} --type Q8_0 --out model-int8-Q8_0.gguf" in code.value for code in page.code)
    assert written(fit, "Q8_0", gguf_model(path, matrix.shape))() == (tmp_path / "out.gguf").read_bytes()
    types = next(box for box in page.selectbox if box.label == "Table stored as")
    assert "Q6_K" in types.options
    types.select("Q4_0").run()
    assert not page.exception and any("--type Q4_0" in code.value for code in page.code)


def test_the_file_of_a_folders_model_is_named_beside_it_and_what_is_none_is_refused(tmp_path):
    np.save(tmp_path / "table.npy", compress.load_matrix(written_gguf(tmp_path / "model.gguf")).values)
    page, _ = panel(tmp_path / "table.npy")
    assert not page.error and not any("--as gguf" in code.value for code in page.code)
    page.text_input(key="whole_path").input(str(tmp_path / "none.gguf")).run()
    assert [error.value.replace("\\", "") for error in page.error] == [
        f"There is no GGUF file at {tmp_path}/none.gguf; name the model’s."
    ]
    page.text_input(key="whole_path").input(str(tmp_path / "model.gguf")).run()
    assert not page.error and any("--as gguf" in code.value for code in page.code)


def test_a_folder_is_told_packed_with_who_reads_it(tmp_path):
    llama(tmp_path / "model")
    page, words = panel(tmp_path / "model", whole_form="compressed-tensors")
    done = write_packed(compress.Int8().fit(compress.load_matrix(tmp_path / "model")), tmp_path / "model", tmp_path / "out")
    model = done.model_bytes_before - done.table_bytes_before + done.table_bytes
    assert f"The weights take {model:,} bytes instead of {done.model_bytes_before:,}" in words and READERS in words
    assert f"≈ {done.rounding:.3g} by itself" in words
    assert any(f"--as compressed-tensors --model {tmp_path}/model --type int8" in code.value for code in page.code)
    fit = quick(compress.load_matrix(tmp_path / "model"), compress.Int8())
    with zipfile.ZipFile(io.BytesIO(written_folder(fit, "int8", str(tmp_path / "model"), "small")())) as archive:
        held = {Path(name).name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
        assert all(name.startswith("small/") for name in archive.namelist())
    assert held == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_without_a_model_the_panel_says_what_to_open():
    _, words = panel("toy", whole_form="compressed-tensors")
    assert "Open the folder of a transformers model, or hub:org/name" in words
