"""What the model that uses a matrix loses: tasks, scored before and after."""

from compress.tasks.judging import LABELLED, TASKS, UNLABELLED, check_names, judge, label_of, needs_model, ready, unmet, usual_tasks
from compress.tasks.score import Score, Scores

__all__ = [
    "LABELLED",
    "TASKS",
    "UNLABELLED",
    "Score",
    "Scores",
    "check_names",
    "judge",
    "label_of",
    "needs_model",
    "ready",
    "unmet",
    "usual_tasks",
]
