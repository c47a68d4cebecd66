"""A compressed matrix opened for training: its numbers in float32, to be moved, and afterwards stored again as they were."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Loose:
    """What `decode` reads, in two parts. moving: float32 arrays that training may move, decoding is differentiable in them. still:
    the rest, such as codes and labels."""

    moving: dict[str, np.ndarray]
    still: dict
