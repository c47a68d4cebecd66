"""A model's folder with its table as compressed-tensors packs it: whole numbers of 8 or 4 bits, a scale for a group of columns.

The layout is its `pack-quantized`, symmetric: what transformers and vLLM read.
"""

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import InputError, Progress, Step
from compress.export.gguf_types import decoded, encoded
from compress.export.rounding import Rounding, Written
from compress.files import read_json, whole_folder
from compress.form.compressed import Compressed
from compress.models.open import model_path, quiet, tokenizer_of
from compress.models.places import check_shape, embedding_of, is_linear, modules, total_bytes
from compress.models.whole import WEIGHTS, check_new, copy_others, whole_network

if TYPE_CHECKING:
    from torch import Tensor

BITS = {"int8": 8, "int4": 4}
GROUP = 32
SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75)  # of the largest number's scale
FLOATS = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}  # of scales, which have the dtype of the weights
READERS = (
    "transformers opens the folder, with the package compressed-tensors, and unpacks the table. In 2026 vLLM reads packed tables "
    "of some models, not where the output layer shares them, and SGLang reads none."
)


def write_packed(
    result: Compressed,
    source: str | os.PathLike,
    folder: str | os.PathLike,
    dtype: str = "int8",
    group: int = GROUP,
    progress: Progress | None = None,
) -> Written:
    """Writes the model of a source into a new folder, whole or not at all, with what the form decodes to as its table, rounded to
    `dtype`; every other weight and file is as in the source, and an output layer that shares the table still does.

    group: so many columns share a scale, in the dtype of the weights. Raises ValueError for another dtype, and for a group that
    does not part the columns; InputError where there is no model that the table fits, or one that is quantized already.
    """
    import torch

    (_, d), folder = result.shape, Path(folder).expanduser()
    if dtype not in BITS:
        raise ValueError(f"the table can be stored as {' or '.join(BITS)}, got {dtype}")
    if group < 1 or d % group or d * BITS[dtype] % 32:
        raise ValueError(f"a group must part the {d:,} columns, and these fill words of 32 bits, got {group} as {dtype}")
    check_new(folder)
    if (found := model_path(source)) is None:
        raise InputError(f"{source} is a matrix without a model; name the folder of a transformers model, or hub:org/name.")
    network = whole_network(source, *found)
    embedding = embedding_of(network)
    table = embedding.weight
    check_shape("The compressed table", result.shape, f"that of {source}", table.shape)
    stored = FLOATS.get(str(table.dtype).removeprefix("torch."))
    if stored is None:
        raise InputError(f"The table of {source} is of {table.dtype}; give the model in float16.")
    place, *shared = (name for name, module in modules(network) if getattr(module, "weight", None) is table)
    others = [name for name, module in modules(network) if is_embedding(module) and module.weight is not table]
    sums = Rounding(result, str(source), f"{place}.weight", lambda first, stop: table[first:stop].detach().float().numpy())
    blocks, done = [], 0
    for block in sums.over(partial(packed, bits=BITS[dtype], group=group, stored=stored)):
        blocks.append(block)
        done += len(block[0])
        if progress:
            progress(Step(done / len(table), f"the table as {dtype}"))
    sums.check(dtype)
    words, scales = (np.concatenate(each) for each in zip(*blocks, strict=True))
    held = {
        "weight_packed": torch.from_numpy(words),
        "weight_scale": torch.from_numpy(scales).view(table.dtype),
        "weight_shape": torch.tensor(result.shape),
    }
    before = total_bytes(network)
    with whole_folder(folder, check_new) as part, quiet():
        network.save_pretrained(part, state_dict=with_packed(network, table, place, held))
        config = read_json(part / "config.json")
        config["quantization_config"] = config_of(dtype, group, [*shared, *others])
        (part / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        if Path(found[0]).is_dir():
            copy_others(Path(found[0]), part, WEIGHTS)
        elif (tokenizer := tokenizer_of(*found)) is not None:
            tokenizer.save_pretrained(part)
        n_bytes = sum(file.stat().st_size for file in part.glob("*.safetensors"))
    return Written(
        table=f"{dtype}, groups of {group}",
        table_bytes=sum(each.nbytes for each in held.values()),
        table_bytes_before=table.nbytes,
        model_bytes=n_bytes,
        model_bytes_before=before,
        rounding=sums.rounding,
        error=sums.error,
        tied=any(is_linear(module) for name, module in modules(network) if name in shared),
    )


def packed(rows: np.ndarray, bits: int, group: int, stored: str) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Rows (r, d) as words of 32 bits (r, d · bits / 32) and scales, a group each, in a type of GGUF's (r, bytes) uint8; and what
    these stand for. A scale is the largest number of a group over half the range of codes, as compressed-tensors has it; with few
    codes it may be a smaller one that loses less."""
    parts = rows.reshape(len(rows), -1, group)
    half = 1 << (bits - 1)
    most = np.abs(parts).max(axis=2, keepdims=True) / (half - 0.5)  # (r, groups, 1)
    size, codes, least = np.full_like(most, np.inf), np.zeros_like(parts), np.full_like(most, np.inf)
    for share in SHARES if bits < 8 else SHARES[:1]:
        tried = decoded(encoded(share * most[..., 0], stored), stored)[..., None]
        with np.errstate(divide="ignore", invalid="ignore"):
            rounded = np.where(tried > 0, np.rint(parts / tried), 0).clip(-half, half - 1)
            error = ((parts - rounded * tried) ** 2).sum(axis=2, keepdims=True)
        better = error < least
        size, codes, least = np.where(better, tried, size), np.where(better, rounded, codes), np.where(better, error, least)
    scales = encoded(size[..., 0], stored)
    whole = (codes + half).astype(np.uint8).reshape(len(rows), -1)
    words = whole if bits == 8 else whole[:, ::2] | whole[:, 1::2] << 4
    with np.errstate(invalid="ignore"):
        return (words.view("<i4"), scales), (codes * size).reshape(rows.shape).astype(np.float32)


def packed_bytes(shape: tuple[int, int], dtype: str, group: int, itemsize: int) -> int:
    """Bytes of a table of that shape, its scales of so many bytes each."""
    n, d = shape
    return n * d * BITS[dtype] // 8 + n * d // group * itemsize + 16


def packed_rounding(result: Compressed, where: str, dtype: str, group: int, itemsize: int) -> float:
    """The rounding, see `Written`, over some rows, with scales of so many bytes each. Raises InputError as `write_packed` does, but
    for another model's table."""
    store = partial(packed, bits=BITS[dtype], group=group, stored="F32" if itemsize == 4 else "F16")
    return Rounding(result, where, "its table", lambda first, stop: None).few(store, dtype)


def with_packed(network: Any, table: "Tensor", place: str, held: dict[str, "Tensor"]) -> dict[str, "Tensor"]:
    """The network's weights with the table's place taken by its parts, wherever it was shared."""
    state = {name: each for name, each in network.state_dict().items() if each.data_ptr() != table.data_ptr()}
    return state | {f"{place}.{name}": each for name, each in held.items()}


def config_of(dtype: str, group: int, ignore: list[str]) -> dict[str, Any]:
    """What config.json says of it. ignore: other modules, which are as they were."""
    weights = {"num_bits": BITS[dtype], "type": "int", "symmetric": True, "strategy": "group", "group_size": group}
    scheme = {"targets": ["Embedding"], "weights": weights, "format": "pack-quantized"}
    return {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "quantization_status": "compressed",
        "config_groups": {"group_0": scheme | {"input_activations": None, "output_activations": None}},
        "ignore": ignore,
        "dequantize": True,  # for transformers, which looks up no row of a packed table
    }


def is_embedding(module: Any) -> bool:
    """Whether it is a torch.nn.Embedding."""
    from torch.nn import Embedding

    return isinstance(module, Embedding)
