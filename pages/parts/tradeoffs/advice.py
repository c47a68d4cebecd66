"""Advice: a size or an error is asked for, a setting is recommended from what is known, a job fits what more is needed."""

import math
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from compress import METHODS, EmbeddingMatrix, Method, cache
from compress.files import bytes_text
from compress.form.metrics import error_text
from compress.models.facts import ModelFacts
from compress.models.open import facts_of
from compress.tasks.quick import NOT_ASKED, TEXTS, QuickJudge
from compress.tuning.fits import judged, judged_before
from compress.tuning.targets import USUAL
from pages.parts.cards import ratio_figure
from pages.parts.controls import STAYING
from pages.parts.dial.answers import Figure
from pages.parts.dial.figures import figures
from pages.parts.matrix import chosen
from pages.parts.pins import describe, pin_button, told_apart
from pages.parts.say import literal, sentence
from pages.parts.tradeoffs.picks import open_button
from pages.parts.tradeoffs.so_far import so_far
from pages.parts.tradeoffs.terms import About, about_choice, bound_choice, lack_words
from pages.parts.work import jobs
from pages.parts.work.watch import watch

TARGETS = {"Size": "max_bytes", "Error": "max_error", "Cosine": "min_cosine", "Model": "until", "Recall": "until"}
UNITS = {"MB": 1e6, "KB": 1e3, "bytes": 1}
SEEDS = 3
ASKED, HELD = "advice_asked", "advice_held"  # what was asked last; the answer, while the model is asked about it


def advice_panel(matrix: EmbeddingMatrix) -> None:
    """What is asked, what is known to it at once, and the job that fits what is missing; its answer stays while other pages are
    looked at."""
    with st.container(border=True, key="advice"):
        st.subheader("Which setting to take?", anchor=False)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            facts = facts_of(chosen()[0])
            whole, row = facts is not None, st.container(horizontal=True, vertical_alignment="bottom")
            names = asked_methods()
            about = about_choice() if whole else About(None, None)
            with row:
                target, value = asked(matrix, facts, about)
            given = {target: value, "methods": names, "seeds": SEEDS}
            if target == "until":
                given |= {"seeds": None, "text": about.path, "data": about.data}
            running = jobs.running("advise")
            if st.button(
                "Advise",
                icon=":material/assistant:",
                key="advise",
                disabled=running or not names or (whole and target == "until" and about.text is None),
                help="Fits what is needed, beside the app, and asks the model about each. All is kept."
                if target == "until"
                else f"Fits what is needed, beside the app, and the best one with {SEEDS} seeds. Every fit joins the chart.",
            ):
                start(matrix, given, about)  # no callback: it would be told what was asked before the last change
                st.rerun()
        if not names:
            st.caption("Choose at least one method.")
        if target == "until":
            lack_words(facts, about)
        watch("advise", "Advice", redraw=True, key=matrix.key)
        row = answered(matrix, given)
        if row:
            beside = answer(matrix, row)
            if whole and target != "until":
                with beside:
                    model_words(matrix, row, about, running)
        elif target == "until":
            st.caption("The model is asked about each size that is tried, which takes its time; what is known is not asked again.")
        elif early := so_far(matrix, target, value, names):
            answer(matrix, early)
            st.caption("From what is fitted so far; Advise fits what is missing for just this.")


def answered(matrix: EmbeddingMatrix, given: dict) -> dict | None:
    """What the job answered to just this question, if it did."""
    job = jobs.jobs().get("advise")
    if job is None or job.key != matrix.key or st.session_state.get(ASKED) != given:
        return None
    return next((event["advice"] for event in reversed(job.events) if "advice" in event), st.session_state.get(HELD))


def asked(matrix: EmbeddingMatrix, facts: ModelFacts | None, about: About) -> tuple[str, float | str]:
    """The target's option of the command line, and its value."""
    kinds = [kind for kind in TARGETS if kind != ("Recall" if facts else "Model")]
    kind = st.segmented_control("Target", kinds, default=kinds[0], required=True, key="advice_target", **STAYING)
    target = TARGETS.get(kind, "max_bytes")
    if target == "until":
        return target, bound_choice(facts, about)
    if target == "max_bytes":
        unit, size = next((unit, size) for unit, size in UNITS.items() if matrix.n_bytes >= 25 * size or size == 1)
        whole = matrix.n_bytes / size
        held = st.number_input(
            f"At most … {unit}",
            whole / 1e5,
            whole,
            whole / 25,
            whole / 100,
            "%.4g",
            key=f"advice_size_{matrix.digest}",
            help=f"The matrix has {bytes_text(matrix.n_bytes)} in float32.",
            width=210,
            **STAYING,
        )
        return target, held * size
    if target == "max_error":
        name = "At most weighted error …" if matrix.weighted else "At most relative error …"
        return target, st.number_input(name, 1e-6, 1.0, 0.1, 0.01, "%.4g", key="advice_error", width=210, **STAYING)
    about = "The mean over all rows of the cosine of a row with what it decodes to."
    return target, st.number_input(
        "Mean cosine at least …", 0.0, 1.0, 0.95, 0.01, "%.4g", key="advice_cosine", help=about, width=210, **STAYING
    )


def asked_methods() -> list[str]:
    with st.popover("Methods", icon=":material/tune:"):
        return st.pills(
            "Methods",
            list(METHODS),
            selection_mode="multi",
            default=USUAL,
            key="advice_methods",
            format_func=lambda name: METHODS[name].label,
            help="Fewer methods answer sooner. ℓp low rank lowers another error than is asked for here, and slowly.",
            **STAYING,
        )


def start(matrix: EmbeddingMatrix, given: dict, about: About) -> None:
    """Starts the job that answers; what is known of the model's judgement by that text comes with the answer."""
    for key in ("advice_rows", HELD):
        st.session_state.pop(key, None)
    st.session_state[ASKED] = given
    jobs.run("advise", matrix, **{"text": about.path, **given}, out=cache.folder("trials"))


def model_words(matrix: EmbeddingMatrix, row: dict, about: About, running: bool) -> None:
    """What the model loses with the recommended setting, or that it was not asked, and the button that asks it."""
    if row["judgement"]:
        st.markdown(f"**The model:** {literal(row['judgement']['words'])}.")
    text = about.text
    if text is None:
        if not row["judgement"]:
            st.caption(f"{NOT_ASKED}; give a text to ask it about, or take the built-in one.")
        return
    asked_by = row["judgement"] and row["judgement"]["texts"]
    if asked_by == (Path(text.path).name if text.path else "built-in"):
        return
    lack = QuickJudge(chosen()[0], matrix, text.path, None).lack
    with st.container(horizontal=True, vertical_alignment="center", key="ask_model"):
        if not row["judgement"]:
            st.caption(sentence(f"{NOT_ASKED}: {lack}" if lack else f"{row['not_asked'].removesuffix('.')}."))
        if not lack and st.button(
            "Ask the model",
            key="ask",
            icon=":material/psychology:",
            disabled=running,
            help=f"Fits the recommended setting, puts it into the model and asks about the first {TEXTS} texts. It is kept.",
        ):
            st.session_state[HELD] = row
            given = st.session_state[ASKED]
            jobs.run("advise", matrix, **given, judge=True, text=about.path, out=cache.folder("trials"))
            st.rerun()


def answer(matrix: EmbeddingMatrix, row: dict) -> DeltaGenerator:
    """The recommended setting in figures and a sentence, and the runner-up of every other method; gives the place
    beside the figures where the model's own stand."""
    best = method_of(row)
    weighted = abs(row["weighted_error"] - row["relative_error"]) > 1e-9
    st.markdown(f"**{describe(best)}** for {target_words(row['asked'])}. {literal(row['why'])}")
    spread = row["spread"] and " to ".join(error_text(error) for error in row["spread"])
    cards = [
        Figure(
            "Weighted error" if weighted else "Relative error",
            error_text(row["weighted_error"]),
            f"{spread} over {row['seeds']} seeds" if spread else None,
            "off",
            help="The recommended seed is the best of them.",
        )
    ]
    if weighted:
        cards.append(Figure("Relative error", error_text(row["relative_error"])))
    cards += [Figure("Size", bytes_text(row["n_bytes"]), help=f"{row['n_bytes']:,} bytes"), ratio_figure(matrix, row["n_bytes"])]
    if not math.isnan(row["mean_cosine"]):
        cards.append(Figure("Mean cosine", f"{row['mean_cosine']:.4f}"))
    if figure := row.get("figure"):
        before = row[judged_before(figure)]
        cards.insert(0, Figure(figure, f"{row[judged(figure)]:.4g}", f"{before:.4g} before", "off"))
    figures(cards, "advice_cards")
    if cost := row.get("cost"):
        st.caption(cost_words(cost, row["importance"]))
    beside = st.container()
    chosen_row = table([row, *row["runners_up"]], weighted)
    with st.container(horizontal=True, vertical_alignment="center"):
        pin_button(method_of(chosen_row), "pin_advice")
        open_button(method_of(chosen_row), "open_advice")
    if row["out_of_reach"]:
        st.caption(
            "Out of reach: "
            + "; ".join(f"{METHODS[name].label}, {literal(why)}" for name, why in row["out_of_reach"].items())
            + "."
        )
    return beside


def table(rows: list[dict], weighted: bool) -> dict:
    """The recommended setting and the runners-up; the row that is marked."""
    figure = rows[0].get("figure")
    shown = pd.DataFrame(
        {
            "setting": told_apart(method_of(row) for row in rows),
            "bytes": [row["n_bytes"] for row in rows],
            "ratio": [row["ratio"] for row in rows],
            **({figure: [row[judged(figure)] for row in rows]} if figure else {}),
            "weighted error": [row["weighted_error"] for row in rows],
            "relative error": [row["relative_error"] for row in rows],
            "mean cosine": [row["mean_cosine"] for row in rows],
        }
    )
    event = st.dataframe(
        shown if weighted else shown.drop(columns="weighted error"),
        key="advice_rows",
        on_select="rerun",
        hide_index=True,
        selection_mode="single-row-required",
        placeholder="",
        column_config={
            "setting": st.column_config.TextColumn("setting, the recommended one first", width="large"),
            "bytes": st.column_config.NumberColumn(format="localized"),
            "ratio": st.column_config.NumberColumn(format="%.3g ×"),
            **{name: st.column_config.NumberColumn(format="%.3g") for name in ("weighted error", "relative error", figure) if name},
            "mean cosine": st.column_config.NumberColumn(format="%.4f"),
        },
    )
    marked = event.selection.rows
    return rows[marked[0] if marked and marked[0] < len(rows) else 0]


def cost_words(cost: dict, importance: str | None) -> str:
    """What the answer took, and how its fits were made."""
    known = f", {cost['known']} of them before" if cost["known"] else ""
    took = f"The model was asked about {cost['fits'] + cost['known']} fits{known}; all took {duration(cost['seconds'])}."
    made = " Fits are made for what the model depends on; `fit … --importance model` gives the same file."
    return took + (made if importance else "")


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def method_of(row: dict) -> Method:
    return METHODS[row["method"]](**row["settings"])


def target_words(asked: dict) -> str:
    ((name, value),) = asked.items()
    if name == "until":
        return literal(value)
    if name == "max_bytes":
        return f"at most {bytes_text(value)}"
    return f"an error of at most {value:g}" if name == "max_error" else f"a mean cosine of at least {value:g}"
