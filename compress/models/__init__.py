"""The model that a matrix belongs to: opened, its table swapped, saved and opened again."""

from compress.models.open import OpenModel, has_model, open_model

__all__ = ["OpenModel", "has_model", "open_model"]
