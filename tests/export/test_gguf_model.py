"""A model's GGUF with another table: read back by the format's own package, all else as it was."""

import json
import struct

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix, InputError, Int8
from compress.__main__ import main
from compress.export.gguf_model import gguf_model, write_gguf
from compress.export.gguf_types import encoded, types_for

gguf = pytest.importorskip("gguf")
Kind = gguf.GGMLQuantizationType
N, D = 70, 256
RNG = np.random.default_rng(0)
TABLE = RNG.standard_normal((N, D)).astype(np.float32)
OWN = encoded(TABLE, "Q8_0")
OTHERS = {
    "blk.0.norm.weight": RNG.standard_normal(D).astype(np.float32),
    "blk.0.ffn_up.weight": (gguf.quantize(RNG.standard_normal((3, D)).astype(np.float32), Kind.Q4_1), Kind.Q4_1),
    "odd": np.arange(5, dtype=np.int8),
    "blk.0.ffn.weight": RNG.standard_normal((2, 3, D)).astype(np.float16),
}


def written(path, before=1, alignment=None, table=None, **more):
    """A model's file with so many tensors before its table."""
    writer = gguf.GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_uint32("llama.embedding_length", D)
    writer.add_token_list([f"w{row}" for row in range(N)])
    writer.add_token_scores([0.5] * N)
    writer.add_bool("flag", True)
    names = [*list(OTHERS)[:before], "token_embd.weight", *list(OTHERS)[before:], *more]
    for name in names:
        each = {"token_embd.weight": (OWN, Kind.Q8_0) if table is None else table, **OTHERS, **more}[name]
        data, kind = each if isinstance(each, tuple) else (each, None)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def held(path):
    """Facts and tensors by name, in order, as gguf's own reader gives them."""
    reader = gguf.GGUFReader(path)
    facts = {name: (field.types, [part.tobytes() for part in field.parts]) for name, field in reader.fields.items()}
    return facts, {each.name: each for each in reader.tensors}


@pytest.fixture(scope="module")
def result():
    return SVD(j=60).fit(EmbeddingMatrix(TABLE))


@pytest.mark.parametrize("dtype", types_for(D))
def test_the_table_alone_is_another_and_is_what_was_decoded(tmp_path, result, dtype):
    path = written(tmp_path / "model.gguf", alignment=64)
    model = gguf_model(path, result.shape)
    done = write_gguf(result, model, tmp_path / "out.gguf", dtype)
    assert (done.model_bytes, done.model_bytes_before) == tuple(
        (tmp_path / name).stat().st_size for name in ("out.gguf", path.name)
    )
    assert done.model_bytes == model.n_bytes(dtype) and done.table_bytes == model.table_bytes(dtype)
    (facts, before), (found, after) = held(path), held(tmp_path / "out.gguf")
    assert list(found.items()) == list(facts.items()) and list(after) == list(before)
    for name, each in after.items():
        assert each.data_offset % 64 == 0
        if name != "token_embd.weight":
            assert each.tensor_type == before[name].tensor_type and each.data.tobytes() == before[name].data.tobytes()
    table = after["token_embd.weight"]
    assert table.tensor_type == Kind[dtype] and table.data.nbytes == done.table_bytes
    kept, decoded = gguf.dequantize(table.data, table.tensor_type), result.reconstruct()
    own = gguf.dequantize(before["token_embd.weight"].data, Kind.Q8_0)
    assert done.rounding == pytest.approx(((kept - decoded) ** 2).sum() / (decoded**2).sum(), rel=1e-5, abs=1e-12)
    assert done.error == pytest.approx(((kept - own) ** 2).sum() / (own**2).sum(), rel=1e-5)
    assert done.rounding < 0.1 and np.array_equal(compress.load_matrix(tmp_path / "out.gguf").values, kept)


@pytest.mark.parametrize("before", [0, len(OTHERS)])
def test_the_table_may_be_the_first_tensor_or_the_last_and_the_same_type_gives_the_same_file(tmp_path, before):
    path = written(tmp_path / "model.gguf", before)
    exact = Int8().fit(EmbeddingMatrix(TABLE))
    write_gguf(exact, gguf_model(path, exact.shape), tmp_path / "big.gguf", "F32")
    again = EmbeddingMatrix(compress.load_matrix(path).values)

    class Same:
        shape = again.shape
        rows = staticmethod(lambda rows: again.values[rows])

    write_gguf(Same, gguf_model(tmp_path / "big.gguf", again.shape), tmp_path / "same.gguf", "Q8_0")
    assert (tmp_path / "same.gguf").read_bytes() == path.read_bytes()


def test_an_output_layer_of_its_own_stays_and_is_told(tmp_path, result):
    own = written(tmp_path / "own.gguf", **{"output.weight": TABLE})
    assert not write_gguf(result, gguf_model(own, result.shape), tmp_path / "a.gguf").tied
    assert held(tmp_path / "a.gguf")[1]["output.weight"].data.tobytes() == TABLE.tobytes()
    tied = written(tmp_path / "tied.gguf")
    assert write_gguf(result, gguf_model(tied, result.shape), tmp_path / "b.gguf").tied
    assert "output.weight" not in held(tmp_path / "b.gguf")[1]


def test_what_is_no_model_to_put_it_in_is_refused_by_name(tmp_path, result):
    path = written(tmp_path / "model.gguf")
    whole = path.read_bytes()
    name = whole.index(b"odd") + 3 + 4 + 8  # behind the name: how many dimensions, one of them, then the type

    def file(content, name="x.gguf"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    for given, words in {
        tmp_path / "none.gguf": "There is no GGUF file at .*none.gguf",
        file(b"words"): "x.gguf",
        file(whole[: len(whole) // 2], "cut.gguf"): "cut.gguf tensor .* lies outside the file",
        file(whole[:4] + struct.pack(">I", 3) + whole[8:], "big.gguf"): "big.gguf is a GGUF file of big-endian numbers",
        file(whole, "m-00001-of-00003.gguf"): "m-00001-of-00003.gguf is one of 3 parts of a model; join them first",
        file(whole[:name] + struct.pack("<I", 99) + whole[name + 4 :], "new.gguf"): "In new.gguf tensor 'odd' is of GGML type 99",
        written(tmp_path / "t.gguf", table=np.ascontiguousarray(TABLE.T)): "70 × 256, token_embd.weight of t.gguf is 256 × 70",
    }.items():
        with pytest.raises(InputError, match=words):
            gguf_model(given, result.shape)
    with pytest.raises(InputError, match=r"model.gguf has no tensor output.weight"):
        gguf_model(path, result.shape, "output.weight")


def test_a_table_that_would_not_do_is_refused_and_nothing_is_left(tmp_path, result):
    model = gguf_model(written(tmp_path / "model.gguf"), result.shape)
    with pytest.raises(ValueError, match=r"rows of 256 numbers can be stored as F32, BF16, .*, got Q9_0"):
        write_gguf(result, model, tmp_path / "x.gguf", "Q9_0")
    with pytest.raises(ValueError, match=r"must end in \.gguf, got .*x\.bin"):
        write_gguf(result, model, tmp_path / "x.bin")
    with pytest.raises(InputError, match=r"model\.gguf is the model’s own file"):
        write_gguf(result, model, model.path)
    other = SVD(j=60).fit(EmbeddingMatrix(TABLE[::-1].copy()))
    with pytest.raises(InputError, match=r"not of the model in model.gguf: a table of zeros is nearer to token_embd.weight"):
        write_gguf(other, model, tmp_path / "x.gguf")
    for far in (1e9, 1e-20):
        table = Int8().fit(EmbeddingMatrix(TABLE * np.float32(far)))
        for dtype in ("Q8_0", "Q6_K"):
            with pytest.raises(InputError, match=rf"too large or too small for {dtype} in model\.gguf; take another type\."):
                write_gguf(table, model, tmp_path / "x.gguf", dtype)
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


def test_the_command_writes_the_model_and_tells_what_rounding_costs(tmp_path, result, capsys):
    written(tmp_path / "model.gguf")
    result.save(tmp_path / "x.safetensors")
    command = ["export", str(tmp_path / "x.safetensors"), "--as", "gguf", "--out", str(tmp_path / "out.gguf")]
    assert main([*command, "--source", str(tmp_path), "--type", "Q4_0", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["table"] == "Q4_0" and row["tied"] and 0 < row["rounding"] < row["error"]
    assert row["model_bytes"] == (tmp_path / "out.gguf").stat().st_size < row["model_bytes_before"]
    assert main(command) == 2 and "--as gguf needs --model" in capsys.readouterr().err


def test_a_tensor_that_is_named_is_that_of_the_source_where_the_model_is_another_file(tmp_path, result):
    written(tmp_path / "model.gguf")
    result.save(tmp_path / "x.safetensors")
    np.savez(tmp_path / "tables.npz", table=TABLE, other=TABLE)
    command = ["export", tmp_path / "x.safetensors", "--as", "gguf", "--source", tmp_path / "tables.npz", "--tensor", "table"]
    assert main([str(each) for each in (*command, "--model", tmp_path / "model.gguf", "--out", tmp_path / "out.gguf")]) == 0
    assert (tmp_path / "out.gguf").is_file()
