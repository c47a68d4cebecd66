"""Settings that a person likes, kept on every page and in the link."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache

import streamlit as st

from compress import METHODS, Method, Trimmed
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
    "rate": "{} ×",
    "bits": "{} bits",
    "stages": "{} stages",
    "rank": "rank {}",
    "kept": "{} kept",
    "over": "by {} sensitivity",
    "factor_bits": "{}",
    "solver": "{} solver",
    "parts": "{} parts",
    "code_bits": "{} bits a part",
    "format": "{}",
    "group": "groups of {}",
    "zero": "{} zeros",
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
    for number, (method, words) in enumerate(zip(pins(), told_apart(pins()), strict=True)):
        with st.container(horizontal=True, vertical_alignment="center", key=f"pinned_{number}"):
            st.markdown(f":material/keep: {words}")
            st.button(
                "Unpin", key=f"unpin_{number}", icon=":material/close:", type="tertiary", on_click=pins().remove, args=[method]
            )


def told_apart(methods: Iterable[Method]) -> list[str]:
    """Settings in a few words each, no two alike: sizes that read alike are told to a millionth."""
    methods = list(methods)
    times = Counter(describe(method) for method in set(methods))
    return [text if times[text := describe(method)] == 1 else describe(method, 1e-6) for method in methods]


@lru_cache(4096)
def describe(method: Method, within: float = 0.005) -> str:
    """A setting in a few words: "k subspaces, k = 5, j = 60, float16", and what else is not as usual. within: the part of itself to
    which a size is told, where that is set and no number that a person chose: by how many times the matrix it is smaller."""
    if isinstance(method, Trimmed):
        return f"{method.label} to {method.rows:,} rows, {describe(method.inner, within)}"
    settings = method.settings
    usual = {field.name: field.default for field in fields(method)}
    told = {"p", "objective"} if method.name == "lp" else set()
    told |= {"k", "j", "rate", "bits", "stages", "rank", "kept", "factor_bits", "parts", "code_bits"}
    told |= {"format", "group"}
    order = [name for name in dict.fromkeys([*WORDS, *settings]) if name in settings]
    words = [word(name, settings[name], within) for name in order if name in told or settings[name] != usual[name]]
    return ", ".join([method.label, *words])


def word(name: str, value, within: float) -> str:
    from compress.charts.figure import PRECISION_NAMES

    if name == "factor_bits":
        return PRECISION_NAMES[value]
    if name == "codebook_bits":
        return f"{PRECISION_NAMES[value]} codebooks"
    if name == "loss":
        return LABELS.get(value, value)
    if value == 1 and name in ONE:
        return ONE[name]
    if name == "rate":  # in bits a number of 32, everything counted
        value = in_few_digits(32 / value, within, 2)
    number = str(value).removesuffix(".0") if isinstance(value, float) else value
    return WORDS.get(name, f"{name.replace('_', ' ')} {{}}").format(number)


def in_few_digits(number: float, within: float, least: int) -> str:
    """A number above 0 in the fewest digits, `least` or more, that tell it to such a part of itself: 52.07 to a hundredth is 52."""
    rounded = (float(f"{number:.{digits}g}") for digits in range(least, 18))
    return str(next(each for each in rounded if abs(each - number) <= within * number)).removesuffix(".0")


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
