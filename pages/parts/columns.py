"""What a matrix's other columns show: which of them colours the map, and which stand on hover."""

from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from compress import EmbeddingMatrix, InputError
from compress.sources.column_kinds import Categories, Dates, Numbers, Texts, Typed, typed
from compress.sources.tables import columns as tables
from pages.parts.cached import cached, keyed
from pages.parts.matrix import ask, asked, chosen, named_path, open_matrix
from pages.parts.paths import may_name
from pages.parts.say import literal, refused
from pages.parts.uploads import kept_upload

SHOWN, FILE, GIVEN, REFUSED = (f"columns_{name}" for name in ("shown", "file", "file_given", "refused"))  # in the session's state
FORMS = "CSV, TSV, parquet, JSON lines, .npy, or a text of one cell a line: a row for each row of the matrix."
MOST = 40  # columns that are looked into before somebody asks for one


@dataclass(frozen=True)
class Shown:
    """colour: the column that colours the map; None for the map's own colours. hover: those shown on hover; None where nobody has
    chosen, which is the first of text, if there is one."""

    colour: str | None = None
    hover: tuple[str, ...] | None = None


def chosen_colour(matrix: EmbeddingMatrix) -> Categories | Numbers | Dates | None:
    """The column that colours the map, if a person has chosen one; with a word where its file is no longer as it was."""
    name = shown().colour
    if name is None or name not in colouring(matrix):
        return None
    try:
        found = column(matrix, name)
    except InputError as error:
        refused(error)
        return None
    return None if isinstance(found, Texts) else found


def chosen_hover(matrix: EmbeddingMatrix) -> list[str]:
    """The columns shown on hover, by name."""
    held = shown().hover
    return usual_hover(matrix) if held is None else [name for name in held if name in offered(matrix)]


def usual_hover(matrix: EmbeddingMatrix) -> list[str]:
    """The first column of text, if there is one besides the rows' names."""
    kinds = kinds_of(matrix)
    return [name for name in kinds if kinds[name] is Texts and name != naming(matrix)][:1]


def offered(matrix: EmbeddingMatrix) -> list[str]:
    """The columns that there are besides the dimensions, that which names the rows first."""
    named = naming(matrix)
    return [*dict.fromkeys([*([] if named is None else [named]), *(matrix.columns or ())])]


def colouring(matrix: EmbeddingMatrix) -> list[str]:
    """Those that can colour the map: all but text, and what is the same in all rows."""
    return [name for name, kind in kinds_of(matrix).items() if kind not in (Texts, None)]


def naming(matrix: EmbeddingMatrix) -> str | None:
    """The column that names the rows."""
    return matrix.columns.names_rows if isinstance(matrix.columns, tables.Columns) else None


def column(matrix: EmbeddingMatrix, name: str) -> Typed:
    """A column, read once a matrix. Raises InputError where its file is no longer as it was."""
    return read(Beside(matrix), name)


def kinds_of(matrix: EmbeddingMatrix) -> dict[str, type | None]:
    """What the columns are, by name; None for one of a single value, or one that can no longer be read."""
    return looked_into(Beside(matrix)) if offered(matrix) else {}


@keyed
@dataclass(frozen=True, eq=False)
class Beside:
    """A matrix, known by the columns beside it and what its rows are called."""

    matrix: EmbeddingMatrix

    @property
    def key(self) -> str:
        return getattr(self.matrix.columns, "key", self.matrix.digest) + self.matrix.names


@cached(12, "Reading a column …")
def read(beside: Beside, name: str) -> Typed:
    return typed((beside.matrix.columns or {}).get(name, beside.matrix.tokens), name)


@cached(8, "Reading the columns …")
def looked_into(beside: Beside) -> dict[str, type | None]:
    found: dict[str, type | None] = {}
    for name in offered(beside.matrix)[:MOST]:
        try:
            held = column(beside.matrix, name)
        except InputError:
            found[name] = None
        else:
            found[name] = None if is_even(held) else type(held)
    return found


def is_even(held: Typed) -> bool:
    """Whether a column has the same in all rows that have something."""
    if isinstance(held, Categories):
        return len(held.names) < 2
    if isinstance(held, Texts):
        return False
    values = held.values[held.values == held.values]  # neither NaN nor NaT
    return not len(values) or values.min() == values.max()


def shown() -> Shown:
    """What a person chose for the matrix in use, else what the link says, else nothing."""
    if SHOWN not in st.session_state:
        show(named_shown())
    held, source = st.session_state[SHOWN]
    return held if source == chosen() else Shown()


def show(held: Shown) -> None:
    st.session_state[SHOWN] = held, chosen()


def named_shown() -> Shown:
    """What the address says."""
    hover = st.query_params.get("hover")
    return Shown(st.query_params.get("colour_by"), None if hover is None else tuple(tables.named(hover)))


def shown_texts() -> dict[str, str]:
    """The same as an address says it."""
    said = {"colour_by": shown().colour, "hover": None if shown().hover is None else tables.spelled(shown().hover)}
    return {name: text for name, text in said.items() if text is not None}


def columns_picker(matrix: EmbeddingMatrix) -> None:
    """The sidebar's choice of what colours the map and what stands on hover; nothing where there are no columns."""
    every, can = offered(matrix), colouring(matrix)
    if can:
        key = f"colour_of_{chosen()}"
        st.session_state[key] = shown().colour if shown().colour in can else None
        about = "The column that colours the map."
        st.selectbox("Colour", can, None, key=key, placeholder="As the map does", help=about, on_change=colour_given, args=[key])
    if every:
        key = f"hover_of_{chosen()}"
        st.session_state[key] = chosen_hover(matrix)
        about = "The columns shown where the pointer is on a row."
        st.multiselect("Hover", every, key=key, placeholder="Names only", help=about, on_change=hover_given, args=[key])
    file_picker(matrix)


def file_picker(matrix: EmbeddingMatrix) -> None:
    """The sidebar's way to a second file, whose columns are the matrix's too. One that cannot be is named, and nothing changes."""
    with st.popover("Columns from a file", icon=":material/view_column:", width="stretch", key=FILE, on_change="rerun") as opened:
        if opened.open:
            path, key = None, f"{FILE}_of_{chosen()}"
            held = st.file_uploader("File", key=f"{key} upload", help=FORMS, on_change=file_given)
            if held:
                path = kept_upload(held, "columns", asked().columns)
            elif may_name():
                text = st.text_input(
                    "Path of the file", key=f"{key} path", placeholder="/data/labels.csv", help=FORMS, on_change=file_given
                )
                path = named_path(text.strip())
            if st.session_state.pop(GIVEN, False) and path is not None and take(path):
                st.rerun()
            if REFUSED in st.session_state:
                refused(st.session_state[REFUSED])
            if (used := asked().columns) is not None:
                st.caption(f"In use: {literal(Path(used).name)}.")
                st.button("Leave them out", key=f"{key} out", icon=":material/close:", on_click=leave_out, args=[matrix.columns])


def take(path: str) -> bool:
    """Uses the columns of a file from now on, or notes why they cannot be used."""
    source, tensor = chosen()
    said = replace(asked(), columns=path)
    try:
        open_matrix(source, tensor, said)
    except InputError as error:
        st.session_state[REFUSED] = str(error)
        return False
    ask(said)
    return True


def leave_out(held: tables.Columns) -> None:
    """Uses no second file, nor a column of it to name the rows."""
    names = asked().names
    ask(replace(asked(), columns=None, names=None if names in held.elsewhere else names))


def file_given() -> None:
    st.session_state[GIVEN] = True
    st.session_state.pop(REFUSED, None)


def colour_given(key: str) -> None:
    show(replace(shown(), colour=st.session_state[key]))


def hover_given(key: str) -> None:
    show(replace(shown(), hover=tuple(st.session_state[key])))
