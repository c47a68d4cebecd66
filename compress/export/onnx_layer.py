"""The layer of an exported file in ONNX, from the same code that decodes it in torch."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.export.card import COMPARED
from compress.export.onnx_file import FOLDED, NotExported, difference, onnx_model
from compress.linalg import blocks

MOST_BYTES = 1 << 30  # an ONNX file of 2 GB and more needs a second one beside it
AT_ONCE = 1024  # rows that are compared at a time


class Vectors(torch.nn.Module):
    """Ids (r,) in, vectors (r, d) out."""

    def __init__(self, layer: Any):
        super().__init__()
        self.layer = layer

    def forward(self, ids: Tensor) -> Tensor:
        return self.layer.vectors(ids)


def onnx_of(layer: Any) -> bytes:
    """An ONNX file of a layer of `decoders`: `ids` (r,) int64 in, `vectors` (r, d) float32 out. It holds the stored arrays, not
    the table. Raises NotExported where these are too large for it."""
    held = sum(array.numel() * array.element_size() for array in layer.state_dict().values())
    if held > MOST_BYTES:
        raise NotExported(f"the stored arrays take {held:,} bytes, one ONNX file has room for {MOST_BYTES:,}")
    model = onnx_model(Vectors(layer).eval(), torch.zeros(5, dtype=torch.int64), "ids", "vectors", "length", folded=FOLDED)
    model.graph.ClearField("value_info")
    return model.SerializeToString()


def differs(content: bytes, layer: Any) -> float:
    """How far the vectors that onnxruntime gives are from the layer's, see `onnx_file.difference`, over some rows."""
    rows = blocks.sample_rows(layer.num_embeddings, COMPARED, np.random.default_rng(0))
    batches = (torch.from_numpy(ids) for ids in np.split(rows, range(AT_ONCE, len(rows), AT_ONCE)))
    return difference(content, layer, batches, "entries")
