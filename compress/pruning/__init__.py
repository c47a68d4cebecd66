"""Provable filter pruning of convolutional networks, and what people would do instead."""

from compress.pruning.channels import Channels, Layer, Space, trace
from compress.pruning.choosing import BY, VARIANTS
from compress.pruning.errors import layer_errors, output_error
from compress.pruning.networks import NETWORKS, Digits, from_state, opened
from compress.pruning.pruning import Report, Study, prune, reports, study
from compress.pruning.sensitivity import OVER, batch_size, linear_sensitivities
from compress.pruning.training import Pictures, accuracy, digits, digits_network, retrained

__all__ = [
    "BY",
    "NETWORKS",
    "OVER",
    "VARIANTS",
    "Channels",
    "Digits",
    "Layer",
    "Pictures",
    "Report",
    "Space",
    "Study",
    "accuracy",
    "batch_size",
    "digits",
    "digits_network",
    "from_state",
    "layer_errors",
    "linear_sensitivities",
    "opened",
    "output_error",
    "prune",
    "reports",
    "retrained",
    "study",
    "trace",
]
