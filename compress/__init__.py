"""Ways of compressing an embedding matrix, what each costs in error and saves in bytes."""

from compress.analysis.bound import Bound, class_bound, gaussian_bound
from compress.analysis.sampled_spectrum import SampledSpectrum, sampled_spectrum
from compress.analysis.spectrum import Spectrum, spectrum
from compress.archive import load
from compress.errors import InputError, MatrixError, Step, Stop
from compress.export import export_folder
from compress.form.compressed import Compressed
from compress.form.metrics import Evaluation, evaluate
from compress.importance import Importance
from compress.matrix import EmbeddingMatrix
from compress.methods import (
    METHODS,
    SVD,
    Dimensions,
    Int4,
    Int8,
    LightToken,
    LpLowRank,
    Method,
    OptimizedProductQuantization,
    ProductQuantization,
    ProjectiveClustering,
    ResidualQuantization,
    Trellis,
    Trimmed,
)
from compress.models.swap import Swapped, register, swap_embedding
from compress.models.trimming import trim
from compress.sources import load_matrix, save_matrix, tensors
from compress.training.finetuning import Finetuned, finetune
from compress.training.healing import Healed, heal
from compress.tuning.advise import Advice, advise
from compress.tuning.fitting import fit_to

__all__ = [
    "METHODS",
    "SVD",
    "Advice",
    "Bound",
    "Compressed",
    "Dimensions",
    "EmbeddingMatrix",
    "Evaluation",
    "Finetuned",
    "Healed",
    "Importance",
    "InputError",
    "Int4",
    "Int8",
    "LightToken",
    "LpLowRank",
    "MatrixError",
    "Method",
    "OptimizedProductQuantization",
    "ProductQuantization",
    "ProjectiveClustering",
    "ResidualQuantization",
    "SampledSpectrum",
    "Spectrum",
    "Step",
    "Stop",
    "Swapped",
    "Trellis",
    "Trimmed",
    "advise",
    "class_bound",
    "evaluate",
    "export_folder",
    "finetune",
    "fit_to",
    "gaussian_bound",
    "heal",
    "load",
    "load_matrix",
    "register",
    "sampled_spectrum",
    "save_matrix",
    "spectrum",
    "swap_embedding",
    "tensors",
    "trim",
]
