"""What every method promises, on settings that reach every way of storing its result."""

import dataclasses

import numpy as np
import pytest
import torch

import compress
from compress import (
    METHODS,
    SVD,
    Dimensions,
    EmbeddingMatrix,
    Int4,
    Int8,
    LightToken,
    LpLowRank,
    OptimizedProductQuantization,
    ProductQuantization,
    ProjectiveClustering,
    ResidualQuantization,
    Trellis,
)
from compress.coding.factors import BITS
from compress.linalg import blocks

CASES = {
    "svd": [*(SVD(j=3, factor_bits=bits) for bits in BITS), SVD(j=1), SVD(j=11)],
    "projective": [
        *(ProjectiveClustering(k=3, j=3, restarts=2, factor_bits=bits) for bits in BITS),
        *(ProjectiveClustering(k=4, j=3, affine=True, restarts=2, factor_bits=bits) for bits in BITS),
        ProjectiveClustering(k=1, j=3, factor_bits=4),
        ProjectiveClustering(k=1, j=2, affine=True),
        ProjectiveClustering(k=2, j=11, restarts=1),
        ProjectiveClustering(k=2, j=2, p=1.0, restarts=1, factor_bits=8),
        ProjectiveClustering(k=2, j=2, loss="tukey", restarts=1),
        ProjectiveClustering(k=1, j=2, loss="huber", scale=0.5),
        ProjectiveClustering(k=9, j=1, restarts=1, steps=1, seed=5),
    ],
    "lp": [
        *(LpLowRank(j=3, p=1.0, objective="rows", factor_bits=bits) for bits in BITS),
        *(LpLowRank(j=3, p=1.0, factor_bits=bits) for bits in BITS),
        LpLowRank(j=2, p=1.5, start="lowner"),
        LpLowRank(j=2, p=3.0, objective="rows"),
        LpLowRank(j=2, p=3.0),
        LpLowRank(j=4, p=2.0),
        LpLowRank(j=11, p=1.0),
        LpLowRank(j=1, p=5.0, steps=1),
        LpLowRank(j=2, p=1.2, objective="rows", steps=0),
    ],
    "light_token": [
        *(
            LightToken(bits=bits, rank=rank, factor_bits=kept, passes=3)
            for bits, rank, kept in ((16, 0, 8), (13, 2, 16), (21, 11, 8), (0, 3, 8), (0, 3, 16), (1, 0, 16))
        ),
        LightToken(bits=20, stages=3, passes=2, gain_bits=0),
        LightToken(bits=20, stages=2, passes=2, loss="direction", gain_bits=3),
        LightToken(bits=12, stages=2, solver="paper", epochs=2),
        LightToken(bits=12, rank=2, solver="paper", loss="direction", epochs=2, factor_bits=16),
    ],
    "trellis": [
        *(Trellis(rate=rate, states=256) for rate in (0.8, 1.2, 4.0, 14.0)),
        Trellis(rate=6.0, classes=1, states=1024, seed=3),
        Trellis(rate=8.0, classes=5),
    ],
    "pq": [
        ProductQuantization(parts=11, code_bits=3, steps=4),
        ProductQuantization(parts=1, code_bits=7, codebook_bits=32, seed=3),
    ],
    "opq": [
        OptimizedProductQuantization(parts=11, code_bits=3, steps=4),
        OptimizedProductQuantization(parts=2, code_bits=5, codebook_bits=32, dims=6, seed=3),
        OptimizedProductQuantization(parts=1, code_bits=1, dims=1),
    ],
    "rq": [
        ResidualQuantization(parts=5, code_bits=3, steps=4),
        ResidualQuantization(parts=2, code_bits=5, codebook_bits=32, beam=1, seed=3),
        ResidualQuantization(parts=1, code_bits=1, steps=1),
    ],
    "int8": [Int8()],
    "int4": [Int4()],
    "dimensions": [
        *(Dimensions(kept=7, factor_bits=bits) for bits in BITS),
        Dimensions(kept=1, seed=3),
        Dimensions(kept=4, over="largest", factor_bits=8),
        Dimensions(kept=11, factor_bits=32),
    ],
}
CODED = {
    "parts": [0, -1, 2.5, "8", None, True],
    "code_bits": [0, 13, 8.0, None, True],
    "codebook_bits": [0, 8, 16.0, "16", None, True],
    "steps": [0, 1001, 2.0, None],
    "seed": [-1, 2**32, 0.0, None],
}
BAD = {
    "svd": {"j": [0, -1, 2.5, "three", None, True], "factor_bits": [0, 12, 16.0, "16", None, True]},
    "projective": {
        "k": [0, 65537, 2.0, None, True],
        "j": [0, -3, 1.5, None],
        "affine": [2, 0.5, "yes", None],
        "loss": ["l1", "", None, 1],
        "p": [0.99, 0, -1, float("nan"), float("inf"), 33, "1", None, True],
        "scale": [0, -1.0, float("nan"), float("inf"), "far", True],
        "restarts": [0, 1001, 1.0, None],
        "steps": [0, 1001, "12"],
        "factor_bits": [3, 32.0, None],
        "seed": [-1, 2**32, 0.0, None],
    },
    "lp": {
        "j": [0, -1, 2.5, None, True],
        "p": [0.99, 0, -1, float("nan"), float("inf"), 33, "1", None, True],
        "objective": ["row", "", None, 1],
        "start": ["svd", None, 0],
        "steps": [-1, 1001, 1.0, None],
        "factor_bits": [0, 12, 16.0, None],
        "seed": [-1, 2**32, 0.0, None],
    },
    "light_token": {
        "rank": [-1, 1.5, None, True],
        "bits": [-1, 2.5, "8", None, True],
        "stages": [0, 1025, 1.0, None, 400],
        "loss": ["cosine", None, 1],
        "solver": ["itq", None],
        "temperature": [0, 1.5, float("nan"), "hot", None],
        "epochs": [0, 2.0, None],
        "passes": [0, 1001, 2.0, None],
        "gain_bits": [-1, 9, 1.0, None],
        "factor_bits": [64, 4, 8.0, None],
        "seed": [-1, 2**32, 0.0, None],
    },
    "trellis": {
        "rate": [0, -1.0, float("nan"), float("inf"), "2", None, True],
        "classes": [0, 257, 2.0, None, True],
        "states": [0, 512, 1024.0, None],
        "seed": [-1, 2**32, 0.0, None],
    },
    "pq": CODED,
    "opq": CODED | {"dims": [0, -1, 2.0, "8", True]},
    "rq": CODED | {"beam": [0, 65, 1.0, None, True]},
    "int8": {},
    "int4": {},
    "dimensions": {
        "kept": [0, -1, 2.5, "8", None, True],
        "over": ["least", "", None, 1],
        "factor_bits": [0, 12, 16.0, "16", None, True],
        "seed": [-1, 2**32, 0.0, None],
    },
}
METHOD = pytest.mark.parametrize("method", [each for cases in CASES.values() for each in cases], ids=str)
WEIGHTS = {False: None, True: np.random.default_rng(2).exponential(size=240)}
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])


@pytest.fixture(scope="module")
def matrices(flats):
    """A matrix of 240 × 11 by whether it is weighted."""
    return {weighted: EmbeddingMatrix(flats[0].values, weights=WEIGHTS[weighted]) for weighted in (False, True)}


@pytest.fixture(scope="module")
def fitted(matrices):
    """The fit of a method to one of those matrices, made once."""
    made = {}

    def fit(method, weighted=False):
        if (method, weighted) not in made:
            made[method, weighted] = method.fit(matrices[weighted])
        return made[method, weighted]

    return fit


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_the_battery_holds_every_method():
    assert set(CASES) == set(BAD) == set(METHODS)
    for name, cases in CASES.items():
        assert {type(each) for each in cases} == {METHODS[name]}
        assert {field.name for field in dataclasses.fields(METHODS[name])} == set(BAD[name])


@METHOD
@WEIGHTED
@pytest.mark.parametrize("ids", [5, [], [7], [239, 0, 0, 12], [[3, 1], [4, 1], [5, 9]], [[[]]]], ids=str)
def test_rows_and_the_layer_give_the_rows_of_the_whole(fitted, method, weighted, ids):
    result = fitted(method, weighted)
    ids = np.asarray(ids, np.int64)
    whole = result.reconstruct()
    some = result.rows(ids)
    assert whole.shape == (240, 11) and whole.dtype == some.dtype == np.float32
    assert some.shape == (*ids.shape, 11)
    np.testing.assert_allclose(some, whole[ids], rtol=0, atol=1e-5)
    vectors = result.to_layer()(torch.from_numpy(ids))
    assert vectors.shape == some.shape and vectors.dtype == torch.float32
    np.testing.assert_allclose(vectors.numpy(), whole[ids], rtol=0, atol=1e-5)


@METHOD
@WEIGHTED
def test_a_fit_is_told_by_its_seed_and_leaves_its_input_alone(fitted, matrices, method, weighted):
    given = matrices[weighted].values.copy()
    matrix = EmbeddingMatrix(given, weights=WEIGHTS[weighted])
    assert same(method.fit(matrix).arrays, fitted(method, weighted).arrays)
    assert np.array_equal(given, matrices[weighted].values)
    assert np.array_equal(matrix.weights, matrices[weighted].weights)


@METHOD
def test_the_result_knows_what_made_it(fitted, matrices, method):
    result = fitted(method)
    assert result.method == method
    assert result.shape == (240, 11)
    assert result.digest == matrices[False].digest


@METHOD
@WEIGHTED
def test_save_and_load_give_the_same_values(fitted, tmp_path, method, weighted):
    result = fitted(method, weighted)
    path = tmp_path / "x.safetensors"
    told = result.save(path)
    loaded = compress.load(path)
    assert same(loaded.arrays, result.arrays)
    assert all(loaded.arrays[name].dtype == result.arrays[name].dtype for name in result.arrays)
    assert (loaded.method, loaded.shape, loaded.digest) == (method, result.shape, result.digest)
    assert np.array_equal(loaded.reconstruct(), result.reconstruct())
    assert told == path.stat().st_size <= result.n_bytes + 4096


@METHOD
def test_bytes_are_those_of_the_arrays_and_known_before_the_fit(fitted, method):
    result = fitted(method)
    held = sum(array.size * array.itemsize for array in result.arrays.values())
    assert result.n_bytes == held == method.size(240, 11)
    assert result.ratio == 240 * 11 * 4 / held
    method.check_stored(result.arrays, 240, 11)


@METHOD
def test_a_larger_matrix_takes_more_bytes(method):
    assert method.size(240, 11) < method.size(241, 11)
    assert method.size(240, 11) < method.size(240, 19)


@METHOD
@pytest.mark.parametrize("row", [-1, 240, 2**40])
def test_a_row_that_is_not_there_is_refused(fitted, method, row):
    result = fitted(method)
    with pytest.raises(IndexError, match=f"rows must be between 0 and 239, got {row}"):
        result.rows([0, row])
    with pytest.raises(IndexError, match="ids must be between 0 and 239"):
        result.to_layer()(torch.tensor([[0], [row]]))


@METHOD
def test_row_numbers_are_whole(fitted, method):
    for rows in ([0.5], [True, False]):
        with pytest.raises(IndexError, match="rows must be whole numbers, got"):
            fitted(method).rows(rows)


@METHOD
def test_the_layer_travels_in_its_state(fitted, matrices, method):
    layer = fitted(method).to_layer()
    other = EmbeddingMatrix(matrices[False].values[::-1] * np.float32(2))
    heir = method.fit(other).to_layer()
    ids = torch.arange(240)
    assert not torch.equal(heir(ids), layer(ids))
    heir.load_state_dict(layer.state_dict())
    assert torch.equal(heir(ids), layer(ids))
    assert sum(part.numel() * part.element_size() for part in layer.state_dict().values()) == fitted(method).n_bytes


@METHOD
@WEIGHTED
def test_blocks_of_a_few_rows_give_the_same_up_to_rounding(fitted, matrices, monkeypatch, method, weighted):
    expected = compress.evaluate(matrices[weighted], fitted(method, weighted))
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4 * 11 * 7)
    matrix = EmbeddingMatrix(matrices[weighted].values, weights=WEIGHTS[weighted])
    assert sum(1 for _ in blocks.walk(matrix.values)) == 35
    result = compress.evaluate(matrix, method.fit(matrix))
    assert matrix.digest == matrices[weighted].digest
    assert result.weighted_error == pytest.approx(expected.weighted_error, rel=1e-2, abs=1e-6)
    assert result.relative_error == pytest.approx(expected.relative_error, rel=1e-2, abs=1e-6)


@METHOD
def test_a_mapped_file_is_fitted_like_an_array(fitted, matrices, tmp_path, method):
    np.save(tmp_path / "x.npy", matrices[False].values)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    matrix = EmbeddingMatrix(mapped)
    assert np.shares_memory(matrix.values, mapped)
    result = method.fit(matrix)
    assert same(result.arrays, fitted(method).arrays)
    assert result.digest == fitted(method).digest


@METHOD
def test_a_column_order_array_is_fitted_like_any_other(fitted, matrices, method):
    result = method.fit(EmbeddingMatrix(np.asfortranarray(matrices[False].values.astype(np.float64))))
    assert same(result.arrays, fitted(method).arrays)


@METHOD
def test_a_draft_stands_in_for_the_method(matrices, method):
    draft = method.draft
    assert type(draft) is type(method)
    assert draft.draft == draft
    assert draft.size(240, 11) == method.size(240, 11)
    assert draft.fit(matrices[False]).shape == (240, 11)


@METHOD
def test_settings_make_the_method_again(method):
    assert type(method)(**method.settings) == method
    assert all(f"{name}={value}" in str(method) for name, value in method.settings.items())
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        method.j = 2


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [(name, setting, value) for name, fields in BAD.items() for setting, values in fields.items() for value in values],
)
def test_a_bad_setting_is_named_with_its_bounds_and_what_was_given(name, setting, value):
    with pytest.raises(ValueError, match=rf"^{setting} must be (a |one of ).*(\d|, ).*, got {value!r}$"):
        METHODS[name](**{setting: value})


@pytest.mark.parametrize("method", [SVD(j=8), ProjectiveClustering(k=2, j=8), LpLowRank(j=8)], ids=str)
def test_a_dimension_beyond_the_matrix_is_refused(small, method):
    with pytest.raises(ValueError, match=r"^j must be a whole number between 1 and 7 \(the matrix has 7 columns\), got 8$"):
        method.fit(small)
    wide = EmbeddingMatrix(small.values[:5])
    with pytest.raises(ValueError, match=r"^j must be a whole number between 1 and 5 \(the matrix has 5 rows\), got 8$"):
        method.fit(wide)


def test_more_subspaces_than_rows_are_refused(small):
    with pytest.raises(ValueError, match=r"^k must be a whole number between 1 and 40 \(the matrix has 40 rows\), got 41$"):
        ProjectiveClustering(k=41, j=2).fit(small)


@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (3, 9), (5, 1), (4, 4)], ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_the_smallest_matrices_are_fitted(name, shape):
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    for bits in set(BITS) - set(BAD[name].get("factor_bits", ())):
        ones = dict.fromkeys(("j", "bits", "restarts", "parts", "code_bits", "kept"), 1)
        open_settings = {"k": 2, "factor_bits": bits, "rate": 400.0, **ones}
        known = {field.name for field in dataclasses.fields(METHODS[name])}
        method = METHODS[name](**{key: value for key, value in open_settings.items() if key in known})
        result = method.fit(matrix)
        assert result.n_bytes == method.size(*shape)
        assert compress.evaluate(matrix, result).relative_error <= 1
        np.testing.assert_allclose(result.to_layer()(torch.arange(shape[0])).numpy(), result.reconstruct(), rtol=0, atol=1e-5)
