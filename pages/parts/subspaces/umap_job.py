"""UMAP coordinates of all rows: from a job, kept on disk for next time."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix
from pages.parts import jobs
from pages.parts.matrix import chosen


def umap_positions(matrix: EmbeddingMatrix) -> np.ndarray | None:
    """The map where it is on disk; else its job is started, unless that was stopped or failed."""
    # by the digest alone: the job opens the matrix with uniform weights, since a map is for the eye
    path = jobs.cache_folder("maps") / f"{matrix.digest}.npy"
    if path.exists():
        positions = read(str(path), path.stat().st_mtime_ns)
        if positions is not None and positions.shape == (matrix.shape[0], 2):
            return positions
        path.unlink()
    if not jobs.stopped("umap", matrix.digest):
        source, tensor = chosen()
        jobs.start("umap", matrix.digest, ["map", source, "--out", str(path), *(["--tensor", tensor] if tensor else [])])
    return None


@st.cache_resource(max_entries=4, show_spinner=False)
def read(path: str, written: int) -> np.ndarray | None:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError):
        return None


def umap_progress(events: list[dict]) -> tuple[float, str]:
    if not events:
        return 0.02, "UMAP: opening the matrix"
    last = events[-1]
    if last["stage"] == "neighbours":
        return 0.1, "UMAP: finding neighbours; the first map takes longest"
    return 0.4 + 0.6 * last["done"], f"UMAP: laying out, {last['done']:.0%}"
