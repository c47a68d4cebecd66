"""Ways of compressing an embedding matrix, what each costs in error and saves in bytes."""

from compress.errors import MatrixError
from compress.matrix import EmbeddingMatrix

__all__ = ["EmbeddingMatrix", "MatrixError"]
