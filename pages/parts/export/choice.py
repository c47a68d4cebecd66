"""The settings that can be exported: the pinned ones, and those now on Spectrum, Subspaces, Robustness and Hash codes."""

import streamlit as st

from compress import EmbeddingMatrix, LpLowRank, Method, ProjectiveClustering
from compress.charts.figure import PRECISION_NAMES
from compress.methods import SVD, LightToken
from pages.parts.controls import KEPT, usual_rank
from pages.parts.hash_codes.controls import (
    LOSSES,
    MOST_EPOCHS,
    MOST_RANK,
    SOLVERS,
    TEMPERATURES,
    USUAL,
    bits_range,
    bytes_of_bits,
    stage_count,
)
from pages.parts.pins import describe, pins
from pages.parts.robustness.controls import OBJECTIVES
from pages.parts.subspaces.loss import LEAST, MOST, loss_settings


def setting_choice(matrix: EmbeddingMatrix) -> Method:
    """The setting to export. What this matrix cannot have is not offered."""
    offered = [*pins(), on_spectrum(matrix), on_subspaces(matrix), on_robustness(matrix), on_hash_codes(matrix)]
    found = {describe(method): method for method in offered if possible(method, matrix)}
    chosen = st.selectbox(
        "Setting", list(found), key="export", width=480,
        help="Pinned settings, and those that the pages before this are set to now. Pin more on any page.", **KEPT,
    )  # fmt: skip
    return found[chosen]


def possible(method: Method, matrix: EmbeddingMatrix) -> bool:
    try:
        method.check(*matrix.shape)
    except ValueError:
        return False
    return True


def on_spectrum(matrix: EmbeddingMatrix) -> SVD:
    return SVD(j=rank("j", min(matrix.shape)), factor_bits=precision("precision"))


def on_subspaces(matrix: EmbeddingMatrix) -> ProjectiveClustering:
    return ProjectiveClustering(
        k=whole("k", 5, min(32, matrix.shape[0])),
        j=rank("flat_j", min(matrix.shape)),
        affine=str(held("affine", False)).lower() == "true",
        restarts=whole("restarts", 8, 32),
        factor_bits=precision("flat_precision"),
        seed=whole("seed", 0, 99, low=0),
        **loss_settings(held("flat_loss", ""), number("flat_p", 1, 2) or 2.0, number("flat_scale", LEAST, MOST)),
    )


def on_robustness(matrix: EmbeddingMatrix) -> Method:
    j = rank("robust_j", min(matrix.shape))
    settings = loss_settings(held("robust_loss", ""), number("robust_p", 1, 2) or 1.0, number("robust_scale", LEAST, MOST))
    if settings["loss"] == "lp":
        return LpLowRank(j=j, p=settings["p"], objective=OBJECTIVES.get(held("robust_objective", ""), "rows"))
    return ProjectiveClustering(k=1, j=j, **settings)


def on_hash_codes(matrix: EmbeddingMatrix) -> LightToken:
    low, high = bits_range(matrix.shape[0])
    bits = bytes_of_bits(whole("hash_bits", USUAL.bits, high, low), low, high)
    solver = SOLVERS.get(held("hash_solver", ""), "refined")
    trained = {}
    if solver == "paper":
        trained = {
            "temperature": round(number("hash_temperature", *TEMPERATURES) or USUAL.temperature, 3),
            "epochs": whole("hash_epochs", USUAL.epochs, MOST_EPOCHS),
        }
    return LightToken(
        rank=whole("hash_rank", 0, min(MOST_RANK, *matrix.shape), low=0),
        bits=bits,
        stages=min(stage_count(str(held("hash_stages", "1"))), bits),
        loss=LOSSES.get(held("hash_loss", ""), "euclidean"),
        solver=solver,
        **trained,
    )


def held(key: str, default):
    """What a control of another page is set to, in this session or in the link."""
    return st.session_state.get(key, st.query_params.get(key, default))


def whole(key: str, default: int, high: int, low: int = 1) -> int:
    try:
        value = int(held(key, default))
    except (TypeError, ValueError):
        value = default
    return min(max(value, low), high)


def number(key: str, low: float, high: float) -> float | None:
    """None where there is no such number."""
    try:
        value = float(held(key, "nan"))
    except (TypeError, ValueError):
        return None
    return value if low <= value <= high else None


def rank(key: str, most: int) -> int:
    return whole(key, usual_rank(most), most)


def precision(key: str) -> int:
    name = held(key, PRECISION_NAMES[16])
    return next((bits for bits, each in PRECISION_NAMES.items() if each == name), 16)
