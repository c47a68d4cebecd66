"""Blocks with scales: the bytes of each format, GGUF's own decoder, what HQQ gains, and what odd widths fall back to."""

import gguf
import numpy as np
import pytest
import torch

import compress
from compress import EmbeddingMatrix
from compress.coding import packing
from compress.coding.block_formats import FORMATS, INSTEAD
from compress.export.decoders import decoder_of
from compress.methods import BlockFormats, Groups
from compress.methods.blocks import dynamic_table
from compress.sources.quantized import bitsandbytes

ROWS, WIDE = 24, 512
Kind = gguf.GGMLQuantizationType
IN_GGUF = [name for name in FORMATS if name not in ("NF4", "NF4_nested")]


@pytest.fixture(scope="module")
def matrix():
    values = np.random.default_rng(0).standard_t(4, (ROWS, WIDE)) * np.geomspace(0.01, 3, ROWS)[:, None]
    values[3, :256] = 0
    values[4, 32:64] = np.abs(values[4, 32:64])
    return EmbeddingMatrix(values.astype(np.float32))


def nibbles(codes, size):
    """GGUF's bytes of numbers below 16 in blocks: the first half of a block low, the second high."""
    halves = codes.reshape(-1, 2, size // 2)
    return halves[:, 0] | halves[:, 1] << 4


def in_fours(codes):
    """GGUF's bytes of numbers below 4, 256 a row: of each 128 four times 32 in a byte."""
    parts = codes.reshape(-1, 2, 4, 32) << np.array([0, 2, 4, 6], np.uint8)[:, None]
    return np.bitwise_or.reduce(parts, axis=2).reshape(-1, 64)


def top_bits(codes, bit, size):
    """(…, size // 8): that bit of each number of a block, the lowest first."""
    return np.packbits((codes.reshape(-1, size) >> bit & 1).astype(np.uint8), axis=1, bitorder="little")


def six_bits(scales, zeros):
    """The 12 bytes of eight scales and eight zeros of 6 bits."""
    low, high = (each[:, :4] | (each[:, 4:] >> 4) << 6 for each in (scales, zeros))
    return np.concatenate([low, high, scales[:, 4:] & 15 | (zeros[:, 4:] & 15) << 4], axis=1)


def as_gguf(result):
    """The bytes that llama.cpp would hold of a fit, written by its layouts of blocks: (blocks, bytes of a block)."""
    name = result.method.format
    kept, arrays = FORMATS[name], result.arrays
    size = 256 if kept.scale_bits else kept.block
    codes = packing.read_stream(arrays["codes"], kept.bits, np.arange(ROWS * WIDE)).astype(np.uint8).reshape(-1, size)
    floats = {
        key: np.ascontiguousarray(arrays[key].reshape(-1, 1)).view(np.uint8).reshape(len(codes), -1)
        for key in arrays
        if arrays[key].dtype == np.float16
    }
    if not kept.scale_bits:
        if name == "Q8_0":
            return np.concatenate([floats["scales"], codes ^ 128], axis=1)
        if name == "MXFP4":
            sizes = codes.astype(np.int8) - 8
            codes = np.where(sizes >= 0, sizes, 8 - sizes - 1).astype(np.uint8)
            return np.concatenate([arrays["scales"].reshape(-1, 1), nibbles(codes, 32)], axis=1)
        zeros = [(-arrays["zeros"].reshape(-1, 1)).view(np.uint8).reshape(len(codes), -1)] if kept.zeros else []
        high = [top_bits(codes, 4, 32)] if kept.bits == 5 else []
        return np.concatenate([floats["scales"], *zeros, *high, nibbles(codes & 15, 32)], axis=1)
    count = ROWS * WIDE // kept.block
    own = {
        key: packing.read_stream(arrays[key], kept.scale_bits, np.arange(count)).astype(np.uint8).reshape(len(codes), -1)
        for key in ("scales", "zeros")
        if key in arrays
    }
    scales = own["scales"]
    if name == "Q6_K":
        low = codes.reshape(-1, 2, 2, 2, 32) & 15
        high = codes.reshape(-1, 2, 4, 32) >> 4 << np.array([0, 2, 4, 6], np.uint8)[:, None]
        parts = (low[:, :, 0] | low[:, :, 1] << 4).reshape(-1, 128), np.bitwise_or.reduce(high, axis=2).reshape(-1, 64)
        return np.concatenate([*parts, scales ^ 128, floats["outer_scales"]], axis=1)
    if name == "IQ4_XS":
        high = np.bitwise_or.reduce((scales >> 4).astype(np.uint16) << np.arange(0, 16, 2, dtype=np.uint16), axis=1)
        low = scales[:, ::2] & 15 | (scales[:, 1::2] & 15) << 4
        packed = nibbles(codes, 32).reshape(len(codes), -1)
        return np.concatenate([floats["outer_scales"], high[:, None].view(np.uint8), low, packed], axis=1)
    if name == "Q3_K":
        low = scales[:, :8] & 15 | (scales[:, 8:] & 15) << 4
        high = np.bitwise_or.reduce((scales >> 4).reshape(-1, 4, 4) << np.array([0, 2, 4, 6], np.uint8)[:, None], axis=1)
        above = np.bitwise_or.reduce((codes >> 2).reshape(-1, 8, 32) << np.arange(8, dtype=np.uint8)[:, None], axis=1)
        return np.concatenate([above, in_fours(codes & 3), low, high, floats["outer_scales"]], axis=1)
    both = floats["outer_scales"], floats["outer_zeros"]
    if name == "Q2_K":
        return np.concatenate([scales | own["zeros"] << 4, in_fours(codes), *both], axis=1)
    low = codes.reshape(-1, 4, 2, 32) & 15
    high = np.bitwise_or.reduce((codes >> 4).reshape(-1, 8, 32) << np.arange(8, dtype=np.uint8)[:, None], axis=1)
    more = [high] if name == "Q5_K" else []
    return np.concatenate(
        [*both, six_bits(scales, own["zeros"]), *more, (low[:, :, 0] | low[:, :, 1] << 4).reshape(-1, 128)], axis=1
    )


@pytest.mark.parametrize("name", IN_GGUF)
def test_a_format_decodes_in_gguf_to_what_it_decodes_to_here_in_as_many_bytes(matrix, name):
    result = BlockFormats(name).fit(matrix)
    kept = as_gguf(result)
    size, n_bytes = gguf.GGML_QUANT_SIZES[Kind[name]]
    assert result.method == BlockFormats(name) and result.n_bytes == kept.size == ROWS * WIDE // size * n_bytes
    decoded = gguf.dequantize(np.ascontiguousarray(kept).reshape(ROWS, -1), Kind[name])
    np.testing.assert_allclose(decoded, result.reconstruct(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["Q8_0", "Q5_0", "Q5_1", "Q4_0", "MXFP4"])
def test_a_format_that_gguf_writes_holds_what_gguf_writes_but_for_ties(matrix, name):
    theirs = gguf.dequantize(gguf.quantize(matrix.values, Kind[name]), Kind[name])
    ours = BlockFormats(name).fit(matrix).reconstruct()
    apart = ~np.isclose(ours, theirs, rtol=1e-6, atol=1e-7)
    assert apart.mean() < 1e-3
    np.testing.assert_allclose(np.abs(ours - matrix.values)[apart], np.abs(theirs - matrix.values)[apart], rtol=0.05)


def test_more_bytes_lose_less_within_a_family(matrix):
    def lost(name):
        return compress.evaluate(matrix, BlockFormats(name).fit(matrix)).relative_error

    for family in (("Q8_0", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K"), ("Q8_0", "Q5_0", "Q4_0"), ("Q5_K", "Q5_1"), ("Q4_K", "Q4_0")):
        errors = [lost(name) for name in family]
        assert errors == sorted(errors) and errors[0] < errors[-1]
    assert lost("Q2_K") < 0.15 and lost("IQ4_XS") < lost("Q4_0") and lost("NF4") < 0.02


@pytest.mark.parametrize("name", INSTEAD)
def test_where_rows_are_no_multiple_of_256_llama_cpps_other_type_is_kept_and_said(matrix, name):
    narrow = EmbeddingMatrix(np.ascontiguousarray(matrix.values[:, :96]))
    result, other = BlockFormats(name).fit(narrow), BlockFormats(INSTEAD[name])
    assert result.method == other and result.n_bytes == BlockFormats(name).size(ROWS, 96) == other.size(ROWS, 96)
    assert np.array_equal(result.reconstruct(), other.fit(narrow).reconstruct())
    assert name not in BlockFormats.precisions(ROWS, 96)["format"] and name in BlockFormats.precisions(ROWS, WIDE)["format"]


@pytest.mark.parametrize("name", ["NF4", "NF4_nested"])
def test_nf4_takes_the_bytes_of_bitsandbytes_and_decodes_as_its_files_do(matrix, name, tmp_path):
    result = BlockFormats(name).fit(matrix)
    blocks = ROWS * WIDE // 64
    nested = blocks + 4 * -(-blocks // 256) + 4 + 1024
    assert result.n_bytes == ROWS * WIDE // 2 + (nested if "nested" in name else 4 * blocks)
    codes = packing.read_stream(result.arrays["codes"], 4, np.arange(ROWS * WIDE))
    scales = result.arrays["scales"].reshape(-1)
    if "nested" in name:
        outer = result.arrays["outer"][np.arange(blocks) // 256]
        scales = result.arrays["table"][scales] * outer + result.arrays["offset"]
    decoded = np.array(bitsandbytes.NF4, np.float32)[codes] * scales[np.arange(ROWS * WIDE) // 64]
    np.testing.assert_allclose(result.reconstruct().ravel(), decoded, rtol=1e-6)


def test_the_table_of_nested_scales_is_the_one_of_bitsandbytes():
    table = dynamic_table()
    assert len(table) == 256 and (np.diff(table) > 0).all() and table[[127, 255]].tolist() == [0, 1]
    assert table[0] == pytest.approx(-0.99296874) and table[128] == pytest.approx(5.5e-07) and table[254] == -table[0]


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("group", [32, 64, 128])
def test_a_group_takes_its_numbers_its_scale_and_its_zero(matrix, bits, group):
    for zero, more in (("none", 2), ("range", 4), ("hqq", 4)):
        assert Groups(bits, group, zero).fit(matrix).n_bytes == ROWS * WIDE * bits // 8 + ROWS * WIDE // group * more


def test_a_group_of_one_number_far_from_0_keeps_it():
    values = np.repeat(np.random.default_rng(0).uniform(50, 100, (6, 2)), 32, axis=1).astype(np.float32)
    for zero in ("range", "hqq"):
        np.testing.assert_allclose(Groups(4, 32, zero).fit(EmbeddingMatrix(values)).reconstruct(), values, rtol=1e-3)


def test_a_number_in_a_group_moves_half_a_step_and_both_ends_stay(matrix):
    result = Groups(bits=4, group=32).fit(matrix)
    steps = np.repeat(result.arrays["scales"].astype(np.float32), 32, axis=1)
    moved = np.abs(result.reconstruct() - matrix.values)
    assert (moved <= 0.51 * steps + 1e-3 * np.abs(matrix.values) + 1e-6).all()


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_hqqs_zeros_lose_less_than_those_by_range(matrix, bits):
    ranges, hqq = (compress.evaluate(matrix, Groups(bits, 64, zero).fit(matrix)) for zero in ("range", "hqq"))
    assert hqq.l1_error < 0.99 * ranges.l1_error and hqq.relative_error < ranges.relative_error


@pytest.mark.parametrize("name", [*INSTEAD, "Q5_1", "MXFP4"])
def test_rows_the_layer_and_the_exported_decoder_agree_where_scales_are_counted(matrix, name, tmp_path):
    result = BlockFormats(name).fit(matrix)
    result.save(tmp_path / "x.safetensors")
    whole, ids = result.reconstruct(), torch.arange(ROWS)
    read = compress.load(tmp_path / "x.safetensors")
    layers = result.to_layer(), result.to_layer().trainable(), decoder_of("blocks").load(tmp_path / "x.safetensors")
    for other in (read.reconstruct(), *(layer(ids).detach().numpy() for layer in layers)):
        np.testing.assert_allclose(other, whole, rtol=1e-6, atol=1e-7)
    trained = result.to_layer().trainable().compressed()
    np.testing.assert_allclose(trained.reconstruct(), whole, rtol=1e-3, atol=1e-6)
