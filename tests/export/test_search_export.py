"""Search without this program: faiss's index and search.py find what the decoded rows find; a parquet has the rows."""

import subprocess
import sys
from types import ModuleType

import faiss
import numpy as np
import pyarrow.parquet as pq
import pytest

import compress
from compress import METHODS, EmbeddingMatrix, InputError, Trellis
from compress.__main__ import main
from compress.export.decoders import FILES, search_source_of
from compress.export.for_search import export_search, write_parquet
from compress.export.search_index import INDEXED, search_index
from tests.cases import CASES

QUERIES = np.random.default_rng(5).normal(size=(6, 11)).astype(np.float32)
METRICS = {"l2": faiss.METRIC_L2, "ip": faiss.METRIC_INNER_PRODUCT}


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(240, 11)) * rng.uniform(0.2, 3, (240, 1))
    columns = {"year": np.arange(240) % 7 + 2000, "topic": [f"t{row % 3}" for row in range(240)], "odd": [1, "a", None] * 80}
    return EmbeddingMatrix(values, [f"doc{row}" for row in range(240)], name="docs", columns=columns)


@pytest.fixture(scope="module")
def fits(matrix):
    return {method: method.fit(matrix) for name in METHODS for method in CASES[name]}


def module_of(name):
    module = ModuleType("search")
    exec(compile(search_source_of(name), "search.py", "exec"), vars(module))
    return module


@pytest.mark.parametrize("name", [name for name in METHODS if name in FILES])
def test_search_py_decodes_and_finds_what_this_program_does_with_numpy_alone(name, fits, tmp_path):
    module = module_of(name)
    assert "import torch" not in search_source_of(name) and "compress" not in search_source_of(name).replace("compressed", "")
    for result in (result for method, result in fits.items() if method.name == name):
        result.save(tmp_path / "embedding.safetensors")
        table = module.open_table(tmp_path / "embedding.safetensors")
        decoded = result.reconstruct()
        np.testing.assert_allclose(
            table.rows(np.arange(240)), decoded, atol=2e-6 * np.abs(decoded).max(), err_msg=str(result.method)
        )
        for metric, kind in METRICS.items():
            ids, scores = table.search(QUERIES, 5, metric)
            wanted, near = faiss.knn(QUERIES, decoded, 5, kind)
            np.testing.assert_allclose(scores, wanted, atol=1e-4 * np.abs(wanted).max(), err_msg=str(result.method))
            assert (ids == near).mean() > 0.9 or len(np.unique(decoded, axis=0)) < 240


@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
def test_search_py_gives_a_table_that_was_quantized_before_to_the_last_bit(half, tmp_path):
    numbers, steps = (
        np.random.default_rng(0).integers(-127, 128, (40, 2, 32)),
        np.random.default_rng(1).uniform(0.01, 0.02, (40, 2, 1)),
    )
    numbers[:, :, 0] = 127
    values = (numbers * steps.astype(np.float16).astype(np.float32)).astype(np.float16 if half else np.float32).reshape(40, 64)
    Trellis(rate=10).fit(EmbeddingMatrix(values)).save(tmp_path / "embedding.safetensors")
    table = module_of("trellis").open_table(tmp_path / "embedding.safetensors")
    assert "whole_numbers" in table.arrays and np.array_equal(table.rows(np.arange(40)), values.astype(np.float32))


@pytest.mark.parametrize("metric", METRICS)
def test_an_index_that_faiss_reads_back_finds_what_the_decoded_rows_find(metric, fits, tmp_path):
    for method, result in fits.items():
        if method.name in INDEXED:
            faiss.write_index(search_index(result, metric), str(tmp_path / "index.faiss"))
            index, decoded = faiss.read_index(str(tmp_path / "index.faiss")), result.reconstruct()
            scores, ids = index.search(QUERIES, 5)
            wanted = faiss.knn(QUERIES, decoded, 5, METRICS[metric])[0]
            if method.name == "opq" and metric == "l2":  # distances leave out what no turned row has
                wanted -= wanted[:, :1] - scores[:, :1]
            np.testing.assert_allclose(scores, wanted, atol=2e-3 * np.abs(wanted).max(), err_msg=str(method))
            assert index.ntotal == 240 and (np.diff(ids) != 0).any()


def test_what_faiss_has_no_code_of_is_a_sentence(fits):
    result = next(result for method, result in fits.items() if method.name == "svd")
    with pytest.raises(InputError, match=r"faiss has no code of SVD; PQ, OPQ and RQ become an index, for others take search\.py"):
        search_index(result)


def test_a_parquet_has_the_decoded_vectors_the_names_and_the_columns(matrix, fits, tmp_path):
    result = next(result for method, result in fits.items() if method.name == "pq")
    write_parquet(result, tmp_path / "rows.parquet", matrix)
    table = pq.read_table(tmp_path / "rows.parquet")
    vectors = np.array(table["vector"].to_pylist(), np.float32)
    np.testing.assert_array_equal(vectors, result.reconstruct())
    assert table["name"].to_pylist() == list(matrix.tokens) and table["year"].to_pylist() == list(matrix.columns["year"])
    assert table["topic"].to_pylist()[:4] == ["t0", "t1", "t2", "t0"] and table["odd"].to_pylist()[:3] == ["1", "a", None]
    again = compress.load_matrix(tmp_path / "rows.parquet")
    np.testing.assert_array_equal(again.values, vectors)


BY_CODE = ["README.md", "embedding.safetensors", "rows.parquet", "search.py"]


@pytest.mark.parametrize(("name", "files"), [("pq", ["README.md", "index.faiss", "rows.parquet"]), ("svd", BY_CODE)])
def test_the_folder_has_the_index_or_search_py_and_the_columns(name, files, matrix, fits, tmp_path):
    result = next(result for method, result in fits.items() if method.name == name)
    sizes = export_search(result, tmp_path / "out", matrix)
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == files == sorted(sizes)
    if name == "svd":
        np.save(tmp_path / "q.npy", QUERIES)
        command = [sys.executable, "search.py", str(tmp_path / "q.npy"), "3", "ip"]
        said = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=True).stdout
        wanted = faiss.knn(QUERIES, result.reconstruct(), 3, faiss.METRIC_INNER_PRODUCT)[1]
        assert [[int(each.split(":")[0]) for each in line.split()] for line in said.splitlines()] == wanted.tolist()
    export_search(result, tmp_path / "out", matrix)
    (tmp_path / "out" / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match=r"holds other files, such as mine\.txt"):
        export_search(result, tmp_path / "out", matrix)


def test_the_command_line_writes_both(tmp_path, capsys):
    matrix = compress.load_matrix("toy")
    METHODS["pq"](parts=5, code_bits=4).fit(matrix).save(tmp_path / "x.safetensors")
    assert main(["export", str(tmp_path / "x.safetensors"), "--as", "search", "--out", str(tmp_path / "s"), "--source", "toy"]) == 0
    assert "index.faiss" in capsys.readouterr().out
    assert main(["export", str(tmp_path / "x.safetensors"), "--as", "parquet", "--out", str(tmp_path / "x.parquet")]) == 0
    assert pq.read_table(tmp_path / "x.parquet").num_rows == matrix.shape[0]
