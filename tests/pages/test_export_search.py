"""Export's panel for search: faiss's index where it has the code, else a search.py; the parquet with its columns."""

import io
import zipfile
from pathlib import Path

import faiss
import numpy as np
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

import compress
from pages.parts.export.search import folder_of, parquet_of
from pages.parts.quick_fits import quick

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("cache")


def test_a_method_that_faiss_lacks_is_offered_with_search_py(tmp_path):
    page = AppTest.from_file(ROOT / "pages" / "export.py", default_timeout=60)
    page.session_state["source"], page.session_state["for_search"] = ("toy", None), True
    page.query_params["pins"], page.query_params["export"] = '[["int8",{}]]', "int8 by row"
    page.run()
    assert not page.exception
    words = " ".join(caption.value for caption in page.caption).replace("\\", "")
    assert "search.py needs NumPy only" in words and "faiss has no code of int8 by row." in words
    assert any("--as search --out toy-int8-search" in code.value for code in page.code)
    assert {"Search folder (.zip)", "Decoded (.parquet)"} <= {button.proto.label for button in page.get("download_button")}


def test_the_archives_hold_what_is_searched(tmp_path):
    matrix = compress.load_matrix("toy")
    pq_fit = quick(matrix, compress.ProductQuantization(parts=5, code_bits=4))
    held = zipfile.ZipFile(io.BytesIO(folder_of(matrix, pq_fit, "toy", "ip")()))
    assert sorted(held.namelist()) == ["toy-search/README.md", "toy-search/index.faiss", "toy-search/rows.parquet"]
    index = faiss.deserialize_index(np.frombuffer(held.read("toy-search/index.faiss"), np.uint8))
    assert index.ntotal == matrix.shape[0] and index.metric_type == faiss.METRIC_INNER_PRODUCT
    held = zipfile.ZipFile(io.BytesIO(folder_of(matrix, quick(matrix, compress.Int8()), "toy", "l2")()))
    assert {"toy-search/embedding.safetensors", "toy-search/search.py"} <= {*held.namelist()}
    table = pq.read_table(io.BytesIO(parquet_of(matrix, pq_fit)()))
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), pq_fit.result.reconstruct())
