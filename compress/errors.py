"""The one error that a person's data can raise."""


class MatrixError(ValueError):
    """A matrix or its source cannot be used; the message says what is wrong and what to do, in plain words."""
