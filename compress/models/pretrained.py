"""How transformers saves and opens a model with a compressed embedding: as a quantization of its own, named "flatland".

To import this is to make it known there.
"""

import json
from copy import deepcopy
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from transformers.quantizers import HfQuantizer, register_quantization_config, register_quantizer
from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING, AUTO_QUANTIZER_MAPPING
from transformers.utils.quantization_config import QuantizationConfigMixin

from compress.archive import read_header
from compress.errors import InputError
from compress.form.compressed import Compressed
from compress.form.layers import CompressedEmbedding
from compress.models.places import KEPT, OUTPUTS, embedding_of, modules, put, scale_of

NAME = "flatland"
MOST_BYTES = 1 << 40
DAMAGED = "The quantization_config of the model's config.json is damaged; save the model again."

for known in (AUTO_QUANTIZATION_CONFIG_MAPPING, AUTO_QUANTIZER_MAPPING):
    known.pop(NAME, None)  # from before this module was loaded anew, which transformers would not have twice


@register_quantization_config(NAME)
class FlatlandConfig(QuantizationConfigMixin):
    """What config.json says of the embedding. header: `Compressed.header`, flat among the rest. arrays: the dtype and
    shape of each. output: "compressed" where output layers that are tied to the embedding compute with them too."""

    def __init__(self, arrays: dict | None = None, output: str | None = None, quant_method: str = NAME, **header: Any):
        self.quant_method: Any = quant_method
        self.arrays: Any = arrays
        self.output, self.header = output, header

    def to_dict(self) -> dict[str, Any]:
        return {"quant_method": self.quant_method, "output": self.output, "arrays": self.arrays, **self.header}

    def empty(self, most_bytes: int) -> Compressed:
        """A compressed matrix of zeros in the right shapes. Raises InputError where the config is damaged, which it also is where
        the arrays take more bytes than the files have."""
        method, shape, digest, exponent = read_header(json.dumps(self.header), "config.json")
        try:
            kinds = {name: (np.dtype(kind), [int(side) for side in sides]) for name, (kind, sides) in self.arrays.items()}
            if sum(kind.itemsize * prod(sides) for kind, sides in kinds.values()) > most_bytes:
                raise ValueError("larger than the files")
            if self.output not in (*OUTPUTS, KEPT) or any(kind.kind not in "fiu" for kind, _ in kinds.values()):
                raise ValueError("not what a swap writes")
            arrays = {name: np.zeros(sides, kind) for name, (kind, sides) in kinds.items()}
            return Compressed(method, arrays, shape, digest, exponent)
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(DAMAGED) from error


@register_quantizer(NAME)
class FlatlandQuantizer(HfQuantizer):
    """Puts empty layers where the arrays are to be loaded, and checks them when they are."""

    quantization_config: Any  # the FlatlandConfig of the model

    def is_serializable(self) -> bool:
        return True

    @property
    def is_trainable(self) -> bool:
        return True

    def validate_environment(self, *args: Any, **kwargs: Any) -> None:
        if not self.pre_quantized:
            raise ValueError("a model gets a compressed embedding by compress.swap_embedding, not by quantization_config")

    def _process_model_before_weight_loading(self, model: Any, checkpoint_files: list | None = None, **kwargs: Any) -> None:
        files = [Path(file) for file in checkpoint_files or []]
        result = self.quantization_config.empty(sum(file.stat().st_size for file in files) if files else MOST_BYTES)
        old = embedding_of(model)
        if tuple(old.weight.shape) != result.shape:
            raise InputError(DAMAGED)
        place = next(name for name, module in modules(model) if module is old)
        check_files(files, place.rpartition(".")[2], result)
        ties = model.all_tied_weights_keys
        source = ties.get(f"{place}.weight", f"{place}.weight")
        tied = {name.removesuffix(".weight") for name in (source, *ties) if ties.get(name, name) == source} - {place}
        layer = CompressedEmbedding(result, old.padding_idx, old.weight.dtype, scale_of(old))
        put(model, old, layer, tied, self.quantization_config.output == "compressed")

    def _process_model_after_weight_loading(self, model: Any, **kwargs: Any) -> None:
        model.is_quantized = False  # only the embedding is, which casts itself; transformers would refuse half() and float()
        layer = model.get_input_embeddings()
        result = layer.compressed()
        try:
            result.method.check_stored(result.arrays, *result.shape)
        except ValueError as error:
            raise InputError(f"The model's files do not hold what config.json says ({error}); save the model again.") from error

    def get_state_dict_and_metadata(self, model: Any) -> tuple[dict[str, Any], dict]:
        """Everything as it is, trained arrays in the dtype that they are stored in."""
        state = model.state_dict()
        layer = model.get_input_embeddings()
        place = next(name for name, module in modules(model) if module is layer)
        stored = layer.compressed().arrays
        return state | {f"{place}.{name}": torch.from_numpy(array) for name, array in stored.items()}, {}


def mark(model: Any, result: Compressed, output: str) -> None:
    """Tells transformers how the model is to be saved."""
    arrays = {name: [str(array.dtype), list(array.shape)] for name, array in result.arrays.items()}
    shared, own = model.config, deepcopy(model.config)  # another model may be made of the same one
    own.quantization_config = FlatlandConfig(arrays, output, **result.header)
    for module in model.modules():
        if getattr(module, "config", None) is shared:
            module.config = own
    model.hf_quantizer = FlatlandQuantizer(own.quantization_config)


def check_files(files: list[Path], leaf: str, result: Compressed) -> None:
    """Raises InputError where the files lack an array of the embedding, whose module is named so, or have it in another shape:
    transformers would only warn, and leave it as chance has it."""
    found: dict[str, tuple[int, ...]] = {}
    for file in files:
        with safe_open(file, framework="numpy") as opened:
            found |= {key: tuple(opened.get_slice(key).get_shape()) for key in opened.keys()}  # noqa: SIM118
    shapes = {tuple(key.split(".")[-2:]): shape for key, shape in found.items()}
    for name, array in result.arrays.items() if files else ():
        if shapes.get((leaf, name)) != array.shape:
            raise InputError(f"The model's files lack the array {name!r} of the compressed embedding; save the model again.")
