"""Tasks without labels: the model's sentence vectors, the tokens' neighbours, the next token."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from compress.analysis.neighbours import COUNT, overlap
from compress.errors import InputError
from compress.linalg.blocks import sample_rows, unit_rows
from compress.tasks.needs import Need, a_model, a_text, next_tokens
from compress.tasks.score import BEFORE, Figure, Task
from compress.tasks.texts import Text

if TYPE_CHECKING:
    from compress.tasks.bench import Bench

MOST_QUERIES = 2000
WORST = 0.05


@dataclass(frozen=True)
class Cosine(Task):
    """Cosine between a text's sentence vectors before and after: its mean, and its mean over the worst 5 %."""

    examples: Sequence[Text]
    name: str = "cosine"
    needs: ClassVar[tuple[Need, ...]] = (a_model, a_text)

    def material(self) -> Sequence[Text]:
        return self.examples

    def figures(self, bench: "Bench", table: str) -> list[Figure]:
        n = len(self.examples)
        found = np.sort(cosines(bench.vectors(BEFORE, self.examples), bench.vectors(table, self.examples)))
        worst = found[: max(1, math.ceil(WORST * n))]
        return [
            Figure("mean cosine", [1.0], [found.mean()], None, n),
            Figure("mean cosine of the worst 5 %", [1.0], [worst.mean()], None, len(worst)),
        ]


@dataclass(frozen=True)
class Neighbours(Task):
    """Overlap@10: the share of a token's ten nearest by cosine before that are among its ten nearest after, over up to 2,000 tokens
    drawn by a fixed seed. It needs the tables alone. Rows of zeros have no neighbours and are no one's."""

    name: str = "neighbours"
    needs: ClassVar[tuple[Need, ...]] = ()

    def material(self) -> None:
        return None

    def figures(self, bench: "Bench", table: str) -> list[Figure]:
        there = np.flatnonzero((bench.before != 0).any(1) & (bench.tables[table] != 0).any(1))
        k = min(COUNT, len(there) - 1)
        if k < 1:
            raise InputError("Fewer than two rows are not zero before and after, so none has a neighbour; check the table.")
        asked = sample_rows(len(there), MOST_QUERIES, np.random.default_rng(0))
        shares = overlap(bench.before[there], bench.tables[table][there], asked, k)
        return [Figure(f"overlap@{k}", [1.0], [shares.mean()], None, len(asked))]


@dataclass(frozen=True)
class Perplexity(Task):
    """exp of the mean loss of a token given those before it, and that loss in bits; the mean Kullback-Leibler divergence of the
    distribution of the next token from that before; the share of the tokens after which both find the same one likeliest."""

    examples: Sequence[Text]
    name: str = "perplexity"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[Need, ...]] = (a_model, next_tokens, a_text)

    def material(self) -> Sequence[Text]:
        return self.examples

    def figures(self, bench: "Bench", table: str) -> list[Figure]:
        found = bench.predictions(table, self.examples)
        before, after = found.before / found.n, found.after / found.n
        return [
            Figure("perplexity", [math.exp(before)], [math.exp(min(after, 700))], None, found.n, "less"),
            Figure("bits per token", [before / math.log(2)], [after / math.log(2)], None, found.n, "less"),
            Figure("KL", [0.0], [max(found.divergence / found.n, 0.0)], None, found.n, "less"),
            Figure("top-1 agreement", [1.0], [found.alike / found.n], None, found.n),
        ]


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(n,) cosine of each row with the other's; 0 where one is zero."""
    return np.einsum("id,id->i", unit_rows(left), unit_rows(right), dtype=np.float64)
