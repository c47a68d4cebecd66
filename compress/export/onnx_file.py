"""A network of torch in ONNX: written without a word, and compared with torch before anyone relies on it."""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

CLOSE = 1e-5
FOLDED = 1024  # numbers that may be worked out here; more would be kept in the file, decoded

lock = Lock()  # the exporter keeps its state in globals


class NotExported(Exception):
    """Why a network is not kept in ONNX."""


def onnx_model(network: nn.Module, example: Tensor, name_in: str, name_out: str, length: str, folded: int | None = None) -> Any:
    """The network as an ONNX model of one input and one output, whose first dimension is named `length` and may be any.

    folded: of what the exporter can work out beforehand only so many numbers at once are kept; None leaves that to the exporter.
    """
    from onnxscript.optimizer import optimize_ir

    with lock, quiet():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            verbose=False,
            optimize=folded is None,
            input_names=[name_in],
            output_names=[name_out],
            dynamic_shapes=({0: torch.export.Dim(length)},),
        )
        assert program is not None
        if folded is not None:
            optimize_ir(program.model, input_size_limit=folded, output_size_limit=folded)
        model = program.model_proto
    forget_source(model)
    return model


def forget_source(model: Any) -> None:
    """Takes the traces of its source out of an ONNX model, which are longer than the graph."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def difference(content: bytes, network: Callable[[Tensor], Tensor], batches: Iterable[Tensor], what: str) -> float:
    """How far what onnxruntime gives for an ONNX file is from what the network gives at most, in units of the largest number, over
    some batches of its input. what: a word for those numbers. Raises NotExported where that is more than 1e-5."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    apart = largest = 0.0
    for batch in batches:
        with torch.no_grad():
            expected = network(batch).numpy()
        (found,) = session.run(None, {given.name: batch.numpy()})
        apart = max(apart, float(np.abs(found - expected).max()))
        largest = max(largest, float(np.abs(expected).max()))
    apart /= largest or 1.0
    if not apart <= CLOSE:
        raise NotExported(f"onnxruntime gives {what} that are {apart:.2g} of the largest away from those of torch")
    return apart


@contextmanager
def quiet() -> Iterator[None]:
    """Without the exporter's remarks on what is not installed."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
