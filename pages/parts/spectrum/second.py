"""A second matrix, to lay over the first."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError
from pages.parts.cached import cached
from pages.parts.controls import KEPT
from pages.parts.matrix import current_matrix, kinds, label, open_matrix, picked_source
from pages.parts.say import refused
from pages.parts.spectrum.settings import NOTHING, RANDOM, SECONDS, SPECTRUM


def second_matrix() -> EmbeddingMatrix | None:
    """The matrix that a person lays over the first, or None."""
    names = {NOTHING: "Nothing", RANDOM: "Random numbers of the same shape", **{kind: label(kind) for kind in kinds()}}
    kind = st.selectbox(
        "Compare with",
        [kind for kind in SECONDS if kind in names],
        format_func=names.get,
        key=SPECTRUM.second.key,
        **KEPT,
        width=340,
    )
    if kind == NOTHING:
        return None
    if kind == RANDOM:
        return random_matrix(current_matrix().shape)
    source = picked_source(kind, SPECTRUM.second.key, **KEPT)
    if source is None:
        return None
    try:
        return open_matrix(source, None)
    except InputError as error:
        refused(error)
        return None


@cached(1)
def random_matrix(shape: tuple[int, int]) -> EmbeddingMatrix:
    """What no structure at all looks like."""
    return EmbeddingMatrix(np.random.default_rng(0).standard_normal(shape, dtype=np.float32), name="random")
