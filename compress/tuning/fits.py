"""Fits of one matrix, each made once, and the error that settings are compared by."""

from typing import TYPE_CHECKING

from compress.tuning.sweep import Trial

if TYPE_CHECKING:
    pass


def error_of(trial: Trial) -> float:
    return trial.figures["weighted_error"]
