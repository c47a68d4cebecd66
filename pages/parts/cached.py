"""Calls that are made once for what they are given, and calls into compress of that kind that several screens need.

What is given says by its `key` what it is, so that no caller does: a matrix by its values, weights and names, a compressed form by
its arrays. Large arrays have no key, are hashed only in part, and are no arguments of such a call.
"""

from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

import compress
from compress import Compressed, EmbeddingMatrix, Spectrum
from compress.analysis.code_curves import CodeCurves
from compress.analysis.curves import svd_errors
from compress.analysis.groupings import Grouping
from compress.analysis.scatter import pca_map
from compress.answers.robust import View
from compress.charts.robustness import Bins
from compress.linalg.blocks import unit_rows
from compress.threads import one_thread
from pages.parts.work.turns import in_turn

KEYS: dict[type, Callable] = {
    EmbeddingMatrix: lambda matrix: f"{matrix.key} {matrix.names} {matrix.stored}",
    Compressed: attrgetter("key"),
    CodeCurves: attrgetter("key"),
    View: attrgetter("key"),
    Bins: attrgetter("key"),
    Grouping: attrgetter("key"),
    memoryview: lambda content: blake2b(content).digest(),  # of a file
}

apart: set[str] = set()  # ids of sessions that look at a matrix of their own


def keyed(kind: type) -> type:
    """For a class whose objects have a `key`, which cached calls then go by."""
    KEYS[kind] = attrgetter("key")
    return kind


def keep_apart(own: bool) -> None:
    """Says whether the session looks at a matrix of its own. What it computes is then kept for it alone, and goes with it; else it
    is kept for all."""
    run = get_script_run_ctx(suppress_warning=True)
    if run:
        (apart.add if own else apart.discard)(run.session_id)


def is_apart() -> bool:
    """Whether what is computed now is of a session's own matrix."""
    run = get_script_run_ctx(suppress_warning=True)
    return run is not None and run.session_id in apart


class Kept:
    """A function whose last few results are kept, for all and for each session that is apart."""

    def __init__(self, function: Callable, max_entries: int, own: int, how: dict[str, Any]):
        wraps(function)(self)
        self.for_all = st.cache_resource(function, max_entries=max_entries, **how)
        self.for_one = st.cache_resource(function, max_entries=own, scope="session", **how)

    def __call__(self, *given: Any, **named: Any) -> Any:
        return self.of(is_apart(), *given, **named)

    def of(self, own: bool, *given: Any, **named: Any) -> Any:
        """Of a session's own matrix, or of one that anybody may open."""
        return (self.for_one if own and get_script_run_ctx(suppress_warning=True) else self.for_all)(*given, **named)

    def clear(self) -> None:
        """Forgets what is kept for all, and for this session."""
        self.for_all.clear()
        if get_script_run_ctx(suppress_warning=True):
            self.for_one.clear()


def cached(
    max_entries: int, spinner: bool | str = False, weights: bool = True, own: int | None = None, slow: bool = False, **how: Any
) -> Any:
    """Keeps what a function gave for its last few arguments, as it is: not to be written to. weights: whether the weights of a
    matrix matter, the only object with a key that it may take otherwise. own: how many for a session that is apart, as many unless
    given. slow: whether it is called for one session at a time."""
    keys = KEYS if weights else {EmbeddingMatrix: lambda matrix: f"{matrix.digest} {matrix.names}"}
    how |= {"show_spinner": spinner, "hash_funcs": keys}
    return lambda function: Kept(taking_turns(function) if slow else function, max_entries, own or max_entries, how)


def taking_turns(function: Callable) -> Callable:
    """The function, called in its turn."""

    @wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        with in_turn():
            return function(*given, **named)

    return called


@cached(8)
def spectrum_of(matrix: EmbeddingMatrix) -> Spectrum:
    return compress.spectrum(matrix)


@cached(24)
def both_of(matrix: EmbeddingMatrix, bits: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Of SVD at every j from 0 to the most."""
    with one_thread():  # a busy second core would be waited for
        return svd_errors(matrix, bits, most)


def rounded_of(matrix: EmbeddingMatrix, bits: int) -> np.ndarray:
    """The error of SVD at every j from 0, weighted where rows are."""
    return both_of(matrix, bits, min(matrix.shape))[0]


def plain_of(matrix: EmbeddingMatrix, bits: int) -> np.ndarray:
    """The same with every row counted alike, where the fit is weighted."""
    return both_of(matrix, bits, min(matrix.shape))[1]


@cached(4)
def pca_of(matrix: EmbeddingMatrix) -> np.ndarray:
    return pca_map(matrix)


@cached(2, weights=False)
def unit_before(matrix: EmbeddingMatrix) -> np.ndarray:
    """(n, d) the rows at length 1."""
    return unit_rows(matrix.values)


@cached(2, "Decoding every row …")
def unit_after(result: Compressed) -> np.ndarray:
    """(n, d) the decoded rows at length 1."""
    return unit_rows(result.reconstruct())
