"""What every load.py has: how bits are read, the layer, how it gets into a model. An export joins it with the file of a method."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

AT_ONCE = 256  # rows that are decoded at a time, so that what they need stays in the processor's cache
POWERS = (1, 2, 4, 8, 16, 32, 64, 128)


def numbers(array: torch.Tensor, count: int) -> torch.Tensor:
    """Stored numbers as float32. In an array of bytes there are two numbers of 4 bits in each, 8 above what they stand for."""
    if array.dtype != torch.uint8:
        return array.float()
    pairs = torch.stack([array.int() % 16, array.int() // 16], dim=2)
    return pairs.flatten(1)[:, :count].float() - 8


def read_bits(stream: torch.Tensor, at: torch.Tensor, bits: int) -> torch.Tensor:
    """The whole numbers of so many bits that begin at bits `at` of a stream of bytes, the lowest bit first."""
    word = 0 * at
    for i in range((bits + 14) // 8):  # a number that begins late in a byte reaches into the next
        word = word + stream[(at // 8 + i).clamp(max=stream.shape[0] - 1)].long() * 256**i
    return word // torch.tensor(POWERS, device=at.device)[at % 8] % 2**bits


class Embedding(torch.nn.Module):
    """Ids of any shape in, their vectors out, as torch.nn.Embedding gives them. It holds the file's arrays, nothing larger.

    Vectors are decoded in float32; .half() and the like change what they are given in, and leave what is stored as it is.
    Raises IndexError for an id that is not there.
    """

    like: torch.Tensor  # has the dtype and device that were asked for

    def __init__(self, header: dict, arrays: dict, prepare: Callable, decode: Callable):
        super().__init__()
        self.header, self.decode = header, decode
        self.num_embeddings, self.embedding_dim = header["shape"]
        prepared = prepare(header, arrays)
        for name, array in {**arrays, **prepared}.items():
            self.register_buffer(name, array, persistent=name not in prepared)
        self.names = (*arrays, *prepared)
        self.register_buffer("like", torch.zeros(0), persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        rows = ids.reshape(-1).long()
        if rows.numel() and not 0 <= int(rows.min()) <= int(rows.max()) < self.num_embeddings:
            raise IndexError(f"ids must be between 0 and {self.num_embeddings - 1}")
        vectors = torch.cat([self.vectors(part) for part in rows.split(AT_ONCE)])
        return vectors.reshape(*ids.shape, self.embedding_dim).to(self.like.dtype)

    def vectors(self, rows: torch.Tensor) -> torch.Tensor:
        """The vectors (r, dim) of rows (r,)."""
        return self.decode(self.header, {name: getattr(self, name) for name in self.names}, rows)

    def _apply(self, change: Callable, recurse: bool = True) -> torch.nn.Module:
        stored = {name: getattr(self, name) for name in self.names}
        super()._apply(change, recurse)
        for name, array in stored.items():
            setattr(self, name, array.to(self.like.device))
        return self


def loader(methods: tuple[str, ...], prepare: Callable, decode: Callable) -> Callable:
    """The function that loads a file of one of those methods."""

    def load(path: str | Path = "embedding.safetensors") -> Embedding:
        """The layer that a file holds."""
        with safe_open(str(path), framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("flatland", "{}"))
            if header.get("version") != 1 or header.get("method") not in methods:
                raise ValueError(f"{path} is not a file that this load.py can read; it reads {', '.join(methods)}")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Embedding(header, arrays, prepare, decode)

    return load


def put_into(model: Any, layer: Embedding) -> Any:
    """Puts the layer in the place of a transformers model's input embedding, on its device and in its dtype; returns the model.

    An output layer that is tied to the embedding keeps the weights that it has. Raises ValueError for a table of another shape.
    """
    own = model.get_input_embeddings().weight
    if own.shape != (layer.num_embeddings, layer.embedding_dim):
        raise ValueError(f"the model's table is {tuple(own.shape)}, the layer {(layer.num_embeddings, layer.embedding_dim)}")
    model.set_input_embeddings(layer.to(own.device, own.dtype))
    return model


def show(load: Callable) -> None:
    """Prints what the file beside this one holds."""
    layer = load(Path(__file__).with_name("embedding.safetensors"))
    print(f"{layer.num_embeddings} x {layer.embedding_dim}, {layer.header['method']} {layer.header['settings']}")
    print("row 0 begins", layer(torch.tensor([0]))[0, :4].tolist())
