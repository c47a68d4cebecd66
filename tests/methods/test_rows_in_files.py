"""Methods on rows that stay in their file: as good as in memory, and the table is never whole there."""

import tracemalloc

import numpy as np
import pytest

import compress
from compress.linalg import blocks
from compress.methods import trellis
from compress.solvers import flats
from compress.sources import in_place, planted


@pytest.fixture(scope="module")
def matrices(tmp_path_factory):
    """A float16 table of four blocks of rows that stay in their file, and the same in memory."""
    path = tmp_path_factory.mktemp("rows") / "table.npy"
    np.save(path, planted(2500, 3, 3, 16, noise=0.05)[0].astype(np.float16))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_place, "LARGE", 0)
        return compress.load_matrix(path), compress.EmbeddingMatrix(np.load(path))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(flats, "MANY", 1 << 14)


@pytest.mark.parametrize(
    "method",
    [
        compress.SVD(j=5),
        compress.SVD(j=5, factor_bits=8),
        compress.ProjectiveClustering(k=3, j=3, restarts=2),
        compress.ProjectiveClustering(k=3, j=3, restarts=2, factor_bits=8),
        compress.ProjectiveClustering(k=3, j=3, affine=True, restarts=2, factor_bits=4),
        compress.ProjectiveClustering(k=3, j=3, p=1.0, restarts=2, steps=3),
        compress.ProjectiveClustering(k=3, j=3, steps=1),
        compress.ProjectiveClustering(k=1, j=5, loss="tukey", steps=3),
        compress.Trellis(rate=2.0, states=256),
        compress.LightToken(bits=24, passes=8),
        compress.LightToken(bits=20, rank=2, stages=2, passes=4, loss="direction"),
    ],
    ids=str,
)
def test_a_fit_of_rows_in_a_file_loses_what_one_in_memory_loses(method, matrices):
    lying, held = matrices
    found, known = method.fit(lying), method.fit(held)
    lost = compress.evaluate(lying, found).relative_error
    assert lost == pytest.approx(compress.evaluate(held, known).relative_error, rel=0.02)
    assert lost < 0.9 and found.n_bytes == known.n_bytes and found.digest == known.digest
    assert "values" not in vars(lying)


def test_a_trellis_of_many_rows_decodes_the_same_without_the_place_of_each_row(matrices, monkeypatch):
    result = compress.Trellis(rate=2.0, states=256).fit(matrices[1])
    known = result.reconstruct()
    monkeypatch.setattr(trellis, "MANY", 100)
    lean = compress.Compressed(result.method, result.arrays, result.shape, result.digest)
    rows = np.random.default_rng(0).integers(2500, size=600)
    assert (lean.reconstruct() == known).all() and (lean.rows(rows) == known[rows]).all()
    assert (lean.method.trainable(lean.arrays, *lean.shape).fixed["starts"] == result.prepared["starts"]).all()


@pytest.mark.parametrize(
    ("work", "most"),
    [
        (compress.spectrum, 1),
        (compress.SVD(j=2, factor_bits=8).fit, 25),
        (compress.ProjectiveClustering(k=2, j=2, factor_bits=8, restarts=1, steps=2).fit, 30),
        (compress.LightToken(bits=8, passes=1).fit, 25),
    ],
    ids=["spectrum", "svd", "projective", "light_token"],
)
def test_a_row_more_takes_fewer_bytes_of_memory_than_it_has(work, most, tmp_path, monkeypatch):
    monkeypatch.setattr(in_place, "LARGE", 0)
    monkeypatch.setattr(in_place, "AT_ONCE", 1 << 16)
    peaks = []
    for n in (10_000, 10_000, 30_000):  # the first loads what is needed
        np.save(tmp_path / f"{n}.npy", np.random.default_rng(0).standard_normal((n, 32), np.float32).astype(np.float16))
        tracemalloc.start()
        try:
            work(compress.load_matrix(tmp_path / f"{n}.npy"))
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[2] - peaks[1] < most * 20_000  # of 128 that a row has in float32
