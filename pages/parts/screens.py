"""The screens, each with the record of what it can be set to, in the order of the link."""

from compress import EmbeddingMatrix, Method
from pages.parts.export.settings import EXPORT
from pages.parts.filters.settings import FILTERS
from pages.parts.hash_codes.settings import HASH_CODES
from pages.parts.lesson.settings import LESSON
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.robustness.settings import ROBUSTNESS
from pages.parts.settings import Screen
from pages.parts.spectrum.settings import SPECTRUM
from pages.parts.subspaces.settings import SUBSPACES
from pages.parts.tradeoffs.settings import TRADEOFFS

SCREENS = (SPECTRUM, SUBSPACES, ROBUSTNESS, HASH_CODES, TRADEOFFS, EXPORT, MODEL_QUALITY, FILTERS, LESSON)


def held_methods(matrix: EmbeddingMatrix) -> list[Method]:
    """What the screens that show a method are set to now."""
    return [method for screen in SCREENS if (method := screen.held(matrix))]


def screen_for(method: Method) -> Screen | None:
    """The screen on which a method can be moved, if there is one."""
    return next((screen for screen in SCREENS if screen.values(method)), None)
