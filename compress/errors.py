"""The error that a person's data can raise, and the word that ends a fit early."""


class MatrixError(ValueError):
    """A matrix or its source cannot be used; the message says what is wrong and what to do, in plain words."""


class Stop(Exception):
    """Raised by a fit's `progress` to end it: a method that works in stages then keeps the finished ones, others pass it on."""
