"""What Subspaces can be set to: the search for k subspaces, and the map of the rows."""

import streamlit as st

from compress import EmbeddingMatrix, ProjectiveClustering
from compress.solvers.losses import LABELS
from pages.parts.controls import ABOUT_PRECISION, STORED_AS, Choice, Real, Switch, Whole, Words, precision, rank
from pages.parts.settings import Screen

LOSSES = {label: name for name, label in LABELS.items()}
LEAST, MOST = 1e-12, 1e12  # of a scale
LAYOUTS = ("PCA", "UMAP")
COLOURS = ("subspace", "error", "norm")


def loss_settings(loss: str, p: float, scale: float | None) -> dict:
    """The loss as settings of a method, those that it does not use left at their defaults."""
    return {"loss": loss, "p": p} if loss == "lp" else {"loss": loss, "scale": scale}


class Subspaces(Screen):
    title, page = "Subspaces", "pages/subspaces.py"

    k = Whole("k", 1, 32, 5, lambda n, d: n)
    j = rank("flat_j")
    affine = Switch("affine")
    restarts = Whole("restarts", 1, 32, 8)
    seed = Whole("seed", 0, 99, 0)
    bits = precision("flat_precision")
    loss = Choice("flat_loss", LOSSES, "lp")
    p = Real("flat_p", 1.0, 2.0, 2.0, 2)
    scale = Real("flat_scale", LEAST, MOST, None)
    layout = Choice("layout", LAYOUTS, "UMAP")
    colour = Choice("colour", COLOURS, "subspace")
    token = Words("map_token")

    def controls(self, matrix: EmbeddingMatrix):
        """The method, and the place for more words on its loss."""
        left, right = st.columns([1, 3])  # k has few values: narrow, so that a hand passes many of them
        with left:
            self.k.dial("Number of subspaces k", matrix.shape)
        with right:
            self.j.dial("Dimension j of each", matrix.shape)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            self.bits.draw(STORED_AS, ABOUT_PRECISION)
            self.affine.draw("Affine", "Flats with a point of their own instead of subspaces through 0.")
            with st.popover("Search", help="Restarts and seed of the search"):
                self.restarts.draw("Restarts", help="Starts tried on a sample; the best goes on over all rows.")
                self.seed.draw("Seed", help="The same seed gives the same subspaces.")
            popover = st.popover("Loss", help="How much a row far from every subspace pulls")
            with popover:
                self.loss_control()
        return self.held(matrix), popover

    def loss_control(self) -> None:
        about = "ℓp with p = 2 is least squares. Below 2, and under every other loss, far rows pull less."
        if self.loss.select("Loss ρ of a row's distance", about) == "lp":
            self.p.draw("Exponent p", 0.05)
        else:
            about = "The distance from which a row counts as far; estimated from the rows where none is given."
            self.scale.field("Scale λ", 0.05, "%.4g", "estimated", about)

    def held(self, matrix):
        return ProjectiveClustering(
            k=self.k.held(matrix.shape),
            j=self.j.held(matrix.shape),
            affine=self.affine.held(),
            restarts=self.restarts.held(),
            factor_bits=self.bits.held(),
            seed=self.seed.held(),
            **loss_settings(self.loss.held(), self.p.held(), self.scale.held()),
        )

    def values(self, method):
        if not isinstance(method, ProjectiveClustering):
            return None
        same = {name: getattr(method, name) for name in ("k", "j", "affine", "restarts", "seed", "loss", "scale")}
        p = method.p if method.loss == "lp" else self.p.default  # no other loss has one
        return self.spelled(**same, bits=method.factor_bits, p=p)


SUBSPACES = Subspaces()
