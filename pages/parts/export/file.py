"""The file of a fitted setting, and whether what lies in it is what was shown."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation, InputError
from compress.files import Temporary
from compress.form.metrics import error_text
from pages.parts.cached import cached
from pages.parts.pins import describe
from pages.parts.quick_fits import Fitted
from pages.parts.say import literal

HEADER = 4096  # bytes that a file's header may take


@dataclass(frozen=True)
class Check:
    """One thing that must be the same before and after: what, how it reads in memory and from the file, whether it holds."""

    what: str
    memory: str
    file: str
    holds: bool


@dataclass(frozen=True, eq=False)
class Saved:
    """A file in a folder that goes when this does, its bytes, and its checks."""

    folder: Temporary
    path: Path
    n_bytes: int
    checks: list[Check]


@cached(3, "Writing the file and reading it back …")
def saved(matrix: EmbeddingMatrix, fit: Fitted, name: str) -> Saved:
    """Writes the file, reads it back and checks it; made once for a matrix and a setting."""
    folder = Temporary()
    path = Path(folder.name) / name
    try:
        n_bytes = fit.result.save(path)
    except OSError as error:
        raise InputError(f"{name} cannot be written ({error.strerror}); the temporary folder needs room.") from error
    return Saved(folder, path, n_bytes, checks(matrix, fit.result, fit.evaluation, path))


def checks(matrix: EmbeddingMatrix, result: Compressed, shown: Evaluation, path: Path) -> list[Check]:
    """What was shown from memory beside the same from the file."""
    loaded = compress.load(path)
    found = compress.evaluate(matrix, loaded)
    header = path.stat().st_size - loaded.n_bytes
    apart = rows_apart(loaded)
    figures = {"Relative error": "relative_error", "Weighted error": "weighted_error", "ℓ1 error": "l1_error"}
    errors = {label: (getattr(shown, figure), getattr(found, figure)) for label, figure in figures.items()}
    if not matrix.weighted:
        del errors["Weighted error"]
    return [
        *(Check(label, f"{one:.8f}", f"{other:.8f}", abs(one - other) <= 1e-6) for label, (one, other) in errors.items()),
        Check(
            "Worst row's relative error",
            error_text(shown.worst_row_error),
            error_text(found.worst_row_error),
            bool(np.isclose(found.worst_row_error, shown.worst_row_error, rtol=1e-4)),
        ),
        Check("Bytes to store", f"{shown.n_bytes:,}", f"{loaded.n_bytes:,}", shown.n_bytes == loaded.n_bytes),
        Check("Bytes of the header", f"at most {HEADER:,}", f"{header:,}", 0 < header <= HEADER),
        Check("Setting", describe(result.method), describe(loaded.method), result.method == loaded.method),
        Check("Digest of the matrix", f"{matrix.digest[:12]}…", f"{loaded.digest[:12]}…", matrix.digest == loaded.digest),
        Check("A row decoded alone", "as in the whole", f"{apart:.1g} apart at most", apart <= 1e-5),
    ]


def rows_apart(loaded: Compressed, count: int = 32) -> float:
    """How far rows decoded one by one lie from the same rows decoded among others, at most, in units of the largest entry."""
    rows = np.unique(np.linspace(0, loaded.shape[0] - 1, count).round().astype(int))
    together = loaded.rows(rows)
    alone = np.concatenate([loaded.rows([row]) for row in rows])
    return float(np.abs(together - alone).max() / max(np.abs(together).max(), 1e-30))


def file_name(matrix: EmbeddingMatrix, result: Compressed, spared: bool = False) -> str:
    """A name that tells the matrix and the setting: "demo-projective-k5-j60-float16.safetensors"; and whether an importance was
    spared."""
    words = describe(result.method).removeprefix(result.method.label).replace(" = ", "").replace(", ", "-")
    words = words.replace("λ", "scale").replace(" ×", "x").lower()
    name = re.sub(r"[^\w-]+", "-", Path(matrix.name).stem, flags=re.ASCII).strip("-")[:60] or "matrix"
    return f"{name}-{result.method.name}{re.sub(r'[^a-z0-9.-]+', '-', words)}{'-importance' if spared else ''}.safetensors"


def check_table(found: list[Check]) -> None:
    rows = [["✓" if check.holds else "✗", check.what, literal(check.memory), literal(check.file)] for check in found]
    lines = [["", "", "in memory", "from the file"], ["---"] * 4, *rows]
    st.markdown("\n".join("| " + " | ".join(line) + " |" for line in lines))
    if all(check.holds for check in found):
        st.caption("The file was written, read back and decoded here: it gives the figures that are shown.")
    else:
        st.error("The file does not give what is shown (✗ above). Do not use it; fit the setting again.", icon=":material/error:")
