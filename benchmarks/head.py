"""What a token of generation takes through a tied table that stays compressed, beside the dense one, and the memory of that layer.

    SMOLLM2=FOLDER python -m benchmarks.head FILE...

Memory is what the process grows by from before the file is opened until a token is through, with numba and what it compiles loaded
before, as torch is: these take some 100 MB by themselves.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.reading_memory import told
from benchmarks.table import against, heading, table
from compress import EmbeddingMatrix, Trellis, load
from compress.coding.trellis_code import MANY, compiled
from compress.form.layers import CompressedOutput
from compress.methods import BlockFormats
from compress.models.open import open_model
from compress.models.swap import swapped_copy

TIMES, ROOM = 15, 32e6
MOST = 3.0  # times the dense layer's


def main() -> None:
    from benchmarks.language import FOLDER

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="tables of the model, compressed")
    parser.add_argument("--memory", type=Path, help="of the layer of this file: prints it")
    asked = parser.parse_args()
    if asked.memory:
        print(json.dumps(memory(asked.memory)))
    elif asked.files:
        show(open_model(FOLDER).network, asked.files)


def show(network: Any, files: Sequence[Path]) -> None:
    """A row for each file of the network's table."""
    heading("A token of generation, medians")
    rows, state, ids = [], torch.randn(1, 1, network.config.hidden_size), torch.tensor([[504]])
    for file in files:
        swapped, _ = swapped_copy(network, load(file))
        heads = side_by_side(state, network.get_output_embeddings(), swapped.get_output_embeddings())
        steps = side_by_side(ids, network, swapped)
        command = [sys.executable, "-m", "benchmarks.head", "--memory", str(file)]
        taken = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        size = file.stat().st_size
        cells = [f"{dense * 1e3:.1f} / {own * 1e3:.1f}" for dense, own in (heads, steps)]
        beyond = against((taken - size) / 1e6, ROOM / 1e6, ".1f")
        rows.append((file.stem, cells[0], against(heads[1] / heads[0], MOST, ".2f"), cells[1], f"{size / 1e6:.1f}", beyond))
    table(("file", "head, dense / own, ms", "times", "step, dense / own, ms", "MB", "memory beyond, MB"), rows)


@torch.inference_mode()
def side_by_side(given: torch.Tensor, *modules: torch.nn.Module) -> list[float]:
    """Seconds of each, taken in turn."""
    taken: list[list[float]] = [[] for _ in modules]
    for _ in range(TIMES + 1):
        for module, own in zip(modules, taken, strict=True):
            began = time.perf_counter()
            module(given)
            own.append(time.perf_counter() - began)
    return [median(own[1:]) for own in taken]


@torch.inference_mode()
def memory(file: Path) -> int:
    """Bytes that a token's way through the layer of a file leaves taken."""
    readers = compiled(MANY), compiled(MANY, "as_quantized_reader")
    assert all(readers), "the layer is measured with its compiled reader"
    small = EmbeddingMatrix(np.random.default_rng(0).standard_normal((400, 64)).astype(np.float32))
    quantized = EmbeddingMatrix(BlockFormats("Q8_0").fit(small).reconstruct())
    for form in (Trellis(rate=4.0, states=256).fit(small), Trellis(rate=9.0).fit(quantized)):
        CompressedOutput(form.to_layer())(torch.randn(1, 64))
    before = told("VmRSS")
    layer = load(file).to_layer()
    CompressedOutput(layer)(torch.randn(1, layer.embedding_dim))
    return told("VmRSS") - before


if __name__ == "__main__":
    main()
