"""The survey that fits every method at a few sizes, beside the app, as soon as a matrix is looked at."""

from compress import EmbeddingMatrix, cache
from compress.tuning.survey import lacking
from pages.parts.cached import cached
from pages.parts.kept import trials, written
from pages.parts.work import jobs
from pages.parts.work.ahead import working
from pages.parts.work.watch import watch


def survey_line(matrix: EmbeddingMatrix) -> None:
    """How far the survey is; it begins by itself where something is not fitted yet, and goes on where it was."""
    if working() and unfitted(matrix, written()):
        jobs.run("survey", matrix, again=False, aside=True, out=cache.folder("trials"))
    watch("survey", "All methods", redraw=True, key=matrix.key)


@cached(8)
def unfitted(matrix: EmbeddingMatrix, written: int) -> bool:
    """Whether a survey of what was known then would have something to fit."""
    return bool(lacking(matrix, trials()))
