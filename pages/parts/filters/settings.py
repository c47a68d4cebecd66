"""What Filters can be set to: the network, how it is pruned, and what is looked at."""

from dataclasses import dataclass

import streamlit as st

from pages.parts.controls import Choice, Switch, Whole, Words
from pages.parts.settings import Screen

DIGITS, UPLOAD = "Digits (trained here, in seconds)", "Upload"
MAPPED = 32  # judged pictures whose feature maps can be looked at


@dataclass(frozen=True)
class Pruning:
    """How to prune: the arguments of compress.pruning.prune."""

    keep: float
    measure: str
    over: str
    variant: str
    seed: int


class Filters(Screen):
    title, page = "Filters", "pages/filters.py"

    network = Choice("filters_network", (DIGITS, UPLOAD), DIGITS)
    architecture = Words("filters_architecture")
    keep = Whole("filters_keep", 5, 100, 40)
    measure = Choice("filters_measure", {"Parameters": "parameters", "FLOPs": "flops"}, "parameters")
    over = Choice("filters_over", {"Largest share": "largest", "Mean share": "mean"}, "largest")
    variant = Choice("filters_variant", {"Most sensitive": "top", "Drawn": "sampled", "Half and half": "mixed"}, "top")
    seed = Whole("filters_seed", 0, 20, 0)
    space = Words("filters_space")
    picture = Whole("filters_picture", 1, MAPPED, 1, lambda judged, columns: judged)
    retrained = Switch("filters_retrained")

    def controls(self) -> Pruning:
        """How a person asks to prune."""
        left, right = st.columns(2)
        with left:
            keep = self.keep.dial("Kept, %", help="The budget: what is left of the parameters or FLOPs at most.")
            measure = self.measure.draw("Share of", "FLOPs: of one picture, convolutions and linear layers.")
        with right:
            over = self.over.draw(
                "Sensitivity is",
                "What a filter adds to an output of the next layer: the largest share over all pictures and places, as in the "
                "paper, or the share of the sums over them.",
            )
            variant = self.variant.draw(
                "Kept filters are",
                "Drawn: by chance, in proportion to sensitivity, and the weights that read them multiplied so that sums stay right "
                "in the mean. Half and half: the most sensitive half for certain, the rest drawn.",
            )
        seed = 0 if variant == "top" else self.seed.draw("Seed of the draw")
        return Pruning(keep / 100, measure, over, variant, seed)


FILTERS = Filters()
