"""What work says to whoever asked for it: a step that is done, the word that ends it, the error that a person's input raises."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LONGEST = 1000  # letters of a message


class InputError(ValueError):
    """What a person gave, a matrix, a file, a model or a text, cannot be used; the message says what is wrong and what to do, in
    one line of at most LONGEST letters, whatever the names are that a file brings."""

    def __init__(self, message: object = "") -> None:
        text = "".join(letter if letter.isprintable() or letter == "\xa0" else "\ufffd" for letter in str(message))
        super().__init__(text if len(text) <= LONGEST else f"{text[:LONGEST]} …")


MatrixError = InputError  # its name until version 0.1, for code that catches it so


@contextmanager
def reading(where: str | os.PathLike) -> Iterator[None]:
    """Whatever goes wrong while what somebody else wrote is read, here or in the libraries that read it, is an InputError."""
    name = Path(where).name or str(where)
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise unreadable(where, error) from error
    except MemoryError as error:
        raise InputError(f"{name} does not fit in memory; take fewer rows.") from error
    except Exception as error:
        why = type(error).__name__
        raise InputError(f"{name} is damaged, or does not hold what it says ({why}); write or fetch it again.") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what libraries in Rust end with, which is no Exception
            raise
        raise InputError(f"{name} is damaged; write or fetch it again.") from error


def unreadable(where: str | os.PathLike, error: OSError) -> InputError:
    """That the system does not let a file be read."""
    name = Path(error.filename or where).name
    if isinstance(error, FileNotFoundError):
        return InputError(f"There is no file {name}; check its path.")
    if isinstance(error, PermissionError):
        return InputError(f"{name} may not be read (permission denied); change its permissions or copy it.")
    reason = error.strerror or "the system gave no reason"
    return InputError(f"{name} cannot be read ({reason}); check the file and try again.")


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
