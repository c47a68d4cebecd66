"""What Hash codes can be set to: what is stored as numbers, what as bits, how the bits are found, and how many are looked at."""

from dataclasses import replace

import streamlit as st

from compress import EmbeddingMatrix, Method
from compress.analysis.code_curves import BITS, RANKS, STEP
from compress.methods import LightToken
from pages.parts.controls import KEPT, Choice, Real, Setting, Switch, Whole, Words
from pages.parts.settings import Screen

USUAL = LightToken()
RATIOS = (25, 103)
WIDTH = 420  # of the dials, so that every value is a few points wide


class Used(Setting):
    """Bits of the first stages. The finished stages say which there are to choose from."""

    def parse(self, held):
        return int(held) if str(held).isdecimal() and len(str(held)) < 5 else None

    def draw(self, label: str, choices: list[int], help: str, disabled: bool = False) -> int:
        """One of several choices, at first the last."""
        if st.session_state.get(self.key) not in (None, *choices):
            st.session_state[self.key] = choices[-1]  # of another code
        st.session_state[self.first] = choices[-1]
        return st.select_slider(label, choices, choices[-1], key=self.key, help=help, disabled=disabled, **KEPT)


class HashCodes(Screen):
    title, page = "Hash codes", "pages/hash_codes.py"

    rank = Whole("hash_rank", *RANKS, 0, min)
    bits = Whole("hash_bits", *BITS, USUAL.bits, lambda n, d: n - 1, step=STEP)
    stages = Choice("hash_stages", {str(stages): stages for stages in (1, 2, 4, 8)}, 1)
    loss = Choice("hash_loss", {"Euclidean": "euclidean", "Direction": "direction"}, "euclidean")
    solver = Choice("hash_solver", {"Refined": "refined", "Paper": "paper"}, "refined")
    temperature = Real("hash_temperature", 0.005, 0.5, USUAL.temperature, 3)
    epochs = Whole("hash_epochs", 1, 100, USUAL.epochs)
    cosine = Switch("hash_cosine")
    used = Used("hash_used")
    token = Words("hash_token")

    def controls(self, matrix: EmbeddingMatrix) -> LightToken:
        """The fit that a person asks for."""
        left, right = st.columns(2)
        with left.container(width=WIDTH):
            self.rank.dial("Rank", matrix.shape, "Directions kept as numbers, by SVD; bits store what is then left.")
            self.bits.dial("Bits", matrix.shape, "Length of a row's code, all stages together.")
            buttons = st.container(horizontal=True)
        with right:
            with st.container(horizontal=True):
                self.stages.draw(
                    "Stages", "Parts of the code, each made for what the parts before it leave. The first few are a code too."
                )
                about = "Euclidean: the squared distance. Direction: a bound above it that minds the angle more."
                self.loss.draw("Loss", about)
            about = "Refined: ours, bit by bit, with a gain for every row. Paper: the trained autoencoder, slower."
            if self.solver.draw("Solver", about) == "paper":
                with st.container(horizontal=True):
                    about = "Of the sigmoid that makes the codes: it falls from 1 to this. The lower, the nearer to bits."
                    self.temperature.draw("Last temperature", 0.005, "%.3f", about)
                    self.epochs.draw("Epochs a stage", help="Passes over all rows.")
        method = self.held(matrix)
        with buttons:
            for ratio in RATIOS:
                self.button_at(ratio, self.most_bits(method, matrix.shape, ratio))
        return method

    def button_at(self, ratio: int, bits: int | None) -> None:
        st.button(
            f"{ratio} ×",
            key=f"hash_at_{ratio}",
            on_click=self.use_bits,
            args=[bits],
            disabled=bits is None,
            help=f"Rank 0, 1 stage and the most bits that make the matrix at least {ratio} times smaller",
        )

    def use_bits(self, bits: int) -> None:
        st.session_state.update(self.spelled(rank=0, stages=1) | {self.bits.key: bits})

    def most_bits(self, method: Method, shape: tuple[int, int], ratio: float) -> int | None:
        """The most bits, in whole bytes, that reach a ratio with rank 0 and 1 stage; None where not even 8 do."""
        (low, high), (n, d) = self.bits.bounds(shape), shape
        sizes = {bits: replace(method, rank=0, stages=1, bits=bits).size(n, d) for bits in range(low, high + 1, self.bits.step)}
        return max((bits for bits, size in sizes.items() if size * ratio <= 4 * n * d), default=None)

    def lengths(self, method: LightToken, shape: tuple[int, int]) -> list[LightToken]:
        """The method at every value of bits."""
        low, high = self.bits.bounds(shape)
        stages = self.stages.held()
        return [replace(method, bits=bits, stages=min(stages, bits)) for bits in range(low, high + 1, STEP)]

    def ranks(self, method: LightToken, shape: tuple[int, int]) -> list[LightToken]:
        """The method at every value of rank."""
        low, high = self.rank.bounds(shape)
        return [replace(method, rank=rank) for rank in range(low, high + 1)]

    def largest(self, method: LightToken, shape: tuple[int, int]) -> LightToken:
        """The method with the most bits beside the highest rank."""
        return replace(method, bits=self.bits.bounds(shape)[1], rank=self.rank.bounds(shape)[1])

    def held(self, matrix):
        bits, solver = self.bits.held(matrix.shape), self.solver.held()
        trained = {"temperature": self.temperature.held(), "epochs": self.epochs.held()} if solver == "paper" else {}
        stages = min(self.stages.held(), bits)
        rank = self.rank.held(matrix.shape)
        return LightToken(rank=rank, bits=bits, stages=stages, loss=self.loss.held(), solver=solver, **trained)

    def values(self, method):
        """Its bits in whole bytes, and not its seed."""
        if not isinstance(method, LightToken):
            return None
        names = ["rank", "bits", "stages", "loss", "solver", *(["temperature", "epochs"] if method.solver == "paper" else [])]
        told = {name: getattr(method, name) for name in names}
        return self.spelled(**told) if LightToken(**told) == replace(method, seed=USUAL.seed) else None


HASH_CODES = HashCodes()
