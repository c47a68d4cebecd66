"""What every load.py has: how bits are read, and the layer. An export joins it with the file of a method."""

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors import safe_open

AT_ONCE = 256  # rows that are decoded at a time, so that what they need stays in the processor's cache
POWERS = (1, 2, 4, 8, 16, 32, 64, 128)
SUMMED = ("version", "method", "settings", "shape", "digest", "exponent")  # of a header, what its checksum is of


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
    scale: what a model multiplies them by, set by put_into. Raises IndexError for an id that is not there; a graph
    of torch.export or torch.compile does not ask.
    """

    like: torch.Tensor  # has the dtype and device that were asked for
    scale: float = 1.0
    padding_idx: int | None = None

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
        return self.rows(ids) * self.scale

    def rows(self, ids: torch.Tensor) -> torch.Tensor:
        """The rows of the table at ids of any shape, (…, dim)."""
        flat = ids.reshape(-1).long()
        if torch.compiler.is_compiling():
            return self.vectors(flat).reshape(*ids.shape, self.embedding_dim).to(self.like.dtype)
        if flat.numel() and not 0 <= int(flat.min()) <= int(flat.max()) < self.num_embeddings:
            raise IndexError(f"ids must be between 0 and {self.num_embeddings - 1}")
        vectors = torch.cat([self.vectors(part) for part in flat.split(AT_ONCE)])
        return vectors.reshape(*ids.shape, self.embedding_dim).to(self.like.dtype)

    def vectors(self, rows: torch.Tensor) -> torch.Tensor:
        """The vectors (r, dim) of rows (r,)."""
        vectors = self.decode(self.header, {name: getattr(self, name) for name in self.names}, rows)
        exponent = self.header.get("exponent", 0)  # of a table of very small or very large numbers
        return vectors * 2.0**exponent if exponent else vectors

    def blocks(self) -> Iterator[torch.Tensor]:
        """All rows of the table, some at a time."""
        for rows in torch.arange(self.num_embeddings, device=self.like.device).split(AT_ONCE):
            yield self.vectors(rows).to(self.like.dtype)

    @property
    def weight(self) -> torch.Tensor:
        """The whole table, decoded anew each time: for code that reads the weight of an embedding."""
        return torch.cat(list(self.blocks()))

    def _apply(self, change: Callable, recurse: bool = True) -> torch.nn.Module:
        stored = {name: getattr(self, name) for name in self.names}
        super()._apply(change, recurse)
        for name, array in stored.items():
            setattr(self, name, array.to(self.like.device))
        return self


def checksum(header: dict) -> int:
    """CRC-32 of what a header says, as JSON with its names in order: arrays alone do not always tell another shape."""
    said = {name: header[name] for name in SUMMED if name in header}
    return zlib.crc32(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())


def maker(methods: tuple[str, ...], prepare: Callable, decode: Callable) -> Callable:
    """The function that makes the layer of arrays and what a file says of them. It raises ValueError where they are not of each
    other, which the first and the last row tell: those are decoded once."""

    def make(header: dict, arrays: dict, where: str | Path) -> Embedding:
        if not isinstance(header, dict) or header.get("version") not in (1, 2) or header.get("method") not in methods:
            raise ValueError(f"{where} is not a file that this load.py can read; it reads {', '.join(methods)}")
        try:
            if "checksum" in header and header["checksum"] != checksum(header):
                raise ValueError("its header was changed")
            bits = 8 * sum(array.numel() * array.element_size() for array in arrays.values())
            rows, dim = header["shape"]
            if not (0 < rows <= bits and 0 < dim <= bits):
                raise ValueError(f"{rows} x {dim} from {bits} bits")
            layer = Embedding(header, arrays, prepare, decode)
            layer(torch.tensor([0, rows - 1]))
        except Exception as error:
            raise ValueError(f"{where} is damaged ({error}); fetch it again") from error
        return layer

    return make


def loader(make: Callable) -> Callable:
    """The function that loads a file."""

    def load(path: str | Path = "embedding.safetensors") -> Embedding:
        """The layer that a file holds."""
        try:
            with safe_open(str(path), framework="pt") as file:
                header = json.loads((file.metadata() or {}).get("flatland", "{}"))
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except OSError:
            raise
        except Exception as error:
            raise ValueError(f"{path} is damaged, or no file of safetensors ({error}); fetch it again") from error
        return make(header, arrays, path)

    return load


def show(load: Callable) -> None:
    """Prints what the file beside this one holds."""
    layer = load(Path(__file__).with_name("embedding.safetensors"))
    print(f"{layer.num_embeddings} x {layer.embedding_dim}, {layer.header['method']} {layer.header['settings']}")
    print("row 0 begins", layer(torch.tensor([0]))[0, :4].tolist())
