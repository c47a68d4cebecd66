"""Rows in GGUF's types: what gguf decodes them to is as near as what llama.cpp's own encoder gives."""

import numpy as np
import pytest

from compress import EmbeddingMatrix
from compress.export.gguf_types import LAID, TYPES, decoded, encoded, row_bytes, types_for
from compress.methods.blocks import BlockFormats

BY_LLAMA_CPP = {  # relative errors of what ggml_quantize_chunk gives for `rows`
    "Q8_0": 2.923e-05,
    "Q6_K": 3.179e-04,
    "Q5_1": 1.445e-03,
    "Q5_0": 1.852e-03,
    "Q5_K": 1.302e-03,
    "Q4_1": 6.094e-03,
    "Q4_0": 7.563e-03,
    "Q4_K": 5.127e-03,
    "IQ4_NL": 5.836e-03,
    "MXFP4": 1.348e-02,
    "IQ4_XS": 5.925e-03,
    "Q3_K": 2.290e-02,
    "Q2_K": 8.917e-02,
}


@pytest.fixture(scope="module")
def rows():
    """Of several lengths, one of zeros, parts of two others zeros."""
    rng = np.random.default_rng(0)
    values = (rng.standard_normal((200, 1024)) * np.exp(rng.standard_normal((200, 1)))).astype(np.float32)
    values[3], values[5, :256], values[6, 16:32] = 0, 0, 0
    return values


@pytest.mark.parametrize("name", TYPES)
def test_rows_lose_what_they_lose_in_llama_cpp(rows, name):
    stored = encoded(rows, name)
    assert stored.dtype == np.uint8 and stored.shape == (200, row_bytes(1024, name))
    found = decoded(stored, name)
    error = ((found - rows) ** 2).sum() / (rows**2).sum()
    assert error == pytest.approx(BY_LLAMA_CPP[name], rel=0.02) if name in BY_LLAMA_CPP else error < 3e-6
    assert not found[3].any() and not found[5, :256].any()
    assert np.array_equal(encoded(rows[7:9], name), stored[7:9])


@pytest.mark.parametrize("name", LAID)
def test_what_the_block_formats_decode_to_is_kept_to_the_last_bit(rows, name):
    fitted = BlockFormats(format=name).fit(EmbeddingMatrix(rows))
    assert np.array_equal(decoded(encoded(rows, name), name), fitted.reconstruct())


def test_a_row_has_the_types_whose_blocks_fill_it():
    assert types_for(1024) == list(TYPES)
    assert types_for(576) == [name for name in TYPES if not name.endswith(("_K", "_XS"))]
    assert types_for(50) == ["F32", "BF16", "F16"]
