"""Signs of many rows in a bit each, where an array of them would take a byte each."""

import numpy as np


class PackedSigns:
    """Signs (n, L), −1 and +1, that are read and written some rows at a time, as int8. bytes: (n, ⌈L/8⌉), least significant bits
    first, as a file has them."""

    def __init__(self, n: int, bits: int):
        self.shape = n, bits
        self.bytes: np.ndarray = np.zeros((n, (bits + 7) // 8), np.uint8)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        found = np.unpackbits(self.bytes[rows], axis=1, count=self.shape[1], bitorder="little").astype(np.int8)
        found *= 2
        found -= 1
        return found

    def __setitem__(self, rows: slice | np.ndarray, signs: np.ndarray) -> None:
        self.bytes[rows] = np.packbits(signs > 0, axis=1, bitorder="little")

    def copy(self) -> "PackedSigns":
        """The same in other memory."""
        other = PackedSigns(len(self), 0)
        other.shape, other.bytes = self.shape, self.bytes.copy()
        return other


def packed(signs: np.ndarray | PackedSigns) -> np.ndarray:
    """The bytes (n, ⌈L/8⌉) of signs (n, L)."""
    return signs.bytes if isinstance(signs, PackedSigns) else np.packbits(signs > 0, axis=1, bitorder="little")
