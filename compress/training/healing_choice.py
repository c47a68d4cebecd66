"""Which form of a healing is nearest: how far outputs with it are from the model's own, on texts of some kinds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compress.form.compressed import Compressed
from compress.models.network import pooled, states_of
from compress.models.swap import swapped_copy

if TYPE_CHECKING:
    from torch import Tensor

    from compress.tasks.bench import Bench

BATCH = 32  # texts


class Distances:
    """How far a form's outputs are from the model's own, on texts of some kinds."""

    def __init__(self, bench: "Bench", kinds: Mapping[str, Sequence]):
        self.bench = bench
        self.batches = {kind: [padded(bench, part) for part in in_batches(sorted(ids, key=len))] for kind, ids in kinds.items()}
        self.own = {kind: model_outputs(bench, part) for kind, part in self.batches.items()}

    def of(self, form: Compressed) -> dict[str, float]:
        """By kind, the mean over its texts, or tokens of a language model."""
        return {kind: distance_of(self.bench, form, part, self.own[kind]) for kind, part in self.batches.items()}


class Best:
    """The nearest form so far of those that are on no kind of text farther than the given one.

    found: by name, the distances by kind of the given form, the refitted one and the best of the training. taken, step: which of
    them `form` is, and after how many steps. late: how many forms of the training since the best.
    """

    def __init__(self, distances: Distances, given: Compressed):
        self.distances, self.form = distances, given
        self.found: dict[str, dict[str, float]] = {}
        self.taken, self.step, self.late = "before", 0, 0

    def take(self, name: str, form: Compressed, found: dict[str, float], step: int = 0) -> None:
        """Compares one more form, the given one first."""
        self.found.setdefault("before", found)
        least = self.rank(self.found[self.taken])
        nearest = name not in self.found or self.rank(found) < self.rank(self.found[name])
        self.late = 0 if nearest else self.late + 1
        if nearest:
            self.found[name] = found
        if self.rank(found) < least:
            self.form, self.taken, self.step = form, name, step

    def rank(self, found: dict[str, float]) -> tuple[bool, float]:
        """What forms are ordered by: whether one is on some kind farther than the given one, and the distance."""
        return any(found[kind] > far for kind, far in self.found["before"].items()), mean(found)

    @property
    def state(self) -> dict:
        """All but the form, as JSON takes it."""
        return {name: getattr(self, name) for name in ("found", "taken", "step", "late")}


def mean(found: Mapping[str, float]) -> float:
    """Of the distances by kind."""
    return sum(found.values()) / len(found)


def model_outputs(bench: "Bench", batches: list) -> list:
    """What the model gives with its own table, for each batch."""
    import torch

    with torch.inference_mode():
        return [outputs(bench.network, bench.model.causal, *batch) for batch in batches]


def distance_of(bench: "Bench", form: Compressed, batches: list, own: list) -> float:
    """How far the outputs with the form are from the model's own, the mean over texts, or tokens of a language model."""
    import torch

    (network, _), causal = swapped_copy(bench.model.network, form), bench.model.causal
    with torch.inference_mode():
        found = [difference(causal, *pair) for pair in zip(own, (outputs(network, causal, *each) for each in batches), strict=True)]
    return float(torch.cat(found).mean())


def outputs(network: Any, causal: bool, inputs: dict, mask: "Tensor") -> "Tensor":
    """Sentence vectors (texts, d) of length 1, or log-probabilities of next tokens (tokens, n)."""
    if causal:
        return network(**inputs, use_cache=False).logits[mask].float().log_softmax(-1)
    return pooled(states_of(network, inputs), mask)


def difference(causal: bool, own: "Tensor", other: "Tensor") -> "Tensor":
    """(texts,) 1 − cosine, or (tokens,) the divergence KL(own ‖ other) in nats."""
    return (own.exp() * (own - other)).sum(-1) if causal else 1 - (own * other).sum(-1)


def padded(bench: "Bench", ids: Sequence) -> tuple[dict, "Tensor"]:
    """What the network takes for texts (texts, tokens), and which of it is text."""
    inputs = bench.padded([list(each) for each in ids])
    return inputs, inputs["attention_mask"].bool()


def in_batches(texts: Sequence, at_once: int = BATCH) -> list[Sequence]:
    """The texts in their order, so many at a time."""
    return [texts[first : first + at_once] for first in range(0, len(texts), at_once)]
