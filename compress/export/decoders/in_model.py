"""How the layer of a load.py gets into a transformers model, and how such a model is opened again. Part of every load.py."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from compress.export.decoders.frame import Embedding

SCALES = ("scalar_embed_scale", "embed_scale")  # what transformers calls the factor of an embedding that scales its rows


class Shared(torch.nn.Module):
    """Another place where rows of the same table are looked up, as in a decoder beside its encoder."""

    layer: Embedding

    def __init__(self, layer: Embedding, scale: float = 1.0):
        super().__init__()
        self.__dict__["layer"] = layer  # not as a part of this one: its arrays are saved once, where the layer is
        self.scale = scale

    @property
    def weight(self) -> torch.Tensor:
        return self.layer.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.layer.rows(ids) * self.scale


class Output(Shared):
    """An output layer tied to the table: hidden states (…, dim) times every row, some rows at a time, plus a bias."""

    bias: torch.nn.Parameter | None

    def __init__(self, layer: Embedding, bias: torch.nn.Parameter | None):
        super().__init__(layer)
        self.register_parameter("bias", bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        scores = torch.cat([torch.nn.functional.linear(hidden, rows) for rows in self.layer.blocks()], dim=-1)
        return scores if self.bias is None else scores + self.bias


def put_into(model: Any, layer: Embedding) -> Any:
    """Puts the layer wherever a transformers model uses its table, output layers that are tied to it too, on the table's device and
    in its dtype; returns the model. `model.save_pretrained(folder)` then writes the stored arrays and no table; see `open_model`.

    Raises ValueError for a table of another shape, for a model that has such a layer or is quantized, and where a part of the model
    does more with the table than look up rows, scale them or multiply by them.
    """
    old = model.get_input_embeddings()
    if not isinstance(old, torch.nn.Embedding) or getattr(model, "hf_quantizer", None) is not None:
        raise ValueError("the model's table is no torch.nn.Embedding of plain numbers: it was compressed or quantized before")
    table, shape = old.weight, (layer.num_embeddings, layer.embedding_dim)
    if table.shape != shape:
        raise ValueError(f"the model's table is {tuple(table.shape)}, the layer {shape}")
    places = [(name, part) for name, part in model.named_modules(remove_duplicate=False) if getattr(part, "weight", None) is table]
    for _, part in places:
        if not (isinstance(part, torch.nn.Linear) or looks_up(part)):
            raise ValueError(f"a {type(part).__name__} of the model does more with the table than load.py knows")
    ties = {part: ties_of(part) for part in model.modules() if hasattr(part, "get_expanded_tied_weights_keys")}
    layer.to(table.device, table.dtype)
    layer.scale, layer.padding_idx = scale_of(old), old.padding_idx
    first = place_of(model)
    for name, part in places:
        parent, _, leaf = name.rpartition(".")
        other = Output(layer, part.bias) if isinstance(part, torch.nn.Linear) else Shared(layer, scale_of(part))
        setattr(model.get_submodule(parent), leaf, layer if name == first else other)
    for part, known in ties.items():  # transformers has no public way to undo a tie
        there = {name for name, _ in part.named_parameters(remove_duplicate=False)}
        for attribute, pairs in known.items():
            setattr(part, attribute, {one: other for one, other in pairs.items() if {one, other} <= there})
    if ties:
        arrays = {name: [str(array.dtype).split(".")[1], list(array.shape)] for name, array in layer.state_dict().items()}
        model.config = deepcopy(model.config)  # another model may be made of the same one
        model.config.quantization_config = {**layer.header, "quant_method": "flatland", "output": "compressed", "arrays": arrays}
    return model


def opener(make: Callable) -> Callable:
    """The function that opens a model with such a layer."""

    def open_model(folder: str | Path, **settings: Any) -> Any:
        """The model that `save_pretrained` wrote after `put_into`, in the class that it had. settings: of `from_pretrained`.

        Raises ValueError for the folder of any other model.
        """
        import transformers

        config = transformers.AutoConfig.from_pretrained(folder)
        header = config.__dict__.pop("quantization_config", {})
        if header.get("quant_method") != "flatland" or header.get("output") == "own":
            raise ValueError(f"{folder} holds no model that load.put_into was used on")
        before = transformers.logging.get_verbosity()
        transformers.logging.set_verbosity_error()  # it would say that the table is missing
        try:
            model = getattr(transformers, config.architectures[0]).from_pretrained(folder, config=config, **settings)
        finally:
            transformers.logging.set_verbosity(before)
        place = f"{place_of(model)}."
        arrays: dict[str, torch.Tensor] = {}
        for path in Path(folder).glob("*.safetensors"):
            with safe_open(str(path), framework="pt") as file:
                arrays |= {key.removeprefix(place): file.get_tensor(key) for key in file.keys() if key.startswith(place)}  # noqa: SIM118
        if arrays.keys() != header["arrays"].keys():
            raise ValueError(f"the files in {folder} lack arrays of the table; save the model again")
        return put_into(model, make(header, arrays, folder))

    return open_model


def place_of(model: Any) -> str:
    """The name of the model's input embedding among its parts."""
    old = model.get_input_embeddings()
    return next(name for name, part in model.named_modules(remove_duplicate=False) if part is old)


def looks_up(part: torch.nn.Module) -> bool:
    """Whether it gives rows of its weight, as they are or all scaled alike."""
    if not isinstance(part, torch.nn.Embedding) or part.max_norm is not None:
        return False
    return type(part).forward is torch.nn.Embedding.forward or any(hasattr(part, name) for name in SCALES)


def scale_of(part: torch.nn.Module) -> float:
    """The factor that an embedding multiplies its rows by."""
    return float(next((getattr(part, name) for name in SCALES if hasattr(part, name)), 1.0))


def ties_of(part: Any) -> dict[str, dict]:
    """What transformers knows of weights that a part shares, by the attributes that it keeps them in."""
    return {
        "_tied_weights_keys": part.get_expanded_tied_weights_keys(),
        "all_tied_weights_keys": dict(getattr(part, "all_tied_weights_keys", {})),
    }
