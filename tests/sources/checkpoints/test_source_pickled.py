"""Pickles: arrays and the names of their rows without running anything; gensim's with its files beside; the rest is named."""

import pickle
import sys
import types

import numpy as np
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors
from compress.sources.contents import kind_of

WORDS = ["the", "of", "and", "ä", "b", "c d", "e"]


@pytest.fixture
def gensim(monkeypatch):
    """Classes that pickle as gensim's do, where it is not installed; gone again before anything is read."""
    module = types.ModuleType("gensim.models.keyedvectors")
    module.KeyedVectors = type("KeyedVectors", (), {"__module__": module.__name__})
    monkeypatch.setitem(sys.modules, "gensim", types.ModuleType("gensim"))
    monkeypatch.setitem(sys.modules, "gensim.models", types.ModuleType("gensim.models"))
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def dumps(protocol=4, **state):
        def made(state):
            held = module.KeyedVectors()
            held.__dict__.update({key: made(part) if key == "wv" else part for key, part in state.items()})
            return held

        data = pickle.dumps(made(state), protocol)
        monkeypatch.undo()
        return data

    return dumps


def state(vectors, **more):
    return (
        {"vector_size": 4, "index_to_key": WORDS, "key_to_index": {word: at for at, word in enumerate(WORDS)}}
        | more
        | {"vectors": vectors}
    )


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_vectors_in_gensims_file_are_read_with_their_keys(tmp_path, values, gensim, protocol):
    (tmp_path / "w.kv").write_bytes(gensim(protocol, **state(values, vectors_ngrams=np.ones((50, 4), np.float32), __numpys=[])))
    matrix = load_matrix(tmp_path / "w.kv")
    np.testing.assert_array_equal(matrix.values, values)
    assert list(matrix.tokens) == WORDS
    assert "gensim" not in sys.modules


def test_vectors_beside_gensims_file_are_read_with_their_keys(tmp_path, values, gensim):
    (tmp_path / "w2v.model").write_bytes(gensim(wv=state(None, __numpys=["vectors"]), syn1neg=np.ones((7, 4), np.float32)))
    with pytest.raises(InputError, match=r"w2v\.model keeps its vectors in w2v\.model\.wv\.vectors\.npy, which is not beside it"):
        load_matrix(tmp_path / "w2v.model")
    np.save(tmp_path / "w2v.model.wv.vectors.npy", values)
    for source in (tmp_path / "w2v.model", tmp_path):
        matrix = load_matrix(source)
        np.testing.assert_array_equal(matrix.values, values)
        assert list(matrix.tokens) == WORDS
    assert [info.name for info in tensors(tmp_path / "w2v.model")] == ["wv.vectors", "syn1neg"]


@pytest.mark.parametrize("shape", ["array", "pair", "dict", "vectors by word"])
def test_an_array_that_was_pickled_is_read(tmp_path, values, shape):
    by_word = dict(zip(WORDS, values, strict=True))
    held = {"array": values, "pair": (WORDS, values), "dict": {"words": WORDS, "emb": values}, "vectors by word": by_word}[shape]
    (tmp_path / "e.pkl").write_bytes(pickle.dumps(held))
    matrix = load_matrix(tmp_path / "e.pkl")
    np.testing.assert_array_equal(matrix.values, values)
    assert matrix.has_tokens == (shape != "array")


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"open({str(self.path)!r}, 'w')",)


def test_nothing_is_run_and_what_would_have_to_be_is_named(tmp_path, values):
    import pandas as pd

    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": Trap(tmp_path / "sprung"), "emb": values}))
    np.testing.assert_array_equal(load_matrix(tmp_path / "a.pkl").values, values)
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    (tmp_path / "c.pkl").write_bytes(pickle.dumps(pd.DataFrame({"a": ["x", "y"], "b": ["x", "z"]})))
    for name, words in (("b.pkl", r"a pickle of builtins\.exec"), ("c.pkl", r"a pickle of pandas\..*to_parquet")):
        with pytest.raises(InputError, match=words):
            load_matrix(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_that_is_not_whole_is_refused(tmp_path, values):
    whole = pickle.dumps({"words": WORDS, "emb": values}, 4)
    kind_at = whole.index(b"\x94]\x94")
    bad = [whole[: int(share * len(whole))] for share in (0.2, 0.5, 0.9)]
    bad += [b"\x80\x04\x8e" + (1 << 62).to_bytes(8, "little") + b"x", b"\x80\x04" + b"(" * 100_000 + b".", b"\x80\x04."]
    bad += [whole[:kind_at] + b"Q" + whole[kind_at:], b"\x80\x02r\xff\xff\xff\x7f."]
    for data in bad:
        (tmp_path / "w.kv").write_bytes(data)
        assert kind_of(tmp_path / "w.kv") == "pickle"
        with pytest.raises(InputError, match=r"^w\.kv is a damaged pickle"):
            load_matrix(tmp_path / "w.kv")


def test_an_array_that_its_bytes_do_not_fill_is_refused(tmp_path, values):
    whole = pickle.dumps(values, 4)
    assert whole.count(b"K\x07K\x04\x86") == 1
    (tmp_path / "x.pkl").write_bytes(whole.replace(b"K\x07K\x04\x86", b"J\xff\xff\xff\x7fK\x04\x86"[:5] + b"K\x04\x86"))
    with pytest.raises(InputError, match=r"^x\.pkl is a damaged pickle"):
        load_matrix(tmp_path / "x.pkl")
