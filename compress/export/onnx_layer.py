"""The layer of an exported file in ONNX, from the same code that decodes it in torch."""

import logging
import warnings
from contextlib import contextmanager
from threading import Lock

import numpy as np
import torch

from compress.export.card import COMPARED
from compress.linalg import blocks

MOST_BYTES = 1 << 30  # an ONNX file of 2 GB and more needs a second one beside it
CLOSE = 1e-5
AT_ONCE = 1024  # rows that are compared at a time
FOLDED = 1024  # numbers that may be worked out here; more would be kept in the file, decoded

lock = Lock()  # the exporter keeps its state in globals


class NotExported(Exception):
    """Why a layer is not kept in ONNX."""


class Vectors(torch.nn.Module):
    """Ids (r,) in, vectors (r, d) out."""

    def __init__(self, layer: torch.nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, ids):
        return self.layer.vectors(ids)


def onnx_of(layer: torch.nn.Module) -> bytes:
    """An ONNX file of a layer of `standalone`: `ids` (r,) int64 in, `vectors` (r, d) float32 out. It holds the stored arrays, not
    the table. Raises NotExported where these are too large for it."""
    from onnxscript.optimizer import optimize_ir

    held = sum(array.numel() * array.element_size() for array in layer.state_dict().values())
    if held > MOST_BYTES:
        raise NotExported(f"the stored arrays take {held:,} bytes, one ONNX file has room for {MOST_BYTES:,}")
    with lock, quiet():
        program = torch.onnx.export(
            Vectors(layer).eval(), (torch.zeros(5, dtype=torch.int64),), dynamo=True, verbose=False, optimize=False,
            input_names=["ids"], output_names=["vectors"], dynamic_shapes=({0: torch.export.Dim("length")},),
        )  # fmt: skip
        optimize_ir(program.model, input_size_limit=FOLDED, output_size_limit=FOLDED)
        model = program.model_proto
    forget_source(model)
    model.graph.ClearField("value_info")
    return model.SerializeToString()


def forget_source(model) -> None:
    """Takes the traces of its source out of an ONNX model, which are longer than the graph."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def differs(content: bytes, layer: torch.nn.Module) -> float:
    """How far the vectors that onnxruntime gives are from the layer's at most, in units of the largest entry, over some rows.
    Raises NotExported where that is more than 1e-5."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    rows = blocks.sample_rows(layer.num_embeddings, COMPARED, np.random.default_rng(0))
    apart = largest = 0.0
    for ids in np.split(rows, range(AT_ONCE, len(rows), AT_ONCE)):
        expected = layer(torch.from_numpy(ids)).numpy()
        (found,) = session.run(None, {"ids": ids})
        apart = max(apart, float(np.abs(found - expected).max()))
        largest = max(largest, float(np.abs(expected).max()))
    apart /= largest or 1.0
    if not apart <= CLOSE:
        raise NotExported(f"onnxruntime gives entries that are {apart:.2g} of the largest away from those of torch")
    return apart


@contextmanager
def quiet():
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
