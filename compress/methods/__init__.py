"""Every way of compressing a matrix, by name."""

from compress.methods.base import Method
from compress.methods.dimensions import Dimensions
from compress.methods.light_token import LightToken
from compress.methods.lp import LpLowRank
from compress.methods.projective import ProjectiveClustering
from compress.methods.quantizers import Int4, Int8
from compress.methods.residual_quantizer import ResidualQuantization
from compress.methods.svd import SVD
from compress.methods.trellis import Trellis
from compress.methods.vector_quantizers import OptimizedProductQuantization, ProductQuantization

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (
        SVD,
        ProjectiveClustering,
        LpLowRank,
        LightToken,
        Trellis,
        ProductQuantization,
        OptimizedProductQuantization,
        ResidualQuantization,
        Int8,
        Int4,
        Dimensions,
    )
}

__all__ = [
    "METHODS",
    "SVD",
    "Dimensions",
    "Int4",
    "Int8",
    "LightToken",
    "LpLowRank",
    "Method",
    "OptimizedProductQuantization",
    "ProductQuantization",
    "ProjectiveClustering",
    "ResidualQuantization",
    "Trellis",
]
