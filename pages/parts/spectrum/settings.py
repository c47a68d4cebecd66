"""What Spectrum can be set to: the SVD, and how it is drawn."""

import streamlit as st

from compress import EmbeddingMatrix
from compress.methods import SVD
from compress.sources import MADE
from pages.parts.controls import ABOUT_PRECISION, STORED_AS, Choice, Switch, Words, precision, rank
from pages.parts.settings import Screen

NOTHING, RANDOM = "none", "random"  # to lay over the matrix
SECONDS = (NOTHING, RANDOM, *MADE, "path", "hub")


class Spectrum(Screen):
    title, page = "Spectrum", "pages/spectrum.py"

    j = rank("j")
    bits = precision("precision")
    log = Switch("log")
    second = Choice("compare", SECONDS, NOTHING)
    second_path = Words("compare_path")
    second_hub = Words("compare_hub")

    def elsewhere(self, key):
        """Its names are so short that other screens have settings of the same."""
        return f"spectrum_{key}"

    def controls(self, matrix: EmbeddingMatrix) -> SVD:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            self.j.dial("Dimension j of the subspace", matrix.shape)
            self.bits.draw(STORED_AS, ABOUT_PRECISION)
            self.log.draw("Log scale")
        return self.held(matrix)

    def held(self, matrix):
        return SVD(j=self.j.held(matrix.shape), factor_bits=self.bits.held())

    def values(self, method):
        return self.spelled(j=method.j, bits=method.factor_bits) if isinstance(method, SVD) else None


SPECTRUM = Spectrum()
