"""What a training has come to, on disk, so that it goes on from there after it was stopped or killed."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from compress.files import replacing
from compress.form.compressed import Compressed


class Kept:
    """Parts of one training, each a file that is written beside and renamed. folder: None to keep nothing. key: what tells this
    training from any other; parts of another one are not taken up."""

    def __init__(self, folder: Path | None, key: str):
        self.folder, self.key = folder, key

    def put(self, part: str, arrays: Mapping[str, np.ndarray], about: Any = None) -> None:
        """Keeps arrays under a part's name, and what JSON takes."""
        if self.folder:
            held: dict[str, Any] = {f"array.{name}": array for name, array in arrays.items()}
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(self.folder / f"{part}.npz") as file:
                np.savez(file, about=json.dumps([self.key, about]), **held)

    def of(self, part: str) -> tuple[dict[str, np.ndarray], Any] | None:
        """What was put; None where nothing was, or it cannot be read."""
        with suppress(OSError, ValueError, KeyError, EOFError, BadZipFile):
            if self.folder:
                with np.load(self.folder / f"{part}.npz", allow_pickle=False) as held:
                    key, about = json.loads(str(held["about"]))
                    if key == self.key:
                        return {name.removeprefix("array."): held[name] for name in held.files if name != "about"}, about
        return None


def clear(folder: Path) -> None:
    """Removes what was kept, since what came of it is written."""
    shutil.rmtree(folder, ignore_errors=True)


def named(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays by longer names."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those that `named` gave longer names, by their own."""
    return {name.removeprefix(f"{prefix}."): array for name, array in arrays.items() if name.startswith(f"{prefix}.")}


def form_of(like: Compressed, prefix: str, arrays: Mapping[str, np.ndarray]) -> Compressed:
    """The form of the arrays that `named` gave longer names."""
    return replace(like, arrays=under(prefix, arrays))
