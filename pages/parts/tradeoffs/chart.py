"""The chart of all that is known, which no budget changes."""

from compress import EmbeddingMatrix, Method
from compress.charts import tradeoffs as charts
from compress.tuning.front import front
from pages.parts.cached import cached
from pages.parts.live_chart.live_chart import Plot, plot_of
from pages.parts.tradeoffs.points import Points, bounds_of, table_of
from pages.parts.tradeoffs.settings import axis_name


@cached(4)
def chart_of(
    matrix: EmbeddingMatrix,
    points: Points,
    measure: str,
    pinned: tuple[Method, ...],
    log: bool,
    peers: tuple[tuple[str, int, float], ...] = (),
) -> Plot:
    table = table_of(points)
    bounds = {name: bound.error for name, bound in bounds_of(matrix, measure).items()}
    best = front(table["n_bytes"], table["error"])
    chart = charts.tradeoffs(table, best, points.rows(pinned), matrix.n_bytes, log, bounds)
    charts.add_peers(chart, peers, matrix.n_bytes, log)
    return plot_of(chart.update_yaxes(title_text=axis_name(measure)))
