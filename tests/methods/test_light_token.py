"""LightToken: SVD at zero bits, losses that only fall, prefixes that are codes, and a stop that keeps what is finished."""

import numpy as np
import pytest
import torch

import compress
from compress import SVD, EmbeddingMatrix, LightToken, Stop
from compress.coding.packing import read_signs
from compress.methods.light_token import prefixes
from compress.solvers.binary_codes import Target, fit_codes, refit_decoder, refit_gains, sweep, total
from compress.solvers.code_losses import LOSSES, directional, euclidean, recalibrate

RNG = np.random.default_rng


def clustered(n=300, d=12, seed=0):
    rng = RNG(seed)
    return (rng.standard_normal((8, d))[rng.integers(8, size=n)] + 0.4 * rng.standard_normal((n, d))).astype(np.float32)


def target(values, loss="euclidean", weights=None):
    return Target(
        values, lambda rows: np.zeros_like(values[rows]), np.ones(len(values)) if weights is None else weights, LOSSES[loss]
    )


def error(matrix, method):
    return compress.evaluate(matrix, method.fit(matrix)).relative_error


@pytest.mark.parametrize("bits", [32, 16, 8])
def test_no_bits_are_svd_alone(small, bits):
    found, svd = LightToken(rank=3, bits=0, factor_bits=bits).fit(small), SVD(j=3, factor_bits=bits).fit(small)
    np.testing.assert_array_equal(found.reconstruct(), svd.reconstruct())
    assert found.n_bytes == svd.n_bytes


def test_rows_that_are_codes_are_given_back():
    rng = RNG(0)
    values = (np.sign(rng.standard_normal((400, 6))) @ rng.standard_normal((6, 20))).astype(np.float32)
    assert error(EmbeddingMatrix(values), LightToken(bits=6, gain_bits=0, factor_bits=16)) < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_the_directional_loss_bounds_the_squared_distance(seed):
    rng = RNG(seed)
    x, y = rng.standard_normal((2, 5000, 7)) * np.geomspace(1e-6, 1e6, 5000)[:, None] * rng.exponential(size=(2, 5000, 1))
    y[:500] = -x[:500]
    y[500:1000] = x[500:1000]
    own, inner, squared = (x * x).sum(axis=1), (x * y).sum(axis=1), (y * y).sum(axis=1)
    bound, distance = directional(inner, squared, own), euclidean(inner, squared, own)
    np.testing.assert_allclose(distance, ((x - y) ** 2).sum(axis=1), rtol=1e-9, atol=1e-12 * own.max())
    assert (bound >= distance - 1e-9 * (own + squared)).all()
    assert (bound[:500] > 1.4 * distance[:500]).all()  # opposite directions cost more than their distance
    turn = np.linspace(0, 2, 1000)
    assert (recalibrate(turn) >= turn).all() and (np.diff(recalibrate(turn)) > 0).all() and recalibrate(0.0) == 0


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
def test_no_step_raises_the_loss(loss, weighted):
    aim = target(clustered(), loss, RNG(1).exponential(size=300) if weighted else None)
    codes = fit_codes(aim, 16, 4, 1, 0, lambda step, cost: None)
    costs = [total(aim, codes)]
    for _ in range(4):
        sweep(aim, codes)
        costs.append(total(aim, codes))
        codes = refit_gains(aim, codes)
        costs.append(total(aim, codes))
        codes = refit_decoder(aim, codes)
        costs.append(total(aim, codes))
    assert (np.diff(costs) <= 1e-6).all()
    assert costs[-1] < costs[0]


def test_a_sweep_leaves_no_bit_whose_flip_alone_would_help():
    values = clustered(60, 6)
    aim = target(values)
    codes = fit_codes(aim, 9, 1, 1, 0, lambda step, cost: None)
    for _ in range(20):
        sweep(aim, codes)
    at = ((values - codes.decode(slice(None))) ** 2).sum(axis=1)
    for bit in range(9):
        codes.signs[:, bit] *= -1
        assert (((values - codes.decode(slice(None))) ** 2).sum(axis=1) >= at - 1e-5).all()
        codes.signs[:, bit] *= -1


@pytest.mark.parametrize("solver", ["refined", "paper"])
def test_more_bits_and_a_rank_leave_less(solver):
    matrix = EmbeddingMatrix(clustered())
    errors = [error(matrix, LightToken(bits=bits, solver=solver, epochs=30)) for bits in (2, 8, 24)]
    assert errors == sorted(errors, reverse=True) and errors[0] < 1
    assert error(matrix, LightToken(rank=2, bits=8, solver=solver, epochs=30)) < error(matrix, LightToken(rank=2, bits=0))


@pytest.mark.parametrize("bits", [8, 32])
def test_refined_codes_are_nearer_than_trained_ones_at_equal_bytes(bits):
    matrix = EmbeddingMatrix(clustered(1000, 16))
    refined, paper = LightToken(bits=bits, gain_bits=0), LightToken(bits=bits, solver="paper", epochs=40)
    assert refined.size(1000, 16) == paper.size(1000, 16)
    assert error(matrix, refined) < error(matrix, paper)


def test_row_weights_decide_which_rows_come_nearer():
    values = clustered()
    weights = np.where(np.arange(300) < 150, 30.0, 1.0)
    plain, weighted = (EmbeddingMatrix(values, weights=each) for each in (None, weights))
    for solver in ("refined", "paper"):
        method = LightToken(bits=8, solver=solver, epochs=40)
        one, other = (compress.evaluate(plain, method.fit(each)).row_errors[:150].mean() for each in (plain, weighted))
        assert other < one


def test_a_loss_that_minds_direction_gives_no_lower_cosine():
    matrix = EmbeddingMatrix(clustered(600, 16) * RNG(2).exponential(size=(600, 1)).astype(np.float32))
    found = {loss: compress.evaluate(matrix, LightToken(bits=16, loss=loss).fit(matrix)) for loss in LOSSES}
    assert found["direction"].mean_cosine >= found["euclidean"].mean_cosine - 0.002
    assert found["euclidean"].relative_error <= found["direction"].relative_error + 0.01


@pytest.mark.parametrize("gain_bits", [0, 2])
def test_every_prefix_of_stages_is_a_code(gain_bits):
    matrix = EmbeddingMatrix(clustered())
    result = LightToken(bits=20, stages=3, gain_bits=gain_bits, passes=8).fit(matrix)
    parts = prefixes(matrix, result)
    assert [part.method.bits for part in parts] == [7, 14, 20] and [part.method.stages for part in parts] == [1, 2, 3]
    whole = read_signs(result.arrays["codes"], 20)
    errors = []
    for part in parts:
        assert part.n_bytes == part.method.size(300, 12)
        np.testing.assert_array_equal(read_signs(part.arrays["codes"], part.method.bits), whole[:, : part.method.bits])
        part.method.check_stored(part.arrays, 300, 12)
        errors.append(compress.evaluate(matrix, part).relative_error)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == compress.evaluate(matrix, result).relative_error


@pytest.mark.parametrize("solver", ["refined", "paper"])
def test_a_stop_keeps_the_finished_stages(solver):
    matrix = EmbeddingMatrix(clustered())
    method = LightToken(bits=20, stages=4, solver=solver, passes=3, epochs=3)

    def stop_in(stage):
        def progress(step):
            if step.figures["stage"] == stage:
                raise Stop

        return progress

    result = method.fit(matrix, stop_in(2))
    assert (result.method.bits, result.method.stages) == (10, 2)
    assert result.n_bytes == result.method.size(300, 12)
    assert compress.evaluate(matrix, result).relative_error < 1
    with pytest.raises(Stop):
        method.fit(matrix, stop_in(0))


def test_a_saturated_stage_ends_early():
    values = np.repeat(RNG(0).standard_normal((1, 6)), 200, axis=0).astype(np.float32)  # every unit must say the same
    told = []
    LightToken(bits=8, solver="paper", epochs=30).fit(EmbeddingMatrix(values + 5), told.append)
    assert len(told) == 2 and told[-1].figures["saturation"] > 0.1


def test_training_is_told_epoch_by_epoch_and_lowers_the_loss():
    told = []
    LightToken(bits=8, stages=2, solver="paper", epochs=25).fit(EmbeddingMatrix(clustered()), told.append)
    assert {step.figures["stage"] for step in told} == {0, 1}
    assert told[-1].figures["cost"] < told[0].figures["cost"]
    assert all(0 <= step.figures["saturation"] <= 1 for step in told)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("solver", ["refined", "paper"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "values",
    [
        np.full((40, 5), 2.5, np.float32),
        np.where(np.arange(40)[:, None] < 39, 0, clustered(40, 5)),
        np.repeat(clustered(2, 5), 20, axis=0),
        clustered(40, 5) * np.float32(1e-12),
        np.where(np.arange(40)[:, None] == 0, 1e6, clustered(40, 5)).astype(np.float32),
    ],
    ids=["constant", "one row that is not zero", "two distinct rows", "tiny", "one far row"],
)
def test_odd_matrices_are_coded(values, loss, solver):
    matrix = EmbeddingMatrix(values)
    for rank in (0, 2):
        result = LightToken(rank=rank, bits=12, loss=loss, solver=solver, passes=8, epochs=4).fit(matrix)
        assert np.isfinite(result.reconstruct()).all()
        if solver == "refined":
            assert compress.evaluate(matrix, result).relative_error < 1.001


def test_settings_that_contradict_each_other_are_refused(small):
    with pytest.raises(ValueError, match=r"^bits must be a whole number at least 1 where rank is 0, got 0$"):
        LightToken(rank=0, bits=0)
    with pytest.raises(ValueError, match=r"^stages must be a whole number between 1 and 4 \(there are 4 bits\), got 5$"):
        LightToken(bits=4, stages=5)
    with pytest.raises(ValueError, match=r"^bits must be a whole number between 1 and 39 \(the matrix has 40 rows\), got 64$"):
        LightToken(bits=64).fit(small)
    with pytest.raises(ValueError, match=r"^rank must be a whole number between 1 and 7 \(the matrix has 7 columns\), got 8$"):
        LightToken(rank=8, bits=8).fit(small)


def test_the_layer_keeps_its_bits_packed():
    matrix = EmbeddingMatrix(clustered())
    result = LightToken(bits=24, passes=2).fit(matrix)
    layer = result.to_layer()
    held = sum(buffer.numel() * buffer.element_size() for buffer in layer.buffers())
    assert held <= result.n_bytes + 64
    assert any(buffer.dtype == torch.uint8 and buffer.shape == (300, 3) for buffer in layer.buffers())
