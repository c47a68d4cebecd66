"""What a matrix's other columns show: which of them colours the map, and which stand on hover."""

from dataclasses import dataclass, replace

import streamlit as st

from compress import EmbeddingMatrix, InputError
from compress.sources.column_kinds import Categories, Dates, Numbers, Texts, Typed, typed
from compress.sources.tables import columns as tables
from pages.parts.cached import cached
from pages.parts.matrix import chosen

SHOWN = "columns_shown"  # in the session's state
MOST = 40  # columns that are looked into before somebody asks for one


@dataclass(frozen=True)
class Shown:
    """colour: the column that colours the map; None for the map's own colours. hover: those shown on hover; None where nobody has
    chosen, which is the first of text, if there is one."""

    colour: str | None = None
    hover: tuple[str, ...] | None = None


def chosen_colour(matrix: EmbeddingMatrix) -> Categories | Numbers | Dates | None:
    """The column that colours the map, if a person has chosen one."""
    name = shown().colour
    if name is None or name not in colouring(matrix):
        return None
    found = column(matrix, name)
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
    return read(matrix, key_of(matrix), name)


def kinds_of(matrix: EmbeddingMatrix) -> dict[str, type | None]:
    """What the columns are, by name; None for one of a single value, or one that can no longer be read."""
    return looked_into(matrix, key_of(matrix)) if offered(matrix) else {}


def key_of(matrix: EmbeddingMatrix) -> str:
    return getattr(matrix.columns, "key", matrix.digest) + matrix.names


@cached(12, "Reading a column …")
def read(_matrix: EmbeddingMatrix, key: str, name: str) -> Typed:
    return typed((_matrix.columns or {}).get(name, _matrix.tokens), name)


@cached(8, "Reading the columns …")
def looked_into(_matrix: EmbeddingMatrix, key: str) -> dict[str, type | None]:
    found: dict[str, type | None] = {}
    for name in offered(_matrix)[:MOST]:
        try:
            held = column(_matrix, name)
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


def colour_given(key: str) -> None:
    show(replace(shown(), colour=st.session_state[key]))


def hover_given(key: str) -> None:
    show(replace(shown(), hover=tuple(st.session_state[key])))
