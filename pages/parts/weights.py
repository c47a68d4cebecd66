"""How often each row is used: the choice in the sidebar, and what jobs are told of it."""

from hashlib import blake2b
from pathlib import Path

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError
from compress.files import replacing
from compress.sources.weights import MOST_A, UNIFORM, top_share
from pages.parts.kept import kept_file
from pages.parts.matrix import chosen_weights, current_matrix, named_path, open_weighted, use_weights
from pages.parts.paths import may_name
from pages.parts.say import literal, refused
from pages.parts.tokens import row_order
from pages.parts.uploads import kept_upload

KINDS = {
    UNIFORM: "Uniform",
    "order": "By row order",
    "counts": "Counted from a text file",
    "scripts": "By script",
    "column": "A column of a file",
}
SUFFIXES = {"counts": None, "column": ["npy", "csv", "tsv", "txt"]}
USUAL = 0.5
KEEP = 8  # files of weights that jobs read


def weights_picker() -> None:
    """The sidebar's choice of row weights. Those that cannot be used are refused in a sentence, and the ones in use stay."""
    matrix, spec = current_matrix(), chosen_weights()
    dropped = st.session_state.pop("weights_dropped", False)
    if dropped:
        st.session_state["weights_kind"] = UNIFORM
    kinds = offered(matrix)
    if st.session_state.get("weights_kind", UNIFORM) not in kinds:
        st.session_state["weights_kind"] = UNIFORM
    kind = st.selectbox(
        "Row weights",
        kinds,
        index=kinds.index(spec.partition(":")[0]),
        format_func=KINDS.get,
        key="weights_kind",
        help="How often each row is used. Fits then spare the rows that are used most, and every error is shown weighted too.",
    )
    picked = picked_weights(kind, spec)
    if picked is not None and picked != spec:
        switch(picked)
    elif picked is None and kind != spec.partition(":")[0]:
        st.caption(f"Still in use: {named(spec)}.")
    elif dropped:
        st.caption("The file's weights belonged to the matrix before; all rows weigh the same again.")
    try:
        matrix = open_weighted(chosen_weights())
    except InputError:  # the page says why
        return
    if matrix.weighted:
        st.caption(words(matrix))
        if chosen_weights().startswith("order:"):
            st.caption(f"By {row_order(matrix).words}.")


def offered(matrix: EmbeddingMatrix) -> list[str]:
    """The kinds of weights that its rows can have."""
    written = matrix.row_word != "row"
    fitting = {"order": row_order(matrix).tells, "counts": written, "scripts": written}
    return [kind for kind in KINDS if fitting.get(kind, True)]


def picked_weights(kind: str, spec: str) -> str | None:
    """What a person chose; None while a file is still to be given."""
    if kind == UNIFORM:
        return UNIFORM
    if kind == "order":
        held = float(spec.partition(":")[2]) if spec.startswith("order:") else USUAL
        a = st.slider(
            "Exponent a",
            0.0,
            MOST_A,
            held,
            0.1,
            "%.1f",
            key="weights_a",
            help="Weights (rank + 10) to the power −a: at 0 all rows weigh the same, at 1 about as words occur in texts if the "
            "most frequent come first.",
        )
        return f"order:{a:g}"
    if kind == "scripts":
        held = spec.partition(":")[2] if spec.startswith("scripts:") else "Latin"
        about = "Unicode’s names, with commas between. Other rows weigh nothing."
        return f"scripts:{st.text_input('Scripts', held, key='weights_scripts', help=about).strip() or held}"
    path = file_of(kind)
    if path is None:
        return None
    if kind == "column" and not path.endswith(".npy"):
        name = st.text_input("Column", key="weights_column", placeholder="its name, where there are several").strip()
        path += f":{name}" if name else ""
    return f"{kind}:{path}"


def file_of(kind: str) -> str | None:
    """The uploaded file, else the path on this machine."""
    about = "Text in UTF-8, a line is one text." if kind == "counts" else "One number a row: .npy, .csv, .tsv or .txt."
    held = st.file_uploader("File of weights", type=SUFFIXES[kind], key=f"weights_{kind}_upload", help=about)
    if held:
        return kept_upload(held, "weights", chosen_weights().partition(":")[2])
    if not may_name():
        return None
    example = "/data/texts.txt" if kind == "counts" else "/data/weights.csv"
    path = st.text_input("Path of the file", key=f"weights_{kind}_path", placeholder=example, help=about).strip()
    return named_path(path)


def switch(spec: str) -> None:
    """Uses these weights from now on, or says why they cannot be used."""
    try:
        open_weighted(spec)
    except InputError as error:
        refused(error)
        st.caption(f"Still in use: {named(chosen_weights())}.")
        return
    use_weights(spec)


def named(spec: str) -> str:
    kind, _, what = spec.partition(":")
    if kind == UNIFORM:
        return "uniform weights"
    if kind == "scripts":
        return f"weights by script, {literal(what)}"
    return f"weights by order, a = {what}" if kind == "order" else f"weights from {literal(Path(what).name)}"


def words(matrix: EmbeddingMatrix) -> str:
    heaviest = [literal(matrix.tokens[row]) for row in np.argsort(-matrix.weights, kind="stable")[:5]]
    share = f"{100 * top_share(matrix.weights):.0f}\N{NO-BREAK SPACE}%"
    return f"Heaviest: {' · '.join(heaviest)}. The top 1\N{NO-BREAK SPACE}% of rows carry {share} of the weight."


def weights_option(matrix: EmbeddingMatrix) -> str | None:
    """The --weights of `python -m compress` that give a job those of the matrix, to the last bit, from a file made for it; None
    where all are alike."""
    if not matrix.weighted:
        return None

    def write(path: Path) -> None:
        with replacing(path) as file:
            np.save(file, matrix.weights)
        for old in sorted(path.parent.glob("*.npy"), key=lambda each: each.stat().st_mtime_ns)[:-KEEP]:
            old.unlink(missing_ok=True)

    return f"column:{kept_file('weights', f'{blake2b(matrix.weights, digest_size=8).hexdigest()}.npy', write)}"
