"""What every method promises, on settings that reach every way of storing its result."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from cases import BAD, CASES

import compress
from compress import (
    METHODS,
    SVD,
    EmbeddingMatrix,
    LpLowRank,
    ProjectiveClustering,
)
from compress.coding.factors import BITS
from compress.export.decoders import decoder_of
from compress.form.layers import CompressedOutput
from compress.linalg import blocks

METHOD = pytest.mark.parametrize("method", [each for cases in CASES.values() for each in cases], ids=str)
ONE_OF_EACH = pytest.mark.parametrize("method", [cases[0] for cases in CASES.values()], ids=str)
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
def test_rows_and_the_layer_give_the_rows_of_the_whole(fitted, method, weighted):
    result = fitted(method, weighted)
    whole, layer = result.reconstruct(), result.to_layer()
    for ids in (5, [], [7], [239, 0, 0, 12], [[3, 1], [4, 1], [5, 9]], [[[]]]):
        ids = np.asarray(ids, np.int64)
        some, vectors = result.rows(ids), layer(torch.from_numpy(ids))
        assert whole.shape == (240, 11) and whole.dtype == some.dtype == np.float32
        assert some.shape == vectors.shape == (*ids.shape, 11) and vectors.dtype == torch.float32
        np.testing.assert_allclose(some, whole[ids], rtol=0, atol=1e-5)
        np.testing.assert_allclose(vectors.numpy(), whole[ids], rtol=0, atol=1e-5)


@METHOD
def test_an_output_layer_gives_the_products_with_the_rows(fitted, monkeypatch, method):
    monkeypatch.setattr("compress.coding.trellis_code.MANY", 0)  # read by what is compiled
    result = fitted(method)
    table = torch.from_numpy(result.reconstruct())
    for layer in (result.to_layer(), result.to_layer().trainable()):
        head = CompressedOutput(layer)
        for states in (1, 20):
            hidden = torch.randn(states, 1, 11, generator=torch.Generator().manual_seed(states))
            expected = hidden @ table.T
            near = {"rtol": 1e-5, "atol": 2e-6 * float(expected.abs().max())}
            with torch.no_grad():
                torch.testing.assert_close(head(hidden), expected, **near)
            torch.testing.assert_close(head(hidden).detach(), expected, **near)


@METHOD
def test_a_fit_tells_how_far_it_is_in_words_and_in_figures_that_json_takes(matrices, method):
    told = []
    method.fit(matrices[False], told.append)
    shares = [step.share for step in told]
    assert shares == sorted(shares) and all(0 <= share <= 1 for share in shares)
    assert all(step.words and json.loads(json.dumps(step.row())).keys() > {"share", "words"} for step in told)


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


@pytest.mark.parametrize("exponent", [-120, -66, -14, 50])
@ONE_OF_EACH
def test_tiny_and_huge_entries_are_fitted_as_those_of_a_usual_size(matrices, fitted, tmp_path, method, exponent):
    matrix = EmbeddingMatrix(np.ldexp(matrices[False].values, exponent))
    result = method.fit(matrix)
    assert (result.method, result.digest, result.n_bytes) == (method, matrix.digest, fitted(method).n_bytes)
    expected = compress.evaluate(matrices[False], fitted(method)).relative_error
    assert compress.evaluate(matrix, result).relative_error == pytest.approx(expected, rel=0.1, abs=1e-6)
    result.save(tmp_path / "x.safetensors")
    whole, ids = result.reconstruct(), torch.arange(240)
    read = compress.load(tmp_path / "x.safetensors")
    layers = result.to_layer(), result.to_layer().trainable(), decoder_of(method.name).load(tmp_path / "x.safetensors")
    for other in (read.reconstruct(), *(layer(ids).detach().numpy() for layer in layers)):
        np.testing.assert_allclose(np.ldexp(other, -exponent), np.ldexp(whole, -exponent), rtol=0, atol=1e-5)


def test_a_length_among_the_settings_goes_with_the_size_of_the_entries(matrices):
    huber = ProjectiveClustering(k=1, j=2, loss="huber", scale=2.0)
    small = dataclasses.replace(huber, scale=2.0**-19)
    matrix = EmbeddingMatrix(np.ldexp(matrices[False].values, -20))
    found = small.fit(matrix)
    assert found.method == small
    expected = huber.fit(matrices[False]).reconstruct()
    np.testing.assert_allclose(np.ldexp(found.reconstruct(), 20), expected, rtol=0, atol=1e-2 * np.abs(expected).max())


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
def test_a_row_that_is_not_there_is_refused(fitted, method):
    result = fitted(method)
    layer = result.to_layer()
    for row in (-1, 240, 2**40):
        with pytest.raises(IndexError, match=f"rows must be between 0 and 239, got {row}"):
            result.rows([0, row])
        with pytest.raises(IndexError, match="ids must be between 0 and 239"):
            layer(torch.tensor([[0], [row]]))


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
def test_blocks_of_a_few_rows_give_the_same_up_to_rounding(fitted, matrices, monkeypatch, method):
    expected = compress.evaluate(matrices[True], fitted(method, True))
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4 * 11 * 7)
    matrix = EmbeddingMatrix(matrices[True].values, weights=WEIGHTS[True])
    assert sum(1 for _ in blocks.walk(matrix.values)) == 35
    result = compress.evaluate(matrix, method.fit(matrix))
    assert matrix.digest == matrices[True].digest
    assert result.weighted_error == pytest.approx(expected.weighted_error, rel=1e-2, abs=1e-6)
    assert result.relative_error == pytest.approx(expected.relative_error, rel=1e-2, abs=1e-6)


@ONE_OF_EACH
def test_a_mapped_file_is_fitted_like_an_array(fitted, matrices, tmp_path, method):
    np.save(tmp_path / "x.npy", matrices[False].values)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    matrix = EmbeddingMatrix(mapped)
    assert np.shares_memory(matrix.values, mapped)
    result = method.fit(matrix)
    assert same(result.arrays, fitted(method).arrays)
    assert result.digest == fitted(method).digest


@ONE_OF_EACH
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


@pytest.mark.parametrize(("name", "setting"), [(name, setting) for name, fields in BAD.items() for setting in fields])
def test_a_bad_setting_is_named_with_its_bounds_and_what_was_given(name, setting):
    for value in BAD[name][setting]:
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
        open_settings = {"k": 2, "factor_bits": bits, "rate": 400.0, "rows": 2, "at": 400.0, **ones}
        open_settings |= {"bits": 2} if name == "groups" else {}
        known = {field.name for field in dataclasses.fields(METHODS[name])}
        method = METHODS[name](**{key: value for key, value in open_settings.items() if key in known})
        result = method.fit(matrix)
        assert result.n_bytes == method.size(*shape)
        assert compress.evaluate(matrix, result).relative_error <= 1
        np.testing.assert_allclose(result.to_layer()(torch.arange(shape[0])).numpy(), result.reconstruct(), rtol=0, atol=1e-5)
