"""Scores of settings of a matrix, as jobs left them on disk."""

import json
from hashlib import blake2b
from pathlib import Path

import pandas as pd

from compress import METHODS, EmbeddingMatrix, cache
from compress.tasks import UNLABELLED
from pages.parts.cached import cached
from pages.parts.fits import fit_path
from pages.parts.kept import kept_file
from pages.parts.pins import describe
from pages.parts.quick_fits import Fitted

HEALED = ".healed-"
KINDS = ["task", "metric", "text", "limit", "seeds", "n"]  # what two scores must share to be compared


def file_of(matrix: EmbeddingMatrix, fit: Fitted) -> Path:
    """The file of a finished fit, written where there is none yet."""
    return fit.path or kept_file("fits", fit_path(matrix.key, fit.result.method).name, fit.result.save)


def healed_path(file: Path, text: str, steps: int) -> Path:
    """Where the healed form of a fitted file is kept. text: what tells the texts apart that it was healed by."""
    name = blake2b(f"{text} {steps}".encode(), digest_size=8).hexdigest()
    return cache.folder("healed") / f"{file.stem}{HEALED}{name}.safetensors"


def report_path(file: Path, asked: str) -> Path:
    """Where the scores of a file are kept. asked: what tells the tasks apart that were asked for, with all that they depend on."""
    name = blake2b(asked.encode(), digest_size=8).hexdigest()
    return cache.folder("judged") / f"{file.stem}.{name}.json"


def judged(matrix: EmbeddingMatrix) -> pd.DataFrame:
    """A row a score of a setting of this matrix, the newest where one was judged twice, with what it was judged on."""
    found = cache.folder("judged").glob(f"{matrix.key}-{'?' * 16}.*.json")
    return read(tuple(sorted((path.stat().st_mtime_ns, str(path)) for path in found)))


@cached(4)
def read(written: tuple[tuple[int, str], ...]) -> pd.DataFrame:
    rows = []
    for _, path in written:
        try:
            report = json.loads(Path(path).read_text())
            method = METHODS[report["method"]](**report["settings"])
            about = {name: report[name] for name in ("method", "ratio", "saved", "n_bytes", "relative_error", "swap")}
            about |= {"label": method.label, "setting": describe(method)}
            about["healed"] = HEALED in path
            about["file"] = Path(path).name.rpartition(".json")[0].rpartition(".")[0]
            rows += [{**score, **about, **depends(score["task"], report)} for score in report["scores"]]
        except (OSError, ValueError, TypeError, KeyError):
            continue  # of another version, or cut short
    table = pd.DataFrame(rows)
    return table.drop_duplicates(["file", *KINDS], keep="last") if len(table) else table


def depends(task: str, report: dict) -> dict:
    """The text and the limit, where a task's scores depend on them beyond the number of examples."""
    text = task in UNLABELLED and task not in ("neighbours", "search") and report["text"]
    return {"text": text or "built-in", "limit": 0 if task in UNLABELLED else report["limit"]}


def swap_of(table: pd.DataFrame) -> dict | None:
    """What a swap did to the whole model; where the model was opened for one setting, it is known for all."""
    found = [] if table.empty else [swap for swap in table["swap"] if swap]
    return found[-1] if found else None
