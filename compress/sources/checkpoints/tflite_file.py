"""Constant tensors of TFLite models; the graph says which are tables that ids are looked up in."""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.sources.checkpoints.graph import decoded, pick_table, stored_by, tables_first
from compress.sources.choice.info import Read, TensorInfo, stored_as, unread

MOST = 100_000  # tensors, and operators, that are looked at
DTYPES = {"FLOAT32": "<f4", "FLOAT16": "<f2", "FLOAT64": "<f8", "INT8": "i1", "UINT8": "u1", "INT16": "<i2", "INT32": "<i4"}


@dataclass(frozen=True)
class Constant:
    """A tensor and where its bytes stand in the file. scale, zero, axis: what decodes it, empty where nothing does."""

    info: TensorInfo
    start: int
    length: int
    scale: np.ndarray
    zero: np.ndarray
    axis: int


def infos(path: Path) -> list[TensorInfo]:
    """The constant tensors, tables that ids are looked up in first."""
    found, looked_up = constants(path)
    return tables_first((each.info for each in found.values()), looked_up)


def read(path: Path, tensor: str | None) -> Read:
    """One tensor: mapped, or decoded where the model has scales for it."""
    found, looked_up = constants(path)
    info, notes = pick_table((each.info for each in found.values()), looked_up, tensor, path.name)
    chosen, dtype = found[info.name], DTYPES.get(info.dtype.upper())
    if dtype is None:
        raise unread(info, path.name)
    if info.shape[0] * info.shape[1] * np.dtype(dtype).itemsize != chosen.length:
        raise InputError(
            f"{info.name} in {path.name} has {chosen.length:,} bytes, which its shape does not take; fetch the file again."
        )
    values = np.memmap(path, dtype, "r", chosen.start, info.shape)
    if not chosen.scale.size:
        return Read(values, None, notes=notes, stored=stored_as(info.dtype, chosen.length))
    try:
        table = decoded(values, chosen.scale, chosen.zero, chosen.axis, path.name)
    except (ValueError, IndexError) as error:
        raise InputError(f"The scales of {info.name} in {path.name} do not fit its shape; convert the model again.") from error
    return Read(table, None, notes=notes, stored=stored_by(info.dtype, values.size, chosen.scale.size))


def constants(path: Path) -> tuple[dict[str, Constant], set[str]]:
    """The tensors by name that the file has bytes for, and those of them that an operator looks ids up in."""
    import tflite

    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            model = tflite.Model.GetRootAs(data, 0)
            found: dict[str, Constant] = {}
            looked_up: set[str] = set()
            for graph in (model.Subgraphs(at) for at in range(bounded(model.SubgraphsLength()))):
                names = {}
                for at in range(bounded(graph.TensorsLength())):
                    constant = constant_of(graph.Tensors(at), model, path)
                    if constant is not None and constant.info.name not in found:
                        names[at] = constant.info.name
                        found[constant.info.name] = constant
                looked_up |= {names[at] for at in lookups(model, graph) if at in names}
                bounded(len(found))
            return found, looked_up
    except (struct.error, ValueError, IndexError, TypeError, AttributeError, OverflowError) as error:  # flatbuffers checks nothing
        raise InputError(f"{path.name} is a damaged TFLite model, or it is cut short; fetch or convert it again.") from error


def bounded(count: int) -> int:
    """A count as it is; ValueError where no model has so many."""
    if count > MOST:
        raise ValueError(f"{count:,} entries")
    return count


def constant_of(tensor: Any, model: Any, path: Path) -> Constant | None:
    """A tensor of two dimensions with bytes of its own, None for every other."""
    import tflite

    at, size = tensor.Buffer(), path.stat().st_size
    if tensor.ShapeLength() != 2 or not 0 < at < model.BuffersLength():
        return None
    buffer = model.Buffers(at)
    start, length = buffer.Offset(), buffer.Size()  # behind the model, in one of more than 2 GB
    if start <= 1:
        length = buffer.DataLength()
        start = buffer._tab.Vector(buffer._tab.Offset(4)) if length else 0
    if not length:
        return None
    if start + length > size:
        raise ValueError("a buffer outside the file")
    kinds = {code: name.lower() for name, code in vars(tflite.TensorType).items() if not name.startswith("_")}
    info = TensorInfo(
        (tensor.Name() or b"").decode("utf-8", "replace") or f"tensor {at}",
        tuple(int(side) for side in tensor.ShapeAsNumpy()),
        kinds.get(tensor.Type(), "unknown"),
    )
    if min(info.shape) < 0:
        raise ValueError("a negative side")
    quantization = tensor.Quantization()
    if quantization is None or not quantization.ScaleLength():
        return Constant(info, start, length, np.zeros(0), np.zeros(0), 0)
    zero = np.array(quantization.ZeroPointAsNumpy()) if quantization.ZeroPointLength() else np.zeros(0)
    return Constant(info, start, length, np.array(quantization.ScaleAsNumpy()), zero, quantization.QuantizedDimension())


def lookups(model: Any, graph: Any) -> Iterator[int]:
    """The tensors that operators of a graph look ids up in, by number."""
    import tflite

    table_at = {tflite.BuiltinOperator.GATHER: 0, tflite.BuiltinOperator.EMBEDDING_LOOKUP: 1}
    codes = [model.OperatorCodes(at) for at in range(bounded(model.OperatorCodesLength()))]
    kinds = [each.BuiltinCode() for each in codes]
    for operator in (graph.Operators(at) for at in range(bounded(graph.OperatorsLength()))):
        place = table_at.get(kinds[operator.OpcodeIndex()])
        if place is not None and place < operator.InputsLength():
            yield operator.Inputs(place)
