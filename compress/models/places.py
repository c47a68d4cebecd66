"""Where a table lies in a model: its embedding, what shares it, and how another is put in their place."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from compress.errors import InputError

if TYPE_CHECKING:
    from torch.nn import Embedding, Module

    from compress.form.layers import DecodedEmbedding

OUTPUTS = ("compressed", "own")  # what a tied output layer can become
KEPT = "as it was"  # what any other is
SCALES = ("scalar_embed_scale", "embed_scale")  # what transformers calls the factor of an embedding that scales its rows


def embedding_of(model: Any) -> "Embedding":
    """The model's nn.Embedding. Raises ValueError where it has none, or one that does more than look up rows."""
    from torch.nn import Embedding

    from compress.form.layers import DecodedEmbedding

    name, old = type(model).__name__, None
    if not hasattr(model, "get_input_embeddings") or not hasattr(model, "set_input_embeddings"):
        raise ValueError(f"{name} has no get_input_embeddings and set_input_embeddings to swap an embedding by")
    with suppress(NotImplementedError):
        old = model.get_input_embeddings()
    if isinstance(old, DecodedEmbedding):
        raise ValueError(f"the embedding of {name} is compressed already; open the model anew to swap in another")
    if not isinstance(old, Embedding):
        raise ValueError(f"the input of {name} is no embedding of tokens")
    if not looks_up(old):
        raise ValueError(f"the embedding of {name} is a {type(old).__name__} that does more than look up rows and scale them")
    return old


def check_shape(what: str, shape: tuple[int, ...], whose: str, wanted: tuple[int, ...]) -> None:
    """Raises InputError where a table has another shape (n, d) than the one that it is to stand for."""
    if tuple(shape) != tuple(wanted):
        given, right = (" × ".join(f"{side:,}" for side in each) for each in (shape, wanted))
        raise InputError(f"{what} is {given}, {whose} is {right}; take one that was made of it.")


def put(model: Any, old: "Embedding", layer: "DecodedEmbedding", others: set[str], output: bool) -> None:
    """Sets the layer where the embedding was, and modules that share it where others, by name, are tied to it: linear ones only if
    `output`. What transformers knows of ties with the table is forgotten, all other ties stay.

    transformers has no public way to undo a tie, and its tie_weights, which from_pretrained calls, fails at a tie with a weight
    that is gone. So this writes the two attributes that ties are kept in, `_tied_weights_keys` and `all_tied_weights_keys`; a test
    tells if transformers keeps them elsewhere.
    """
    from compress.form.layers import CompressedOutput, SharedEmbedding

    place = next(name for name, module in modules(model) if module is old)
    scales = {name: scale_of(module) for name, module in modules(model) if module is old or name in others}
    ties: dict[Any, tuple[dict, dict]] = {
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
            set_module(model, name, SharedEmbedding(layer, scales.get(name, layer.scale)))
    for module, (declared, all_ties) in ties.items():
        there = {name for name, _ in module.named_parameters(remove_duplicate=False)}
        module._tied_weights_keys = {target: source for target, source in declared.items() if {target, source} <= there}
        module.all_tied_weights_keys = {target: source for target, source in all_ties.items() if {target, source} <= there}
        module.resize_token_embeddings = partial(as_large, module)


def as_large(
    model: Any, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None, mean_resizing: bool = True
) -> "DecodedEmbedding":
    """What `resize_token_embeddings` of a swapped model is: the layer where it has that size. Raises ValueError for any other."""
    layer = model.get_input_embeddings()
    rows = layer.num_embeddings
    wanted = rows if new_num_tokens is None else new_num_tokens
    wanted = -(-wanted // pad_to_multiple_of) * pad_to_multiple_of if pad_to_multiple_of else wanted
    if wanted != rows:
        raise ValueError(
            f"the embedding is compressed and keeps its {rows:,} rows, asked were {wanted:,}; resize the model before the swap"
        )
    return layer


def exchange(model: Any, old: "DecodedEmbedding", new: "DecodedEmbedding") -> None:
    """Puts another layer wherever one is, and before the modules that share its table."""
    from compress.form.layers import Shared

    for name, module in list(modules(model)):
        if module is old:
            set_module(model, name, new)
        elif isinstance(module, Shared) and module.embedding is old:
            module.share(new)


def modules(model: Any) -> Iterator[tuple[str, Any]]:
    """Every place of a module, by name; a module in two places comes twice."""
    return model.named_modules(remove_duplicate=False)


def set_module(model: Any, name: str, module: "Module") -> None:
    """Puts a module at a place that has one, by name."""
    parent, _, leaf = name.rpartition(".")
    setattr(model.get_submodule(parent), leaf, module)


def looks_up(module: "Module") -> bool:
    """Whether it is an nn.Embedding that gives rows as they are, or all of them scaled alike."""
    from torch.nn import Embedding

    if not isinstance(module, Embedding) or module.max_norm is not None:
        return False
    return type(module).forward is Embedding.forward or any(hasattr(module, name) for name in SCALES)


def scale_of(module: "Module") -> float:
    """The factor that an embedding multiplies its rows by."""
    return float(next((getattr(module, name) for name in SCALES if hasattr(module, name)), 1.0))


def is_linear(module: "Module") -> bool:
    """Whether it is a torch.nn.Linear."""
    from torch.nn import Linear

    return isinstance(module, Linear)


def output_of(model: Any) -> "Module | None":
    """The output layer; None where the model has none."""
    return model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None


def total_bytes(model: Any) -> int:
    """Bytes of parameters and buffers, each once."""
    return sum(tensor.nbytes for tensor in {id(each): each for each in (*model.parameters(), *model.buffers())}.values())
