"""Torch modules that compute with the compressed form: those that stand in for nn.Embedding, frozen or open for training, and those
that share their table."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.checkpoint import checkpoint

if TYPE_CHECKING:
    from compress.form.compressed import Compressed

AT_ONCE = 2048  # rows that are decoded at a time where a whole table is gone through
FEW = 16  # vectors that a table is multiplied by from its codes


class DecodedEmbedding(torch.nn.Module, ABC):
    """Ids of any shape in, their vectors out, decoded when asked: what `CompressedEmbedding` and `TrainableEmbedding` share.

    Vectors are decoded in float32 and given in `dtype`, which `.half()` and the like set. For projective clustering this is the
    paper's architecture, k small layers in parallel joined by one linear layer, computed by gathers. padding_idx: that of the layer
    this one stands in for, for who reads it; the row is decoded as any other, as in nn.Embedding. scale: what rows that are looked
    up are multiplied by, as some models' embeddings do; the table that others share is not.
    Raises IndexError for an id that is not there, as nn.Embedding does. A graph of torch.export, ONNX or torch.compile branches on
    no data and does not ask: there such an id may give any vector, or an error of what runs it.
    """

    def __init__(self, compressed: "Compressed", padding_idx: int | None, dtype: torch.dtype, scale: float):
        super().__init__()
        self.origin = replace(compressed, arrays={})  # what is decoded, without its arrays
        self.method, self.digest = compressed.method, compressed.digest
        self.num_embeddings, self.embedding_dim = compressed.shape
        self.padding_idx, self.dtype, self.scale = padding_idx, dtype, scale

    @property
    def device(self) -> torch.device:
        return next(chain(self.parameters(), self.buffers())).device

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.looked_up(ids, self.scale)

    def looked_up(self, ids: torch.Tensor, scale: float) -> torch.Tensor:
        """The vectors of ids of any shape, (…, d), times the scale."""
        flat = ids.reshape(-1).long()
        if not torch.compiler.is_compiling() and flat.numel():  # not in a graph
            least, most = int(flat.min()), int(flat.max())
            if least < 0 or most >= self.num_embeddings:
                raise IndexError(f"ids must be between 0 and {self.num_embeddings - 1}, got {least if least < 0 else most}")
        vectors = self.decoded(flat).reshape(*ids.shape, self.embedding_dim)
        return vectors if scale == 1 else vectors * scale

    def decoded(self, rows: torch.Tensor, prepared: dict | None = None) -> torch.Tensor:
        """Those rows (r,) int64 of the table, (r, d)."""
        vectors = self.method.decode(prepared or self.prepared(), rows, self.embedding_dim)
        if self.origin.exponent:
            vectors = vectors * 2.0**self.origin.exponent
        return vectors.to(self.dtype)

    def products(self, vectors: torch.Tensor) -> torch.Tensor | None:
        """The products of vectors (v, d) with every row of the table, (v, n) in their dtype, where the method finds them with less
        work than the rows; else None. In float32; no gradient knows of them."""
        prepared, vectors_in = self.prepared(), vectors.float()
        few = len(vectors) <= FEW and vectors.device.type == "cpu"
        found = self.method.products(prepared, vectors_in) if few else None
        if found is None:
            turned = self.method.against(prepared, vectors_in)
            if turned is None:
                return None
            found = torch.cat([self.method.decode(turned, rows, len(vectors)) for rows in self.blocks()])
        if self.origin.exponent:
            found = found * 2.0**self.origin.exponent
        return found.T.to(vectors.dtype)

    @property
    def weight(self) -> torch.Tensor:
        """The whole table, (n, d), decoded anew each time: for code that reads the weight of an embedding. To write to it changes
        nothing."""
        prepared = self.prepared()
        return torch.cat([self.decoded(rows, prepared) for rows in self.blocks()])

    def blocks(self) -> Iterator[torch.Tensor]:
        """All row numbers, some at a time."""
        for first in range(0, self.num_embeddings, AT_ONCE):
            yield torch.arange(first, min(first + AT_ONCE, self.num_embeddings), device=self.device)

    @abstractmethod
    def prepared(self) -> dict:
        """What decoding starts from, on the layer's device."""

    @abstractmethod
    def compressed(self) -> "Compressed":
        """The compressed matrix as it is now."""

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}, {self.method}"

    def _apply(self, fn: Callable, recurse: bool = True) -> Any:
        """Arrays follow to a device, not to a dtype; a float dtype becomes that of the vectors."""
        self.dtype = fn(torch.empty(0, dtype=self.dtype)).dtype

        def moved(array: torch.Tensor) -> torch.Tensor:
            there = fn(array)
            return there if there.dtype == array.dtype else array.to(there.device)

        return super()._apply(moved, recurse)


class CompressedEmbedding(DecodedEmbedding):
    """The frozen layer. The stored arrays are buffers: they move with the module and travel in its state_dict, each in the dtype
    that it is stored in, whatever dtype the module is asked for."""

    def __init__(
        self, compressed: "Compressed", padding_idx: int | None = None, dtype: torch.dtype = torch.float32, scale: float = 1.0
    ):
        super().__init__(compressed, padding_idx, dtype, scale)
        self.stored = tuple(compressed.arrays)
        for name, array in compressed.arrays.items():
            self.register_buffer(name, torch.from_numpy(array.copy()))
        self.ready: dict[str, Any] = {}
        self.prepared_of: list[tuple] = []
        self.held: dict[str, torch.Tensor] = {}
        self.as_stored: tuple[str, ...] = ()  # of what is ready

    def prepared(self) -> dict:
        """Made anew where an array was written or moved since; in a graph, which cannot tell, as it was made last."""
        arrays = {name: getattr(self, name) for name in self.stored}
        if torch.compiler.is_compiling():
            if not self.ready:
                return self.method.prepared(arrays, self.num_embeddings, self.embedding_dim)
            return self.ready | {name: arrays[name] for name in self.as_stored}
        state = [(id(array), None if array.is_inference() else array._version) for array in arrays.values()]
        if state != self.prepared_of:
            self.ready = self.method.prepared(arrays, self.num_embeddings, self.embedding_dim)
            self.prepared_of, self.held = state, arrays  # held, so that no other tensor gets their ids
            self.as_stored = tuple(name for name, array in arrays.items() if self.ready.get(name) is array)
        return self.ready

    def compressed(self) -> "Compressed":
        return replace(self.origin, arrays={name: getattr(self, name).numpy(force=True).copy() for name in self.stored})

    def trainable(self) -> "TrainableEmbedding":
        """A layer of the same table, on the same device, that can be trained."""
        layer = TrainableEmbedding(self.compressed(), self.padding_idx, self.dtype, self.scale)
        return layer.to(self.device).train(self.training)

    def _apply(self, fn: Callable, recurse: bool = True) -> Any:
        found = super()._apply(fn, recurse)
        self.prepare_again()
        return found

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any, **kwargs: Any) -> None:
        """Arrays whose number and shapes follow from the rows of a matrix are those of the state."""
        if self.method.layout(self.num_embeddings, self.embedding_dim) is None:
            given = {key.removeprefix(prefix): array for key, array in state_dict.items() if key.startswith(prefix)}
            device = self.device
            for name in self.stored:
                delattr(self, name)
            for name, array in given.items():
                self.register_buffer(name, torch.empty_like(array, device=device))
            self.stored = tuple(given)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        self.prepare_again()

    def prepare_again(self) -> None:
        """What was ready is made of the arrays as they are now, so that a graph finds it so; of arrays without data nothing is."""
        was_ready, self.ready, self.prepared_of = bool(self.ready), {}, []
        if was_ready and self.device.type != "meta":
            with suppress(IndexError, ValueError, RuntimeError):
                self.prepared()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"ready": {}, "prepared_of": [], "held": {}}  # a copy's arrays have other ids


class TrainableEmbedding(DecodedEmbedding):
    """The layer open for training: what its method decodes by, factors, scales, codebooks, decoders, are parameters in float32;
    codes and labels stay as they are."""

    def __init__(
        self, compressed: "Compressed", padding_idx: int | None = None, dtype: torch.dtype = torch.float32, scale: float = 1.0
    ):
        super().__init__(compressed, padding_idx, dtype, scale)
        opened = self.method.trainable(compressed.arrays, *compressed.shape)
        self.before, self.fixed, self.moving = compressed.arrays, opened.fixed, tuple(opened.parameters)
        for name, array in opened.parameters.items():
            self.register_parameter(name, torch.nn.Parameter(torch.tensor(array, dtype=torch.float32)))
        self.fixed_there: tuple[torch.device, dict] | None = None

    def prepared(self) -> dict:
        if self.fixed_there is None or self.fixed_there[0] != self.device:
            there = {
                name: torch.from_numpy(each).to(self.device) if isinstance(each, np.ndarray) else each
                for name, each in self.fixed.items()
            }
            self.fixed_there = self.device, there
        return self.fixed_there[1] | {name: getattr(self, name) for name in self.moving}

    def compressed(self) -> "Compressed":
        """Each array rounded to how it is stored."""
        moved = {name: getattr(self, name).numpy(force=True).copy() for name in self.moving}
        return replace(self.origin, arrays=self.method.stored(self.before, moved))

    def frozen(self) -> CompressedEmbedding:
        """The layer that training ends with: the arrays are buffers again, in the dtypes that they are stored in."""
        layer = CompressedEmbedding(self.compressed(), self.padding_idx, self.dtype, self.scale)
        return layer.to(self.device).train(self.training)


class Shared(torch.nn.Module):
    """What uses the table of an embedding that is held elsewhere in the model, and saved, moved and trained there."""

    embedding: DecodedEmbedding

    def __init__(self, embedding: DecodedEmbedding):
        super().__init__()
        self.share(embedding)

    def share(self, embedding: DecodedEmbedding) -> None:
        """Uses the table of that embedding from now on."""
        self.__dict__["embedding"] = embedding  # not as a submodule: its arrays would be in the state_dict twice

    @property
    def weight(self) -> torch.Tensor:
        """The whole table, decoded anew each time."""
        return self.embedding.weight


class SharedEmbedding(Shared):
    """A second place where ids are looked up in the same table, as in an encoder and its decoder, with a scale of its own."""

    def __init__(self, embedding: DecodedEmbedding, scale: float = 1.0):
        super().__init__(embedding)
        self.scale = scale

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.embedding.looked_up(ids, self.scale)


class CompressedOutput(Shared):
    """The output layer of a language model, tied to its embedding: hidden states (…, d) times the table's transpose, plus the bias
    (n,) if there is one. Decodes a block of rows at a time, so that the table never stands in memory; where gradients are wanted,
    once more on the way back. Where they are not, and the states are few, what rows are sums of is multiplied, or the codes are.
    """

    bias: torch.nn.Parameter | None

    def __init__(self, embedding: DecodedEmbedding, bias: torch.nn.Parameter | None = None):
        super().__init__(embedding)
        self.in_features, self.out_features = embedding.embedding_dim, embedding.num_embeddings
        self.register_parameter("bias", bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        if only_values(hidden) and 0 < hidden.numel() < self.in_features**2:
            found = self.embedding.products(hidden.reshape(-1, self.in_features))
            if found is not None:
                found = found.reshape(*hidden.shape[:-1], self.out_features)
                return found if self.bias is None else found + self.bias
        prepared = self.embedding.prepared()

        def scores(hidden: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
            bias = None if self.bias is None else self.bias[rows]
            return torch.nn.functional.linear(hidden, self.embedding.decoded(rows, prepared), bias)

        blocks = self.embedding.blocks()
        if torch.is_grad_enabled():
            return torch.cat(
                [checkpoint(scores, hidden, rows, use_reentrant=False, preserve_rng_state=False) for rows in blocks], dim=-1
            )
        return torch.cat([scores(hidden, rows) for rows in blocks], dim=-1)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def only_values(hidden: torch.Tensor) -> bool:
    """Whether nothing but the values of what is computed from hidden states is asked: no gradient, no graph, no other dtype."""
    traced = torch.jit.is_tracing() or torch.compiler.is_compiling()
    return not (traced or torch.is_grad_enabled() or torch.is_autocast_enabled(hidden.device.type))
