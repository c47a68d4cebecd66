"""The sweep of k subspaces over sizes: what to fit, the job that fits it, how long that takes."""

import streamlit as st

from compress import EmbeddingMatrix, ProjectiveClustering
from compress.charts import PRECISION_NAMES
from compress.sweep import identity, plan
from pages.parts import jobs
from pages.parts.matrix import chosen
from pages.parts.tradeoff_points import trials

KS = [2, 3, 5, 8, 12, 16, 24, 32]
PRECISIONS = ["float16", "int8", "int4"]
RATIOS = [4, 6, 8, 12, 16, 25, 40, 60, 100]
KEPT = {"persist_state": "session", "selection_mode": "multi"}


def sweep_panel(matrix: EmbeddingMatrix) -> None:
    """One line: how far the sweep is, or the button that starts it, beside its settings."""
    with st.container(horizontal=True, vertical_alignment="center", key="status"):
        wanted = wanted_settings(matrix)
        running = "sweep" in jobs.jobs() and jobs.jobs()["sweep"].running
        if running:
            jobs.watch("sweep", progress, redraw=True)
            return
        done = {trial.method for trial in trials().of(identity(matrix))}
        missing = [method for method in wanted if method not in done]
        if missing:
            st.button(
                f"Fit k subspaces at {len(missing)} sizes", on_click=start, args=[matrix.digest, wanted],
                icon=":material/play_arrow:", help="Runs beside the app; every finished fit joins the chart and is kept on disk.",
            )  # fmt: skip
        st.caption(words(matrix, wanted, missing))
        jobs.watch("sweep", progress)


def wanted_settings(matrix: EmbeddingMatrix) -> list[ProjectiveClustering]:
    """What the sweep's popover asks for; what this matrix cannot have is left out."""
    with st.popover("Sweep", icon=":material/tune:", help="Which settings of k subspaces to fit"):
        ks = st.pills("Numbers of subspaces k", KS, default=[5], key="sweep_k", **KEPT)
        names = st.pills("Factors stored as", list(PRECISION_NAMES.values()), default=PRECISIONS, key="sweep_precision", **KEPT)
        ratios = st.pills("Ratios", RATIOS, default=RATIOS[2:], key="sweep_ratios", **KEPT)
    bits = [bits for bits in sorted(PRECISION_NAMES) if PRECISION_NAMES[bits] in names]
    ks = [k for k in ks if k <= matrix.shape[0]]
    return plan(matrix.shape, ["projective"], sorted(ratios, reverse=True), k=ks, factor_bits=bits)  # small fits first


def words(matrix: EmbeddingMatrix, wanted: list, missing: list) -> str:
    if not wanted:
        return "The sweep has nothing to fit: choose at least one k, one precision and one ratio that this matrix can reach."
    if not missing:
        return ":material/check: Every setting of the sweep is fitted. Choose others under Sweep."
    about = f"About {duration(sum(seconds(method, matrix.shape) for method in missing))}."
    if len(missing) < len(wanted):
        return f"{len(wanted) - len(missing)} of {len(wanted)} settings are fitted. {about}"
    return f"SVD and rounding by row are here already; k subspaces take a search for every setting. {about}"


def progress(events: list[dict]) -> tuple[float, str]:
    if not events:
        return 0.0, "Fitting k subspaces: opening the matrix"
    last = events[-1]
    return last["done"] / last["of"], f"Fitting k subspaces: {last['done']} of {last['of']} settings"


def start(digest: str, wanted: list[ProjectiveClustering]) -> None:
    source, tensor = chosen()
    lists = {
        "--k": sorted({method.k for method in wanted}),
        "--factor-bits": sorted({method.factor_bits for method in wanted}),
        "--ratios": sorted(st.session_state["sweep_ratios"], reverse=True),
    }
    arguments = ["sweep", source, "--methods", "projective", "--out", str(jobs.cache_folder("trials"))]
    for name, values in lists.items():
        arguments += [name, ",".join(map(str, values))]
    jobs.jobs().pop("sweep", None)
    jobs.start("sweep", digest, [*arguments, *(["--tensor", tensor] if tensor else [])])


def seconds(method: ProjectiveClustering, shape: tuple[int, int]) -> float:
    """About how long a fit takes on two cores: the passes over all rows are what counts."""
    n, d = shape
    return 0.3 + 1.3e-9 * n * min(d, 2 * method.j + 64) * method.k * method.j


def duration(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
