"""Settings that a person likes, kept on every page and in the link."""

import json
from dataclasses import fields

import streamlit as st

from compress import METHODS, Method
from compress.solvers.losses import LABELS
from pages.parts.say import literal

MOST = 12
WORDS = {
    "loss": "{}",
    "scale": "λ = {}",
    "p": "p = {}",
    "objective": "by {}",
    "k": "k = {}",
    "j": "j = {}",
    "affine": "affine",
    "rate": "{} bits a number",
    "bits": "{} bits",
    "stages": "{} stages",
    "rank": "rank {}",
    "kept": "{} kept",
    "over": "by {} sensitivity",
    "factor_bits": "{}",
    "solver": "{} solver",
    "parts": "{} parts",
    "code_bits": "{} bits a part",
    "dims": "{} directions",
    "codebook_bits": "{}",
    "beam": "beam {}",
    "classes": "{} classes",
    "states": "{:,} states",
}
ONE = {"stages": "1 stage", "parts": "1 part", "classes": "1 class", "dims": "1 direction"}


def pins() -> list[Method]:
    """The pinned settings, in the order they were pinned; at first those that the link names."""
    if "pins" not in st.session_state:
        st.session_state["pins"] = from_link(st.query_params.get("pins", ""))
    return st.session_state["pins"]


def pin_button(method: Method, key: str) -> None:
    """Pins a setting, or takes the pin out."""
    if method in pins():
        st.button("Unpin", icon=":material/keep_off:", key=key, on_click=pins().remove, args=[method])
    else:
        st.button(
            "Pin",
            icon=":material/keep:",
            key=key,
            on_click=pins().append,
            args=[method],
            disabled=len(pins()) >= MOST,
            help="Keeps this setting on Trade-offs and Export, and in the link.",
        )


def pins_list() -> None:
    """The sidebar's list of pins."""
    for number, method in enumerate(pins()):
        with st.container(horizontal=True, vertical_alignment="center", key=f"pinned_{number}"):
            st.markdown(f":material/keep: {describe(method)}")
            st.button(
                "Unpin", key=f"unpin_{number}", icon=":material/close:", type="tertiary", on_click=pins().remove, args=[method]
            )


def describe(method: Method) -> str:
    """A setting in a few words, no two alike: "k subspaces, k = 5, j = 60, float16", and what else is not as usual."""
    settings = method.settings
    usual = {field.name: field.default for field in fields(method)}
    told = {"p", "objective"} if method.name == "lp" else set()
    told |= {"k", "j", "rate", "bits", "stages", "rank", "kept", "factor_bits", "parts", "code_bits"}
    order = [name for name in dict.fromkeys([*WORDS, *settings]) if name in settings]
    words = [word(name, settings[name]) for name in order if name in told or settings[name] != usual[name]]
    return ", ".join([method.label, *words])


def word(name: str, value) -> str:
    from compress.charts.figure import PRECISION_NAMES

    if name == "factor_bits":
        return PRECISION_NAMES[value]
    if name == "codebook_bits":
        return f"{PRECISION_NAMES[value]} codebooks"
    if name == "loss":
        return LABELS.get(value, value)
    if value == 1 and name in ONE:
        return ONE[name]
    number = rate_text(value) if name == "rate" else str(value).removesuffix(".0") if isinstance(value, float) else value
    return WORDS.get(name, f"{name.replace('_', ' ')} {{}}").format(number)


def rate_text(rate: float) -> str:
    """In the fewest digits, three or more, that tell it to a millionth: rates follow from whole bytes, as 1.2799995 for 1.28."""
    texts = (f"{rate:.{digits}g}" for digits in range(3, 18))
    return next(text for text in texts if abs(float(text) - rate) <= 1e-6 * rate)


def to_link(methods: list[Method]) -> str:
    return json.dumps([[method.name, method.settings] for method in methods], separators=(",", ":")) if methods else ""


def from_link(text: str) -> list[Method]:
    """The settings of a link; those that make no sense are named and left out."""
    found = []
    try:
        for name, settings in json.loads(text)[:MOST] if text else []:
            found.append(METHODS[name](**settings))
    except (json.JSONDecodeError, RecursionError):
        st.warning("The pins in the link are cut short or changed and were left out; copy the link again.")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        st.warning(f"A pinned setting in the link cannot be used and was left out, with those after it ({literal(str(error))}).")
    return list(dict.fromkeys(found))
