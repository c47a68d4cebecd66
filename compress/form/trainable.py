"""A compressed matrix opened for training: its numbers in float32, to be moved, and afterwards stored again as they were."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Trainable:
    """What `decode` reads, in two parts. parameters: float32 arrays that training may move, decoding is differentiable in them.
    fixed: the rest, such as codes and labels."""

    parameters: dict[str, np.ndarray]
    fixed: dict[str, Any]
