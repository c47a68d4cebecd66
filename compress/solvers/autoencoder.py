"""The residual binary autoencoder of LightToken, one stage of it, trained in torch.

From the paper's public summary (KDD 2023): encoder and decoder learn to give a residual back through codes that a tempered sigmoid
makes nearly binary; a stage ends before its sigmoids saturate. Layers, optimiser and schedule are ours: one linear layer each way,
Adam, a temperature that falls by a constant factor an epoch.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from compress.solvers.binary_codes import Target

WARM = 1.0  # temperature at the beginning
SATURATED = 0.1  # share of units that give one bit for all rows from which a stage has gone too far
BATCH = 512
LEAST = 16  # batches an epoch
RATE = 3e-3


def train_stage(
    target: Target,
    known: Callable[[Any], np.ndarray],
    bits: int,
    temperature: float,
    epochs: int,
    seed: int,
    device: str,
    tell: Callable[[int, float, float], None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of what is left of the target's rows beside what is known: signs (n, bits) int8, decoder (bits, d) and offset (d,).

    Trains on the device, or on CUDA where there is one. known(rows) gives what is stored of some rows already, the target's base
    and earlier stages. The loss is that of the whole row. `tell` is told every epoch its loss, in units of the rows' squared
    length, with the codes as they will be stored, and the share of saturated units; the epoch with the least loss is kept.
    """
    import torch

    assert isinstance(target.values, np.ndarray)
    values, (n, d) = target.values, target.values.shape
    torch.manual_seed(seed)
    device = "cuda" if device == "cpu" and torch.cuda.is_available() else device
    order = np.random.default_rng(seed)
    weights = target.weights.astype(np.float64)  # a copy that torch may share
    whole = float(weights @ np.einsum("id,id->i", values, values, dtype=np.float64))
    unit = max(float(np.sqrt(whole / weights.sum() / d)), 1e-30)
    encoder, decoder = torch.nn.Linear(d, bits, device=device), torch.nn.Linear(bits, d, device=device)
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=RATE)

    def pair(rows: Any) -> list[torch.Tensor]:
        """Rows and what is known of them, in the unit."""
        return [torch.as_tensor(each / unit, dtype=torch.float32, device=device) for each in (values[rows], known(rows))]

    def row_losses(x: torch.Tensor, decoded: torch.Tensor) -> Any:
        return target.loss((x * decoded).sum(1), (decoded * decoded).sum(1), (x * x).sum(1))

    best, least = None, np.inf
    for epoch in range(epochs):
        heat = WARM * (temperature / WARM) ** (epoch / max(epochs - 1, 1))
        for rows in np.array_split(order.permutation(n), max(n // BATCH, min(n, LEAST))):
            x, base = pair(rows)
            codes = 2 * torch.sigmoid(encoder(x - base) / heat) - 1
            weight = torch.as_tensor(weights[rows], dtype=torch.float32, device=device)
            loss = (weight * row_losses(x, base + decoder(codes))).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            signs, cost = np.empty((n, bits), np.int8), 0.0
            for first in range(0, n, 8192):
                block = slice(first, first + 8192)
                x, base = pair(block)
                codes = torch.where(encoder(x - base) >= 0, 1.0, -1.0)
                signs[block] = codes.to(torch.int8).cpu().numpy()
                cost += float(torch.as_tensor(weights[block], device=device) @ row_losses(x, base + decoder(codes)).double())
        on = (signs > 0).mean(axis=0)
        saturated = float(((on == 0) | (on == 1)).mean())
        tell(epoch, cost * unit**2 / max(whole, 1e-300), saturated)
        if best is not None and saturated > SATURATED:
            break
        if best is None or cost < least:
            least = cost
            best = signs, decoder.weight.detach().cpu().numpy().T * unit, decoder.bias.detach().cpu().numpy() * unit
    assert best is not None
    return best
