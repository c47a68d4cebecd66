"""Files made to harm: each ends in a sentence, before it takes the time or the memory that it asks for."""

import json
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest
from safetensors.numpy import save_file

import compress
from compress import SVD, EmbeddingMatrix, InputError, Int4, Trellis, load_matrix
from compress.guard import budget

torch = pytest.importorskip("torch")


def long_name(path):
    """A pickle that names what is to be called in so many letters that torch takes minutes to say what is wrong."""
    begin = pickle.dumps(torch.serialization.MAGIC_NUMBER, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    path.write_bytes(begin + b"\x80\x02cos\n" + b"a" * 200_000 + b"\n)R.")


def long_words(path):
    """The same where it calls a text."""
    begin = pickle.dumps(torch.serialization.MAGIC_NUMBER, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    path.write_bytes(begin + b"\x80\x02X" + struct.pack("<I", 200_000) + b"a" * 200_000 + b")R.")


def wide_view(path):
    """Few numbers that are seen as very many."""
    torch.save(OrderedDict(w=torch.ones(1).expand(20_000, 20_000)), path)


def long_tokens(path):
    """One word of megabytes, for every row."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"w": ["a" * 4_000_000] * 50, "b": np.ones(50, np.float32)})
    parquet.write_table(table, path, compression="zstd")


def no_number(path):
    """A token numbered by infinity."""
    save_file({"embed.weight": np.ones((4, 2), np.float32)}, path / "model.safetensors")
    (path / "vocab.json").write_text('{"a": 1e999, "b": 1}')


HOSTILE = {"x.pt": long_name, "y.pt": long_words, "z.pt": wide_view, "x.parquet": long_tokens, "model": no_number}


@pytest.mark.parametrize("guarded", [False, True], ids=["here", "apart"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_a_sentence(tmp_path, name, guarded):
    path = tmp_path / name
    if "." not in name:
        path.mkdir()
    HOSTILE[name](path)
    with pytest.raises(InputError) as refused:
        load_matrix(path, guarded=guarded)
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)
    assert not any(share.handed for share in budget.held)


def written(path, result, arrays=None, **header):
    save_file(arrays or result.arrays, path, {"flatland": json.dumps(result.said | header)})


@pytest.mark.parametrize("guarded", [False, True], ids=["here", "apart"])
def test_a_compressed_file_of_another_shape_or_without_end_is_refused(small, tmp_path, guarded):
    path = tmp_path / "x.safetensors"
    even = EmbeddingMatrix(small.values[:, :6])
    for result, columns in ((Int4().fit(even), 5), (Trellis(rate=3.0).fit(even), 10**12), (Trellis(rate=3.0).fit(even), 10**8)):
        written(path, result, shape=[40, columns])
        with pytest.raises(InputError, match=r"^x\.safetensors does not hold what its header says"):
            compress.load(path, guarded=guarded)
    result = SVD(j=3, factor_bits=8).fit(small)
    written(path, result, result.arrays | {"scales": np.full_like(result.arrays["scales"], 3e38)})
    with pytest.raises(InputError, match=r"^x\.safetensors decodes to infinite numbers"):
        compress.load(path, guarded=guarded)


def test_all_share_one_budget(tmp_path, monkeypatch):
    values = np.random.default_rng(0).standard_normal((1000, 25)).astype(np.float16)
    np.save(tmp_path / "x.npy", values)
    monkeypatch.setenv("FLATLAND_MEMORY", f"{sum(budget.held.values()) + 250_000} B")
    first, second = (load_matrix(tmp_path / "x.npy", guarded=guarded) for guarded in (False, True))
    with pytest.raises(InputError, match=r"needs 100 KB of memory and .* FLATLAND_MEMORY says how much"):
        load_matrix(tmp_path / "x.npy", guarded=True)
    del first
    assert load_matrix(tmp_path / "x.npy", guarded=True).shape == second.shape
    monkeypatch.setenv("FLATLAND_MEMORY", "much")
    with pytest.raises(InputError, match="FLATLAND_MEMORY must be a size"):
        load_matrix(tmp_path / "x.npy")
