"""The best setting of every method at a few sizes: what a first look at a matrix shows."""

from collections.abc import Iterable, Iterator

from compress.errors import Progress, Step
from compress.matrix import EmbeddingMatrix
from compress.methods import ALONE, METHODS, Method
from compress.tuning.fits import Fits
from compress.tuning.fitting import OutOfReach, largest_ratio
from compress.tuning.sweep import Trial, Trials
from compress.tuning.targets import SizeTarget

SURVEYED = tuple(name for name in ALONE if METHODS[name].has_settings() and name != "svd")  # SVD is known at every size
Cell = tuple[str, float]  # a method and a ratio


def survey(
    matrix: EmbeddingMatrix,
    methods: Iterable[str] = SURVEYED,
    ratios: Iterable[float] | None = None,
    store: Trials | None = None,
    progress: Progress | None = None,
) -> Iterator[Trial]:
    """The trial of the best setting of every method at every ratio that it reaches, of those given or else its own, each once it is
    fitted, the least work first.

    The best is the one whose draft loses least, see `SizeTarget.best`, fitted in full. store: what it holds is not fitted again,
    and every new fit is kept there. progress: told before every search what is sought; may raise to stop.
    """
    cells = plan(matrix.shape, methods, ratios)
    work = [work_of(cell) for cell in cells]
    fits = Fits(matrix, store, None, work)
    for done, cell in enumerate(cells):
        if progress:
            progress(step(done, len(cells), sum(work[:done]) / sum(work), cell))
        try:
            yield best(fits, cell)
        except OutOfReach:
            continue
    if progress:
        progress(step(len(cells), len(cells), 1.0))


def lacking(matrix: EmbeddingMatrix, store: Trials) -> list[Cell]:
    """What a survey of this store would still have to fit."""
    fits, found = Kept(matrix, store, None, []), []
    for cell in plan(matrix.shape, SURVEYED):
        try:
            best(fits, cell)
        except OutOfReach:
            continue
        except LookupError:
            found.append(cell)
    return found


class Kept(Fits):
    """The fits that the store holds. Raises LookupError for any other."""

    def trial_of(self, method: Method, draft: bool) -> Trial:
        return self.known[draft][method]


def plan(shape: tuple[int, int], methods: Iterable[str], ratios: Iterable[float] | None = None) -> list[Cell]:
    """The methods and ratios of a survey, the least work first; a ratio that a method cannot reach is left out."""
    reached = {name: largest_ratio(name, shape, {}) for name in methods}
    asked = {name: METHODS[name].surveyed for name in reached} if ratios is None else dict.fromkeys(reached, tuple(ratios))
    return sorted(((name, ratio) for name, most in reached.items() for ratio in asked[name] if ratio <= most), key=work_of)


def work_of(cell: Cell) -> float:
    """About how much longer it takes than another: the larger the form, the longer."""
    name, ratio = cell
    return METHODS[name].effort / ratio


def best(fits: Fits, cell: Cell) -> Trial:
    """Raises OutOfReach where the method has no such size."""
    name, ratio = cell
    return SizeTarget({"ratio": ratio}, ratio).best(fits, name, [])


def step(done: int, of: int, share: float, cell: Cell | None = None) -> Step:
    """So many are done, and this one is sought now."""
    words = f", now {METHODS[cell[0]].label} at {cell[1]:g} ×" if cell else ""
    kept = {"kept": f"{done} of {of} sizes"} if done else {}
    return Step(share, f"{done} of {of} sizes{words}", {"done": done, "of": of, **kept})
