"""Rows belong to classes. A row is its class's mean plus numbers times a basis, and each number is a level times a scale of its
class and direction. Which level, two streams of bits say. The first is read through a window that moves by one bit or by none from
number to number: a hash of what stands in the window is the lower part of the level's place, and the number's own bits in the
second stream, `extra`, are the upper part. The levels are quantiles of a normal density. A number's kind says how far the window
moves, how many own bits there are, and which hash is taken. The basis is coded in the same way, and turned by a fixed matrix. What
lies too far for its code is made up by entries, sorted by rows: how many rows further each is, its direction, and what is to be
added there. Rows that are 0 are told by how many rows further each is, 255 for so many and not that row.

A table that was quantized before is kept as it was instead: whole numbers in blocks of 32, each with a step, a float16 without its
sign; what they give is rounded to float16 where that is what it was.
"""

import math

import torch

from compress.export.decoders.frame import read_bits

# Of kind 0 nothing is kept; kinds 1 to 6 have no own bits; of the kinds after those, three each have 1, 2, … 9 own bits.
EXTRA = (*[0] * 7, *(own for own in range(1, 10) for _ in range(3)))
MOVES = (0, 1, 0, 0, 0, 0, 0, *(1, 1, 0) * 9)
HASH = (0, 0, 1, 2, 3, 4, 5, *(0, 0, 1) * 9)
HASHES, HASH_BITS = 6, 6
SEEDS = {256: (78, 263, 217, 270, 271, 272), 1024: (149, 263, 219, 220, 221, 222), 4096: (41, 220, 206, 217, 218, 219)}
BASIS_STATES = 4096
GUARD = 16  # bits of zeros before the first stream, for the window of its first number


def prepare(header: dict, arrays: dict) -> dict:
    """What decoding needs beside the file's arrays: tables that are the same for every file, and what is decoded once."""
    if "whole_numbers" in arrays:
        return {"powers": torch.tensor([2.0 ** (max(each, 1) - 25) for each in range(32)])}
    halves = arrays["basis_rates"].double()  # rates of the basis in halves of a bit a number
    extra = torch.tensor(EXTRA)
    most = max(int(extra[arrays["kinds"].long()].max()), int((halves.max() + 1) // 2) - 1 if len(halves) else 0)
    dim = header["shape"][1]
    rates = halves / 2
    spread = (1 - 4.0**-rates).sqrt() * (1 + 0.05 * (rates - 1).clamp(0, 4)) / math.sqrt(dim)
    tables = {
        "row_hashes": hashes(header["settings"]["states"]),
        "level_table": levels(most),
    }
    if len(halves):
        tables |= {
            "basis_hashes": hashes(BASIS_STATES),
            "basis_spread": spread.float(),
            "cosines": torch.arange(4 * dim).double().mul(math.pi / 2 / dim).cos().mul(math.sqrt(2 / dim)).float(),
            "signs": torch.tensor([1.0 - 2 * ((k * 0x9E3779B1 & 0xFFFF0000).bit_count() & 1) for k in range(1, dim + 1)]),
        }
    if "escape_gaps" in arrays:
        counts = arrays["escape_gaps"].long().cumsum(0).bincount()
        tables["slots"] = torch.arange(int(counts.max()))  # of the entries of a row
    return {**tables, **opened(header, {**arrays, **tables})}


def hashes(states: int) -> torch.Tensor:
    """(6, states) parities of some bits of the window, the masks from SplitMix64."""
    found = torch.zeros(HASHES, states, dtype=torch.uint8)
    for number, seed in enumerate(SEEDS[states]):
        masks: list[int] = []
        x = seed * 7919
        while len(masks) < HASH_BITS:
            x = (x + 0x9E3779B97F4A7C15) % 2**64
            z = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
            mask = (z ^ (z >> 31)) >> (65 - states.bit_length())
            masks += [mask] if mask else []
        for state in range(states):
            found[number, state] = sum(((state & mask).bit_count() & 1) << bit for bit, mask in enumerate(masks))
    return found


def levels(most: int) -> torch.Tensor:
    """The levels of numbers with 0, 1, … own bits, one after another: 64, 128, … of them."""
    hashed = torch.arange(1 << HASH_BITS).double()
    shift = (hashed % 4 + (hashed // 4 + 0.5) / (1 << HASH_BITS - 2)) / 4
    parts = [torch.special.ndtri((torch.arange(1 << own)[:, None] + shift) / (1 << own)).flatten() for own in range(most + 1)]
    return torch.cat(parts).float()


def opened(header: dict, arrays: dict) -> dict:
    """The class of every row and where it begins in either stream, and the basis."""
    rows, dim = header["shape"]
    kinds = arrays["kinds"].long()  # (classes, directions)
    bits = (kinds.shape[0] - 1).bit_length()
    classes = 0 * torch.arange(rows, device=kinds.device)
    if bits:
        classes = read_bits(arrays["labels"], torch.arange(rows, device=kinds.device) * bits, bits)
    found = {"classes": classes, **begins(kinds, classes)}
    if "signs" in arrays:
        halves = arrays["basis_rates"].long()[:, None]  # one class a direction
        odd, own = halves % 2, (halves + 1) // 2 - 1
        column = torch.arange(dim, device=kinds.device)
        basis_kinds = 4 + 3 * own + odd * (2 - column % 2)
        direction = torch.arange(halves.shape[0], device=kinds.device)
        start = begins(basis_kinds, direction)
        numbers = read(
            arrays["basis"], arrays["basis_extra"], start, direction, basis_kinds, arrays["basis_hashes"], arrays["level_table"]
        )
        turn = arrays["cosines"][(2 * column[:, None] + 1) * column % (4 * dim)]  # a cosine transform
        turn = torch.cat([turn[:, :1] / math.sqrt(2), turn[:, 1:]], dim=1) * arrays["signs"][:, None]
        found["axes"] = numbers * arrays["basis_spread"][:, None] @ turn.T
    if "slots" in arrays:
        own = arrays["escape_gaps"].long().cumsum(0)
        counts = torch.zeros(rows + 1, dtype=torch.int64, device=kinds.device).scatter_add(0, own + 1, torch.ones_like(own))
        found["entries_at"] = counts.cumsum(0)
    if "nothing" in arrays:
        gaps = arrays["nothing"].long()
        told = torch.zeros(rows, dtype=torch.int64, device=kinds.device).scatter_add(0, gaps.cumsum(0), (gaps < 255).long())
        found["there"] = told[:, None] == 0
    return found


def begins(kinds: torch.Tensor, classes: torch.Tensor) -> dict:
    """Where sequences of such classes that follow each other begin in the two streams."""
    lengths = torch.tensor(MOVES, device=kinds.device)[kinds].sum(1)[classes]
    own = torch.tensor(EXTRA, device=kinds.device)[kinds].sum(1)[classes]
    return {"starts": lengths.cumsum(0) - lengths, "extra_starts": own.cumsum(0) - own}


def read(
    stream: torch.Tensor,
    extra_stream: torch.Tensor,
    at: dict,
    classes: torch.Tensor,
    kinds: torch.Tensor,
    hashed: torch.Tensor,
    level_table: torch.Tensor,
) -> torch.Tensor:
    """The levels of sequences that begin `at` those bits, of classes (r,): (r, directions), 0 where nothing is kept."""
    own = torch.tensor(EXTRA, device=kinds.device)[kinds]  # (classes, directions)
    places = torch.tensor([(2**bits - 1) << HASH_BITS for bits in range(10)], device=kinds.device)[own]
    window = hashed.shape[1].bit_length() - 1
    ends = torch.tensor(MOVES, device=kinds.device)[kinds].cumsum(1) + GUARD - window
    state = read_bits(stream, at["starts"][:, None] + ends[classes], window)
    number = torch.tensor(HASH, device=kinds.device)[kinds][classes]
    place = places[classes] + hashed.flatten()[number * hashed.shape[1] + state].long()
    if extra_stream.shape[0]:
        bits = read_bits(extra_stream, at["extra_starts"][:, None] + (own.cumsum(1) - own)[classes], 9)
        sizes = torch.tensor([2**bits for bits in range(10)], device=kinds.device)[own]
        place = place + bits % sizes[classes] * 2**HASH_BITS
    return level_table[place] * (kinds > 0)[classes]


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    if "whole_numbers" in arrays:
        numbers = arrays["whole_numbers"][rows].float()
        dim, count = numbers.shape[1], -(-numbers.shape[1] // 32)
        bits = read_bits(arrays["steps"], (rows[:, None] * count + torch.arange(count, device=rows.device)) * 15, 15)
        steps = arrays["powers"][bits // 1024] * (bits % 1024 + 1024 * (bits > 1023))
        numbers = numbers * steps[:, torch.arange(dim, device=rows.device) // 32]
        return torch.where(arrays["in_float16"] > 0, numbers.half().float(), numbers)
    if torch.onnx.is_in_onnx_export():  # the ONNX file keeps what is stored, and is opened anew by who runs it
        arrays = {**arrays, **opened(header, arrays)}
    classes, kinds = arrays["classes"][rows], arrays["kinds"].long()
    at = {name: arrays[name][rows] for name in ("starts", "extra_starts")}
    numbers = read(arrays["codes"], arrays["extra"], at, classes, kinds, arrays["row_hashes"], arrays["level_table"])
    scales = arrays["least_scale"] * 2 ** (arrays["scales"].float() / 16)
    means = arrays["means"].float() * arrays["mean_scales"]
    numbers = numbers * scales[classes] + means[classes]
    if "slots" in arrays:
        at = arrays["entries_at"][rows][:, None] + arrays["slots"]
        there = at < arrays["entries_at"][rows + 1][:, None]
        at = at * there
        values = arrays["escape_values"].float() * arrays["escape_unit"]
        numbers = numbers.scatter_add(1, arrays["escape_directions"].long()[at], values[at] * there)
    if "there" in arrays:
        numbers = numbers * arrays["there"][rows]
    return numbers @ arrays["axes"] if "axes" in arrays else numbers
