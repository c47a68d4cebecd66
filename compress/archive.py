"""Compressed forms read back from their files. No pickle is ever read or written."""

import json
from pathlib import Path

import numpy as np

from compress.errors import InputError, reading
from compress.form.compressed import Compressed
from compress.form.file import CHECKSUM, ENTRY, VERSION, WITH_EXPONENT, checksum
from compress.guard import budget
from compress.guard.apart import apart
from compress.methods import METHODS, Method, ProjectiveClustering

MOST_EXPONENT = 150  # of float32, either way
SMALL, SOME = 1_000_000, 256  # numbers of a matrix that is decoded whole to see that it can be, rows of a larger one


def load(path: str | Path, *, guarded: bool = False) -> Compressed:
    """The compressed matrix of a file. Raises InputError where the file is not one that this version can read, or where its
    arrays are not what its method stores with its settings.

    guarded: whether it is read in a process of its own, which is ended where it takes more time or memory than the size of the file
        allows, see compress.guard; for files that others made.
    """
    path = Path(path)
    if guarded:
        with reading(path), budget.sharing() as share:
            return apart(load, path, name=path.name, size=path.stat().st_size, share=share)
    with reading(path):
        result = read(path)
        rows = told_by(result)
        with np.errstate(over="ignore", invalid="ignore"):
            if not np.isfinite(result.rows(rows)).all():
                raise InputError(f"{path.name} decodes to infinite numbers, so it is damaged; write it again.")
    return result


def read(path: Path) -> Compressed:
    """The same, before anything is decoded."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            entry = (file.metadata() or {}).get(ENTRY)
            if entry is None:
                raise InputError(f"{path.name} holds no compressed matrix; open it as a matrix instead.")
            method, shape, digest, exponent = read_header(entry, path.name)
            arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
        check_size(arrays, shape)
        method.check_stored(arrays, *shape)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except SafetensorError as error:
        raise InputError(f"{path.name} cannot be read as a compressed matrix; it may be cut short. Write it again.") from error
    except (AttributeError, TypeError, ValueError) as error:  # safetensors meets a dtype that NumPy lacks with the first two
        raise InputError(f"{path.name} does not hold what its header says ({error}); write it again.") from error
    return Compressed(method, arrays, shape, digest, exponent)


def check_size(arrays: dict[str, np.ndarray], shape: tuple[int, int]) -> None:
    """Raises ValueError where there is less than a bit for every row or column: nothing of that size is computed then."""
    bits = 8 * sum(array.nbytes for array in arrays.values())
    if arrays and max(shape) > bits:
        raise ValueError(f"{bits:,} bits are too few for {shape[0]:,} rows of {shape[1]:,} columns")


def told_by(result: Compressed) -> np.ndarray:
    """Rows by which the others are judged: all of a small matrix, else some all over it, the first of every subspace, and those
    that have the largest and the least of what is stored a row."""
    n, d = result.shape
    if n * d <= SMALL:
        return np.arange(n)
    own = [array.reshape(n, -1).max(1) for array in result.arrays.values() if array.shape[:1] == (n,) and array.dtype.kind == "f"]
    rows: list[np.ndarray] = [np.linspace(0, n - 1, SOME).astype(int), *(each.argsort()[[0, -1]] for each in own)]
    if isinstance(result.method, ProjectiveClustering):
        rows.append(np.unique(result.method.labels(result.arrays, np.arange(n)), return_index=True)[1])
    return np.unique(np.concatenate(rows))


def read_header(entry: str, where: str) -> tuple[Method, tuple[int, int], str, int]:
    """The method, the shape, the digest and the exponent that a header entry names."""
    try:
        header = json.loads(entry)
        version, name = header["version"], header["method"]
        if version not in (VERSION, WITH_EXPONENT):
            raise InputError(
                f"{where} has format version {version}, this program reads versions {VERSION} and {WITH_EXPONENT}; update it."
            )
        if name not in METHODS:
            raise InputError(f"{where} was made by the method {name!r}, which this version lacks; update it.")
        if CHECKSUM in header and header[CHECKSUM] != checksum(header):
            raise ValueError("it was changed")
        n, d = header["shape"]
        if not all(type(side) is int and side > 0 for side in (n, d)):
            raise ValueError(f"the shape is {n} × {d}")
        exponent = header["exponent"] if version == WITH_EXPONENT else 0
        if type(exponent) is not int or abs(exponent) > MOST_EXPONENT:
            raise ValueError(f"the exponent is {exponent}")
        return METHODS[name](**header["settings"]), (n, d), str(header["digest"]), exponent
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise InputError(f"The header of {where} is damaged; write the file again.") from error
