"""The layer that stands in for nn.Embedding, holding the compressed form."""

import torch

from compress.compressed import Compressed


class CompressedEmbedding(torch.nn.Module):
    """Ids of any shape in, their vectors out, decoded from the stored arrays when asked.

    The arrays are buffers: they move with the module and travel in its state_dict. For projective clustering this is the paper's
    architecture, k small layers in parallel joined by one linear layer, computed by gathers.
    Raises IndexError for an id that is not there, as nn.Embedding does.
    """

    def __init__(self, compressed: Compressed):
        super().__init__()
        self.method = compressed.method
        self.num_embeddings, self.embedding_dim = compressed.shape
        self.names = tuple(compressed.arrays)
        for name, array in compressed.arrays.items():
            self.register_buffer(name, torch.from_numpy(array.copy()))
        self.ready, self.prepared_of, self.held = {}, [], {}

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        flat = ids.reshape(-1).long()
        if flat.numel() and not (int(flat.min()) >= 0 and int(flat.max()) < self.num_embeddings):
            raise IndexError(f"ids must be between 0 and {self.num_embeddings - 1}")
        return self.method.decode(self.prepared(), flat, self.embedding_dim).reshape(*ids.shape, self.embedding_dim)

    def prepared(self) -> dict:
        """What decoding starts from, made anew where a buffer was written or moved since."""
        buffers = {name: getattr(self, name) for name in self.names}
        state = [(id(buffer), buffer._version) for buffer in buffers.values()]
        if state != self.prepared_of:
            self.ready = self.method.prepared(buffers, self.num_embeddings, self.embedding_dim)
            self.prepared_of, self.held = state, buffers  # held, so that no other tensor gets their ids
        return self.ready

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}, {self.method}"
