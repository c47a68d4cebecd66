"""How a code is found: the full fit's job, its steps while it runs, and what it left when it was stopped."""

from pathlib import Path

import streamlit as st

from compress import EmbeddingMatrix
from compress.analysis.code_curves import CLEAR, CodeCurves
from compress.analysis.code_preview import CodePreview, fit_seconds
from compress.charts import codes as code_charts
from compress.methods import LightToken
from pages.parts.fits import again, cut_short, fit_path, start_full
from pages.parts.hash_codes.fits import Coded, preview_path
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.say import refused
from pages.parts.work import jobs
from pages.parts.work.watch import POLL, bar

SOON = 3.0  # seconds of a full fit that no preview is made before
EXPECTED = "≈ what the full fit will have over all rows, ± two standard errors"


def status_words(matrix: EmbeddingMatrix, method: LightToken, code: Coded | None, curves: CodeCurves) -> None:
    """What is shown: an estimate, a preview, the full fit, or the stages that a stopped fit had finished."""
    if code is None:
        count = f"{len(curves.known)} settings that are" if len(curves.known) > 1 else "one setting that is"
        st.caption(f"**Estimate** from {count} known: {EXPECTED}; … where that would be more than {100 * CLEAR:.0f} % off.")
    elif code.told:
        st.caption(f"**Preview** {told_from(code.told)}.")
    elif cut_short(code.result, method):
        st.caption(
            f":material/stop: The fit was stopped: {code.method.stages} of {method.stages} stages are finished, "
            f"{code.method.bits} of {method.bits} bits. Shown is what they hold; *Fit in full* begins anew."
        )
        st.button("Fit in full", on_click=anew, args=[matrix.key, method], icon=":material/play_arrow:", key="fit_hash")
    else:
        st.caption(":material/check: Full fit over all rows.")


def told_from(told: CodePreview) -> str:
    """What a preview was made from, and what ≈ means."""
    rows, n = told.sample.shape[0], told.matrix.shape[0]
    if told.whole:
        return "by the full fit's own steps, which take no longer here"
    apart = f", {rows - told.fitted:,} of them held out" if told.fitted < rows else ""
    some = f"from {rows:,} of {n:,} rows{apart}" if rows < n else f"after {told.passes} passes"
    return f"{some}: {EXPECTED}"


def anew(key: str, method: LightToken) -> None:
    """Fits again what was stopped."""
    fit_path(key, method).unlink(missing_ok=True)
    again()


def training(matrix: EmbeddingMatrix, method: LightToken, code: Coded | None) -> None:
    """The loss at every step: of the fit that is shown, or of the job while it runs, which is started here."""
    st.subheader("Training")
    if code and not code.preview:
        curves(list(code.history))
        return
    awaited = preview_path(matrix, method) if code is None and fit_seconds(method, matrix.shape) > SOON else None
    start_full(matrix, method, preview=awaited)
    job = jobs.jobs()["fit"]
    if job.running:
        st.fragment(live, run_every=POLL)(awaited)
        return
    if job.error:
        refused(job.error)
    else:
        st.caption("The full fit was stopped before its first stage was finished, so it begins anew.")
    st.button("Fit in full", on_click=again, icon=":material/play_arrow:", key="fit_hash")
    curves(list(job.events))


def live(awaited: Path | None) -> None:
    """The job's bar and what it has told so far; it may take a moment to end, since it writes the stages that are finished.
    awaited: the preview that it writes first."""
    job = jobs.jobs().get("fit")
    if job is None or not job.running or (awaited and awaited.exists()):
        st.rerun()
    bar("fit", job, "Full fit", ending="Stopping; finished stages are kept")
    curves(list(job.events))


def curves(events: list[dict]) -> None:
    told = [event for event in events if "stage" in event]
    if not told:
        st.caption("The steps come here as soon as there are any.")
        return
    known = [event["cost"] for event in told if event["cost"] is not None]
    words = f"falling from {known[0]:.3g} to {known[-1]:.3g}" if known else "not measured yet"
    live_chart(code_charts.training(told), key="training", alt=f"Loss against step, {words}")
    if any(event["saturation"] is not None for event in told):
        last = 100 * told[-1]["saturation"]
        live_chart(
            code_charts.saturation(told), key="saturation", alt=f"Share of saturated units against step, {last:.1f} % at last"
        )
        st.caption("A saturated unit gives one bit for every row and so tells nothing; a stage ends when too many are.")
    else:
        st.caption(
            "Noise that falls from pass to pass shakes bits out of poor codes; the last passes go without it and tell their loss."
        )
