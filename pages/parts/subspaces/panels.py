"""What lies beside the map: the subspaces one by one, how they lie to each other, how they were found."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, ProjectiveClustering, cache
from compress.charts import subspaces as charts
from compress.form.metrics import error_text
from compress.tuning.sweep import plan
from pages.parts.cards import lowered
from pages.parts.dial.answers import cut
from pages.parts.kept import known as trials_of
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.opened import recall, tabs
from pages.parts.opponents import svd_within
from pages.parts.pins import describe
from pages.parts.subspaces.agreement import agreement_panel
from pages.parts.subspaces.cleaning import cleaning_panel
from pages.parts.subspaces.found import Found, angles_of, errors_inside, group_spectra_of
from pages.parts.subspaces.settings import PANELS, SUBSPACES
from pages.parts.work import jobs
from pages.parts.work.watch import watch

KS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16]


@st.fragment
def subspace_panels(matrix: EmbeddingMatrix, fit: Found) -> None:
    drawn = sizes, typical_rows, spectra, angles, steps, equal_bytes, agreement_panel, cleaning_panel
    recall(SUBSPACES.panel.key)
    st.session_state.setdefault(SUBSPACES.panel.key, SUBSPACES.panel.held())
    tabs(dict(zip(PANELS, drawn, strict=True)), SUBSPACES.panel.key, matrix, fit)


def sizes(matrix: EmbeddingMatrix, fit: Found) -> None:
    k = fit.asked.k
    counts = np.bincount(fit.labels, minlength=k)
    live_chart(
        charts.group_sizes(counts, errors_inside(matrix, fit), fit.errors[0]),
        key="sizes",
        alt=f"Rows in each of {k} subspaces: " + ", ".join(f"{count:,}" for count in counts),
    )


def typical_rows(matrix: EmbeddingMatrix, fit: Found) -> None:
    k, label, errors = fit.asked.k, f"typical {matrix.row_word}s", fit.evaluation.row_errors
    st.dataframe(
        {
            "subspace": np.arange(1, k + 1),
            "rows": np.bincount(fit.labels, minlength=k),
            "relative error": errors_inside(matrix, fit),
            label: [", ".join(typical(matrix, errors, np.flatnonzero(fit.labels == z))) for z in range(k)],
        },
        key="typical",
        hide_index=True,
        column_config={
            "relative error": st.column_config.NumberColumn(format="%.3g"),
            label: st.column_config.TextColumn(width="large"),
        },
    )
    st.caption(f"{label.capitalize()} are those that their subspace holds best.")


def typical(matrix: EmbeddingMatrix, errors: np.ndarray, rows: np.ndarray, count: int = 12) -> list[str]:
    rows = rows[matrix.squared_norms[rows] > 0]
    return [matrix.tokens[row] for row in rows[np.argsort(errors[rows], kind="stable")[:count]]]


def spectra(matrix: EmbeddingMatrix, fit: Found) -> None:
    method = fit.asked
    values = group_spectra_of(matrix, fit)
    counts = np.bincount(fit.labels, minlength=method.k)
    live_chart(
        charts.group_spectra(values, counts),
        key="group_spectra",
        marks=[cut(method.j)],
        alt="Singular values of each subspace's rows",
    )
    st.caption(
        "Each line is the spectrum of one subspace's rows. What lies right of the cut at j is lost; a steep line loses little."
    )


def angles(matrix: EmbeddingMatrix, fit: Found) -> None:
    if fit.asked.k == 1:
        st.caption("One subspace has no other to make an angle with; take k above 1.")
        return
    degrees = angles_of(fit)
    live_chart(charts.angles(degrees), key="angles", alt="Mean principal angle between every two subspaces, in degrees")
    st.caption("0° is the same subspace, 90° one with nothing in common. Small angles say that fewer subspaces would do.")


def steps(matrix: EmbeddingMatrix, fit: Found) -> None:
    if not fit.history:
        st.caption("The steps of this fit were not kept.")
        return
    what = lowered(matrix) if fit.asked.rho.plain else "cost Σρ(dist) / Σρ(‖a‖)"
    chart = charts.costs(fit.history).update_yaxes(title_text=f"{what} of the rows worked on")
    live_chart(chart, key="costs", alt=f"{what.capitalize()} after every step of the search")
    st.caption(
        "Grey: every restart on a sample, where fewer rows are easier to fit. The best of them goes on over all rows; the last "
        "drop is where the directions left out of the first passes come back in."
    )


def equal_bytes(matrix: EmbeddingMatrix, fit: Found) -> None:
    method, n_bytes = fit.asked, fit.asked.size(*matrix.shape)
    ratio = matrix.n_bytes / n_bytes
    same = {name: value for name, value in method.settings.items() if name not in ("k", "j", "steps")}
    wanted = plan(matrix.shape, ["projective"], [ratio], k=[k for k in KS if k <= matrix.shape[0]], **same)
    measure = lowered(matrix)
    finished = {trial.method: trial.figures[measure.replace(" ", "_")] for trial in trials_of(matrix.key)}
    known = [each for each in wanted if each in finished]
    key = f"{matrix.key} {wanted}"
    if known:
        svd = svd_within(matrix, n_bytes)
        beside = (svd.error, describe(svd.method)) if svd else None
        chart = charts.k_errors([m.k for m in known], [finished[m] for m in known], [m.j for m in known], method.k, beside)
        live_chart(
            chart.update_yaxes(title_text=measure),
            key="k_errors",
            alt=f"{measure.capitalize()} against k: " + ", ".join(f"k = {m.k}: {error_text(finished[m])}" for m in known),
        )
        st.caption(
            "More subspaces leave fewer bytes for the coordinates of each row, so j falls as k grows; the best k lies between."
        )
    if len(known) < len(wanted):
        if jobs.jobs().get("k") and jobs.jobs()["k"].key == key:
            watch("k", "Other k")
        if not jobs.running("k"):
            st.button(
                f"Fit k = {', '.join(str(each.k) for each in wanted if each not in finished)} at these bytes",
                on_click=start_comparison,
                args=[matrix, wanted, key, ratio],
                icon=":material/play_arrow:",
            )


def start_comparison(matrix: EmbeddingMatrix, wanted: list[ProjectiveClustering], key: str, ratio: float) -> None:
    first = wanted[0]
    shared = {name: getattr(first, name) for name in ("restarts", "seed", "factor_bits", "loss", "p", "scale", "affine")}
    jobs.run(
        "sweep",
        matrix,
        name="k",
        key=key,
        methods="projective",
        ratios=ratio,
        k=[each.k for each in wanted],
        **shared,
        out=cache.folder("trials"),
    )
