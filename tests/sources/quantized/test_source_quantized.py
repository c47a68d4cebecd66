"""Tables in fewer bits than float16, packed here by hand as each scheme says, or by torch."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from compress import InputError
from compress.sources import load_matrix

N, D, GROUP = 32, 256, 64
WORDS = [f"term{row}" for row in range(N)]
E = "model.embed_tokens."
rng = np.random.default_rng(7)
OTHER = {
    "lm_head.weight": torch.from_numpy(rng.standard_normal((N, D)).astype("f4")).bfloat16(),
    "model.layers.0.mlp.up_proj.weight": torch.from_numpy(rng.standard_normal((40, D)).astype("f4")).bfloat16(),
}
F4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6], "f4")


def tensors(**arrays):
    """Arrays as tensors of the embedding, "__" in a name for a dot; those that are tensors already stay so."""
    return {
        E + name.replace("__", "."): each if isinstance(each, torch.Tensor) else torch.from_numpy(np.array(each, order="C"))
        for name, each in arrays.items()
    }


def folder(path, held, config=None, tokens=True):
    path.mkdir(exist_ok=True)
    save_file(held | OTHER, path / "model.safetensors")
    if config is not None:
        (path / "config.json").write_text(json.dumps(config))
    if tokens:
        vocabulary = {"model": {"type": "WordLevel", "vocab": {word: row for row, word in enumerate(WORDS)}}, "added_tokens": []}
        (path / "tokenizer.json").write_text(json.dumps(vocabulary))
    return path


def stream(numbers, bits):
    """Rows of numbers of so many bits one after another, lowest bit first, in words of 32 bits."""
    each = np.array([[number >> bit & 1 for number in row for bit in range(bits)] for row in numbers.tolist()], np.uint8)
    return np.packbits(each, axis=1, bitorder="little").view("<u4")


def grouped(shape=(N, D), group=GROUP, low=0, high=16):
    return rng.integers(low, high, shape), rng.random((shape[0], shape[1] // group)).astype("f2") + np.float16(0.01)


def wide(scales, group=GROUP):
    return np.repeat(scales.astype("f4"), group, axis=1)


def mlx(bits, group=GROUP):
    numbers, scales = grouped(group=group, high=1 << bits)
    biases = rng.standard_normal(scales.shape).astype("f2")
    held = tensors(weight=stream(numbers, bits), scales=scales, biases=biases)
    config = {"model_type": "llama", "vocab_size": N, "quantization": {"group_size": group, "bits": bits}}
    return held, config, numbers * wide(scales, group) + wide(biases, group)


def mlx_own():
    """One module that has other settings than the rest."""
    held, config, values = mlx(8)
    config["quantization"] |= {"bits": 2, "model.embed_tokens": {"bits": 8, "group_size": GROUP}}
    return held, config, values


def mlx_floats():
    numbers, scales = rng.integers(0, 16, (N, D)), rng.integers(120, 130, (N, D // 32), dtype=np.uint8)
    config = {"quantization": {"group_size": 32, "bits": 4, "mode": "mxfp4"}}
    return tensors(weight=stream(numbers, 4), scales=scales), config, F4[numbers] * np.repeat(2.0 ** (scales - 127.0), 32, axis=1)


def gptq(bits=4, v2=False, ordered=True):
    numbers, scales = grouped(high=1 << bits)
    zeros = rng.integers(0, 1 << bits, scales.shape)
    groups = np.arange(D, dtype=np.int32) // GROUP if ordered else rng.integers(0, D // GROUP, D, dtype=np.int32)
    held = {
        "qweight": stream(numbers, bits).T.view("<i4"),
        "qzeros": stream(zeros.T, bits).view("<i4"),
        "scales": scales.T,
        "g_idx": groups,
    }
    config = {"quantization_config": {"quant_method": "gptq", "bits": bits, "group_size": GROUP}}
    config["quantization_config"]["checkpoint_format"] = "gptq_v2" if v2 else "gptq"
    stands_for = zeros if v2 else (zeros + 1) % (1 << bits)
    values = (numbers - stands_for[:, groups]) * scales.astype("f4")[:, groups]
    return tensors(**held), config, values


def awq():
    numbers, scales = grouped()
    zeros = rng.integers(0, 16, scales.shape)
    place = [0, 2, 4, 6, 1, 3, 5, 7]

    def packed(each):  # (rows, n) to (rows, n / 8)
        eight = each.reshape(len(each), -1, 8)[:, :, place].astype(np.uint32)
        return (eight << (4 * np.arange(8, dtype=np.uint32))).sum(axis=2, dtype=np.uint32).view(np.int32)

    held = tensors(qweight=packed(numbers.T), qzeros=packed(zeros.T), scales=scales.T)
    config = {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": GROUP}}
    return held, config, (numbers - wide(zeros)) * wide(scales)


def compressed_tensors(zeros=False, bits=4):
    numbers, scales = grouped(high=1 << bits)
    held = {"weight_packed": stream(numbers, bits).view("<i4"), "weight_scale": scales, "weight_shape": np.array([N, D])}
    shift = rng.integers(0, 1 << bits, scales.shape) if zeros else np.full(scales.shape, 1 << (bits - 1))
    if zeros:
        held["weight_zero_point"] = np.ascontiguousarray(stream(shift.T, bits).T).view("<i4")
    group = {"group_0": {"weights": {"num_bits": bits, "group_size": GROUP, "type": "int"}}}
    config = {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": group}}
    return tensors(**held), config, (numbers - wide(shift)) * wide(scales)


def bitsandbytes(nested=False, kind="nf4"):
    codes = np.sort(rng.standard_normal(16)).astype("f4")
    numbers, absmax = rng.integers(0, 16, N * D), rng.random(N * D // GROUP).astype("f4") + 1
    state = {"quant_type": kind, "blocksize": GROUP, "dtype": "bfloat16", "shape": [N, D]}
    packed = (numbers[::2] << 4 | numbers[1::2]).astype(np.uint8)[:, None]
    held = {"weight": packed, "weight__absmax": absmax, "weight__quant_map": codes}
    if nested:
        own, outer, code = (
            rng.integers(0, 256, len(absmax), dtype=np.uint8),
            np.array([2.0], "f4"),
            np.linspace(0, 1, 256, dtype="f4"),
        )
        held |= {"weight__absmax": own, "weight__nested_absmax": outer, "weight__nested_quant_map": code}
        state |= {"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.25}
        absmax = code[own] * outer[0] + 0.25
    held[f"weight__quant_state__bitsandbytes__{kind}"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    made = {name.replace("bitsandbytes.", "bitsandbytes__"): each for name, each in tensors(**held).items()}
    return made, {}, (codes[numbers] * np.repeat(absmax, GROUP)).reshape(N, D)


def eight_bits():
    return torch.from_numpy(rng.integers(-127, 128, (N, D), dtype=np.int8))


def scaled(key, shape, numbers=None, **more):
    numbers = eight_bits() if numbers is None else numbers
    scale = rng.random(shape).astype("f4") + np.float32(0.01)
    return tensors(weight=numbers, **{key: scale}, **more), {}, numbers.float().numpy(), scale


def int8(key, shape):
    held, config, values, scale = scaled(key, shape)
    return held, config, values * (scale[:, None] if scale.shape == (N,) else scale)


def llm_int8():
    held, config, values, scale = scaled("SCB", (N,), weight_format=np.uint8(0))
    return held, config, values * scale[:, None] / 127


def with_zeros():
    zeros = rng.integers(-9, 9, (N, 1), dtype=np.int8)
    held, config, values, scale = scaled("weight_scale", (N, 1), weight_zero_point=zeros)
    return held, config, (values - zeros) * scale


def fp8(dtype, key=None, shape=(), config=None):
    numbers = torch.from_numpy(rng.standard_normal((N, D)).astype("f4")).to(dtype)
    if key is None:
        return tensors(weight=numbers), config, numbers.float().numpy()
    held, _, values, scale = scaled(key, shape, numbers)
    for axis, size in enumerate((N, D)):
        if scale.ndim == 2 and scale.shape[axis] not in (1, size):
            block = (config or {}).get("quantization_config", {}).get("weight_block_size", [128, 128])[axis]
            scale = np.repeat(scale, block, axis)[: N if axis == 0 else None, : D if axis == 1 else None]
    return held, config, values * (scale[:, None] if scale.shape == (N,) else scale)


def mxfp8():
    held, _, values, _ = scaled(
        "weight_scale", (1,), torch.from_numpy(rng.standard_normal((N, D)).astype("f4")).to(torch.float8_e4m3fn)
    )
    scales = rng.integers(120, 130, (N, D // 32), dtype=np.uint8)
    return held | tensors(weight_scale=scales), {}, values * np.repeat(2.0 ** (scales - 127.0), 32, axis=1)


def nvfp4(names):
    own, again = names
    numbers = rng.integers(0, 16, (N, D))
    scales = torch.from_numpy(rng.random((N, D // 16)).astype("f4") + 0.5).to(torch.float8_e4m3fn)
    whole = np.array([0.75], "f4")
    held = {own: (numbers[:, ::2] | numbers[:, 1::2] << 4).astype(np.uint8), "weight_scale": scales, again: whole}
    times = 1 / whole if again == "weight_global_scale" else whole
    return tensors(**held), {}, F4[numbers] * np.repeat(scales.float().numpy(), 16, axis=1) * times


def torchao_int4():
    numbers, scales = grouped(low=-8, high=8)
    zeros = rng.standard_normal(scales.shape).astype("f2")
    packed = (numbers[:, ::2] & 15 | (numbers[:, 1::2] & 15) << 4).astype(np.uint8)
    held = tensors(_weight_qdata=packed, _weight_scale=scales.T, _weight_zero_point=zeros.T)
    return held, {}, numbers * wide(scales) + wide(zeros)


def torchao(names):
    held, config, values, scale = scaled("weight_scale", (N, 1))
    renamed = {E + names[0]: held[E + "weight"], E + names[1]: held[E + "weight_scale"]}
    return renamed, config, values * scale


SCHEMES = {
    **{f"MLX in {bits} bits": lambda bits=bits: mlx(bits) for bits in (2, 3, 4, 5, 6, 8)},
    "MLX, groups of 32": lambda: mlx(4, 32),
    "MLX, a module of its own": mlx_own,
    "MLX mxfp4": mlx_floats,
    **{f"GPTQ in {bits} bits": lambda bits=bits: gptq(bits) for bits in (2, 3, 4, 8)},
    "GPTQ, the second version": lambda: gptq(v2=True),
    "GPTQ, columns in an order of their own": lambda: gptq(ordered=False),
    "AWQ": awq,
    "compressed-tensors": compressed_tensors,
    "compressed-tensors with zeros": lambda: compressed_tensors(zeros=True),
    "compressed-tensors in 3 bits that go on in the next word": lambda: compressed_tensors(zeros=True, bits=3),
    "compressed-tensors in 7 bits": lambda: compressed_tensors(bits=7),
    "NF4": bitsandbytes,
    "FP4": lambda: bitsandbytes(kind="fp4"),
    "NF4, nested": lambda: bitsandbytes(nested=True),
    "LLM.int8": llm_int8,
    "integers with zeros": with_zeros,
    **{
        f"{key} {shape}": lambda key=key, shape=shape: int8(key, shape)
        for key in ("weight_scale", "scales")
        for shape in [(N, 1), (N,), (1,)]
    },
    "quanto": lambda: torchao(("weight._data", "weight._scale")),
    "torchao": lambda: torchao(("_weight_qdata", "_weight_scale")),
    "torchao of old": lambda: torchao(("weight:qdata", "weight:scale")),
    "torchao in 4 bits": torchao_int4,
    "E4M3 alone": lambda: fp8(torch.float8_e4m3fn),
    "E5M2 alone": lambda: fp8(torch.float8_e5m2),
    "E4M3 a tensor": lambda: fp8(torch.float8_e4m3fn, "weight_scale", ()),
    "E4M3 a row": lambda: fp8(torch.float8_e4m3fn, "weight_scale", (N, 1)),
    "E5M2 a row": lambda: fp8(torch.float8_e5m2, "scale_weight", (N,)),
    "E4M3 a block": lambda: fp8(torch.float8_e4m3fn, "weight_scale_inv", (1, D // 128)),
    "E4M3 a block that is told": lambda: fp8(
        torch.float8_e4m3fn, "weight_scale_inv", (4, 2), {"quantization_config": {"weight_block_size": [10, 128]}}
    ),
    "mxfp8": mxfp8,
    "NVFP4": lambda: nvfp4(("weight_packed", "weight_global_scale")),
    "NVFP4 of ModelOpt": lambda: nvfp4(("weight", "weight_scale_2")),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_quantized_table_is_decoded_and_the_scheme_said(tmp_path, scheme):
    held, config, values = SCHEMES[scheme]()
    matrix = load_matrix(folder(tmp_path / "model", held, config))
    np.testing.assert_allclose(matrix.values, values, rtol=2e-6, atol=1e-6)
    assert list(matrix.tokens) == WORDS
    assert matrix.stored.n_bytes <= sum(each.nbytes for each in held.values())
    assert matrix.notes[0].endswith("errors are against what that decodes to.")


def test_the_scheme_and_its_bits_are_said_in_words(tmp_path):
    held, config, _ = mlx(4)
    told = load_matrix(folder(tmp_path, held, config)).notes[0]
    assert told == "Stored as MLX in 4 bits, groups of 64, 4.5 bits a number; errors are against what that decodes to."


@pytest.mark.parametrize("scheme", ["MLX in 4 bits", "NF4, nested", "E4M3 a row", "LLM.int8"])
def test_the_same_holds_in_a_single_file_in_parts_and_in_a_file_of_torch(tmp_path, scheme):
    held, config, values = SCHEMES[scheme]()
    whole = folder(tmp_path / "a", held, config, tokens=False) / "model.safetensors"
    torch.save(held | OTHER, whole.with_name("model.pt"))
    parts = tmp_path / "b"
    parts.mkdir()
    (parts / "config.json").write_text(json.dumps(config or {}))
    names = {name: f"model-0000{1 + (name == E + 'weight')}-of-00002.safetensors" for name in held | OTHER}
    for file in set(names.values()):
        save_file({name: (held | OTHER)[name] for name in names if names[name] == file}, parts / file)
    (parts / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    for source in (whole, whole.with_name("model.pt"), parts):
        np.testing.assert_allclose(load_matrix(source).values, values, rtol=2e-6, atol=1e-6, err_msg=str(source))


def test_on_the_hub_the_packed_table_what_decodes_it_and_the_config_are_fetched(hub, tmp_path):
    held, config, values = mlx(4)
    made = folder(tmp_path / "m", held | {"model.layers.1.up.weight": torch.zeros(4000, D)}, config)
    for file in made.iterdir():
        for revision in ("main", hub.commit):
            hub.files[f"/org/name/resolve/{revision}/{file.name}"] = file.read_bytes()
    matrix = load_matrix("hub:org/name")
    np.testing.assert_allclose(matrix.values, values, rtol=2e-6, atol=1e-6)
    assert hub.sent <= sum(each.nbytes for each in held.values()) + (100 << 10)


def without(held, name):
    return {key: each for key, each in held.items() if key != E + name}


UNTOLD = {
    "MLX without a config": lambda: (mlx(4)[0], None),
    "NF4 without a state": lambda: ({k: v for k, v in bitsandbytes()[0].items() if "state" not in k}, None),
    "bytes with scales of no scheme": lambda: (tensors(weight=np.zeros((N, D), "u1"), codebook_scales=np.ones(3, "f4")), None),
    "FP8 with scales of another name": lambda: (fp8(torch.float8_e4m3fn)[0] | tensors(rescaled=np.ones((N, 1), "f4")), None),
    "bytes with steps": lambda: (tensors(weight=eight_bits(), step=np.ones((N, 1), "f4")), None),
    "bytes with a scale and a least": lambda: (
        tensors(weight=eight_bits(), scale=np.ones(N, "f4"), min=np.ones(N, "f4")),
        None,
    ),
    "HQQ": lambda: (tensors(W_q=np.ones((N, D), "u1"), scale=np.ones((5, 7), "f4"), zero=np.ones((5, 7), "f4")), None),
    "scales of other rows": lambda: (tensors(weight=eight_bits(), weight_scale=np.ones((N + 1, 1), "f4")), None),
    "MLX, scales of other rows": lambda: (
        tensors(weight=stream(rng.integers(0, 9, (N, D)), 4), scales=np.ones((3, 4), "f2")),
        None,
    ),
    "MLX, bits that do not fit": lambda: (mlx(4)[0], {"quantization": {"bits": 7, "group_size": 1 << 40}}),
    "GPTQ, a group that is not there": lambda: (gptq()[0] | tensors(g_idx=np.full(D, 99, "i4")), gptq()[1]),
    "GPTQ, zeros of other rows": lambda: (gptq()[0] | tensors(qzeros=np.ones((1, 1), "i4")), gptq()[1]),
    "AWQ of other words": lambda: (awq()[0] | tensors(qweight=np.ones((7, 5), "i4")), {}),
    "a shape that is not there": lambda: (compressed_tensors()[0] | tensors(weight_shape=np.array([N, 1 << 60])), {}),
    "a state of another shape": lambda: (
        bitsandbytes()[0]
        | {
            E + "weight.quant_state.bitsandbytes__nf4": torch.tensor(
                list(b'{"shape": [9000000000, 9000000000]}'), dtype=torch.uint8
            )
        },
        None,
    ),
    "a state that is no JSON": lambda: (
        bitsandbytes()[0] | {E + "weight.quant_state.bitsandbytes__nf4": torch.zeros(9, dtype=torch.uint8)},
        None,
    ),
}


@pytest.mark.parametrize("what", UNTOLD)
def test_what_cannot_be_decoded_is_said_to_be_quantized_and_nothing_else_is_taken(tmp_path, what):
    held, config = UNTOLD[what]()
    with pytest.raises(InputError, match=r"is quantized and cannot be decoded: .*\.$") as refused:
        load_matrix(folder(tmp_path / "model", held, config))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("shape", [(N * D,), (N, D // 8, 1)])
def test_a_table_packed_in_a_tensor_that_is_no_matrix_is_named(tmp_path, shape):
    held = tensors(codes=np.ones(shape, np.int16), codebooks=np.ones((1, 4, 1, 8), "f4"))
    with pytest.raises(InputError, match=r"'model\.embed_tokens\.codes', is stored as int16, which is not read"):
        load_matrix(folder(tmp_path / "model", held) / "model.safetensors")
    config = json.dumps({"vocab_size": N, "hidden_size": D})
    (tmp_path / "model" / "config.json").write_text(config)
    for _ in ("safetensors", "torch"):
        with pytest.raises(InputError, match="is stored as int16"):
            load_matrix(tmp_path / "model")
        (tmp_path / "model" / "model.safetensors").unlink(missing_ok=True)
        torch.save(held | OTHER, tmp_path / "model" / "pytorch_model.bin")


@pytest.mark.parametrize("kind", ["npz", "h5", "onnx", "parts of torch"])
def test_integers_are_decoded_by_the_scales_beside_them_in_files_of_every_kind(tmp_path, kind):
    numbers, scale = rng.integers(-127, 128, (N, D), dtype=np.int8), np.array([0.5], "f4")
    held = {"embed.weight": numbers, "embed.weight_scale": scale}
    path = tmp_path / f"a.{kind}"
    if kind == "npz":
        np.savez(path, **held)
    elif kind == "h5":
        with pytest.importorskip("h5py").File(path, "w") as file:
            for name, each in held.items():
                file[name.replace(".", "/")] = each
    elif kind == "onnx":
        onnx = pytest.importorskip("onnx")
        every = [onnx.numpy_helper.from_array(each, name) for name, each in held.items()]
        onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], every)), path)
    else:
        path, files = tmp_path, dict(zip(held, ("a.bin", "b.bin"), strict=True))
        for name, file in files.items():
            torch.save({name: torch.from_numpy(held[name])}, tmp_path / file)
        (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": files}))
    matrix = load_matrix(path)
    np.testing.assert_array_equal(matrix.values, numbers * scale)
    assert "scale" in matrix.notes[0]


def test_bytes_that_do_not_fill_a_packed_tensor_are_refused(tmp_path, write_safetensors):
    held = {
        E + "weight": ("U32", (N, 32), bytes(8)),
        E + "scales": ("F16", (N, 4), bytes(8 * N)),
        E + "biases": ("F16", (N, 4), bytes(8 * N)),
    }
    (tmp_path / "config.json").write_text(json.dumps({"quantization": {"bits": 4, "group_size": 64}}))
    with pytest.raises(InputError, match="does not take"):
        load_matrix(write_safetensors(tmp_path / "model.safetensors", held))


@pytest.mark.parametrize("scheme", ["MLX in 4 bits", "GPTQ in 4 bits", "NF4, nested", "E4M3 a row", "NVFP4"])
def test_a_truncated_or_changed_file_gives_a_matrix_or_a_plain_sentence(tmp_path, scheme):
    held, config, _ = SCHEMES[scheme]()
    path = folder(tmp_path / "m", held, config) / "model.safetensors"
    data = path.read_bytes()
    starts = [data[: len(data) * part // 8] for part in range(8)]
    for text in starts + [data[:at] + bytes([data[at] ^ 3]) + data[at + 1 :] for at in rng.integers(8, 1500, 30).tolist()]:
        path.write_bytes(text)
        try:
            load_matrix(path.parent)
        except InputError as error:
            assert "\n" not in str(error) and str(tmp_path) not in str(error).replace(str(path.parent), "")
