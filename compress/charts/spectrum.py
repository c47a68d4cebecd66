"""Charts of a spectrum: singular values, and the error at every rank."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from compress.analysis.spectrum import Spectrum
from compress.charts.figure import PRECISION_NAMES, figure, plain
from compress.charts.palette import CATEGORIES


def spectra(found: Mapping[str, Spectrum], log: bool) -> go.Figure:
    """Singular values of one or two matrices, each scaled to its largest when there are two."""
    several = len(found) > 1
    chart = figure("direction i", "singular value σᵢ / σ₁" if several else "singular value σᵢ")
    for number, (name, spectrum) in enumerate(found.items()):
        values = spectrum.singular_values / (spectrum.singular_values[0] if several else 1)
        chart.add_scatter(
            x=np.arange(1, len(values) + 1),
            y=np.maximum(values, values[0] * 1e-9) if log else values,
            name=plain(name),
            mode="lines",
            line={"color": CATEGORIES[number], "width": 2, "dash": "dash" if number else "solid"},
            hovertemplate="σ<sub>%{x}</sub> = %{y:.4g}<extra></extra>",
            showlegend=several,
        )
    chart.update_yaxes(type="log" if log else "linear", rangemode="normal" if log else "tozero", exponentformat="power")
    return chart


def rank_errors(found: Mapping[str, Spectrum], bits: int, rounded: np.ndarray | None = None, log: bool = False) -> go.Figure:
    """Relative error of the best rank-j matrix for every j, and with factors rounded to `bits` where given; bytes on hover."""
    chart = figure("dimension j", "relative error")
    for number, (name, spectrum) in enumerate(found.items()):
        errors = spectrum.relative_errors
        chart.add_scatter(
            x=np.arange(len(errors)),
            y=np.maximum(errors, 1e-6) if log else errors,
            name=plain(name) if len(found) > 1 else "exact factors",
            mode="lines",
            line={"color": CATEGORIES[number], "width": 2, "dash": "dash" if number else "solid"},
            customdata=spectrum.n_bytes(bits) / 1e6,
            hovertemplate="j = %{x}: error %{y:.3g}, %{customdata:.3g} MB<extra></extra>",
            showlegend=len(found) > 1 or rounded is not None,
        )
    if rounded is not None:
        chart.add_scatter(
            x=np.arange(len(rounded)),
            y=np.maximum(rounded, 1e-6) if log else rounded,
            name=f"{PRECISION_NAMES[bits]} factors",
            mode="lines",
            line={"color": CATEGORIES[3], "width": 2, "dash": "dot"},
            customdata=next(iter(found.values())).n_bytes(bits) / 1e6,
            hovertemplate="j = %{x}: error %{y:.3g}, %{customdata:.3g} MB<extra></extra>",
        )
    chart.update_yaxes(**({"type": "log", "exponentformat": "power"} if log else {"range": [0, 1.02]}))
    return chart
