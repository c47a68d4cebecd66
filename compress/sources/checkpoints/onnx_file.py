"""Initializers of ONNX models, in the file or in one beside it; the graph says which are tables that ids are looked up in."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.files import bytes_text
from compress.sources.checkpoints.graph import decoded, pick_table, stored_by, tables_first
from compress.sources.choice.info import Read, TensorInfo, stored_as, unread
from compress.sources.limits import check_fits

MOST_BYTES = (1 << 31) - 1  # of a message, the format's own limit
LOOKUPS = {"Gather": 0, "GatherBlockQuantized": 0, "EmbedLayerNormalization": 2}  # at which input the table stands
UNCHANGED = {"Cast", "Identity", "DequantizeLinear"}  # what may stand between a table and its lookup
BLOCK = 1 << 16  # numbers that are taken out of a message at a time
READ = {"float32", "float16", "float64", "bfloat16", "int8", "uint8", "int16", "uint16", "int32", "int64"}


@dataclass(frozen=True)
class Model:
    """initializers: tensors by name. looked_up: those that ids are looked up in. scales: what decodes some of them: names of the
    scale and the zero point, and the axis. blocks: those whose numbers are packed in blocks."""

    initializers: dict[str, Any]
    looked_up: set[str]
    scales: dict[str, tuple[list[str], int]]
    blocks: set[str]

    @classmethod
    def of(cls, path: Path) -> "Model":
        graph = graph_of(path)
        initializers = dict(tensors_in(graph))
        sources = {node.output[0]: node.input[0] for node in graph.node if node.op_type in UNCHANGED and node.input and node.output}
        looked_up: set[str] = set()
        blocks: set[str] = set()
        scales: dict[str, tuple[list[str], int]] = {}
        taken: dict[str, str] = {}  # what comes out of a lookup, and the table it comes from
        for node in graph.node:
            at = LOOKUPS.get(node.op_type, len(node.input))
            if at < len(node.input) and attribute(node, "axis", 0) == 0:
                name = origin(node.input[at], sources)
                looked_up.add(name)
                taken.update((output, name) for output in node.output[:1])
                blocks.update({name} if node.op_type == "GatherBlockQuantized" else ())
        for node in graph.node:
            if node.op_type == "DequantizeLinear" and len(node.input) > 1:
                scales[taken.get(node.input[0], node.input[0])] = (list(node.input[1:3]), attribute(node, "axis", 0))
        return cls(initializers, looked_up, scales, blocks)


def infos(path: Path) -> list[TensorInfo]:
    """The initializers, tables that ids are looked up in first."""
    model = Model.of(path)
    return tables_first(map(info_of, model.initializers, model.initializers.values()), model.looked_up)


def read(path: Path, tensor: str | None) -> Read:
    """One initializer, decoded as the graph does it; one that lies in a file beside the model is mapped."""
    model = Model.of(path)
    found = [info_of(*item) for item in model.initializers.items()]
    chosen, notes = pick_table(found, model.looked_up, tensor, path.name)
    if chosen.dtype not in READ or chosen.name in model.blocks:
        raise unread(chosen, path.name)
    values = values_of(chosen, model.initializers[chosen.name], path)
    base = chosen.name.removesuffix("_quantized")  # as onnxruntime names what it quantizes
    beside = [f"{base}_scale", f"{base}_zero_point"] if chosen.dtype in ("int8", "uint8") else []
    names, axis = model.scales.get(chosen.name, (beside, 0))
    parts = [model.initializers.get(name) for name in names]
    if not parts or parts[0] is None:
        stored = stored_as(chosen.dtype, values.nbytes)
        return Read(values.astype(np.float32) if chosen.dtype == "bfloat16" else values, None, notes=notes, stored=stored)
    scale, zero = (values_of(info_of("", part), part, path) if part else np.zeros(0) for part in (*parts, None)[:2])
    try:
        table = decoded(values, scale, zero, axis, path.name)
    except ValueError as error:
        raise InputError(f"The scales of {chosen.name} in {path.name} do not fit its shape; export the model again.") from error
    return Read(table, None, notes=notes, stored=stored_by(chosen.dtype, values.size, scale.size))


def graph_of(path: Path) -> Any:
    """The graph of a model, without what lies in other files; InputError where it is damaged."""
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    size = path.stat().st_size
    check_fits(2 * size, path.name)
    if size > MOST_BYTES:
        raise InputError(f"{path.name} is larger than an ONNX model can be; export it again, with external data.")
    try:
        model = ModelProto.FromString(path.read_bytes())
        if not model.HasField("graph"):
            raise DecodeError("no graph")
        return model.graph
    except DecodeError as error:
        raise InputError(f"{path.name} is a damaged ONNX model, or it is cut short; fetch or export it again.") from error


def tensors_in(graph: Any) -> Iterator[tuple[str, Any]]:
    """Names and tensors of the initializers, and of the constants among the nodes."""
    for tensor in graph.initializer:
        yield as_text(tensor.name), tensor
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            yield from ((as_text(node.output[0]), each.t) for each in node.attribute if each.name == "value")


def as_text(held: str | bytes) -> str:
    """A string of a message, which comes as bytes where it is not UTF-8."""
    return held if isinstance(held, str) else held.decode("utf-8", "replace")


def origin(name: str, sources: dict[str, str]) -> str:
    """Where a value comes from, through nodes that leave its place in the table as it is."""
    for _ in range(len(LOOKUPS)):
        name = sources.get(name, name)
    return name


def attribute(node: Any, name: str, otherwise: int) -> int:
    """A whole number that a node is set to."""
    return next((each.i for each in node.attribute if each.name == name), otherwise)


def info_of(name: str, tensor: Any) -> TensorInfo:
    """Name, shape and dtype of a tensor."""
    from onnx import TensorProto

    known = TensorProto.DataType.values()
    kind = TensorProto.DataType.Name(tensor.data_type) if tensor.data_type in known else "unknown"
    dtype = {"FLOAT": "float32", "DOUBLE": "float64"}.get(kind, kind.lower())
    return TensorInfo(name, tuple(max(0, side) for side in tensor.dims), dtype)


def values_of(info: TensorInfo, tensor: Any, path: Path) -> np.ndarray:
    """The numbers of a tensor; InputError where the model has others than it declares."""
    from onnx import TensorProto, helper, numpy_helper

    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
        if tensor.data_location == TensorProto.EXTERNAL:
            return beside(info, tensor, dtype, math.prod(info.shape) * dtype.itemsize, path)
        if tensor.HasField("raw_data"):
            return np.frombuffer(tensor.raw_data, dtype).reshape(info.shape)
        if tensor.data_type == TensorProto.FLOAT:
            return filled(tensor.float_data).reshape(info.shape)
        return numpy_helper.to_array(tensor)
    except InputError:
        raise
    except (ValueError, TypeError, KeyError) as error:
        held = f"{info.name} in {path.name} declares {' × '.join(map(str, info.shape))} numbers"
        raise InputError(f"{held}, which the file does not hold; fetch or export it again.") from error


def filled(numbers: Sequence[float]) -> np.ndarray:
    """(n,) float32, which are taken out of a message some at a time."""
    values = np.empty(len(numbers), np.float32)
    for first in range(0, len(numbers), BLOCK):
        values[first : first + BLOCK] = numbers[first : first + BLOCK]
    return values


def beside(info: TensorInfo, tensor: Any, dtype: np.dtype, n_bytes: int, path: Path) -> np.ndarray:
    """A tensor mapped from the file beside the model that it names."""
    told = {as_text(each.key): as_text(each.value) for each in tensor.external_data}
    place = Path(told.get("location", ""))
    if place.is_absolute() or ".." in place.parts or place == Path():
        raise InputError(f"{path.name} keeps {info.name} outside its own folder, where nothing is read; export it again.")
    if not (path.parent / place).is_file():
        raise InputError(f"{path.name} keeps {info.name} in {place}, which does not lie beside it; fetch that file too.")
    size = (path.parent / place).stat().st_size
    offset = told.get("offset", "0")
    if not (offset.isdecimal() and told.get("length", str(n_bytes)) == str(n_bytes) and int(offset) + n_bytes <= size):
        raise InputError(
            f"{path.name} declares {bytes_text(n_bytes)} for {info.name}, and {place} does not hold them; fetch it again."
        )
    return np.memmap(path.parent / place, dtype, "r", int(offset), info.shape)
