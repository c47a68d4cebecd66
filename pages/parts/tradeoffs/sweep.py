"""The sweep of a method over sizes: what to fit, the job that fits it, how long that takes."""

from itertools import product

import streamlit as st

from compress import METHODS, EmbeddingMatrix, LpLowRank, Method, ProjectiveClustering, Trimmed, cache
from compress.charts.figure import PRECISION_NAMES
from compress.methods import ALONE
from compress.methods.lp import OBJECTIVES
from compress.methods.trimmed import spelled
from compress.tuning.sweep import plan
from pages.parts.controls import STAYING
from pages.parts.kept import known
from pages.parts.work import jobs
from pages.parts.work.watch import watch

KS = [2, 3, 5, 8, 12, 16, 24, 32]
PS = [1, 1.2, 1.5, 1.8]
PRECISIONS = ["float16", "int8", "int4"]
SWEPT = [name for name, method in METHODS.items() if method.knob and name != "svd"]  # SVD is known at every size
RATIOS = [4, 6, 8, 12, 16, 25, 40, 60, 100]
MANY = {"selection_mode": "multi", **STAYING}


def sweep_panel(matrix: EmbeddingMatrix) -> None:
    """One line: how far the sweep is, or the button that starts it, beside its settings."""
    with st.container(horizontal=True, vertical_alignment="center", key="status"):
        name, wanted = wanted_settings(matrix)
        if jobs.running("sweep"):
            watch("sweep", "Sweep", redraw=True)
            return
        done = {trial.method for trial in known(matrix.key)}
        missing = [method for method in wanted if method not in done]
        if missing:
            st.button(
                f"Fit {METHODS[name].label} at {len(missing)} sizes",
                on_click=start,
                args=[matrix, name, wanted],
                icon=":material/play_arrow:",
                help="Runs beside the app; every finished fit joins the chart and is kept on disk.",
            )
        st.caption(words(matrix, name, wanted, missing))
        watch("sweep", "Sweep", key=matrix.key)


def wanted_settings(matrix: EmbeddingMatrix) -> tuple[str, list[Method]]:
    """The method that the sweep's popover asks for, and its settings; what this matrix cannot have is left out."""
    with st.popover("Sweep", icon=":material/tune:", help="Which settings to fit"):
        name = st.selectbox(
            "Method",
            SWEPT,
            SWEPT.index("projective"),
            format_func=lambda name: METHODS[name].label,
            key="sweep_method",
            **STAYING,
        )
        if name == "lp":
            ps = st.pills("Exponents p", PS, default=[1], key="sweep_p", **MANY)
            forms = st.pills(
                "Objective",
                OBJECTIVES,
                default=["rows"],
                key="sweep_objective",
                format_func=lambda form: f"by {form}",
                help="By rows: the distances of rows to the subspace. By entries: all errors, which takes far longer.",
                **MANY,
            )
            own = {"p": [float(p) for p in sorted(ps)], "objective": sorted(forms)}
        elif name == "projective":
            ks = st.pills("Numbers of subspaces k", KS, default=[5], key="sweep_k", **MANY)
            own = {"k": [k for k in ks if k <= matrix.shape[0]]}
        elif name == "trimmed":
            own = trimmed(matrix)
        else:
            own = {}
        own |= stored_as(matrix, name)
        ratios = st.pills("Ratios", RATIOS, default=RATIOS[2:], key="sweep_ratios", **MANY)
    return name, plan(matrix.shape, [name], sorted(ratios, reverse=True), **own)  # small fits first


def trimmed(matrix: EmbeddingMatrix) -> dict[str, list]:
    """How many rows are kept, and the methods that keep them, with every precision that is worth a try."""
    told = Trimmed.told_by(matrix)
    about = "By default those that weigh more than the least." if told else "Row weights say which; without them the first."
    n, d = matrix.shape
    rows = st.number_input("Rows kept", 2, n, told.get("rows", (n + 1) // 2), key=f"sweep_rows_{matrix.key}", help=about, **STAYING)
    inner = st.pills("Kept by", ALONE, default=["trellis"], key="sweep_of", format_func=lambda name: METHODS[name].label, **MANY)
    return {"rows": [rows], "of": [spelled(method) for name in inner for method in at_every_precision(name, rows, d)]}


def at_every_precision(name: str, n: int, d: int) -> list[Method]:
    """A method with every way of storing its numbers that is worth a try."""
    precisions = METHODS[name].precisions(n, d)
    return [METHODS[name](**dict(zip(precisions, values, strict=True))) for values in product(*precisions.values())]


def stored_as(matrix: EmbeddingMatrix, name: str) -> dict[str, list[int]]:
    """The values of the settings that a method's numbers are stored by, where there is a choice."""
    found = {}
    for setting, values in METHODS[name].precisions(*matrix.shape).items():
        if len(values) < 2:
            continue
        if setting == "factor_bits":
            names = {PRECISION_NAMES[bits]: bits for bits in sorted(values, reverse=True)}
            usual = [precision for precision in PRECISIONS if precision in names]
            chosen = st.pills("Factors stored as", list(names), default=usual, key="sweep_precision", **MANY)
            found[setting] = [names[precision] for precision in chosen]
        else:
            label = setting.replace("_", " ").capitalize()
            chosen = st.pills(label, list(values), default=list(values), key=f"sweep_{name}_{setting}", **MANY)
            found[setting] = sorted(chosen)
    return found


def words(matrix: EmbeddingMatrix, name: str, wanted: list, missing: list) -> str:
    if not wanted:
        return "The sweep has nothing to fit: choose at least one of each kind under Sweep, and a ratio that this matrix can reach."
    if not missing:
        return ":material/check: Every setting of the sweep is fitted. Choose others under Sweep."
    times = [seconds(method, matrix.shape) for method in missing]
    about = "" if None in times else f" About {duration(sum(times))}."
    if len(missing) < len(wanted):
        return f"{len(wanted) - len(missing)} of {len(wanted)} settings are fitted.{about}"
    take = "take" if METHODS[name].label.endswith("s") else "takes"
    return f"SVD and rounding by row are here already; {METHODS[name].label} {take} a search for every setting.{about}"


def start(matrix: EmbeddingMatrix, name: str, wanted: list[Method]) -> None:
    """Starts the job; its lists are those of the settings wanted."""
    usual, own = METHODS[name]().settings, {}
    for setting in usual:
        values = {getattr(method, setting) for method in wanted}
        if setting != METHODS[name].knob and values != {usual[setting]}:
            own[setting] = sorted(values)
    ratios = sorted(st.session_state["sweep_ratios"], reverse=True)
    jobs.run("sweep", matrix, methods=name, **own, ratios=ratios, out=cache.folder("trials"))


def seconds(method: Method, shape: tuple[int, int]) -> float | None:
    """About how long a fit takes on two cores: the passes over all rows are what counts. None where nothing is known of it."""
    n, d = shape
    if isinstance(method, LpLowRank):
        return 0.3 + (2e-8 if method.objective == "entries" else 1.4e-9) * n * d * method.j
    if isinstance(method, ProjectiveClustering):
        return 0.3 + 1.3e-9 * n * min(d, 2 * method.j + 64) * method.k * method.j
    return None


def duration(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
