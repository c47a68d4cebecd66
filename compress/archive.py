"""Compressed forms read back from their files. No pickle is ever read or written."""

import json
from pathlib import Path

from compress.errors import InputError
from compress.form.compressed import Compressed
from compress.form.file import ENTRY, VERSION, WITH_EXPONENT
from compress.methods import METHODS, Method

MOST_EXPONENT = 150  # of float32, either way


def load(path: str | Path) -> Compressed:
    """The compressed matrix of a file. Raises InputError where the file is not one that this version can read, or where its
    arrays are not what its method stores with its settings."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            entry = (file.metadata() or {}).get(ENTRY)
            if entry is None:
                raise InputError(f"{path.name} holds no compressed matrix; open it as a matrix instead.")
            method, shape, digest, exponent = read_header(entry, path.name)
            arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
        method.check_stored(arrays, *shape)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or error}); check the file and try again.") from error
    except SafetensorError as error:
        raise InputError(f"{path.name} cannot be read as a compressed matrix; it may be cut short. Write it again.") from error
    except (AttributeError, TypeError, ValueError) as error:  # safetensors meets a dtype that NumPy lacks with the first two
        raise InputError(f"{path.name} does not hold what its header says ({error}); write it again.") from error
    return Compressed(method, arrays, shape, digest, exponent)


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
        n, d = header["shape"]
        if not all(type(side) is int and side > 0 for side in (n, d)):
            raise ValueError(f"the shape is {n} × {d}")
        exponent = header["exponent"] if version == WITH_EXPONENT else 0
        if type(exponent) is not int or abs(exponent) > MOST_EXPONENT:
            raise ValueError(f"the exponent is {exponent}")
        return METHODS[name](**header["settings"]), (n, d), str(header["digest"]), exponent
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"The header of {where} is damaged; write the file again.") from error
