"""Ways of compressing an embedding matrix, what each costs in error and saves in bytes."""

from compress.archive import load
from compress.compressed import Compressed
from compress.errors import MatrixError, Stop
from compress.fitting import fit_to
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, SVD, Int4, Int8, LightToken, LpLowRank, Method, ProjectiveClustering
from compress.metrics import Evaluation, evaluate
from compress.sources import load_matrix, save_matrix, tensors
from compress.spectrum import Spectrum, spectrum

__all__ = [
    "METHODS",
    "SVD",
    "Compressed",
    "EmbeddingMatrix",
    "Evaluation",
    "Int4",
    "Int8",
    "LightToken",
    "LpLowRank",
    "MatrixError",
    "Method",
    "ProjectiveClustering",
    "Spectrum",
    "Stop",
    "evaluate",
    "fit_to",
    "load",
    "load_matrix",
    "save_matrix",
    "spectrum",
    "tensors",
]
