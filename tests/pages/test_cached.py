"""Cached calls go by what they are given: its key, and no one that a caller hands over."""

import ast
from pathlib import Path

import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix
from compress.methods import SVD
from pages.parts.cached import KEYS, cached
from pages.parts.fits import Fit
from pages.parts.hash_codes.fits import Coded
from pages.parts.quick_fits import Fitted

FILES = sorted((Path(__file__).parents[2] / "pages").rglob("*.py"))
UNSEEN = {"weighed": {"_matrix"}, "opened": {"_subject_of"}}  # told by the source and its stamp; always the same function


def matrix(seed=0, weights=None, tokens=None, **named):
    return EmbeddingMatrix(np.random.default_rng(seed).standard_normal((20, 4)).astype(np.float32), tokens, weights, **named)


@pytest.fixture
def calls():
    """`calls(…)` is a cached call, and says how often the function behind it ran."""
    ran = []

    def made(**how):
        @cached(max_entries=9, **how)
        def call(*given):
            ran.append(given)
            return len(ran)

        call.clear()
        return call

    return made


def test_equal_matrices_are_one_and_others_are_not(calls):
    call = calls()
    weighted = matrix(weights=np.arange(20.0))
    assert [call(each) for each in (matrix(), matrix(), matrix(1), weighted, matrix(), weighted)] == [1, 1, 2, 3, 1, 3]


def test_a_matrix_is_one_under_all_weights_where_they_do_not_matter(calls):
    call = calls(weights=False)
    assert [call(each) for each in (matrix(), matrix(weights=np.arange(20.0)), matrix(1))] == [1, 1, 2]


@pytest.mark.parametrize("weights", [True, False])
def test_equal_values_under_other_names_are_another_matrix(calls, weights):
    call, letters = calls(weights=weights), "abcdefghijklmnopqrst"
    named = [matrix(tokens=letters), matrix(tokens=letters[::-1]), matrix(tokens=letters, row_word="word")]
    assert [call(each) for each in (matrix(), *named, matrix(), named[0])] == [1, 2, 3, 4, 1, 2]


def test_a_compressed_form_is_known_by_method_and_arrays(calls, tmp_path):
    call, first = calls(), SVD(j=2).fit(matrix())
    first.save(tmp_path / "x.safetensors")
    others = [compress.load(tmp_path / "x.safetensors"), SVD(j=3).fit(matrix()), SVD(j=2).fit(matrix(weights=np.arange(20.0)))]
    assert [call(each) for each in (first, *others)] == [1, 1, 2, 3]


def test_fits_of_every_kind_are_known_by_what_they_hold(calls):
    call, table = calls(), matrix()
    result = SVD(j=2).fit(table)
    evaluation = compress.evaluate(table, result)
    full, preview = (Fit(SVD(j=2), result, evaluation, None, (), each) for each in (False, True))
    other = Fit(SVD(j=3), result, evaluation, None, (), False)
    found = [Fitted(result, evaluation), full, preview, other, Coded(table, result), Coded(matrix(1), result)]
    assert [call(each) for each in found * 2] == [*range(1, 7)] * 2


def test_files_are_known_by_their_bytes(calls):
    call = calls()
    assert [call(memoryview(each)) for each in (b"one", bytearray(b"one"), b"two")] == [1, 1, 2]


def test_what_has_a_key_is_known_by_it():
    assert all(hasattr(kind, "key") or "key" in kind.__annotations__ for kind in KEYS if kind is not memoryview)


def test_no_page_hands_a_key_over():
    found, plain = [], []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            decorators = [ast.unparse(each) for each in node.decorator_list]
            plain += [node.name for each in decorators if each.startswith("st.cache")]
            if any(each.startswith("cached(") for each in decorators):
                names = {each.arg for each in node.args.args}
                found.append(node.name)
                assert {name for name in names if name.startswith("_") or name == "key"} == UNSEEN.get(node.name, set())
    assert len(found) > 40 and plain == ["arrived"]  # the session itself
