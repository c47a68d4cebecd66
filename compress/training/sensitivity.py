"""How much a model's outputs depend on each row of its table, and on which directions of the rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import Progress, Step
from compress.linalg.blocks import sample_rows
from compress.matrix import EmbeddingMatrix
from compress.models.network import frozen, pooled, states_of
from compress.models.open import MOST_TOKENS, OpenModel
from compress.sources.weights import by_order
from compress.tasks.score import BEFORE
from compress.tasks.texts import Text

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from compress.tasks.bench import Bench

TEXTS = 1500  # that directions are measured on, unless asked otherwise; rows are counted in all
PROBES = 2  # random combinations of the outputs, for each batch
PRIOR = 0.3  # share of a row's expected use that comes from the order of the vocabulary
POWER = 0.7  # a token that is frequent changes the outputs less each time: measured on MiniLM
FLOOR = 0.05  # of the mean sensitivity, below which no direction is taken to lie


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """counts: (n,) how often each row was read. weights: (n,) what an error in a row costs, mean 1. moments: (d, d) H, with δᵀHδ
    the expected squared change of the outputs for an error δ of a row, mean eigenvalue 1. texts: how many H was measured on."""

    counts: np.ndarray
    weights: np.ndarray
    moments: np.ndarray
    texts: int

    @cached_property
    def root(self) -> np.ndarray:
        """(d, d) M, symmetric and invertible, with M² = H but for directions that change no output at all."""
        values, vectors = np.linalg.eigh(self.moments)
        return (vectors * np.sqrt(np.maximum(values, FLOOR))) @ vectors.T


def sensitivity(
    model: OpenModel,
    matrix: EmbeddingMatrix,
    texts: Sequence[Text],
    limit: int = TEXTS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Sensitivity:
    """Measures it on texts, with the matrix in the model: the Gauss–Newton approximation of the change of its outputs, by gradients
    of random combinations of them.

    The outputs are the sentence vectors at length 1, so that their squared change is twice 1 − cosine; of a language model the
    distribution of the next token, whose squared change is twice the Kullback–Leibler divergence (labels are drawn from it: the
    Fisher information), where errors change a tied output layer too. texts: without labels. limit: of them so many for directions.
    progress: told after every batch how many texts are measured; may raise to stop. Raises InputError as tasks do.
    """
    import torch

    from compress.tasks.bench import Bench

    n, d = matrix.shape
    bench = Bench(model, {BEFORE: matrix.values})
    ids = [each for each in bench.ids(texts, bench.context(MOST_TOKENS)) if each]
    counts = np.bincount(np.concatenate([np.zeros(0, np.int64), *ids]), minlength=n).astype(np.float64)
    chosen = [ids[at] for at in sample_rows(len(ids), limit, np.random.default_rng(seed))]
    moments, draws = torch.zeros(d, d, dtype=torch.float64), torch.Generator(bench.device).manual_seed(seed)
    measured = 0
    with bench.using(BEFORE), torch.inference_mode(False), torch.enable_grad(), watched(model.network) as seen:
        for part in bench.batches([len(each) for each in chosen], BEFORE):
            inputs = bench.padded([chosen[at] for at in part])
            mask = inputs["attention_mask"].bool()
            gradients = fisher(bench, inputs, mask, draws, seen) if model.causal else probed(bench, inputs, mask, draws, seen)
            moments += (gradients.T @ gradients).double().cpu()
            measured += len(part)
            if progress:
                words = f"{measured:,} of {len(chosen):,} texts measured"
                progress(Step(measured / len(chosen), words, {"measured": measured, "of": len(chosen)}))
    seen_by = moments.numpy()
    names = matrix.tokens if matrix.has_tokens else None
    expected = counts / max(counts.sum(), 1) + PRIOR * shares(by_order(1.0, n, names))
    weights = (expected / expected.mean()) ** POWER
    return Sensitivity(counts, weights / weights.mean(), seen_by / max(np.trace(seen_by) / d, 1e-300), len(chosen))


def probed(bench: "Bench", inputs: dict, mask: "Tensor", draws: "Generator", seen: list) -> "Tensor":
    """(tokens · PROBES, d) gradients of random combinations of the sentence vectors."""
    import torch

    mean = pooled(states_of(bench.network, inputs), mask)
    found = []
    for probe in range(PROBES):
        combination = (mean * torch.randn(mean.shape, generator=draws, device=mean.device)).sum()
        (gradient,) = torch.autograd.grad(combination, seen[0], retain_graph=probe < PROBES - 1)
        found.append(gradient[mask])
    return torch.cat(found)


def fisher(bench: "Bench", inputs: dict, mask: "Tensor", draws: "Generator", seen: list) -> "Tensor":
    """(tokens and more, d) gradients of the log-likelihood of next tokens that are drawn from the model's own distribution, by its
    input; and where the output layer is tied, square roots of what an error of its weights does to it."""
    import torch

    network = bench.network
    states = states_of(bench.network, inputs)
    logits = network.get_output_embeddings()(states)
    chances = logits.detach().float().softmax(-1)[mask]  # (tokens, n)
    drawn = torch.multinomial(chances, 1, generator=draws)[:, 0]
    loss = torch.nn.functional.cross_entropy(logits[mask], drawn, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, seen[0])
    if network.get_output_embeddings().weight is not bench.model.table:
        return gradient[mask]
    spread = (chances * (1 - chances)).sum(dim=-1, keepdim=True)
    return torch.cat([gradient[mask], states.detach()[mask] * spread.sqrt()])


@contextmanager
def watched(network: Any) -> Iterator[list]:
    """The network frozen, but for what its embedding gives: the last of it is in the list, and starts a graph."""
    seen: list = []

    def keep(module: Any, given: Any, output: "Tensor") -> "Tensor":
        seen[:] = [output.detach().requires_grad_()]
        return seen[0]

    with frozen(network):
        handle = network.get_input_embeddings().register_forward_hook(keep)
        try:
            yield seen
        finally:
            handle.remove()


def shares(weights: np.ndarray) -> np.ndarray:
    """The weights at a sum of 1."""
    return weights / weights.sum()
