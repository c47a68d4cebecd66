"""What a model may lose, in its own terms: "kl <= .02", "perplexity <= +1%", "stsb >= -.5 points", "recall@10 >= .95"."""

import re
from dataclasses import dataclass

FORM = re.compile(
    r"(?P<name>[^<>=≤≥].*?)\s*(?P<sign><=|>=|≤|≥|<|>|\bat most\b|\bat least\b|\s)\s*"
    r"(?P<change>[+\-−]?)(?P<value>\d+\.?\d*|\.\d+)\s*(?P<unit>%|points?|)",
    re.IGNORECASE,
)
MOST = {"<=", "≤", "<", "at most"}
EXAMPLES = "'kl <= .02', 'perplexity <= +1%', 'stsb >= -.5 points' or 'recall@10 >= .95'"


@dataclass(frozen=True)
class Term:
    """A bound on a figure. name: of the figure, or of a task. value: the bound, or with `change` by how much it may be worse than
    with the table itself, which `percent` counts in shares of that. most: whether it is to be at most that, None if not said."""

    text: str
    name: str
    value: float
    change: bool
    percent: bool
    most: bool | None

    def allowed(self, before: float, better: str) -> float:
        """By how much the figure may be worse, in its own unit. better: whether "more" or "less" of it is better. Raises ValueError
        for a bound that the table itself does not keep."""
        if self.change:
            return self.value * (abs(before) if self.percent else 1.0)
        if self.most is not None and self.most != (better == "less"):
            side = "at most" if better == "less" else "at least"
            raise ValueError(f"of {self.name} {better} is better, so that it is to be {side} something, got {self.text!r}")
        room = (self.value - before) * (1 if better == "less" else -1)
        if room <= 0:
            raise ValueError(f"with the table itself {self.name} is {before:.4g} already, so {self.text!r} cannot be kept")
        return room

    def __str__(self) -> str:
        return self.text


def term(text: str) -> Term:
    """A bound as a person writes it. Raises ValueError for what is none."""
    found = FORM.fullmatch(" ".join(text.split()))
    if not found or not float(found["value"]):
        raise ValueError(f"a bound on what the model loses is written as {EXAMPLES}, got {text!r}")
    percent, sign = found["unit"] == "%", found["sign"].lower()
    value = float(found["value"]) / (100 if found["unit"] else 1)
    most = None if not sign.strip() else sign in MOST
    return Term(text, found["name"].strip(), value, bool(found["change"]), percent, most)
