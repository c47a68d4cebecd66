"""Real tables, where they lie beside the checkout."""

from pathlib import Path

import numpy as np
import pytest

from compress.sources import load_matrix, tensors

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def folder(name):
    if not (DATA / name).exists():
        pytest.skip(f"no {name} beside the checkout")
    return DATA / name


@pytest.mark.parametrize(
    ("name", "shape", "tokens"),
    [
        ("w2v_text8_10k_100d", (10000, 100), ["the", "of", "and"]),
        ("tencent_char_thucnews", (4762, 200), [" ", "0", "1"]),
        ("stories260K", (512, 64), ["<unk>", "\n<s>\n", "\n</s>\n"]),
        ("tflite_avgword", (10000, 16), ["<PAD>", "<START>", "<UNKNOWN>"]),
        ("glove100_tripadvisor_5k", (5000, 100), ["row 0", "row 1", "row 2"]),
        ("ncf_ml1m/mlp.npz", (6040, 32), ["row 0", "row 1", "row 2"]),
    ],
)
def test_real_tables_are_read_with_their_tokens(name, shape, tokens):
    matrix = load_matrix(folder(name))
    assert matrix.shape == shape
    assert list(matrix.tokens[:3]) == tokens


def test_the_language_models_table_is_the_one_that_safetensors_reads():
    from safetensors.numpy import load_file

    path = folder("stories260K")
    expected = load_file(path / "model.safetensors")["model.embed_tokens.weight"]
    np.testing.assert_array_equal(load_matrix(path).values, expected)
    assert tensors(path)[0].name == "model.embed_tokens.weight"


def test_users_and_items_are_both_offered():
    names = [info.name for info in tensors(folder("ncf_ml1m/mlp.npz"))]
    assert names[:2] == ["user_embedding.user_embedding_W", "item_embedding.item_embedding_W"]
