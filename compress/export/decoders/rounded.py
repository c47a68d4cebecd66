"""Loads embedding.safetensors, a table of word vectors in fewer bytes, as a torch module. Needs torch and safetensors only.

    import load
    layer = load.load("embedding.safetensors")
    layer(torch.tensor([[0, 5], [7, 7]]))  # (2, 2, dim)
    load.put_into(model, layer)  # in the place of the embedding of a transformers model

A row is whole numbers of 8 or 4 bits times a step of its own.
"""

import torch

from compress.export.decoders.frame import numbers


def prepare(header: dict, arrays: dict) -> dict:
    """What decoding needs beside the file's arrays: nothing."""
    return {}


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    return numbers(arrays["codes"][rows], header["shape"][1]) * arrays["scales"][rows].float()[:, None]
