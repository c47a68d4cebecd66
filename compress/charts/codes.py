"""Charts of binary codes: training, error against bits, the bits themselves, Hamming distances, one row's code."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import plotly.graph_objects as go

from compress.analysis.code_statistics import Pairs
from compress.charts.figure import METHOD_COLOURS, MUTED, figure, plain
from compress.charts.palette import CATEGORIES

OURS = METHOD_COLOURS["light_token"]
DASHES = ("solid", "dash", "dot", "dashdot")
DIVERGING = [[0, CATEGORIES[0]], [0.5, "#D9D9D9"], [1, CATEGORIES[3]]]
OFF_ON = [[0, "rgba(128, 128, 128, 0.25)"], [1, OURS]]
ACROSS = 64  # bits in a line of a code's picture
SHOWN = 128  # bits of a correlation picture
STAGE = "stage %{customdata}"


def training(events: Sequence[Mapping]) -> go.Figure:
    """Loss against step, a line a stage, one stage after another. Passes shaken by noise tell no loss: a grey band stands for
    them."""
    chart = figure("step", "loss / Σ‖aᵢ‖²", height=300)
    for stage, group in groupby(events, key=lambda event: event["stage"]):
        told = list(group)
        silent = [place(event) for event in told if event["cost"] is None]
        if silent:
            chart.add_vrect(x0=silent[0] - 0.5, x1=silent[-1] + 0.5, fillcolor=MUTED, opacity=0.15, line_width=0)
        add_stage(chart, stage, [event for event in told if event["cost"] is not None], "cost", "loss %{y:.4g}")
    if any(event["cost"] is None for event in events):
        key = {"symbol": "square", "size": 12, "color": "rgba(128, 128, 128, 0.2)"}
        chart.add_scatter(x=[None], y=[None], name="shaken passes, loss not measured", mode="markers", marker=key)
    last = events[-1] if events else {"stage": 0, "steps": 1}
    chart.update_xaxes(range=[0, (last["stage"] + 1) * last["steps"] + 1])
    chart.update_yaxes(range=roomy([event["cost"] for event in events if event["cost"] is not None]))
    return chart.update_layout(showlegend=True)


def roomy(values: Sequence[float]) -> list[float] | None:
    """The range of an axis on which a change of less than a twentieth looks small."""
    if not values:
        return None
    low, high = min(values), max(values)
    room = max(high - low, 0.05 * high, 1e-9)
    return [max((low + high) / 2 - 0.55 * room, 0), (low + high) / 2 + 0.55 * room]


def saturation(events: Sequence[Mapping]) -> go.Figure:
    """Share of units that give one bit for every row, against step."""
    chart = figure("step", "saturated units, %", height=240)
    for stage, group in groupby((each for each in events if each["saturation"] is not None), key=lambda event: event["stage"]):
        told = [{**event, "saturation": 100 * event["saturation"]} for event in group]
        add_stage(chart, stage, told, "saturation", "%{y:.1f} %")
    return chart.update_yaxes(rangemode="tozero")


def add_stage(chart: go.Figure, stage: int, events: Sequence[Mapping], value: str, hover: str) -> None:
    """A line of one stage: a value of its events against the step. hover: how a value is told."""
    chart.add_scatter(
        x=[place(event) for event in events],
        y=[event[value] for event in events],
        name=f"stage {stage + 1}",
        mode="lines+markers",
        line={"color": CATEGORIES[(stage + 6) % len(CATEGORIES)], "width": 2, "dash": DASHES[stage // 4 % 4]},
        marker={"size": 5},
        hovertemplate=f"stage {stage + 1}, step %{{x}}: {hover}<extra></extra>",
    )


def place(event: Mapping) -> int:
    """Where a step lies when every stage takes all its steps."""
    return event["stage"] * event["steps"] + event["step"] + 1


def against_bits(
    bits: np.ndarray,
    values: np.ndarray,
    spreads: np.ndarray,
    names: Sequence[str],
    curves: Mapping[str, tuple],
    points: Mapping[str, tuple],
    title: str,
    most: float,
) -> go.Figure:
    """A figure of prefixes of a code against bits a row with everything stored. spreads: of the values, 0 where they are exact.
    curves: name to bits, values, NaN where unknown, and their words, the first of LightToken itself; points: the same for settings
    that a sweep found.
    most: bits that the chart reaches."""
    chart = figure("bits a row, everything stored", title, height=400)
    for number, (name, (x, y, words)) in enumerate(curves.items()):
        own = name.startswith("LightToken")
        chart.add_scatter(
            x=x,
            y=y,
            name=plain(name),
            mode="lines",
            text=words,
            line={"color": OURS if own else METHOD_COLOURS["svd"], "width": 2, "dash": DASHES[number]},
            hovertemplate="%{text}<br>%{x:.4g} bits a row: %{y:.3g}<extra></extra>",
        )
    for name, (x, y, words) in points.items():
        chart.add_scatter(
            x=x,
            y=y,
            name=plain(name),
            mode="markers",
            text=[plain(each) for each in words],
            marker={"color": METHOD_COLOURS["projective"], "size": 8, "symbol": "square"},
            hovertemplate="%{text}<br>%{x:.4g} bits a row: %{y:.3g}<extra></extra>",
        )
    chart.add_scatter(
        x=bits,
        y=values,
        name="LightToken",
        mode="lines+markers",
        text=list(names),
        line={"color": OURS, "width": 3},
        error_y={"array": spreads, "visible": bool(np.any(spreads > 0))},
        marker={"size": 9, "symbol": "diamond"},
        hovertemplate="%{text}<br>%{x:.4g} bits a row: %{y:.3g}<extra></extra>",
    )
    chart.update_xaxes(range=[0, 1.05 * most])
    return chart.update_yaxes(range=[0, max(1.02, 1.05 * float(np.nanmax(values, initial=0.0)))])


def bits_on(shares: np.ndarray, widths: Sequence[int]) -> go.Figure:
    """The share of rows for which each bit is on, with a line at one half and between stages."""
    chart = figure("bit", "rows with the bit on, %", height=320)
    chart.add_scatter(
        x=np.arange(1, len(shares) + 1),
        y=100 * shares,
        mode="markers",
        marker={"color": OURS, "size": 5},
        customdata=np.repeat(np.arange(1, len(widths) + 1), widths),
        hovertemplate="bit %{x}, " + STAGE + "<br>on for %{y:.1f} % of rows<extra></extra>",
    )
    chart.add_hline(y=50, line={"color": MUTED, "dash": "dash", "width": 1})
    for end in np.cumsum(widths)[:-1]:
        chart.add_vline(x=end + 0.5, line={"color": MUTED, "dash": "dot", "width": 1})
    return chart.update_yaxes(range=[0, 100])


def shown_bits(bits: int) -> np.ndarray:
    """The bits that a correlation picture shows, evenly spread over the code."""
    return np.unique(np.linspace(0, bits - 1, min(bits, SHOWN)).round().astype(int))


def correlation(found: np.ndarray) -> go.Figure:
    """Correlation (L, L) of every two bits, the diagonal left out; the scale ends at the largest that is shown."""
    bits = shown_bits(len(found))
    seen = found[np.ix_(bits, bits)].astype(np.float64)
    np.fill_diagonal(seen, np.nan)
    reach = max(float(np.nanmax(np.abs(seen))) if len(bits) > 1 else 0.0, 1e-3)
    chart = figure("bit", "bit", height=420)
    chart.add_heatmap(
        x=[str(bit + 1) for bit in bits],
        y=[str(bit + 1) for bit in bits],
        z=np.round(seen, 4),
        zmin=-reach,
        zmax=reach,
        colorscale=DIVERGING,
        colorbar={"title": {"text": "correlation"}},
        hoverongaps=False,
        hovertemplate="bits %{y} and %{x}: %{z:.3f}<extra></extra>",
    )
    chart.update_xaxes(type="category", nticks=8, constrain="domain", tickangle=0)
    return chart.update_yaxes(type="category", nticks=8, autorange="reversed", scaleanchor="x")


def distances(pairs: Pairs, bits: int) -> go.Figure:
    """Hamming distance of codes against cosine distance of rows, a point a pair."""
    chart = figure("cosine distance 1 − cos of the rows", "Hamming distance of the codes, bits", height=420)
    for name, mask, colour, symbol in (
        ("random pairs", ~pairs.near, CATEGORIES[0], "circle"),
        ("near pairs", pairs.near, CATEGORIES[3], "cross"),
    ):
        chart.add_scatter(
            x=pairs.cosine[mask],
            y=pairs.hamming[mask],
            name=name,
            mode="markers",
            marker={"color": colour, "size": 5, "symbol": symbol, "opacity": 0.5},
            hovertemplate="cosine distance %{x:.3f}<br>%{y} bits differ<extra></extra>",
        )
    chart.update_xaxes(rangemode="tozero")
    return chart.update_yaxes(range=[0, max(1.05 * float(pairs.hamming.max(initial=0)), 1)]).add_hline(
        y=bits / 2, line={"color": MUTED, "dash": "dash", "width": 1}, annotation_text="half of the bits"
    )


def code(signs: np.ndarray, widths: Sequence[int]) -> go.Figure:
    """The bits of one row (L,) as fields in lines of 64, every stage on lines of its own."""
    lines, names = [], []
    for stage, part in enumerate(np.split(signs > 0, np.cumsum(widths)[:-1])):
        for first in range(0, len(part), ACROSS):
            line = part[first : first + ACROSS].astype(float)
            lines.append(np.pad(line, (0, min(ACROSS, max(widths)) - len(line)), constant_values=np.nan))
            start = sum(widths[:stage]) + first
            names.append(f"{start + 1}–{start + len(line)}")
    chart = figure("place in the line", "bits", height=140 + 18 * len(lines))
    chart.add_heatmap(
        x=np.arange(1, len(lines[0]) + 1),
        y=names,
        z=np.array(lines),
        zmin=0,
        zmax=1,
        colorscale=OFF_ON,
        showscale=False,
        xgap=1,
        ygap=2,
        hoverongaps=False,
        hovertemplate="bits %{y}, place %{x}: %{z}<extra></extra>",
    )
    chart.update_xaxes(showgrid=False)
    return chart.update_yaxes(type="category", autorange="reversed", showgrid=False)


def row_stages(names: Sequence[str], errors: np.ndarray, cosines: np.ndarray) -> go.Figure:
    """Relative error of one row and its cosine with its decoded row, after each stage."""
    chart = figure("after", "error, cosine", height=280)
    for title, values, colour, dash, symbol in (
        ("relative error", errors, OURS, "solid", "circle"),
        ("cosine", cosines, CATEGORIES[0], "dash", "square"),
    ):
        chart.add_scatter(
            x=list(names),
            y=values,
            name=title,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 8},
            hovertemplate=f"%{{x}}: {title} %{{y:.3g}}<extra></extra>",
        )
    chart.update_xaxes(type="category")
    return chart.update_yaxes(rangemode="tozero")
