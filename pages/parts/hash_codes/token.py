"""One row of Hash codes: its bits, its row after every stage, its neighbours before and after."""

from dataclasses import replace

import numpy as np
import streamlit as st

from compress.analysis.code_statistics import signs_of
from compress.analysis.neighbours import nearest
from compress.charts import codes as code_charts
from compress.form.metrics import error_text
from pages.parts.cached import unit_after, unit_before
from pages.parts.hash_codes.fits import Coded, prefixes_of
from pages.parts.hash_codes.settings import HASH_CODES
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.say import bold
from pages.parts.tokens import first_shown, found_rows, placeholder, row_words

KEPT_MARK, LOST_MARK, GAINED_MARK = "✓ kept", "✗ lost", "+ gained"


def one_row(code: Coded) -> None:
    word = code.matrix.row_word
    sought = HASH_CODES.token.draw(f"Find a {word}", placeholder(code.matrix), width=320)
    found = found_rows(code.matrix, sought)
    if (sought or "").strip() and not len(found):
        st.caption(f"No {word} here holds that text.")
    row = int(found[0]) if len(found) else first_shown(code.matrix)
    others = f", the first of {len(found):,} that fit" if len(found) > 1 else ""
    st.caption(f"{row_words(code.matrix, row, bold)}{others}.")
    left, right = st.columns(2)
    with left:
        picture(code, row)
    with right:
        stages(code, row)
    neighbours(code, row)


def picture(code: Coded, row: int) -> None:
    signs = signs_of(code.result, np.array([row]))[0]
    text = "".join("1" if sign > 0 else "0" for sign in signs)
    live_chart(code_charts.code(signs, code.method.widths), key="code", alt=f"The code of the {code.matrix.row_word}: {text}")
    each = f", {code.method.stages} stages on lines of their own" if code.method.stages > 1 else ""
    st.caption(f"{int((signs > 0).sum())} of {len(signs)} bits are on (coloured fields){each}.")


def stages(code: Coded, row: int) -> None:
    """Error and cosine of the decoded row after each stage."""
    own = code.matrix.rows[row]
    decoded = {}
    if code.method.rank:
        decoded[f"rank {code.method.rank}"] = replace(code.result, method=code.method.svd).rows([row])[0]
    for number, part in enumerate(prefixes_of(code), start=1):
        decoded[f"stage {number}"] = part.result.rows([row])[0]
    length = float(own @ own)
    if not length:
        st.caption("This row is zero, so it has no relative error.")
        return
    errors = np.array([float(((own - each) ** 2).sum()) / length for each in decoded.values()])
    cosines = np.array([float(own @ each) / max(np.sqrt(length * float(each @ each)), 1e-30) for each in decoded.values()])
    live_chart(
        code_charts.row_stages(list(decoded), errors, cosines),
        key="row_stages",
        alt=f"Relative error of the row {error_text(errors[-1])} and cosine {cosines[-1]:.3f} after the last stage",
    )
    st.caption(f"After all bits: relative error {error_text(errors[-1])}, cosine {cosines[-1]:.3f}.")


def neighbours(code: Coded, row: int) -> None:
    before, near = nearest(unit_before(code.matrix), row)
    after, close = nearest(unit_after(code.result), row)
    tables = {
        "before": (before, near, [KEPT_MARK if each in after else LOST_MARK for each in before]),
        "after": (after, close, [KEPT_MARK if each in before else GAINED_MARK for each in after]),
    }
    st.caption(f"**Nearest {code.matrix.row_word}s by cosine**: {len(np.intersect1d(before, after))} of {len(before)} are kept.")
    for column, (when, (rows, cosines, marks)) in zip(st.columns(2), tables.items(), strict=True):
        with column:
            st.dataframe(
                {when: marks, code.matrix.row_word: [code.matrix.tokens[each] for each in rows], "cosine": cosines},
                key=f"near_{when}",
                hide_index=True,
                column_config={"cosine": st.column_config.NumberColumn(format="%.3f")},
            )
