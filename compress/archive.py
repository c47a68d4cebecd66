"""The file: safetensors with one JSON header entry that says how to decode it. No pickle is ever read or written."""

import json
import os
import tempfile
from pathlib import Path

from compress.compressed import Compressed
from compress.errors import MatrixError

VERSION = 1


def save(result: Compressed, path: str | Path) -> int:
    """Writes the file whole or not at all; returns its bytes, at most 4 KiB more than `result.n_bytes`."""
    from safetensors.numpy import save as to_bytes

    header = {
        "version": VERSION,
        "method": result.method.name,
        "settings": result.method.settings,
        "shape": list(result.shape),
        "digest": result.digest,
    }
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"the file's name must end in .safetensors, got {path.name!r}")
    content = to_bytes(result.arrays, metadata={"flatland": json.dumps(header)})
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    return len(content)


def load(path: str | Path) -> Compressed:
    """The compressed matrix of a file. Raises MatrixError where the file is not one that this version can read."""
    from safetensors import SafetensorError, safe_open

    from compress.methods import METHODS

    path = Path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            entry = (file.metadata() or {}).get("flatland")
            if entry is None:
                raise MatrixError(f"{path.name} holds no compressed matrix; open it as a matrix instead.")
            header = json.loads(entry)
            if header["version"] != VERSION:
                raise MatrixError(
                    f"{path.name} has format version {header['version']}, this program reads version {VERSION}; update it."
                )
            if header["method"] not in METHODS:
                raise MatrixError(f"{path.name} was made by the method {header['method']!r}, which this version lacks; update it.")
            arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
        method = METHODS[header["method"]](**header["settings"])
        shape = tuple(int(side) for side in header["shape"])
        result = Compressed(method, arrays, shape, str(header["digest"]))
        if len(shape) != 2 or method.size(*shape) != result.n_bytes:
            raise MatrixError(f"{path.name} does not hold what its header says; write it again.")
    except FileNotFoundError:
        raise MatrixError(f"There is no file {path}.") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, MatrixError):
            raise
        raise MatrixError(f"{path.name} cannot be read as a compressed matrix; it may be cut short. Write it again.") from error
    return result
