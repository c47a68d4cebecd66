"""Sentences of the documentation of installed packages as vectors of the demo's model, with their package and module: a table that
is made once, and kept in the cache."""

import hashlib
import importlib.metadata
import platform
from functools import cache as once
from pathlib import Path

from compress import cache
from compress.errors import InputError
from compress.sources import demo
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.tables import parquet
from compress.sources.tables.columns import JUDGED, Asked, Column

SOURCE = "demo:docs"
COMMAND = f"python -m compress make {SOURCE}"
COUNT = 20_000  # sentences at most
PYTHON = "python"  # whose standard library comes last
PACKAGES = {  # as they are imported, and as pip calls them, those that have few sentences first
    "huggingface_hub": "huggingface_hub",
    "numpy": "numpy",
    "numba": "numba",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "streamlit": "streamlit",
    "networkx": "networkx",
    "scipy": "scipy",
    "sympy": "sympy",
    "torch": "torch",
}
NOTE = f"Sentences of docstrings of Python and {len(PACKAGES)} installed packages, embedded by all-MiniLM-L6-v2."


def installed() -> bool:
    """Whether it is made, of the packages as they are installed now."""
    return place().is_file()


def infos(_: str) -> list[TensorInfo]:
    """The one matrix of the table."""
    return parquet.infos(made())


def read(_: str, tensor: str | None, asked: Asked = JUDGED) -> Read:
    """The vectors, of length 1, and the sentences as names of their rows."""
    found = parquet.read(made(), tensor, asked)
    return found._replace(notes=(NOTE, *found.notes))


def column(_: str, name: str) -> Column:
    """A column of the table."""
    return parquet.column(made(), name)


def made() -> Path:
    """The table; InputError that says how it is made, where it is not."""
    if not installed():
        raise InputError(f"The demo of documentation is still to be made: {COMMAND} does, in some minutes.")
    return place()


def place() -> Path:
    """Where the table lies, once it is made."""
    return cache.root() / "demos" / f"docs-{versions()}" / "docs.parquet"


@once
def versions() -> str:
    """A hash of what the table hangs on: the packages' versions, Python's, the model, and how many sentences are taken."""
    told = [platform.python_version(), demo.SHA256, f"{COUNT}"]
    for name in PACKAGES.values():
        try:
            told.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            told.append(f"no {name}")
    return hashlib.blake2b("\n".join(told).encode(), digest_size=6).hexdigest()
