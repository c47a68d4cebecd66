"""Tables in GGUF files, which the format's own package writes here."""

import json
import struct

import numpy as np
import pytest

from compress import InputError
from compress.matrix import Stored
from compress.sources import TensorInfo, load_matrix, tensors

gguf = pytest.importorskip("gguf")

Kind = gguf.GGMLQuantizationType
N, D = 40, 512
WORDS = [f"w{row}" for row in range(N)]


def decodes(kind):
    try:
        gguf.dequantize(np.zeros((1, gguf.GGML_QUANT_SIZES[kind][1]), np.uint8), kind)
    except NotImplementedError:
        return False
    return True


QUANTIZED = [kind for kind in Kind if not kind.name.startswith(("F", "I8", "I16", "I32", "I64")) and decodes(kind)]


def written(path, tensors, tokens=WORDS, parts=0, alignment=None):
    """tensors: name to (bytes of rows, type) or to an array. parts: how many tensors a file has, where there are several files."""
    kind = {"split_max_tensors": parts, "small_first_shard": False} if parts else {}
    writer = gguf.GGUFWriter(path, "llama", **kind)
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_uint32("llama.embedding_length", D)
    if tokens:
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(tokens)
        writer.add_token_scores([0.0] * len(tokens))
        writer.add_token_merges(["w 0", "w 1"])
    for name, tensor in tensors.items():
        if isinstance(tensor, tuple):
            writer.add_tensor(name, tensor[0], raw_dtype=tensor[1])
        else:
            writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def table():
    return np.random.default_rng(3).standard_normal((N, D)).astype(np.float32)


@pytest.fixture(scope="module")
def packed(table):
    return gguf.quantize(table, Kind.Q8_0)


@pytest.fixture
def file(tmp_path, packed):
    """A table between other tensors that have more rows."""
    other = np.ones((100, D), np.float32)
    return written(tmp_path / "small.gguf", {"blk.0.ffn_up.weight": other, "token_embd.weight": (packed, Kind.Q8_0), "z": other})


def test_every_type_that_gguf_decodes_is_read_as_it_decodes(tmp_path):
    rng, held = np.random.default_rng(0), {}
    for kind in QUANTIZED:
        in_block, n_bytes = gguf.GGML_QUANT_SIZES[kind]
        held[kind.name] = rng.integers(0, 32, (N, D // in_block * n_bytes), dtype=np.uint8), kind  # small: no scale is infinite
    path = written(tmp_path / "all.gguf", held, alignment=64)
    assert len(held) > 20
    for name, (rows, kind) in held.items():
        matrix = load_matrix(path, tensor=name)
        np.testing.assert_array_equal(matrix.values, gguf.dequantize(rows, kind), err_msg=name)
        assert matrix.stored == Stored(name if kind != Kind.BF16 else "bfloat16", rows.nbytes)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_numbers_that_are_not_quantized_are_read(tmp_path, table, dtype):
    path = written(tmp_path / "plain.gguf", {"token_embd.weight": table.astype(dtype)})
    matrix = load_matrix(path)
    np.testing.assert_array_equal(matrix.values, table.astype(dtype).astype(np.float32))
    assert matrix.stored == (None if dtype == np.float32 else Stored(np.dtype(dtype).name, table.astype(dtype).nbytes))


def test_the_table_of_tokens_is_taken_with_the_names_of_the_vocabulary(file, packed):
    matrix = load_matrix(file)
    np.testing.assert_array_equal(matrix.values, gguf.dequantize(packed, Kind.Q8_0))
    assert list(matrix.tokens) == WORDS
    assert matrix.notes == ("Stored as Q8_0, 8.5 bits a number; errors are against what that decodes to.",)
    assert tensors(file)[0] == TensorInfo("token_embd.weight", (N, D), "Q8_0")


def test_a_vocabulary_of_another_length_names_nothing(file):
    assert not load_matrix(file, tensor="z").has_tokens


def test_a_file_in_parts_is_read_from_any_of_them_and_from_their_folder(tmp_path, table):
    held = {"blk.0.ffn_up.weight": np.ones((100, D), np.float32), "blk.1.ffn_up.weight": np.ones((9, D), np.float32)}
    written(tmp_path / "model.gguf", held | {"token_embd.weight": table}, parts=1)
    parts = sorted(tmp_path.glob("*-of-00003.gguf"))
    assert len(parts) == 3
    for source in (*parts, tmp_path):
        matrix = load_matrix(source)
        np.testing.assert_array_equal(matrix.values, table)
        assert list(matrix.tokens) == WORDS
    parts[1].unlink()
    with pytest.raises(InputError, match=r"model-00002-of-00003\.gguf is missing"):
        load_matrix(parts[0])


def test_of_two_models_in_a_folder_one_is_to_be_named(tmp_path, table):
    for name in ("a.gguf", "b.gguf"):
        written(tmp_path / name, {"token_embd.weight": table})
    with pytest.raises(InputError, match=r"a\.gguf, b\.gguf"):
        load_matrix(tmp_path)


def test_a_type_that_gguf_does_not_decode_is_named(tmp_path):
    path = written(tmp_path / "odd.gguf", {"token_embd.weight": (np.zeros((N, 2 * 292), np.uint8), Kind.Q8_K)})
    with pytest.raises(InputError, match=r"odd\.gguf is stored as Q8_K, which is not read"):
        load_matrix(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<IQ", Kind.Q8_K, 0), struct.pack("<IQ", 99, 0)))
    with pytest.raises(InputError, match=r"odd\.gguf is stored as GGML type 99, which is not read"):
        load_matrix(path)


def string(text):
    return struct.pack("<Q", len(text)) + text


def header(n_tensors=0, n_facts=0, rest=b"", version=3):
    return struct.pack("<4sIQQ", b"GGUF", version, n_tensors, n_facts) + rest


HUGE = 1 << 62
HOSTILE = {
    "no header": b"GGUF",
    "version": header(version=1),
    "big-endian": header(version=3 << 24),
    "tensors": header(n_tensors=HUGE),
    "facts": header(n_facts=HUGE),
    "length of a name": header(n_facts=1, rest=struct.pack("<Q", HUGE)),
    "tokens": header(n_facts=1, rest=string(b"tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, HUGE)),
    "length of a token": header(n_facts=1, rest=string(b"tokenizer.ggml.tokens") + struct.pack("<IIQQ", 9, 8, 1, HUGE)),
    "numbers": header(n_facts=1, rest=string(b"x") + struct.pack("<IIQ", 9, 4, HUGE)),
    "arrays in arrays": header(n_facts=1, rest=string(b"x") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 1000),
    "alignment": header(1, 1, string(b"general.alignment") + struct.pack("<II", 4, 1 << 31) + bytes(64)),
    "type of a fact": header(n_facts=1, rest=string(b"x") + struct.pack("<I", 77)),
    "dimensions": header(1, rest=string(b"token_embd.weight") + struct.pack("<I", 1 << 31)),
    "shape": header(1, rest=string(b"token_embd.weight") + struct.pack("<IQQIQ", 2, HUGE, HUGE, 0, 0)),
    "offset": header(1, rest=string(b"token_embd.weight") + struct.pack("<IQQIQ", 2, 4, 4, 0, HUGE) + bytes(64)),
    "rows that are no blocks": header(1, rest=string(b"token_embd.weight") + struct.pack("<IQQIQ", 2, 5, 4, 8, 0) + bytes(64)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_header_that_claims_what_is_not_there_is_refused(tmp_path, what):
    path = tmp_path / "evil.gguf"
    path.write_bytes(HOSTILE[what])
    for use in (load_matrix, tensors):
        with pytest.raises(InputError, match=r"evil\.gguf") as refused:
            use(path)
        assert str(tmp_path) not in str(refused.value)


def test_a_tensor_that_is_named_twice_is_refused(tmp_path, table):
    path = written(tmp_path / "a.gguf", {"token_embd.weight": table, "token_embd.weighs": table})
    path.write_bytes(path.read_bytes().replace(b"token_embd.weighs", b"token_embd.weight"))
    with pytest.raises(InputError, match="names a tensor twice"):
        load_matrix(path)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put(hub, name, path):
    for revision in ("main", COMMIT):
        hub.files[f"/org/name/resolve/{revision}/{name}"] = path.read_bytes()


def test_of_a_file_on_the_hub_the_table_and_little_else_is_fetched(hub, file, packed):
    put(hub, "small.Q8_0.gguf", file)
    hub.files["/api/models/org/name/revision/main"] = json.dumps({"siblings": [{"rfilename": "small.Q8_0.gguf"}]}).encode()
    for source in ("hub:org/name/small.Q8_0.gguf", "hub:org/name"):
        hub.sent = 0
        matrix = load_matrix(source)
        np.testing.assert_array_equal(matrix.values, gguf.dequantize(packed, Kind.Q8_0))
        assert (list(matrix.tokens), matrix.stored) == (WORDS, Stored("Q8_0", packed.nbytes))
        assert hub.sent <= packed.nbytes + (68 << 10)
    hub.refusals = dict.fromkeys(hub.files, (503, ""))
    np.testing.assert_array_equal(load_matrix("hub:org/name").values, matrix.values)


def test_a_long_vocabulary_on_the_hub_is_fetched_as_far_as_it_goes(hub, tmp_path, packed):
    facts = written(
        tmp_path / "long.gguf", {"a": np.ones((4000, D), np.float32), "token_embd.weight": (packed, Kind.Q8_0)}, ["x" * 9000] * N
    )
    put(hub, "long.gguf", facts)
    matrix = load_matrix("hub:org/name/long.gguf")
    np.testing.assert_array_equal(matrix.values, gguf.dequantize(packed, Kind.Q8_0))
    assert matrix.tokens[3] == "x" * 9000
    assert hub.sent <= packed.nbytes + 9000 * N + (1 << 20)


def test_parts_on_the_hub_are_read(hub, tmp_path, table):
    written(tmp_path / "m.gguf", {"a": np.ones((9, D), np.float32), "token_embd.weight": table}, parts=1)
    for part in tmp_path.glob("m-*.gguf"):
        put(hub, part.name, part)
    matrix = load_matrix("hub:org/name/m-00001-of-00002.gguf")
    np.testing.assert_array_equal(matrix.values, table)


def test_of_several_files_on_the_hub_one_is_to_be_named(hub):
    names = [{"rfilename": f"m.{kind}.gguf"} for kind in ("Q4_K_M", "Q8_0")]
    hub.files["/api/models/org/name/revision/main"] = json.dumps({"siblings": names}).encode()
    with pytest.raises(InputError, match=r"2 GGUF files \(m\.Q4_K_M\.gguf, m\.Q8_0\.gguf\); name one: hub:org/name/m\."):
        load_matrix("hub:org/name")
    with pytest.raises(InputError, match=r"org/name has no file n\.gguf"):
        load_matrix("hub:org/name/n.gguf")
