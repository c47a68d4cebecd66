"""A network's outputs, and the network without gradients."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def pooled(states: "Tensor", mask: "Tensor") -> "Tensor":
    """Sentence vectors (texts, d) of length 1 from the last layer's outputs (texts, tokens, d): their mean over the text."""
    import torch

    mask = mask.unsqueeze(-1)
    return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)


def states_of(network: Any, inputs: dict) -> "Tensor":
    """(texts, tokens, d) the last layer's outputs."""
    body = network.get_encoder() if network.config.is_encoder_decoder else network.base_model
    return body(**inputs).last_hidden_state


def root_mean_square(tensor: "Tensor") -> float:
    """Of a tensor's entries, summed in the tensor's own dtype."""
    return float(tensor.detach().square().mean().sqrt())


@contextmanager
def frozen(network: Any) -> Iterator[None]:
    """The network with no parameter that asks for a gradient."""
    wanted = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)
