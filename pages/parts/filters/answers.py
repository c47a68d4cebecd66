"""What Filters tells at every budget: its cards, filters kept and bounds by layer, and where the network stands among others."""

import numpy as np

from compress.charts.filters import MEASURED, on_log_axis
from compress.form.metrics import error_text
from compress.pruning import Report
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers, Figure, Line, Mark, Ring
from pages.parts.filters.network import Subject
from pages.parts.filters.path import Loss, Path
from pages.parts.filters.settings import Pruning

UNKNOWN = "–"  # of what only a run of the network tells


def filter_figures(subject: Subject, report: Report, loss: Loss | None, judged: bool = True) -> list[Figure]:
    """loss: None where nothing tells it yet. judged: whether it is that of this very budget."""
    return [
        cost_figure("Parameters", report.parameters, report.keep if report.measure == "parameters" else None, "all of the network"),
        cost_figure(
            "FLOPs",
            report.flops,
            report.keep if report.measure == "flops" else None,
            "of convolutions and linear layers, for one picture; a multiplication and an addition are two",
        ),
        *([] if subject.labels is None else [accuracy_figure(subject, loss and loss.accuracy, judged)]),
        Figure(
            "Relative output error",
            error_text(loss.error, not judged) if loss else UNKNOWN,
            help=f"‖f(x) − g(x)‖ / ‖f(x)‖, the mean over {len(subject.judge):,} pictures; f is the network before, g after",
        ),
        Figure(
            "ε",
            f"≤ {report.epsilon:.0e}" if report.epsilon <= 1e-5 else epsilon_text(report.epsilon),
            f"δ = {report.delta:.0e}",
            "off",
            help="The relative error that so many samples a layer are proved to keep to with probability 1 − δ. "
            + ("Above 1 it promises nothing." if report.epsilon > 1 else "It is that of drawn and reweighted filters."),
        ),
    ]


def cost_figure(label: str, both: tuple[int, int], keep: float | None, help: str) -> Figure:
    """keep: the share that the budget allows, where it is one of these."""
    before, after = both
    about = None if keep is None else f"budget {count(int(keep * before))}"
    return Figure(label, count(after), f"{after / before:.1%} of {count(before)}", "off", about, f"{before:,} → {after:,}, {help}")


def accuracy_figure(subject: Subject, accuracy: float | None, judged: bool) -> Figure:
    label, before = "Accuracy, one shot", subject.accuracy
    if accuracy is None:
        return Figure(label, UNKNOWN)
    return Figure(
        label,
        f"{'' if judged else '≈ '}{accuracy:.1%}",
        change(before, accuracy),
        "off" if same(before, accuracy) else "normal",
        help=f"{before:.2%} → {accuracy:.2%} of {len(subject.judge):,} pictures, without retraining",
    )


def epsilon_text(epsilon: float) -> str:
    return f"{epsilon:,.0f}" if epsilon >= 100 else f"{epsilon:#.3g}"


def change(before: float, after: float) -> str:
    points = 100 * (after - before)
    return f"as before, {before:.1%}" if same(before, after) else f"{points:+.1f} points from {before:.1%}"


def same(before: float, after: float) -> bool:
    return abs(after - before) < 5e-4


def count(number: int) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:#.3g} {unit}".replace(". ", " ")
    return f"{number:,}"


@cached(8)
def filter_answers(subject: Subject, path: Path, space: str) -> Answers:
    """For every share kept. space: the name of that whose sensitivities are shown."""
    keeps, reports = list(path.reports), list(path.reports.values())
    known = [path.about(keep) for keep in keeps]
    rows = list(zip(reports, known, strict=True))
    return Answers(
        keeps,
        figures={"cards": [filter_figures(subject, report, *each) for report, each in rows]},
        marks={
            "curves": [curve_marks(report, loss) for report, (loss, _) in rows],
            "sensitivities": [kept_marks(report, space, path.setting) for report in reports],
        },
        traces={
            "kept_by_layer": {"kept": {"x": np.array([[kept for kept, _ in report.kept.values()] for report in reports])}},
            "bounds": bound_traces(path, known),
        },
    )


def bound_traces(path: Path, known: list[tuple[Loss | None, bool]]) -> dict[str, dict[str, np.ndarray]]:
    """Where bounds and measured errors stand at every budget; a number that is not known stands nowhere."""
    layers, most = list(next(iter(path.reports.values())).bound), largest_bound(path)
    found = {"bound": np.array([[report.bound[name] for name in layers] for report in path.reports.values()])}
    for at, name in enumerate(MEASURED):
        found[MEASURED[name]] = np.array([[loss.layers[layer][at] if loss else np.nan for layer in layers] for loss, _ in known])
    return {name: {"x": np.where(np.isnan(each), np.nan, on_log_axis(each, most))} for name, each in found.items()}


def largest_bound(path: Path) -> float:
    """Of any layer at any budget."""
    return max(max(report.bound.values()) for report in path.reports.values())


def curve_marks(report: Report, loss: Loss | None) -> list[Mark]:
    """Where the network of the page is among the curves."""
    if loss is None:
        return []
    return [Ring("here", 100 * report.removed, loss.error if loss.accuracy is None else loss.accuracy, "this network")]


def kept_marks(report: Report, space: str, setting: Pruning) -> list[Mark]:
    """Where the kept filters of a layer end, if the most sensitive are kept."""
    kept = report.kept[space][0]
    return [Line("kept", kept + 0.5, f"{kept} kept")] if setting.variant == "top" else []
