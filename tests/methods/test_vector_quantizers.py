"""PQ, OPQ and RQ: planted codebooks are found, k-means of one part is k-means, a rotation undoes a turn."""

import subprocess
import sys

import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix, OptimizedProductQuantization, ProductQuantization, ResidualQuantization
from compress.methods.residual_quantizer import refit_codebooks
from compress.methods.vector_quantizers import centroids, nearest

RNG = np.random.default_rng
ALL = pytest.mark.parametrize("kind", [ProductQuantization, OptimizedProductQuantization, ResidualQuantization])


def error(matrix, method):
    return compress.evaluate(matrix, method.fit(matrix)).relative_error


def planted(n=600, parts=3, length=4, count=8, seed=0):
    """Rows whose every part is one of a few vectors far apart, the weak parts last."""
    rng = RNG(seed)
    books = 5 * rng.standard_normal((parts, count, length)) * np.array([1.0, 0.7, 0.5])[:parts, None, None]
    return books[np.arange(parts), rng.integers(count, size=(n, parts))].reshape(n, -1).astype(np.float32)


def correlated(n=800, d=12, seed=0):
    rng = RNG(seed)
    return (rng.standard_normal((n, d)) * np.geomspace(3, 0.1, d) @ np.linalg.qr(rng.standard_normal((d, d)))[0]).astype(np.float32)


def test_planted_vectors_are_given_back():
    matrix = EmbeddingMatrix(planted())
    found = min(error(matrix, ProductQuantization(parts=3, code_bits=3, codebook_bits=32, seed=seed)) for seed in range(8))
    assert found < 0.01
    assert error(matrix, ProductQuantization(parts=3, code_bits=6, codebook_bits=32)) < 1e-6


@pytest.mark.parametrize("kind", [ProductQuantization, OptimizedProductQuantization])
def test_rows_near_0_lose_no_more_than_all_of_themselves(kind):
    values = correlated() + 1
    values[::100] *= 1e-3
    values[7] = 0
    matrix = EmbeddingMatrix(values.astype(np.float32))
    found = compress.evaluate(matrix, kind(parts=3, code_bits=4, steps=4).fit(matrix))
    assert found.row_errors.max() <= 1 + 1e-3 and found.row_errors[7] == 0


@pytest.mark.parametrize("codebook_bits", [32, 16])
def test_every_part_is_the_nearest_of_its_stored_vectors(codebook_bits):
    matrix = EmbeddingMatrix(correlated())
    method = ProductQuantization(parts=4, code_bits=4, codebook_bits=codebook_bits)
    result = method.fit(matrix)
    books = result.arrays["codebooks"].astype(np.float32) * result.arrays["unit"]
    parts = matrix.values.reshape(800, 4, 1, 3)
    distances = ((parts - books) ** 2).sum(axis=3)  # (n, parts, count)
    decoded = ((matrix.values - result.reconstruct()).reshape(800, 4, 3) ** 2).sum(axis=2)
    np.testing.assert_allclose(decoded, distances.min(axis=2), rtol=1e-3, atol=1e-6)


def test_the_vectors_are_the_means_of_their_rows():
    points = correlated()
    book = centroids(points, 16, None, 200, seed=1)
    labels = nearest(points, book)
    means = np.stack([points[labels == z].mean(axis=0) for z in range(16)])
    np.testing.assert_allclose(book, means, atol=1e-3)


@ALL
def test_the_error_falls_with_parts_and_with_bits(kind):
    matrix = EmbeddingMatrix(correlated())
    by_parts = [error(matrix, kind(parts=parts, code_bits=4)) for parts in (1, 3, 6, 12)]
    assert all(np.diff(by_parts) < 0)
    by_bits = [error(matrix, kind(parts=3, code_bits=bits)) for bits in (1, 3, 5, 7)]
    assert all(np.diff(by_bits) < 0)


def test_one_part_is_the_same_for_pq_and_opq_up_to_the_search():
    matrix = EmbeddingMatrix(correlated())
    plain, turned = (error(matrix, kind(parts=1, code_bits=5)) for kind in (ProductQuantization, OptimizedProductQuantization))
    assert turned == pytest.approx(plain, rel=0.05)


def test_a_rotation_is_worth_its_bytes_where_columns_hang_together():
    matrix = EmbeddingMatrix(correlated(n=4000, d=24))
    plain, turned = ProductQuantization(parts=8, code_bits=5), OptimizedProductQuantization(parts=6, code_bits=5)
    assert turned.size(4000, 24) <= plain.size(4000, 24)
    assert error(matrix, turned) < 0.8 * error(matrix, plain)


def test_a_turned_matrix_is_quantized_as_well_as_before_the_turn():
    values = correlated()
    turn = np.linalg.qr(RNG(3).standard_normal((12, 12)))[0].astype(np.float32)
    method = OptimizedProductQuantization(parts=4, code_bits=5)
    assert error(EmbeddingMatrix(values @ turn), method) == pytest.approx(error(EmbeddingMatrix(values), method), rel=0.05)


@pytest.mark.parametrize("dims", [None, 8])
def test_the_rotation_has_orthonormal_rows(dims):
    rotation = OptimizedProductQuantization(parts=4, code_bits=4, dims=dims).fit(EmbeddingMatrix(correlated())).arrays["rotation"]
    assert rotation.shape == (dims or 12, 12)
    rotation = rotation.astype(np.float32)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(len(rotation)), atol=2e-3)


def test_fewer_directions_lose_no_less_than_the_subspace_of_that_dimension():
    matrix = EmbeddingMatrix(correlated())
    svd = error(matrix, compress.SVD(j=3, factor_bits=32))
    assert svd <= error(matrix, OptimizedProductQuantization(parts=3, code_bits=9, dims=3)) < svd + 0.01


def test_a_refit_is_least_squares():
    values, codes = correlated(), RNG(1).integers(4, size=(800, 3))
    books = refit_codebooks(values, codes, 4, None)
    used = np.zeros((800, 12))
    used[np.arange(800)[:, None], codes + 4 * np.arange(3)] = 1
    expected = used @ np.linalg.lstsq(used, values, rcond=None)[0]
    np.testing.assert_allclose(books[np.arange(3), codes].sum(axis=1), expected, atol=1e-3)


def test_a_wider_beam_loses_less():
    matrix = EmbeddingMatrix(correlated())
    assert error(matrix, ResidualQuantization(parts=6, code_bits=4, beam=8)) < error(
        matrix, ResidualQuantization(parts=6, code_bits=4, beam=1)
    )


@ALL
def test_weights_move_error_from_heavy_to_light_rows(kind):
    values = correlated()
    weights = np.where(np.arange(800) < 100, 50.0, 0.1)
    method = kind(parts=3, code_bits=5)
    plain, weighted = (method.fit(EmbeddingMatrix(values, weights=each)).reconstruct() for each in (None, weights))
    lost = {name: ((decoded - values) ** 2).sum(axis=1) for name, decoded in (("plain", plain), ("weighted", weighted))}
    assert lost["weighted"][:100].sum() < 0.8 * lost["plain"][:100].sum()
    assert lost["weighted"][100:].sum() > lost["plain"][100:].sum()


@ALL
@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_the_unit_of_the_entries_does_not_matter(kind, scale):
    values = correlated()
    method = kind(parts=3, code_bits=4)
    assert error(EmbeddingMatrix(values * np.float32(scale)), method) == pytest.approx(
        error(EmbeddingMatrix(values), method), rel=0.02
    )


@pytest.mark.parametrize("kind", [ProductQuantization, OptimizedProductQuantization])
def test_parts_that_do_not_divide_the_columns_are_refused(small, kind):
    with pytest.raises(ValueError, match=r"^parts must be a whole number that divides 7 \(the matrix has 7 columns\), got 3$"):
        kind(parts=3, code_bits=2).fit(small)
    with pytest.raises(ValueError, match=r"^parts must be a whole number that divides 4 \(dims is 4\), got 3$"):
        OptimizedProductQuantization(parts=3, code_bits=2, dims=4).fit(small)
    with pytest.raises(ValueError, match=r"^dims must be a whole number between 1 and 7 \(the matrix has 7 columns\), got 8$"):
        OptimizedProductQuantization(parts=2, code_bits=2, dims=8).fit(small)


@ALL
def test_more_vectors_than_rows_are_refused(small, kind):
    with pytest.raises(ValueError, match=r"^code_bits must be a whole number between 1 and 5 \(the matrix has 40 rows\), got 6$"):
        kind(parts=1, code_bits=6).fit(small)


@pytest.mark.parametrize(
    ("method", "n_bytes"),
    [
        (ProductQuantization(parts=4, code_bits=5), 250 + 2 * 32 * 12 + 4),
        (OptimizedProductQuantization(parts=4, code_bits=5), 250 + 2 * 32 * 12 + 4 + 2 * 144),
        (OptimizedProductQuantization(parts=4, code_bits=5, dims=8), 250 + 2 * 32 * 8 + 4 + 2 * 96),
        (ResidualQuantization(parts=4, code_bits=5, codebook_bits=32), 250 + 4 * 4 * 32 * 12 + 4),
    ],
    ids=str,
)
def test_bytes_are_codes_codebooks_and_rotation(method, n_bytes):
    assert method.size(100, 12) == n_bytes
    assert method.fit(EmbeddingMatrix(correlated(n=100))).n_bytes == n_bytes


@ALL
def test_a_file_is_decoded_without_faiss(kind, tmp_path):
    matrix = EmbeddingMatrix(correlated())
    result = kind(parts=3, code_bits=4).fit(matrix)
    result.save(tmp_path / "x.safetensors")
    np.save(tmp_path / "x.npy", result.reconstruct())
    code = (
        "import sys, numpy, compress\n"
        "sys.modules['faiss'] = None\n"
        "decoded = compress.load(sys.argv[1]).reconstruct()\n"
        "print(numpy.array_equal(decoded, numpy.load(sys.argv[2])))\n"
    )
    files = [str(tmp_path / name) for name in ("x.safetensors", "x.npy")]
    found = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"


@ALL
def test_threads_do_not_change_what_is_found(kind):
    import faiss

    matrix, found = EmbeddingMatrix(correlated()), []
    before = faiss.omp_get_max_threads()
    for threads in (1, 2):
        faiss.omp_set_num_threads(threads)
        found.append(kind(parts=3, code_bits=4).fit(matrix).arrays)
        assert faiss.omp_get_max_threads() == threads
    faiss.omp_set_num_threads(before)
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
