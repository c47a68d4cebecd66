"""What Subspaces can be set to: the search for k subspaces, and the map of the rows."""

import streamlit as st

from compress import EmbeddingMatrix, ProjectiveClustering
from compress.analysis.cleaning import EMPTY, EQUAL, FAR, NEAR
from compress.analysis.near_rows import LOWEST
from compress.solvers.losses import LABELS
from pages.parts.controls import ABOUT_PRECISION, KEPT, STORED_AS, Choice, Real, Several, Switch, Whole, Words, precision, rank
from pages.parts.say import literal
from pages.parts.settings import Screen

LOSSES = {label: name for name, label in LABELS.items()}
LEAST, MOST = 1e-12, 1e12  # of a scale
LONGEST = 24  # letters of a column's name on a button
LAYOUTS = ("PCA", "UMAP")
COLUMN = "column"  # the one that the sidebar says
COLOURS = ("subspace", "error", "norm", COLUMN)
SPARE = {"exact duplicates": EQUAL, "near duplicates": NEAR, "far rows": FAR, "empty rows": EMPTY}
PANELS = ("Sizes", "Typical rows", "Spectra", "Angles", "Steps", "k at equal bytes", "Agreement", "Cleaning")


def loss_settings(loss: str, p: float, scale: float | None) -> dict:
    """The loss as settings of a method, those that it does not use left at their defaults."""
    return {"loss": loss, "p": p} if loss == "lp" else {"loss": loss, "scale": scale}


class ColourBy(Choice):
    """What colours the map; the sidebar's column from when a person takes one there."""

    def draw_with(self, label: str, column: str | None) -> str:
        """column: the name of that column, if there is one."""
        seen, held = f"{self.key} seen", self.asked()
        if st.session_state.get(seen, "") != column:
            linked = seen not in st.session_state and held is not None
            st.session_state[seen] = column
            if column is not None and not linked:
                st.session_state[self.key] = COLUMN
        if column is None and held == COLUMN:
            st.session_state[self.key] = self.default
        options = [each for each in self.labels if each != COLUMN or column is not None]
        told = literal(column if column is None or len(column) <= LONGEST else f"{column[: LONGEST - 1]}…") if column else ""
        st.segmented_control(
            label,
            options,
            default=self.default,
            required=True,
            key=self.key,
            wrap=True,
            format_func=lambda each: told if each == COLUMN else each,
            **KEPT,
        )
        found = self.held()
        return self.default if found == COLUMN and column is None else found


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
    colour = ColourBy("colour", COLOURS, "subspace")
    token = Words("map_token")
    only_found = Switch("only_found")
    listed_by = Words("listed_by")
    least_first = Switch("least_first")
    panel = Choice("panel", PANELS, PANELS[0])
    kinds = Several("cleaning_kinds", SPARE, (EQUAL, NEAR, EMPTY))
    cosine = Real("cleaning_cosine", LOWEST, 1.0, 0.95, 3)
    far = Whole("cleaning_far", 1, 1000, 20)
    mark = Switch("cleaning_mark")

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
