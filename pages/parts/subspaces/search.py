"""Rows that a person looks for: by their names, and by words in the columns that are shown on hover."""

from collections.abc import Sequence

import numpy as np

from compress import EmbeddingMatrix
from compress.sources.column_kinds import Categories, Texts, Typed, in_arrow
from pages.parts.tokens import found_rows


def rows_with(matrix: EmbeddingMatrix, sought: str, columns: Sequence[Typed]) -> np.ndarray:
    """Those whose name is what was typed or holds it, then those in whose other columns it stands."""
    sought = (sought or "").strip()
    named = found_rows(matrix, sought)
    if not sought or not columns:
        return named
    held = np.zeros(matrix.shape[0], bool)
    for column in columns:
        held |= holding(column, sought)
    held[named] = False
    return np.concatenate([named, np.flatnonzero(held)])


def holding(column: Typed, sought: str) -> np.ndarray:
    """(n,) which cells of a column of words hold a text, in small letters or large."""
    from pyarrow import compute

    if isinstance(column, Categories):
        return np.append(holding(Texts("", column.names, False), sought), False)[column.codes]
    if not isinstance(column, Texts):
        return np.zeros(len(column.values), bool)
    found = compute.match_substring(in_arrow(column.values), sought, ignore_case=True)
    return found.to_numpy(zero_copy_only=False)
