"""Networks and pictures that a person brings: files in, tensors out."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import torch
from torch import Tensor, nn

from compress import InputError, pruning
from compress.guard import budget
from compress.guard.apart import apart
from compress.sources.checkpoints import arrays, torch_file
from pages.parts.cached import cached
from pages.parts.controls import STAYING
from pages.parts.filters.settings import FILTERS
from pages.parts.matrix import named_path, stamp
from pages.parts.paths import may_name
from pages.parts.say import refused
from pages.parts.uploads import kept_upload

SIDE = 32  # pixels
MEAN, STD = "0.485, 0.456, 0.406", "0.229, 0.224, 0.225"


def given(subject_of: Callable):
    """What the person gave as a subject, or None with a word on what is missing or wrong."""
    left, right = st.columns(2)
    with left:
        name = FILTERS.architecture.select("Architecture", list(pruning.NETWORKS))
        weights = file("Weights, a state_dict", ["pt", "pth", "th"], "weights", "Only weights are read, no code runs.")
    with right:
        pictures = file(
            "Pictures, .npz",
            ["npz"],
            "pictures",
            "x: uint8 (n, 32, 32, 3), or float (n, 3, 32, 32) as the network takes them. "
            "y, if you have it: the class of each, (n,)",
        )
        mean, std = scaling()
    if not weights or not pictures:
        missing = " and ".join(word for word, path in (("weights", weights), ("pictures", pictures)) if not path)
        st.info(
            f"Give the {missing} to begin. Weights: a state_dict of a {name} for pictures of 32 × 32, as torch.save writes it. "
            "Pictures: an .npz with x, uint8 (n, 32, 32, 3) or float (n, 3, 32, 32), and y (n,) with their classes if accuracy is "
            "to be shown. Some 150 pictures are for measuring sensitivities, the others are judged on.",
            icon=":material/upload_file:",
        )
        return None
    try:
        return opened(subject_of, name, weights, stamp(weights), pictures, stamp(pictures), mean, std)
    except (ValueError, InputError, OSError) as error:
        refused(error)
        return None


def file(label: str, endings: list[str], key: str, help: str) -> str | None:
    """The path of an uploaded file, or of one on this machine where only this machine can reach the app."""
    held = st.file_uploader(label, type=endings, key=f"filters_{key}", help=help)
    path = ""
    if may_name():
        path = st.text_input(
            "or its path here", key=f"filters_{key}_path", placeholder=f"/data/{key}.{endings[0]}", **STAYING
        ).strip()
    if held:
        return kept_upload(held, f"filters_{key}")
    return named_path(path)


def scaling() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of red, green and blue that uint8 pictures, from 0 to 1, are normalised with."""
    with st.expander("How uint8 pictures are scaled"):
        st.caption(
            "Divided by 255, then less the mean and divided by the deviation, by colour. Float pictures are taken as they are."
        )
        mean = st.text_input("Mean of red, green, blue", MEAN, key="filters_mean", **STAYING)
        std = st.text_input("Deviation of red, green, blue", STD, key="filters_std", **STAYING)
    found = three(mean), three(std)
    if found[0] is None or found[1] is None or min(found[1]) <= 0:
        refused(
            "The mean and the deviation must be three numbers with commas between them, the deviation above 0; the "
            "usual ones are used."
        )
        return three(MEAN), three(STD)
    return found


def three(text: str) -> tuple[float, ...] | None:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    return found if len(found) == 3 and np.isfinite(found).all() else None


@cached(3, "Opening the network …")
def opened(
    _subject_of: Callable,
    name: str,
    weights: str,
    weights_at: tuple | None,
    pictures: str,
    pictures_at: tuple | None,
    mean: tuple,
    std: tuple,
):
    """Raises ValueError, InputError or OSError in a sentence."""
    if not Path(weights).is_file() or not Path(pictures).is_file():
        raise ValueError(f"there is no file {weights if not Path(weights).is_file() else pictures}")
    network = pruning.from_state(name, state_of(Path(weights)))
    images, labels, shown = read_pictures(pictures, mean, std)
    return _subject_of(name, digest(network, images, labels), network, images, labels, shown)


def state_of(path: Path) -> dict[str, Tensor]:
    """The weights of a file by their names, which are read in a process of its own. Raises InputError where it cannot be read."""
    return {name: torch.from_numpy(np.array(array)) for name, array in read_apart(torch_file.state_in, path).items()}


def digest(network: nn.Module, images: Tensor, labels: Tensor | None) -> str:
    found = blake2b(digest_size=16)
    for tensor in [*network.state_dict().values(), images, *([] if labels is None else [labels])]:
        found.update(tensor.contiguous().numpy())
    return found.hexdigest()


def read_pictures(path: str, mean: tuple, std: tuple) -> tuple[Tensor, Tensor | None, np.ndarray]:
    """Pictures (n, 3, 32, 32) as a network takes them, their labels (n,) if the file holds them, and the pictures
    (n, 32, 32, 3) from 0 to 1 to be drawn. Raises InputError naming what is wrong."""
    held, names = read_apart(arrays.named_in, Path(path), ("x", "y"))
    if "x" not in held:
        raise InputError(f"the pictures must be an array named x, this file holds {', '.join(names[:5]) or 'nothing'}")
    x, y = held["x"], held.get("y")
    check_pictures(x.shape, x.dtype)
    if y is not None:
        check_labels(y.shape, y.dtype, len(x))
    if x.dtype == np.uint8:
        shown = x.astype(np.float32) / 255
        images = ((shown - np.float32(mean)) / np.float32(std)).transpose(0, 3, 1, 2)
    else:
        images = x.astype(np.float32)
        if not np.isfinite(images).all():
            raise InputError("the pictures hold NaN or infinity; save them again without")
        low, high = images.min((1, 2, 3), keepdims=True), images.max((1, 2, 3), keepdims=True)
        shown = ((images - low) / np.maximum(high - low, 1e-12)).transpose(0, 2, 3, 1)
    labels = None if y is None else torch.from_numpy(y.astype(np.int64))
    return torch.from_numpy(np.ascontiguousarray(images)), labels, shown


def read_apart(function: Callable, path: Path, *args: Any) -> Any:
    """What a function reads of a file, in a process of its own."""
    with budget.sharing() as share:
        return apart(function, path, *args, name=path.name, size=path.stat().st_size, share=share)


def check_pictures(shape: tuple, dtype: np.dtype) -> None:
    wanted = (SIDE, SIDE, 3) if dtype == np.uint8 else (3, SIDE, SIDE)
    if (dtype != np.uint8 and dtype.kind != "f") or len(shape) != 4 or shape[1:] != wanted or not shape[0]:
        raise InputError(f"x must be uint8 (n, 32, 32, 3) or float (n, 3, 32, 32), got {dtype.name} {shape}")


def check_labels(shape: tuple, dtype: np.dtype, n: int) -> None:
    if dtype.kind not in "iu" or shape != (n,):
        raise InputError(f"y must be the classes of the {n} pictures, whole numbers ({n},), got {dtype.name} {shape}")
