"""Recall@10 of a setting as one more figure of it, kept apart from errors: rows held out, by cosine."""

from compress.analysis.search import COUNT, held_out, search, truth_of
from compress.form.compressed import Compressed
from compress.matrix import EmbeddingMatrix

RECALL = f"recall@{COUNT}"


def key_of(matrix: EmbeddingMatrix) -> str:
    """What the recall of a matrix's forms is kept under, among trials."""
    return f"{matrix.key} {RECALL}"


def recall_of(matrix: EmbeddingMatrix, result: Compressed) -> dict[str, float]:
    """The recall of a form, and its size."""
    truth = truth_of(matrix, held_out(matrix), "cosine", COUNT)
    return {RECALL: search(matrix, result, truth).recall(), "n_bytes": result.n_bytes, "ratio": result.ratio}
