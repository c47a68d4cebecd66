"""What work says to whoever asked for it: a step that is done, the word that ends it, the error that a person's input raises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class InputError(ValueError):
    """What a person gave, a matrix, a file, a model or a text, cannot be used; the message says what is wrong and what to do."""


MatrixError = InputError  # its name until version 0.1, for code that catches it so


class Stop(Exception):
    """Raised by a fit's `progress` to end it: a method that works in stages then keeps the finished ones, others pass it on."""


@dataclass(frozen=True)
class Step:
    """How far long work is.

    share: of all of it that is done, 0 to 1. words: what it is at, for a person, as "restart 2 of 8". figures: what this step
    measured, by name, as JSON takes it; "kept" what work that is stopped now leaves to go on from, as "12 of 20 settings".
    """

    share: float
    words: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """Everything by name, as `--progress` prints it."""
        return {"share": round(self.share, 4), "words": self.words, **self.figures}


Progress = Callable[[Step], None]  # told after every step; may raise to end the work
