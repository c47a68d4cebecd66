"""Names of groups on the map: of the categories that colour it, else the words that tell one hill of its points from the others."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError
from compress.analysis.group_words import group_words, words
from compress.analysis.map_groups import densest, hills
from compress.sources.column_kinds import Categories, Texts, Typed
from pages.parts.cached import cached, keyed
from pages.parts.columns import Beside, chosen_hover, column
from pages.parts.dial.still import once_still
from pages.parts.map import GroupName, name_groups
from pages.parts.map.colouring import MOST

MOST_NAMES = 300
READ = 25_000  # rows whose texts are read
LEVELS = ((8.0, 1.0), (4.0, 1.4), (2.0, 2.5))  # cells that the density is smoothed over, and the zoom that shows such hills
LAST = "names of groups"  # in the session's state


def groups_id(matrix: EmbeddingMatrix, shown: str, coloured_by: Typed | None) -> str | None:
    """What names of groups hang on, in short; None where nothing tells a group. shown: which positions they are."""
    by = coloured_by if isinstance(coloured_by, Categories) else texts_of(matrix)
    if by is None and not matrix.has_tokens:
        return None
    return id_of(matrix, shown, by and by.name)


def shown_id(layout: str, whole: bool) -> str:
    """Which positions of a matrix's rows are shown. whole: whether all of them are laid out."""
    return f"{layout} {whole}"


def id_of(matrix: EmbeddingMatrix, shown: str, column: str | None) -> str:
    """column: the one that names are taken from, None for the rows' own names."""
    named = f"{matrix.digest} {Beside(matrix).key} {shown} {column}"
    return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def texts_of(matrix: EmbeddingMatrix) -> Texts | None:
    """The column whose words tell groups apart, the first of text that is shown on hover."""
    for name in chosen_hover(matrix):
        with suppress(InputError):
            if isinstance(found := column(matrix, name), Texts) and not found.urls:
                return found
    return None


def group_names(key: str, groups: str | None, matrix: EmbeddingMatrix, positions: np.ndarray, coloured_by: Typed | None) -> None:
    """Puts them on the map of that key: at once where they are known, else behind all that the page draws."""
    if groups is None:
        return
    last = st.session_state.get(LAST)
    if last and last[0] == groups:
        name_groups(key, groups, positions, last[1])
        return

    def name() -> None:
        texts = texts_of(matrix)
        held = matrix.tokens if texts is None else texts.values
        if isinstance(coloured_by, Categories):
            names = of_categories(positions, coloured_by)
        else:
            names = of_words(Spoken(groups, positions, held))
        st.session_state[LAST] = groups, names
        name_groups(key, groups, positions, names)

    once_still(name, f"{key} names")


def of_categories(positions: np.ndarray, coloured_by: Categories) -> list[GroupName]:
    n = min(len(coloured_by.names), MOST_NAMES)
    alone = len(coloured_by.names) if len(coloured_by.names) <= MOST + 1 else MOST
    places = densest(positions, np.where(coloured_by.codes < n, coloured_by.codes, -1), n)
    return [
        GroupName(place, name, value=min(z, alone))
        for z, (place, name) in enumerate(zip(places, coloured_by.names, strict=False))
        if np.isfinite(place).all()
    ]


@keyed
@dataclass(frozen=True, eq=False)
class Spoken:
    """Rows that lie on a map, (n, 2), and what each says. key: the id of what is named."""

    key: str
    positions: np.ndarray
    texts: Sequence[str]


@cached(4)
def of_words(map_of: Spoken) -> list[GroupName]:
    rows = np.sort(np.random.default_rng(0).permutation(len(map_of.positions))[:READ])
    positions = np.asarray(map_of.positions[rows], np.float64)
    spoken = [words(map_of.texts[row]) for row in rows]
    found: list[GroupName] = []
    said = np.full(len(rows), -1)  # which of those above each row is told by
    above: list[set[str]] = []
    for width, zoom in LEVELS:
        tops, labels = hills(positions, width, max(4, len(rows) // 4000))
        far = np.square(positions - positions[tops[labels]]).sum(axis=1)
        order = np.argsort(far, kind="stable")  # so that of words which weigh the same those in the middle come first
        without = [above[said[top]] if said[top] >= 0 else set() for top in tops]
        told = group_words((spoken[at] for at in order), labels[order], len(tops), without=without)
        found += [GroupName(positions[top], ", ".join(each), zoom) for top, each in zip(tops, told, strict=True) if each]
        said, above = labels, [without[z] | {*each} for z, each in enumerate(told)]
    return found[:MOST_NAMES]
