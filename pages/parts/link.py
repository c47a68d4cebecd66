"""A link that reproduces the screen."""

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from compress.sources.weights import UNIFORM
from pages.parts.lesson.state import address, current
from pages.parts.matrix import chosen, chosen_weights, is_upload, of_file
from pages.parts.pins import pins, to_link

SETTINGS = (
    "j",
    "precision",
    "log",
    "k",
    "flat_j",
    "affine",
    "restarts",
    "seed",
    "flat_precision",
    "flat_loss",
    "flat_p",
    "flat_scale",
    "layout",
    "colour",
    "map_token",
    "robust_j",
    "robust_loss",
    "robust_p",
    "robust_objective",
    "robust_scale",
    "planted",
    "planted_length",
    "robust_log",
    "hash_rank",
    "hash_bits",
    "hash_stages",
    "hash_loss",
    "hash_solver",
    "hash_temperature",
    "hash_epochs",
    "hash_cosine",
    "hash_token",
    "budget_ratio",
    "error_measure",
    "weighted_measure",
    "log_error",
    "export",
    "quality_token",
    "judge_seeds",
    "judge_limit",
    "compare_x",
    "compare_head",
    "heal_steps",
    "filters_network",
    "filters_architecture",
    "filters_keep",
    "filters_measure",
    "filters_over",
    "filters_variant",
    "filters_seed",
    "filters_space",
    "filters_picture",
    "filters_retrained",
    "lesson_flats_k",
    "lesson_flats_j",
    "lesson_outlier_distance",
    "lesson_outlier_p",
    "lesson_guess",
    "lesson_told",
    "lesson_lines",
    "lesson_angle1",
    "lesson_angle2",
    "lesson_angle3",
    "lesson_word",
)


def link_popover() -> None:
    """A popover with the link: every setting is written out, those at their defaults too."""
    with st.popover("Copy link", icon=":material/link:", width="stretch"):
        st.code(link(), language=None, wrap_lines=True)
        if is_upload(chosen()[0]):
            st.caption("An uploaded file does not travel in a link: the link opens the demo.")
        if of_file(chosen_weights()):
            st.caption("Weights from a file do not travel in a link: there all rows weigh the same.")


def link() -> str:
    source, tensor = chosen()
    settings = {} if is_upload(source) else {"matrix": source} | ({"tensor": tensor} if tensor else {})
    if chosen_weights() != UNIFORM and not of_file(chosen_weights()):
        settings["weights"] = chosen_weights()
    for key in SETTINGS:
        value = st.session_state.get(key)
        if value not in (None, ""):
            settings[key] = str(value).lower() if isinstance(value, bool) else value
    if pins():
        settings["pins"] = to_link(pins())
    here = urlsplit(st.context.url or "")
    if here.path.endswith("/lesson"):  # its seed is the lesson's, not that of Subspaces
        settings |= address(current(), whole=True)
    return urlunsplit(here._replace(query=urlencode(settings)))
