"""A compressed embedding put into a whole model, and what becomes of the output layer that shares its table."""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compress.form.compressed import Compressed
from compress.models.places import (
    KEPT,
    OUTPUTS,
    check_shape,
    embedding_of,
    exchange,
    is_linear,
    looks_up,
    modules,
    output_of,
    put,
    scale_of,
    total_bytes,
)

if TYPE_CHECKING:
    from compress.form.layers import CompressedEmbedding, TrainableEmbedding


@dataclass(frozen=True)
class Swapped:
    """What a swap did, sizes in bytes.

    model: the model's class. tied: whether an output layer shared the embedding's table. output: what it is now: "compressed", it
    computes with the compressed form too; "own", it kept the table for itself; "as it was", it was never tied; "none", there is no
    output layer. output_bytes: the weights that the output layer has for itself, without a bias. model_bytes: all parameters and
    buffers, each once.
    """

    model: str
    tied: bool
    output: str
    embedding_bytes_before: int
    embedding_bytes: int
    output_bytes_before: int
    output_bytes: int
    model_bytes_before: int
    model_bytes: int


def swap_embedding(model: Any, result: Compressed, output: str = "compressed") -> Swapped:
    """Puts the compressed form in place of the input embedding of a transformers model (or of any torch module that has
    get_input_embeddings and set_input_embeddings), on its device, giving its dtype.

    output: what an output layer that is tied to the embedding becomes: "compressed" multiplies by what is stored, or by the table
    decoded some rows at a time, slower than before; "own" keeps the dense table, so that less is saved. An output layer that was
    not tied stays.
    A transformers model can then be saved by `save_pretrained`, the compressed arrays only, and opened by `from_pretrained` after
    `compress.register()`. Raises ValueError where the model has no such embedding, or one of another shape.
    """
    from compress.form.layers import CompressedEmbedding

    if output not in OUTPUTS:
        raise ValueError(f"output must be one of {', '.join(OUTPUTS)}, got {output!r}")
    old = embedding_of(model)
    check_shape("The compressed table", result.shape, "the model’s", old.weight.shape)
    if (quantizer := getattr(model, "hf_quantizer", None)) is not None:
        method = quantizer.quantization_config.quant_method
        raise ValueError(f"the model is quantized already, by {getattr(method, 'value', method)}; swap before that")
    table, head, before = old.weight, output_of(model), total_bytes(model)
    others = {name for name, module in modules(model) if module is not old and getattr(module, "weight", None) is table}
    kin = [module for name, module in modules(model) if name in others]
    for module in kin:
        if not is_linear(module) and not looks_up(module):
            raise ValueError(
                f"a {type(module).__name__} of {type(model).__name__} is tied to the embedding, and cannot be replaced"
            )
    tied = any(is_linear(module) for module in kin)
    layer = CompressedEmbedding(result, old.padding_idx, table.dtype, scale_of(old)).to(table.device).train(old.training)
    if table.device.type != "meta":
        layer.prepared()  # a graph cannot
    put(model, old, layer, others, output == "compressed")
    became = output if tied else "none" if head is None else KEPT
    if hasattr(model, "save_pretrained"):
        from compress.models.pretrained import mark

        mark(model, result, KEPT if became == KEPT else output)
    own = table.nbytes if tied else getattr(getattr(head, "weight", None), "nbytes", 0)
    return Swapped(
        model=type(model).__name__,
        tied=tied,
        output=became,
        embedding_bytes_before=table.nbytes,
        embedding_bytes=result.n_bytes,
        output_bytes_before=0 if tied else own,
        output_bytes=0 if became == "compressed" else own,
        model_bytes_before=before,
        model_bytes=total_bytes(model),
    )


def swapped_copy(model: Any, result: Compressed, output: str = "compressed") -> tuple[Any, Swapped]:
    """A copy of the model with the embedding swapped, all other weights the same tensors as the model's, and what the swap did.
    Raises as `swap_embedding` does."""
    held = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    copied = copy.deepcopy(model, held)
    return copied, swap_embedding(copied, result, output)


def train_table(model: Any) -> "TrainableEmbedding":
    """Opens the compressed embedding of a swapped model for training, and with it what shares its table; gives the layer that is in
    its place now. `freeze_table` ends it."""
    from compress.form.layers import CompressedEmbedding

    layer = model.get_input_embeddings()
    if isinstance(layer, CompressedEmbedding):
        exchange(model, layer, layer := layer.trainable())
    return layer


def freeze_table(model: Any) -> "CompressedEmbedding":
    """Stores what training moved of a swapped model's table, rounded as it is kept in a file; gives the frozen layer that is in its
    place now."""
    from compress.form.layers import TrainableEmbedding

    layer = model.get_input_embeddings()
    if isinstance(layer, TrainableEmbedding):
        exchange(model, layer, layer := layer.frozen())
    return layer


def register() -> None:
    """Makes transformers' `from_pretrained` open the folders that a swapped model's `save_pretrained` wrote."""
    import compress.models.pretrained  # noqa: F401
