"""The scale of every block of numbers, and its zero: as llama.cpp seeks them, and HQQ.

Blocks are rows (m, size) float32; scales and zeros come as (m, 1). A number is a value times the scale, less the zero.
"""

from collections.abc import Iterable

import numpy as np

TINY = 1e-15  # llama.cpp's: a block whose largest entry is below is all 0
HQQ_POWER, HQQ_BETA, HQQ_KAPPA, HQQ_STEPS = 0.7, 10.0, 1.01, 20


def nearest(numbers: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The place of each number's nearest value, uint8; the values ascend."""
    if values[-1] - values[0] == len(values) - 1:
        return np.clip(np.rint(numbers) - values[0], 0, len(values) - 1).astype(np.uint8)
    places = np.zeros(numbers.shape, np.uint8)
    for edge in (values[1:] + values[:-1]) / 2:
        places += numbers > edge
    return places


def inverse(scales: np.ndarray) -> np.ndarray:
    """1 / scale, 0 where that is 0."""
    return np.divide(1, scales, out=np.zeros_like(scales), where=scales != 0)


def largest(blocks: np.ndarray) -> np.ndarray:
    """The entry that is largest in size, with its sign."""
    return np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)


def least_squares(blocks: np.ndarray, values: np.ndarray, ends: Iterable[float]) -> np.ndarray:
    """The best of a few scales, each refitted by least squares: those that put the largest entry at one of `ends`. Entries count by
    their squares (`make_qx_quants` and `quantize_row_iq4_nl_impl`)."""
    top, weights = largest(blocks), blocks**2
    best, scales = np.zeros_like(top), np.zeros_like(top)
    for end in ends:
        decoded = values[nearest(blocks * (np.float32(end) * inverse(top)), values)]
        cross, inner = (np.einsum("ij,ij->i", weights * decoded, other)[:, None] for other in (blocks, decoded))
        fitted = cross * inverse(inner)
        better = (fitted * cross > best) & (np.abs(top) >= TINY)
        best, scales = np.where(better, fitted * cross, best), np.where(better, fitted, scales)
    return scales


def one_by_one(blocks: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Scales from codes that are moved one after another, in five rounds, where that is better (`make_q3_quants`)."""
    top, weights = largest(blocks), blocks**2
    decoded = values[nearest(blocks * (values[0] * inverse(top)), values)]
    cross, inner = (weights * blocks * decoded).sum(axis=1), (weights * decoded**2).sum(axis=1)
    for at in 5 * [*range(blocks.shape[1])]:
        x, weight, old = blocks[:, at], weights[:, at], decoded[:, at]
        less_cross, less_inner = cross - weight * x * old, inner - weight * old**2
        new = values[nearest(x * less_inner * inverse(less_cross), values)]
        new_cross, new_inner = less_cross + weight * x * new, less_inner + weight * new**2
        better = (less_cross > 0) & (new_inner > 0) & (new_cross**2 * inner > cross**2 * new_inner)
        decoded[:, at] = np.where(better, new, old)
        cross, inner = np.where(better, new_cross, cross), np.where(better, new_inner, inner)
    return np.where(np.abs(top[:, 0]) < TINY, 0, cross * inverse(inner)).astype(np.float32)[:, None]


def scales_and_zeros(
    blocks: np.ndarray, most: int, weights: np.ndarray, ends: Iterable[float], by_size: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The best of a few scales with their zeros, none below 0, for whole numbers from 0 to `most`: those that put a range on one
    of `ends`, refitted by weighted least squares; by_size: compared by sizes of errors, not squares (`make_qkx2_quants`)."""
    low, high = np.minimum(blocks.min(axis=1, keepdims=True), 0), blocks.max(axis=1, keepdims=True)
    unit = inverse(high - low)

    def total(numbers: np.ndarray) -> np.ndarray:
        return np.einsum("ij,ij->i", weights, numbers)[:, None]

    def lost(codes: np.ndarray, scales: np.ndarray, lows: np.ndarray) -> np.ndarray:
        apart = codes * scales + lows - blocks
        return total(np.abs(apart) if by_size else apart**2)

    def codes_at(end: float) -> np.ndarray:
        return np.clip(np.rint((blocks - low) * (np.float32(end) * unit)), 0, most)

    scales, lows = (high - low) / np.float32(most), low
    best, count, sum_x = lost(codes_at(most), scales, lows), weights.sum(axis=1, keepdims=True), total(blocks)
    for end in ends:
        codes = codes_at(end)
        sum_code, sum_square, cross = total(codes), total(codes**2), total(codes * blocks)
        determinant = count * sum_square - sum_code**2
        scale, zero = (count * cross - sum_x * sum_code), (sum_square * sum_x - sum_code * cross)
        scale, zero = scale * inverse(determinant), zero * inverse(determinant)
        scale, zero = np.where(zero > 0, cross * inverse(sum_square), scale), np.minimum(zero, 0)
        loss = lost(codes, scale, zero)
        better = (determinant > 0) & (loss < best)
        best, scales, lows = (np.where(better, *pair) for pair in ((loss, best), (scale, scales), (zero, lows)))
    return scales, -lows


def ranges(blocks: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Scales and zeros that put the least entry of a block at 0 and the largest at `most`."""
    low = blocks.min(axis=1, keepdims=True)
    return (blocks.max(axis=1, keepdims=True) - low) / np.float32(most), -low


def half_quadratic(blocks: np.ndarray, scales: np.ndarray, zeros: np.ndarray, most: int) -> np.ndarray:
    """Zeros for those scales that lower the ℓ.7 norm of the errors, by half-quadratic splitting, from those given on (H. Badri and
    A. Shaji, *Half-Quadratic Quantization of Large Machine Learning Models*, 2023); of each block the one with the least mean size
    of errors."""
    unit = inverse(scales)
    place, beta = zeros * unit, HQQ_BETA
    best, least = place, np.full_like(place, np.inf)
    for _ in range(HQQ_STEPS):
        codes = np.clip(np.rint(blocks * unit + place), 0, most)
        errors = blocks - (codes - place) * scales
        size = np.abs(errors)
        mean = size.mean(axis=1, keepdims=True)
        best, least = np.where(mean < least, place, best), np.minimum(mean, least)
        with np.errstate(divide="ignore"):
            shrunk = np.sign(errors) * np.maximum(size - size ** np.float32(HQQ_POWER - 1) / np.float32(beta), 0)
        place = (codes - (blocks - shrunk) * unit).mean(axis=1, keepdims=True)
        beta *= HQQ_KAPPA
    return best * scales
