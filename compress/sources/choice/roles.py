"""What a tensor is in its model, told by the whole words of its name."""

import re
from enum import IntEnum

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
TABLE = re.compile(r"embed\w*|(?!un)\w*emb(s|d|ed|edding|eddings)?|wte|lookup|luts?|vectors|vecs|glove")
TABLE_ALONE = {  # a table where a module is called nothing else
    *("word", "words", "tok", "token", "tokens", "vocab", "vocabulary", "dictionary", "shared", "encoder", "char", "chars"),
    *("user", "users", "item", "items", "product", "products", "movie", "movies", "entity", "entities", "node", "nodes", "factors"),
    *("src", "source", "input", "inputs", "text", "subword", "subwords", "piece", "pieces", "table", "tables", "bag", "bags"),
}
HEAD = {"head", "logit", "logits", "unembed", "unembedding", "softmax", "generator", "crit", "criterion", "pred", "predictions"}
OUT = {"out", "output", "outputs", "decoder", "prediction", "predict", "loss"}  # an output layer beside no other words than these:
OUT_BESIDE = {"proj", "projection", "projector", "layer", "layers", "linear", "fc", "lm"}
PROJECTED = {
    *("proj", "projection", "projections", "projector", "project", "mapping", "linear", "dense", "fc", "mlp", "conv", "gate"),
    *("transform", "attention", "attn", "query", "key", "value", "adapter", "up", "down", "ffn", "mixer"),
}
PART = {  # beside a table: places, kinds, norms, what is added to it
    *("position", "positions", "positional", "pos", "posemb", "posembed", "wpe", "pe", "relative", "rel", "rotary", "rope"),
    *("type", "types", "segment", "segments", "lang", "langs", "speaker", "class", "cls", "label", "labels", "patch", "patches"),
    *("time", "times", "timestep", "timesteps", "norm", "norms", "layernorm", "rmsnorm", "ln", "bias", "biases", "gamma", "beta"),
    *("alibi", "delta", "mask", "pooler"),
}
TRAINING = {  # anywhere in a name: what training keeps beside the weights, adapters too
    *("optimizer", "optimizers", "optim", "adam", "adamw", "adagrad", "rmsprop", "ftrl", "accumulator", "slot", "slots", "avg"),
    *("momentum", "velocity", "moment", "moments", "mu", "nu", "fisher", "hessian", "lora", "dora"),
    *("grad", "grads", "gradient", "gradients"),
}
STATES = ({"opt", "state"}, {"opt", "states"}, {"param", "states"})  # the same, in one part of a name
COPIES = {"ema", "swa", "shadow", "averaged", "moving"}  # anywhere in a name: the weights once more, averaged over training
BAGS = {"bag", "bags"}  # collections of tables, whatever each is called
BESIDE = {  # what a quantization or a computation keeps beside a weight
    *("scale", "scales", "scb", "zero", "zeros", "qzeros", "zeropoint", "absmax", "quant", "codebook", "idx", "inv", "freq"),
    *("buffer", "buffers", "running", "masks", "shape", "sum", "counts"),
}
FLAX = re.compile(r"^optimizer[./]target[./]")  # under which an optimizer of Flax keeps the weights themselves
PLAIN = {"weight", "weights", "kernel", "qweight", "qdata", "packed", "data", "values", "param", "params", "tensor", "impl"}
GENERIC = PLAIN | {  # what the end of a name says of a tensor of any module
    *("embedding", "embeddings", "table", "tables", "module", "modules", "default", "base", "layer", "original", "to", "save"),
}


class Role(IntEnum):
    """What a tensor is, the likeliest to be the table of a model's input first."""

    INPUT = 0  # a table that ids are looked up in
    OUTPUT = 1  # the output layer of a language model, which may share that table
    WEIGHT = 2  # any other weight
    PART = 3  # positions, types of tokens, norms, biases
    COPY = 4  # an average of what a weight was in training
    STATE = 5  # of an optimizer, gradients, adapters, scales, buffers


def role_of(name: str, copies: bool = True) -> Role:
    """The role of a tensor, from the whole words of its name: "debiased" is no bias, "composition" no position.

    The module that a tensor belongs to tells most, the last part of the name that says more than "weight". Where it tells nothing,
    the module around it does, as in `embedding_bags.t_cat_0.weight`. copies: False asks what a copy is one of.
    """
    parts = [words_of(part) for part in re.split(r"[./:]", FLAX.sub("", name))]
    own = max((at for at, part in enumerate(parts) if not part <= GENERIC), default=0)
    tail, around = set().union(*parts[own:]), parts[own - 1] if own else set()
    told = tail - PLAIN
    inner = any(not part for part in parts[:own]) or not told.isdisjoint(("attn", "attention", "mlp", "ffn"))
    if set().union(*parts) & TRAINING or tail & BESIDE or any(state <= part for state in STATES for part in parts):
        return Role.STATE
    if copies and set().union(*parts) & COPIES:
        return Role.COPY
    if around & BAGS:
        return Role.INPUT
    if tail & PART:
        return Role.PART
    table = has_table(tail) or (bool(told) and told <= TABLE_ALONE)
    out = (tail & OUT and told <= OUT | OUT_BESIDE) or (tail & {"out", "output"} and table)
    under_head = around & (HEAD | OUT) and told <= OUT_BESIDE
    if not inner and (tail & HEAD or out or under_head or {"vocab"} < told <= {"vocab"} | OUT_BESIDE):
        return Role.OUTPUT
    if tail & PROJECTED:
        return Role.WEIGHT
    return Role.INPUT if table or (has_table(around) and not around & PART) else Role.WEIGHT


def has_table(words: set[str]) -> bool:
    """Whether one of the words is one that tables are called by."""
    return any(TABLE.fullmatch(word) for word in words)


def words_of(part: str) -> set[str]:
    """The words of a part of a name in lower case, without numbers and single letters: {"word", "embeddings"} of
    "wordEmbeddings_2"."""
    return {word.lower() for word in WORD.findall(part) if len(word) > 1}
