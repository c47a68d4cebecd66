"""The ten nearest of a row, before and after."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix
from compress.analysis.neighbours import Neighbours, neighbours
from pages.parts.cached import unit_after, unit_before
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.quick_fits import Fitted
from pages.parts.say import bold
from pages.parts.tokens import first_shown, found_rows, placeholder, row_words

MOST_OFFERED = 50


def unit_tables(matrix: EmbeddingMatrix, fit: Fitted) -> tuple[np.ndarray, np.ndarray]:
    """(n, d) rows of length 1, before and after."""
    return unit_before(matrix), unit_after(fit.result)


def token_choice(matrix: EmbeddingMatrix) -> int:
    """The row that was typed or picked below, at first one that means something."""
    word = matrix.row_word
    with st.container(horizontal=True, vertical_alignment="bottom"):
        about = "A name that holds the text, or # and the number of a row." if matrix.has_tokens else "The number of a row."
        sought = MODEL_QUALITY.token.draw(f"Find a {word}", placeholder(matrix), width=320, help=about).strip()
        number = sought.removeprefix("#")
        if sought.startswith("#") and number.isdecimal() and int(number) < matrix.shape[0]:
            return int(number)
        found = found_rows(matrix, sought)
        if len(found) > 1:
            return st.selectbox(
                f"Which of {len(found):,}" + (f" (the first {MOST_OFFERED})" if len(found) > MOST_OFFERED else ""),
                [int(row) for row in found[:MOST_OFFERED]],
                format_func=lambda row: row_words(matrix, row),
                key=f"which of {sought}",
                width=320,
            )
    if sought and not len(found):
        st.caption(f"No {word} here holds that text; this is another one.")
    return int(found[0]) if len(found) else first_shown(matrix)


def near(matrix: EmbeddingMatrix, fit: Fitted, row: int) -> None:
    """Both tables side by side, and what became of the ten."""
    before, after = unit_tables(matrix, fit)
    name = row_words(matrix, row, bold)
    if not before[row].any() or not after[row].any():
        st.caption(f"{name}: the row is zero {'before' if not before[row].any() else 'after'}, so nothing is near it.")
        return
    found = neighbours(before, after, row)
    cosine = float(before[row] @ after[row])
    st.caption(
        f"{name}: {len(found.before) - len(found.lost)} of its {len(found.before)} nearest are kept, {len(found.reordered)} "
        f"of them in another place. Cosine of the row with what it decodes to: {cosine:.3f}."
    )
    for column, (when, other, columns) in zip(st.columns(2), sides(matrix, found), strict=True):
        with column:
            st.markdown(f"**Nearest {when}**")
            st.dataframe(
                columns,
                key=f"near_{when}",
                hide_index=True,
                column_config={
                    "cosine": st.column_config.NumberColumn(format="%.3f", width="small"),
                    other: st.column_config.NumberColumn(format="localized", help=f"its place among all rows {other.split()[1]}"),
                },
            )


def sides(matrix: EmbeddingMatrix, found: Neighbours):
    """For each table: when, the name of its last column, its columns."""
    count = len(found.before)
    for when, other, word, rows, cosines, places in (
        ("before", "place after", "✗ lost", found.before, found.before_cosines, found.after_ranks),
        ("after", "place before", "+ gained", found.after, found.after_cosines, found.before_ranks),
    ):
        marks = [word if at > count else "✓ kept" if at == own else "↕ moved" for own, at in enumerate(places, start=1)]
        tokens = [str(matrix.tokens[each]) for each in rows]
        yield when, other, {"": marks, matrix.row_word: tokens, "cosine": cosines, other: places}
