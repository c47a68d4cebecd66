"""The controls of Hash codes: what is stored as numbers, what as bits, and how the bits are found."""

from dataclasses import replace

import streamlit as st

from compress import Method
from compress.methods import LightToken
from pages.parts.controls import KEPT, choice, whole_slider

LOSSES = {"Euclidean": "euclidean", "Direction": "direction"}
SOLVERS = {"Refined": "refined", "Paper": "paper"}
STAGES = ("1", "2", "4", "8")
RATIOS = (25, 103)
USUAL = LightToken()
MOST_RANK, MOST_BITS, BYTE = 64, 512, 8
TEMPERATURES, MOST_EPOCHS = (0.005, 0.5), 100


def method_controls(n: int, d: int) -> LightToken:
    """The fit that a person asks for."""
    left, right = st.columns(2)
    with left:
        rank = whole_slider(
            "Rank", "hash_rank", 0, min(MOST_RANK, n, d), 0, "Directions kept as numbers, by SVD; bits store what is then left."
        )
        bits = bits_slider(n)
        buttons = st.container(horizontal=True)
    with right:
        with st.container(horizontal=True):
            stages = choice(
                "Stages", STAGES, "1", "hash_stages",
                "Parts of the code, each made for what the parts before it leave. The first few are a code too.",
            )  # fmt: skip
            loss = choice(
                "Loss", list(LOSSES), "Euclidean", "hash_loss",
                "Euclidean: the squared distance. Direction: a bound above it that minds the angle more.",
            )  # fmt: skip
        solver = choice(
            "Solver", list(SOLVERS), "Refined", "hash_solver",
            "Refined: ours, bit by bit, with a gain for every row. Paper: the trained autoencoder, slower.",
        )  # fmt: skip
        trained = paper_controls() if solver == "Paper" else {}
    method = LightToken(
        rank=rank, bits=bits, stages=min(stage_count(stages), bits), loss=LOSSES.get(loss, "euclidean"),
        solver=SOLVERS.get(solver, "refined"), **trained,
    )  # fmt: skip
    with buttons:
        for ratio in RATIOS:
            most = most_bits(method, n, d, ratio)
            st.button(
                f"{ratio} ×", key=f"hash_at_{ratio}", on_click=use_bits, args=[most], disabled=most is None,
                help=f"Rank 0, 1 stage and the most bits that make the matrix at least {ratio} times smaller",
            )  # fmt: skip
    return method


def hash_values(method: LightToken) -> dict | None:
    """What the controls of this page hold for a setting, its bits in whole bytes and not its seed; None where they cannot."""
    told = {name: getattr(method, name) for name in ("rank", "bits", "stages", "loss", "solver")}
    trained = {name: getattr(method, name) for name in ("temperature", "epochs")} if method.solver == "paper" else {}
    within = method.rank <= MOST_RANK and BYTE <= method.bits <= MOST_BITS and str(method.stages) in STAGES
    if not within or LightToken(**told, **trained) != replace(method, seed=USUAL.seed):
        return None
    values = {"hash_rank": method.rank, "hash_bits": method.bits - method.bits % BYTE, "hash_stages": str(method.stages)}
    values["hash_loss"] = next(name for name, loss in LOSSES.items() if loss == method.loss)
    values["hash_solver"] = next(name for name, solver in SOLVERS.items() if solver == method.solver)
    return values | {f"hash_{name}": value for name, value in trained.items()}


def stage_count(stages: str) -> int:
    return int(stages) if stages in STAGES else 1


def bits_range(n: int) -> tuple[int, int]:
    """The fewest and the most bits for so many rows."""
    most = min(MOST_BITS, n - 1)
    return (BYTE, most - most % BYTE) if most >= BYTE else (most, most)


def bits_slider(n: int) -> int:
    low, high = bits_range(n)
    if low == high:
        st.caption(f"Bits: {low}, the only choice for this matrix.")
        return low
    held = st.session_state.get("hash_bits")
    if isinstance(held, int) and (held % BYTE or not low <= held <= high):  # another matrix was opened
        st.session_state["hash_bits"] = bytes_of_bits(held, low, high)
    bits = st.slider(
        "Bits", low, high, min(USUAL.bits, high), BYTE, key="hash_bits", help="Length of a row's code, all stages together.", **KEPT
    )
    return bytes_of_bits(bits, low, high)


def bytes_of_bits(bits: int, low: int, high: int) -> int:
    """Whole bytes, between the bounds."""
    return min(max(bits - bits % BYTE, low), high)


def paper_controls() -> dict:
    with st.container(horizontal=True):
        low, high = TEMPERATURES
        temperature = st.slider(
            "Last temperature", low, high, USUAL.temperature, 0.005, "%.3f", key="hash_temperature",
            help="Of the sigmoid that makes the codes: it falls from 1 to this. The lower, the nearer to bits.", **KEPT,
        )  # fmt: skip
        epochs = whole_slider("Epochs a stage", "hash_epochs", 1, MOST_EPOCHS, USUAL.epochs, "Passes over all rows.")
    return {"temperature": round(min(max(float(temperature), low), high), 3), "epochs": epochs}


def most_bits(method: Method, n: int, d: int, ratio: float) -> int | None:
    """The most bits, in whole bytes, that reach a ratio with rank 0 and 1 stage; None where not even 8 do."""
    low, high = bits_range(n)
    sizes = {bits: replace(method, rank=0, stages=1, bits=bits).size(n, d) for bits in range(low, high + 1, BYTE)}
    return max((bits for bits, size in sizes.items() if size * ratio <= 4 * n * d), default=None)


def use_bits(bits: int) -> None:
    st.session_state.update(hash_rank=0, hash_stages="1", hash_bits=bits)
