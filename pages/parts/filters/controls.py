"""The controls of Filters: how much is kept, of what, and how it is chosen."""

import streamlit as st

from pages.parts.controls import choice, whole_slider
from pages.parts.filters.fits import Setting

MEASURES = {"Parameters": "parameters", "FLOPs": "flops"}
OVER = {"Largest share": "largest", "Mean share": "mean"}
VARIANTS = {"Most sensitive": "top", "Drawn": "sampled", "Half and half": "mixed"}


def prune_controls() -> Setting:
    left, right = st.columns(2)
    with left:
        keep = whole_slider("Kept, %", "filters_keep", 5, 100, 40, "The budget: what is left of the parameters or FLOPs at most.")
        measure = choice(
            "Share of", list(MEASURES), "Parameters", "filters_measure", "FLOPs: of one picture, convolutions and linear layers."
        )
    with right:
        over = choice(
            "Sensitivity is", list(OVER), "Largest share", "filters_over",
            "What a filter adds to an output of the next layer: the largest share over all pictures and places, as in the paper, "
            "or the share of the sums over them.",
        )  # fmt: skip
        variant = choice(
            "Kept filters are", list(VARIANTS), "Most sensitive", "filters_variant",
            "Drawn: by chance, in proportion to sensitivity, and the weights that read them multiplied so that sums stay right "
            "in the mean. Half and half: the most sensitive half for certain, the rest drawn.",
        )  # fmt: skip
    seed = 0
    variant = VARIANTS.get(variant, "top")
    if variant != "top":
        seed = whole_slider("Seed of the draw", "filters_seed", 0, 20, 0)
    return Setting(keep / 100, MEASURES.get(measure, "parameters"), OVER.get(over, "largest"), variant, seed)
