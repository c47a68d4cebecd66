"""Loads embedding.safetensors, a table of word vectors in fewer bytes, as a torch module. Needs torch and safetensors only.

    import load
    layer = load.load("embedding.safetensors")
    layer(torch.tensor([[0, 5], [7, 7]]))  # (2, 2, dim)
    load.put_into(model, layer)  # in the place of the embedding of a transformers model

A row is whole numbers of 8 or 4 bits times a step of its own.
"""

from compress.export.decoders.frame import loader, numbers, show

METHODS = ("int8", "int4")


def prepare(header, arrays):
    """What decoding needs beside the file's arrays: nothing."""
    return {}


def decode(header, arrays, rows):
    """The vectors (r, dim) of rows (r,)."""
    return numbers(arrays["codes"][rows], header["shape"][1]) * arrays["scales"][rows].float()[:, None]


load = loader(METHODS, prepare, decode)

if __name__ == "__main__":
    show(load)
