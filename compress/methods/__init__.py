"""Every way of compressing a matrix, by name: whatever method a file of this folder holds."""

from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules

from compress.methods.base import Method
from compress.methods.blocks import BlockFormats, Groups
from compress.methods.dimensions import Dimensions
from compress.methods.light_token import LightToken
from compress.methods.lp import LpLowRank
from compress.methods.projective import ProjectiveClustering
from compress.methods.quantizers import Int4, Int8
from compress.methods.residual_quantizer import ResidualQuantization
from compress.methods.svd import SVD
from compress.methods.trellis import Trellis
from compress.methods.trimmed import Trimmed
from compress.methods.vector_quantizers import OptimizedProductQuantization, ProductQuantization


def find_methods() -> dict[str, type[Method]]:
    """The methods that the files of this folder hold, each in its place: classes that have a name and lack nothing."""
    modules = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
    held = [each for module in modules for each in vars(module).values() if isinstance(each, type) and issubclass(each, Method)]
    named = {each for each in held if "name" in vars(each) and not isabstract(each)}
    return {each.name: each for each in sorted(named, key=lambda each: (each.place, each.name))}


METHODS = find_methods()
ALONE = [name for name, method in METHODS.items() if not method.combines]  # what is tried where no method is named

__all__ = [
    "ALONE",
    "METHODS",
    "SVD",
    "BlockFormats",
    "Dimensions",
    "Groups",
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
    "Trimmed",
]
