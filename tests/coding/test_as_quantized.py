"""Tables that were quantized before: given back to the last bit, wherever they are decoded; others are coded as any."""

import numpy as np
import pytest
import torch

import compress
from compress import EmbeddingMatrix, Trellis
from compress.coding import as_quantized
from compress.export.decoders import decoder_of
from compress.form.layers import CompressedOutput
from compress.methods import BlockFormats


@pytest.fixture(scope="module", params=[64, 45])
def in_blocks(request):
    """Rows that llama.cpp's Q8_0 decodes to, one of them 0, in float32."""
    values = np.random.default_rng(0).standard_t(4, (60, request.param)).astype(np.float32)
    values[7] = 0
    return BlockFormats("Q8_0").fit(EmbeddingMatrix(values)).reconstruct()


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_what_was_quantized_is_given_back_in_fewer_bytes_than_it_had(in_blocks, kind, tmp_path):
    matrix = EmbeddingMatrix(in_blocks.astype(kind).astype(np.float32))
    n, d = matrix.shape
    result = compress.fit_to(matrix, "trellis", 4 * n * d / BlockFormats("Q8_0").size(n, d))
    assert result.n_bytes == result.method.size(n, d) <= BlockFormats("Q8_0").size(n, d)
    assert np.array_equal(result.reconstruct(), matrix.values)
    result.save(tmp_path / "x.safetensors")
    ids, layer = torch.arange(n), result.to_layer()
    others = (
        compress.load(tmp_path / "x.safetensors").to_layer(),
        layer.trainable(),
        decoder_of("trellis").load(tmp_path / "x.safetensors"),
    )
    for other in (layer, *others):
        assert np.array_equal(other(ids).detach().numpy(), matrix.values)
    torch.testing.assert_close(
        CompressedOutput(layer)(torch.eye(d)), torch.from_numpy(matrix.values.T.copy()), rtol=1e-5, atol=1e-5
    )
    moved = result.method.stored(result.arrays, result.method.trainable(result.arrays, n, d).parameters)
    assert all(np.array_equal(moved[name], result.arrays[name]) for name in result.arrays)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_what_is_compiled_multiplies_the_same_rows(in_blocks, kind, monkeypatch):
    small = in_blocks * np.geomspace(1e-6, 1, len(in_blocks), dtype=np.float32)[:, None]  # some below what float16 has all bits of
    rows = BlockFormats("Q8_0").fit(EmbeddingMatrix(small)).reconstruct().astype(kind)
    matrix = EmbeddingMatrix(rows.astype(np.float32))
    result = Trellis(rate=9.0).fit(matrix)
    assert result.arrays["in_float16"][0] == (kind is np.float16)
    layer = result.to_layer()
    monkeypatch.setattr("compress.coding.trellis_code.MANY", 0)
    found = layer.products(torch.eye(matrix.shape[1])[:3])
    assert np.array_equal(found.numpy(), matrix.values[:, :3].T)


def test_importance_changes_nothing_of_it(in_blocks):
    matrix = EmbeddingMatrix(in_blocks)
    root = np.diag(np.geomspace(0.1, 2, matrix.shape[1]))
    assert np.array_equal(Trellis(rate=9.0).fit_under(matrix, root).reconstruct(), matrix.values)


def test_with_a_bit_less_or_another_number_it_is_coded_as_any(in_blocks):
    matrix, other = EmbeddingMatrix(in_blocks), in_blocks.copy()
    other[3, 5] *= 1.001
    for result in (Trellis(rate=8.3, states=256).fit(matrix), Trellis(rate=9.0, states=256).fit(EmbeddingMatrix(other))):
        assert "kinds" in result.arrays and as_quantized.KEPT not in result.arrays


def test_a_file_of_another_shape_is_refused(in_blocks):
    n, d = in_blocks.shape
    result = Trellis(rate=9.0).fit(EmbeddingMatrix(in_blocks))
    with pytest.raises(ValueError, match=r"^array 'whole_numbers' is "):
        result.method.check_stored(result.arrays, n + 1, d)
