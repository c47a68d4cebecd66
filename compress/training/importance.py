"""What a model's outputs depend on, measured on texts: each row of its table, and directions of the rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import Progress, Step
from compress.files import replacing
from compress.importance import Importance
from compress.linalg.blocks import sample_rows
from compress.matrix import EmbeddingMatrix
from compress.models.network import frozen, pooled, states_of
from compress.models.open import MOST_TOKENS, OpenModel
from compress.sources.order import by_order
from compress.tasks.score import BEFORE
from compress.tasks.texts import Text
from compress.training.kinds import PIECE

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from compress.tasks.bench import Bench

TEXTS = 1500  # that directions are measured on, unless asked otherwise; rows are counted in all
PROBES = 2  # random combinations of the outputs, for each batch
PRIOR = 0.3  # share of a row's expected use that comes from the order of the vocabulary
POWER = 0.7  # a token that is frequent changes the outputs less each time: measured on MiniLM
SPOKEN_POWER, SPOKEN_FLOOR = 0.5, 0.02  # the same of a row that an output layer shares, and the metric's floor: on SmolLM2


def importance_of(
    model: OpenModel,
    matrix: EmbeddingMatrix,
    texts: Sequence[Text],
    limit: int = TEXTS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Importance:
    """Measures it on texts, with the matrix in the model: the Gauss–Newton approximation of the change of its outputs, by gradients
    of random combinations of them.

    The outputs are the sentence vectors at length 1, so that their squared change is twice 1 − cosine; of a language model the
    distribution of the next token, whose squared change is twice the Kullback–Leibler divergence (labels are drawn from it: the
    Fisher information), where errors change a tied output layer too. A row counts by how often it is read; in a tied table also
    by how probable the model finds it to be next, in the mean. texts: without labels. limit: of them so many for directions.
    progress: told after every batch how many texts are measured; may raise to stop. Raises InputError as tasks do.
    """
    import torch

    from compress.tasks.bench import TOKENS_AT_ONCE, Bench

    n, d = matrix.shape
    bench = Bench(model, {BEFORE: matrix.values})
    ids = [each for each in bench.ids(texts, bench.context(PIECE if model.causal else MOST_TOKENS)) if each]
    counts = np.bincount(np.concatenate([np.zeros(0, np.int64), *ids]), minlength=n).astype(np.float64)
    chosen = [ids[at] for at in sample_rows(len(ids), limit, np.random.default_rng(seed))]
    moments, draws = torch.zeros(d, d, dtype=torch.float64), torch.Generator(bench.device).manual_seed(seed)
    spoken = torch.zeros(n, dtype=torch.float64)
    measured, at_once = 0, bench.predicted_at_once if model.causal else TOKENS_AT_ONCE
    with bench.using(BEFORE), torch.inference_mode(False), torch.enable_grad(), watched(model.network) as seen:
        for part in bench.batches([len(each) for each in chosen], BEFORE, at_once):
            inputs = bench.padded([chosen[at] for at in part])
            mask = inputs["attention_mask"].bool()
            if model.causal:
                gradients, chances = fisher(bench, inputs, mask, draws, seen)
                spoken += chances.double().cpu()
            else:
                gradients = probed(bench, inputs, mask, draws, seen)
            moments += (gradients.T @ gradients).double().cpu()
            measured += len(part)
            if progress:
                words = f"{measured:,} of {len(chosen):,} texts measured"
                progress(Step(measured / len(chosen), words, {"measured": measured, "of": len(chosen)}))
    metric = moments.numpy()
    metric /= max(np.trace(metric) / d, 1e-300)
    read = counts / max(counts.sum(), 1)
    if is_tied(bench):
        return Importance(powered(read + shares(spoken.numpy()), SPOKEN_POWER), metric, SPOKEN_FLOOR)
    names = matrix.tokens if matrix.has_tokens else None
    expected = read + PRIOR * shares(by_order(1.0, n, names))
    return Importance(powered(expected, POWER), metric)


def read_importance(path: Path) -> Importance | None:
    """What a file holds, None where there is none."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as held:
        return Importance(held["weights"], held["metric"], float(held["floor"]))


def write_importance(path: Path, found: Importance) -> None:
    """Keeps it as a .npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as out:
        np.savez(out, weights=found.weights, metric=found.metric, floor=found.floor)


def kept_importance(path: Path | None, measured: Callable[[], Importance]) -> Importance:
    """What a file holds; measured, and written there, where there is none. path: None to keep nothing."""
    found = read_importance(path) if path else None
    if found is None:
        found = measured()
        if path:
            write_importance(path, found)
    return found


def powered(expected: np.ndarray, power: float) -> np.ndarray:
    """Weights (n,) of mean 1 by a power of how often rows are used."""
    weights = (expected / expected.mean()) ** power
    return weights / weights.mean()


def is_tied(bench: "Bench") -> bool:
    """Whether a language model's output layer is the table itself."""
    last = bench.network.get_output_embeddings() if bench.model.causal else None
    return last is not None and last.weight is bench.model.table


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


def fisher(bench: "Bench", inputs: dict, mask: "Tensor", draws: "Generator", seen: list) -> tuple["Tensor", "Tensor"]:
    """(tokens and more, d) gradients of the log-likelihood of next tokens that are drawn from the model's own distribution, by its
    input; and where the output layer is tied, square roots of what an error of its weights does to it. (n,) how probable each token
    is, summed over places."""
    import torch

    network = bench.network
    states = states_of(bench.network, inputs)
    logits = network.get_output_embeddings()(states)
    chances = logits.detach().float().softmax(-1)[mask]  # (tokens, n)
    away = torch.zeros_like(logits)  # the gradient of the loss by the logits
    away[mask] = chances.to(away.dtype)
    away[(*mask.nonzero(as_tuple=True), drawn_of(chances, draws))] -= 1
    (gradient,) = torch.autograd.grad(logits, seen[0], away)
    if not is_tied(bench):
        return gradient[mask], chances.sum(0)
    spread = (chances * (1 - chances)).sum(dim=-1, keepdim=True)
    return torch.cat([gradient[mask], states.detach()[mask] * spread.sqrt()]), chances.sum(0)


def drawn_of(chances: "Tensor", draws: "Generator") -> "Tensor":
    """(r,) int64, one drawn from each row's distribution (r, n): where its sum so far passes a uniform number."""
    import torch

    sums = chances.cumsum(-1)
    passed = sums[:, -1:] * torch.rand(len(chances), 1, generator=draws, device=chances.device)
    return torch.searchsorted(sums, passed, right=True)[:, 0].clamp(max=chances.shape[1] - 1)


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
