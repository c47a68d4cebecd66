"""Makes the demo of documentation: sentences of docstrings, their package and module, and the model's vectors of them."""

import importlib.util
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from compress.errors import InputError, Progress, Step
from compress.files import whole_folder
from compress.models.open import OpenModel, open_model
from compress.sources import documentation
from compress.sources.documentation import COUNT, PACKAGES, PYTHON
from compress.tasks.bench import Bench
from compress.tasks.score import BEFORE
from compress.tasks.texts import MOST_OF_A_FILE, sentences, sources

GATHERED = 0.1  # share of the time that the sentences take
Told = tuple[str, str, str]  # a sentence, its package and its module


def make(tell: Progress | None = None, count: int = COUNT, model: OpenModel | None = None) -> Path:
    """Writes the table of at most so many sentences, the same every time, and gives its path. model: the demo's unless given.

    tell: told how far it is. What is stopped leaves nothing. Raises InputError where no package has a docstring.
    """
    tell = tell or (lambda step: None)
    rows = gathered(count, tell)
    if not rows:
        raise InputError("The installed packages have no docstrings to take sentences from, so there is no demo of them.")
    vectors = embedded([text for text, _, _ in rows], tell, model)
    path = documentation.place()
    with whole_folder(path.parent, lambda _: None) as folder:
        write(folder / path.name, vectors, rows)
    return path


def gathered(count: int, tell: Progress) -> list[Told]:
    """Plain sentences, each once: as many of each package, where it has them, and of a file some."""
    names = [*PACKAGES, PYTHON]
    found: dict[str, Told] = {}
    for at, name in enumerate(names):
        tell(Step(GATHERED * at / len(names), f"reading the docstrings of {name}"))
        most = len(found) + -(-(count - len(found)) // (len(names) - at))
        for told in of_package(name):
            found.setdefault(told[0], told)
            if len(found) >= most:
                break
    return [*found.values()]


def of_package(name: str) -> Iterator[Told]:
    """The sentences of a package that is installed, or of Python's own modules, with those; its files mixed, never run."""
    spec = None if name == PYTHON else importlib.util.find_spec(name)
    places = [sysconfig.get_paths()["stdlib"]] if name == PYTHON else [*((spec and spec.submodule_search_locations) or [])]
    for root in map(Path, places[:1]):
        for path in sources((), root):
            parts = path.relative_to(root).with_suffix("").parts
            module = ".".join([*([] if name == PYTHON else [name]), *parts]).removesuffix(".__init__")
            yield from ((text, name, module) for text in sentences(path)[:MOST_OF_A_FILE])


def embedded(texts: list[str], tell: Progress, model: OpenModel | None) -> np.ndarray:
    """(texts, d) float32, the model's sentence vectors at length 1."""
    tell(Step(GATHERED, "opening the model"))
    model = model or open_model("demo")
    words = f"embedding {len(texts):,} sentences"
    table = model.table.detach().cpu().numpy()
    bench = Bench(model, {BEFORE: table}, lambda _, share: tell(Step(GATHERED + (1 - GATHERED) * share, words)))
    vectors = bench.vectors(BEFORE, texts)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write(path: Path, vectors: np.ndarray, rows: list[Told]) -> None:
    """Writes the table as parquet, its vectors as they are."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    words = dict(zip(("text", "package", "module"), map(list, zip(*rows, strict=True)), strict=True))
    write_table(pa.table({"vector": lists, **words}), path, use_dictionary=["package", "module"], compression="none")
