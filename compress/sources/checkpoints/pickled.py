"""Arrays in pickles, those of gensim with what it keeps beside them: told by their instructions, of which none is run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.sources.checkpoints import arrays
from compress.sources.checkpoints.graph import pick_table, tables_first
from compress.sources.checkpoints.pickle_walk import Made, array_of, walk
from compress.sources.choice.info import Read, TensorInfo

DEEPEST = 6
MOST = 10_000  # objects looked at
FEW = 100  # parts that a list may have to be looked into
LONGEST = 1000  # letters of a name
KEYS = ("index_to_key", "index2word", "index2entity")  # the names of rows, as gensim's versions call them
ADVICE = {
    "gensim": "in gensim, save it by save_word2vec_format(FILE, binary=True)",
    "pandas": "in pandas, save it by to_parquet(FILE)",
    "torch": "in PyTorch, save its state_dict() by torch.save",
}


@dataclass(frozen=True, eq=False)
class Array:
    """An array of two dimensions. beside: the file that has its numbers, None where the pickle has them. keys: the names of its
    rows, where there are any."""

    info: TensorInfo
    values: np.ndarray | None
    beside: Path | None
    keys: list[str] | None


def infos(path: Path) -> list[TensorInfo]:
    """The arrays, those whose rows have names first."""
    return tables_first(*told(arrays_in(path)))


def read(path: Path, tensor: str | None) -> Read:
    """One of the arrays, mapped where it lies beside the pickle, and the names of its rows."""
    found = arrays_in(path)
    info, notes = pick_table(*told(found), tensor, path.name)
    chosen = next(each for each in found if each.info == info)
    if chosen.beside:
        return arrays.read_npy(chosen.beside, None)._replace(tokens=chosen.keys, row_word="word", notes=notes)
    assert chosen.values is not None
    return Read(chosen.values, chosen.keys, "word", notes)


def told(found: list[Array]) -> tuple[list[TensorInfo], set[str]]:
    """What the arrays are, and the names of those whose rows have names."""
    return [each.info for each in found], {each.info.name for each in found if each.keys}


def arrays_in(path: Path) -> list[Array]:
    """The arrays of two dimensions in a pickle and beside it; InputError that says what it is where there are none."""
    root = walk(path)
    try:
        found = [each for name, parts in objects(root) for each in arrays_of(name, parts, path)]
    except InputError:
        raise
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"{path.name} is a damaged pickle; save the table again with numpy.save.") from error
    if found:
        return found
    of = ".".join(root.of.split())[:LONGEST] if isinstance(root, Made) else f"a {type(root).__name__}"
    advice = ADVICE.get(of.partition(".")[0], "save its table by numpy.save")
    raise InputError(f"{path.name} is a pickle of {of} without an array that can be told without running it; {advice}.")


def objects(root: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts by name of everything that has some, and its own name from the root on."""
    waiting: list[tuple[str, Any]] = [("", root)]
    seen: set[int] = set()
    while waiting and len(seen) < MOST:
        name, held = waiting.pop(0)
        if id(held) in seen:
            continue
        seen.add(id(held))
        parts = {"embedding": held} if name == "" and array_of(held) is not None else parts_of(held)
        if parts:
            yield name, parts
        if name.count(".") < DEEPEST and len(parts) <= FEW:
            waiting += [(joined(name, key), part) for key, part in parts.items()]


def parts_of(held: Any) -> dict[str, Any]:
    """The parts by name of an object, a dict or a short list."""
    if isinstance(held, Made):
        held = held.state if isinstance(held.state, dict) else held.items or {}
    if isinstance(held, list | tuple):
        held = dict(enumerate(held)) if len(held) <= FEW else {}
    named = held.items() if isinstance(held, dict) else ()
    return {str(key): part for key, part in named if isinstance(key, str | int) and len(str(key)) <= LONGEST}


def joined(name: str, part: str) -> str:
    """The name of a part from the root on."""
    return f"{name}.{part}" if name else part


def arrays_of(name: str, parts: dict[str, Any], path: Path) -> Iterator[Array]:
    """The arrays among the parts, in the pickle or in the files beside it that gensim keeps large ones in; a dict that gives each
    word its vector is one too."""
    apart = parts.get("__numpys") or []
    for part in apart:
        if not isinstance(part, str) or Path(part).name != part:
            raise ValueError("a name that is none of a file")
        beside = path.with_name(f"{path.name}.{joined(name, part)}.npy")
        if beside.is_file():
            for each in arrays.infos_npy(beside):
                yield Array(TensorInfo(joined(name, part), each.shape, each.dtype), None, beside, keys_of(parts, each.shape[0]))
        elif part == "vectors":
            raise InputError(f"{path.name} keeps its vectors in {beside.name}, which is not beside it; put both into one folder.")
    kinds: list[tuple[tuple[int, ...], np.dtype]] = []
    for part, held in parts.items():
        if (values := array_of(held)) is None:
            continue
        if values.ndim == 2:
            yield Array(TensorInfo(joined(name, part), values.shape, values.dtype.name), values, None, keys_of(parts, len(values)))
        kind = (values.shape, values.dtype)
        kinds.append(kinds[-1] if kinds and kinds[-1] == kind else kind)
    if len(kinds) == len(parts) > 1 and {len(shape) for shape, _ in kinds} == {1}:
        table = stacked(list(parts.values()), kinds)
        yield Array(TensorInfo(name or "embedding", table.shape, table.dtype.name), table, None, list(parts))


def stacked(rows: list[Made], kinds: list[tuple[tuple[int, ...], np.dtype]]) -> np.ndarray:
    """(n, d) the rows that a pickle makes one by one, which lie there from then on. kinds: the shape and the dtype of each."""
    if len({shape for shape, _ in kinds}) > 1:
        raise ValueError("rows of several lengths")
    table = np.empty((len(rows), *kinds[0][0]), np.result_type(*{dtype for _, dtype in kinds}))
    for at, row in enumerate(rows):
        table[at] = array_of(row)
    return table


def keys_of(parts: dict[str, Any], n_rows: int) -> list[str] | None:
    """The names of so many rows: gensim's, or else the one list of as many texts beside them."""
    lists = [parts[key] for key in KEYS if key in parts] or [each for each in parts.values() if isinstance(each, list)]
    fitting = [each for each in lists if isinstance(each, list) and len(each) == n_rows]
    named = [each for each in fitting if all(isinstance(key, str | int) for key in each)]
    return [str(key) for key in named[0]] if len(named) == 1 else None
