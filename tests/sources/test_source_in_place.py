"""Tables that stay in their files: as they lie, a block at a time."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import compress
from compress.guard import budget, handover
from compress.linalg.lazy import LazyRows
from compress.sources import in_place, limits, planted


@pytest.fixture(autouse=True)
def all_are_large(monkeypatch):
    """Every table stays where it lies."""
    monkeypatch.setattr(in_place, "LARGE", 0)


@pytest.fixture(scope="module")
def values():
    return planted(3000, 3, 4, 24)[0].astype(np.float32)


def written(folder: Path, values: np.ndarray, kind: str) -> tuple[Path, np.ndarray]:
    """A file with the values in so many bits, and those as float32."""
    path = folder / f"table.{kind}"
    if kind.endswith("npy"):
        small = (values * (30 if kind.startswith("int8") else 1)).astype(kind.removesuffix(".npy"))
        np.save(path, small)
        return path, small.astype(np.float32)
    if kind == "gguf":
        import gguf

        packed = gguf.quantize(np.tile(values, (1, 4)), gguf.GGMLQuantizationType.Q8_0)
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_tensor("token_embd.weight", packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
            write()
        return path, gguf.dequantize(packed, gguf.GGMLQuantizationType.Q8_0)
    bits = values.view("<u4") >> 16
    header = json.dumps({"embedding": {"dtype": "BF16", "shape": values.shape, "data_offsets": [0, 2 * values.size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bits.astype("<u2").tobytes())
    return path, (bits << 16).view("<f4")


@pytest.mark.parametrize("kind", ["float16.npy", "float32.npy", "float64.npy", "int8.npy", "safetensors", "gguf"])
def test_rows_that_stay_in_their_file_are_those_of_the_same_table_in_memory(kind, values, tmp_path):
    path, known = written(tmp_path, values, kind)
    matrix, held = compress.load_matrix(path), compress.EmbeddingMatrix(known)
    assert isinstance(matrix.rows, LazyRows) and "values" not in vars(matrix)
    assert matrix.digest == held.digest
    assert compress.spectrum(matrix).singular_values.tobytes() == compress.spectrum(held).singular_values.tobytes()
    some = np.array([2999, 5, 5, -1, 700, 6])
    assert (matrix.rows[some] == known[some]).all() and (matrix.rows[10:1000:7] == known[10:1000:7]).all()
    assert "values" not in vars(matrix)
    assert (matrix.values == known).all()


def test_rows_are_handed_to_another_process_without_a_copy(values, tmp_path):
    path, known = written(tmp_path, values, "float16.npy")
    files, places, n_bytes = handover.packed(compress.load_matrix(path).rows)
    rows = handover.unpacked(files, places)
    assert n_bytes < 1000 and isinstance(rows, LazyRows)
    assert (rows[900:950] == known[900:950]).all()


def test_a_file_that_changes_while_it_is_read_is_said_in_one_sentence(values, tmp_path):
    path, _ = written(tmp_path, values, "float16.npy")
    matrix = compress.load_matrix(path)
    with open(path, "r+b") as file:
        file.seek(-2, os.SEEK_END)
        file.write(b"\0\0")
    os.utime(path, ns=(1, 1))
    with pytest.raises(compress.InputError, match=r"^table\.float16\.npy has changed since it was opened; open it again\.$"):
        compress.spectrum(matrix)
    os.truncate(path, 1000)
    with pytest.raises(compress.InputError, match="has changed since it was opened"):
        matrix.rows[2990:]
    path.unlink()
    with pytest.raises(compress.InputError, match="There is no file table"):
        matrix.rows[:5]


def test_rows_that_are_not_finite_are_named_though_they_stay_in_their_file(values, tmp_path):
    bad = values.copy()
    bad[[7, 2500], 3] = np.nan, -np.inf
    path, _ = written(tmp_path, bad, "float16.npy")
    with pytest.raises(compress.InputError, match=r"2 of 3,000 rows have NaN or infinite entries in float32 \(row 7, 2500"):
        compress.load_matrix(path)


def test_what_asks_for_all_values_is_refused_where_memory_does_not_hold_them(values, tmp_path, monkeypatch):
    path, _ = written(tmp_path, values, "float16.npy")
    monkeypatch.setattr(limits, "MEMORY_LIMIT", 1000)
    matrix = compress.load_matrix(path)
    assert compress.spectrum(matrix).effective_rank > 1
    with pytest.raises(compress.InputError, match="needs 288 KB of memory"):
        _ = matrix.values


def test_a_whole_table_takes_its_part_of_the_budget_until_it_is_gone(values, tmp_path):
    path, _ = written(tmp_path, values, "float16.npy")
    matrix, before = compress.load_matrix(path), budget.left()
    with budget.sharing() as share:  # of somebody who reads
        matrix.rows.whole()
        assert budget.held[share] == 4 * values.size
    assert matrix.values.nbytes == 4 * values.size == before - budget.left()
    del matrix
    assert budget.left() >= before
