"""A compressed embedding put into a whole model, and what becomes of the output layer that shares its table."""

import copy
from contextlib import suppress
from dataclasses import dataclass

from compress.form.compressed import Compressed

OUTPUTS = ("compressed", "own")  # what a tied output layer can become
KEPT = "as it was"  # what any other is


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


def swap_embedding(model, result: Compressed, output: str = "compressed") -> Swapped:
    """Puts the compressed form in place of the input embedding of a transformers model (or of any torch module that has
    get_input_embeddings and set_input_embeddings), on its device, giving its dtype.

    output: what an output layer that is tied to the embedding becomes: "compressed" multiplies by the decoded table, some rows at a
    time, slower than before; "own" keeps the dense table, so that less is saved. An output layer that was not tied stays.
    A transformers model can then be saved by `save_pretrained`, the compressed arrays only, and opened by `from_pretrained` after
    `compress.register()`. Raises ValueError where the model has no such embedding, or one of another shape.
    """
    from compress.form.layers import CompressedEmbedding

    if output not in OUTPUTS:
        raise ValueError(f"output must be one of {', '.join(OUTPUTS)}, got {output!r}")
    old = embedding_of(model)
    if tuple(old.weight.shape) != tuple(result.shape):
        n, d = old.weight.shape
        raise ValueError(f"the model's table is {n} × {d}, the compressed one {result.shape[0]} × {result.shape[1]}")
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
    layer = CompressedEmbedding(result, getattr(old, "padding_idx", None), table.dtype).to(table.device).train(old.training)
    put(model, old, layer, others, output == "compressed")
    became = output if tied else "none" if head is None else KEPT
    if hasattr(model, "save_pretrained"):
        from compress.models.pretrained import mark

        mark(model, layer, KEPT if became == KEPT else output)
    own = table.nbytes if tied else getattr(getattr(head, "weight", None), "nbytes", 0)
    return Swapped(
        type(model).__name__, tied, became, table.nbytes, result.n_bytes,
        0 if tied else own, 0 if became == "compressed" else own, before, total_bytes(model),
    )  # fmt: skip


def swapped_copy(model, result: Compressed, output: str = "compressed") -> tuple:
    """A copy of the model with the embedding swapped, all other weights the same tensors as the model's, and what the swap did.
    Raises as `swap_embedding` does."""
    held = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    copied = copy.deepcopy(model, held)
    return copied, swap_embedding(copied, result, output)


def register() -> None:
    """Makes transformers' `from_pretrained` open the folders that a swapped model's `save_pretrained` wrote."""
    import compress.models.pretrained  # noqa: F401


def embedding_of(model):
    """The model's nn.Embedding. Raises ValueError where it has none, or one that does more than look up rows."""
    from torch.nn import Embedding

    from compress.form.layers import CompressedEmbedding

    name, old = type(model).__name__, None
    if not hasattr(model, "get_input_embeddings") or not hasattr(model, "set_input_embeddings"):
        raise ValueError(f"{name} has no get_input_embeddings and set_input_embeddings to swap an embedding by")
    with suppress(NotImplementedError):
        old = model.get_input_embeddings()
    if isinstance(old, CompressedEmbedding):
        raise ValueError(f"the embedding of {name} is compressed already; open the model anew to swap in another")
    if not isinstance(old, Embedding):
        raise ValueError(f"the input of {name} is no embedding of tokens")
    if not looks_up(old):
        raise ValueError(f"the embedding of {name} is a {type(old).__name__} that does more than look up rows")
    return old


def put(model, old, layer, others: set[str], output: bool) -> None:
    """Sets the layer where the embedding was, and modules that share it where others, by name, are tied to it: linear ones only if
    `output`. What transformers knows of ties with the table is forgotten, all other ties stay."""
    from compress.form.layers import CompressedOutput, SharedEmbedding

    place = next(name for name, module in modules(model) if module is old)
    ties = {
        module: (module.get_expanded_tied_weights_keys(), dict(getattr(module, "all_tied_weights_keys", {})))
        for _, module in modules(model)
        if hasattr(module, "get_expanded_tied_weights_keys")
    }
    model.set_input_embeddings(layer)
    for name, module in list(modules(model)):
        if name in others and is_linear(module):
            if output:
                set_module(model, name, CompressedOutput(layer, module.bias))
        elif name != place and (module is layer or name in others):
            set_module(model, name, SharedEmbedding(layer))
    for module, (declared, all_ties) in ties.items():
        there = {name for name, _ in module.named_parameters(remove_duplicate=False)}
        module._tied_weights_keys = {target: source for target, source in declared.items() if {target, source} <= there}
        module.all_tied_weights_keys = {target: source for target, source in all_ties.items() if {target, source} <= there}


def modules(model):
    """Every place of a module, by name; a module in two places comes twice."""
    return model.named_modules(remove_duplicate=False)


def set_module(model, name: str, module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(model.get_submodule(parent), leaf, module)


def looks_up(module) -> bool:
    """Whether it is an nn.Embedding that gives rows as they are."""
    from torch.nn import Embedding

    return isinstance(module, Embedding) and type(module).forward is Embedding.forward and module.max_norm is None


def is_linear(module) -> bool:
    from torch.nn import Linear

    return isinstance(module, Linear)


def output_of(model):
    return model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None


def total_bytes(model) -> int:
    """Bytes of parameters and buffers, each once."""
    return sum(tensor.nbytes for tensor in {id(each): each for each in (*model.parameters(), *model.buffers())}.values())
