"""What others search by: a folder with faiss's index of the codes, or the file and a search.py; or the decoded rows as parquet."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.export import decoders
from compress.export.search_index import INDEXED, METRICS, search_index
from compress.files import replacing, whole_folder, whole_letters
from compress.form.compressed import Compressed
from compress.matrix import EmbeddingMatrix

INDEX, TABLE, CODE, ROWS, CARD = NAMES = ("index.faiss", "embedding.safetensors", "search.py", "rows.parquet", "README.md")
AT_ONCE = 1 << 22  # numbers that are decoded and written at a time
CARD_TEXT = """# {title}

{n:,} rows by {d:,} columns, compressed by {label} to {n_bytes:,} bytes, {ratio:.4g} times smaller than in float32. Search is exact
among what the codes decode to.

{how}
"""
BY_INDEX = """```python
import faiss

index = faiss.read_index("index.faiss")  # by {metric}
scores, rows = index.search(queries, 10)  # queries: (q, {d}) float32
```
"""
BY_CODE = """```python
import search

table = search.open_table("embedding.safetensors")  # needs NumPy only
rows, scores = table.search(queries, 10, "cosine")  # or "ip", "l2"; queries: (q, {d})
```
"""
WITH_ROWS = "\n`rows.parquet` has the name and the other columns of each row, in their order.\n"
SAID = {"l2": "ℓ2 distance", "ip": "inner product"}


def export_search(
    result: Compressed, folder: str | os.PathLike, matrix: EmbeddingMatrix | None = None, metric: str = "l2"
) -> dict[str, int]:
    """Writes a folder for search, whole or not at all, and gives its files' bytes: index.faiss where faiss has the code (PQ,
    OPQ, RQ), else embedding.safetensors and a search.py that needs NumPy only; and rows.parquet with the names and columns of a
    matrix that has any. metric: "l2" or "ip", of the index. Raises InputError for a folder that holds anything else."""
    if matrix is not None:
        check_shape(result, matrix)
    folder, named = Path(folder), matrix is not None and (matrix.has_tokens or bool(matrix.columns))
    with whole_folder(folder, check_free) as part:
        if result.method.name in INDEXED:
            import faiss

            faiss.write_index(search_index(result, metric), str(part / INDEX))
            how = BY_INDEX.format(metric=SAID[metric], d=result.shape[1])
        else:
            if metric not in METRICS:
                raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}")
            result.save(part / TABLE)
            (part / CODE).write_text(decoders.search_source_of(result.method.name), encoding="utf-8")
            how = BY_CODE.format(d=result.shape[1])
        if named:
            write_rows(part / ROWS, result, matrix, vectors=False)
        n, d = result.shape
        title = "Vectors for search" if matrix is None else f"{' '.join(matrix.name.split())}, for search"
        about = {"n": n, "d": d, "label": result.method.label, "n_bytes": result.n_bytes, "ratio": result.ratio}
        text = CARD_TEXT.format(title=title, how=how + (WITH_ROWS if named else ""), **about)
        (part / CARD).write_text(text, encoding="utf-8")
        return {each.name: each.stat().st_size for each in sorted(part.iterdir())}


def write_parquet(result: Compressed, path: str | os.PathLike, matrix: EmbeddingMatrix | None = None) -> int:
    """Writes the decoded vectors as a column of lists of so many float32, with the names and the columns of a matrix that has any,
    some rows at a time; returns the file's bytes. Raises ValueError where the name does not end in .parquet."""
    path = Path(path)
    if path.suffix != ".parquet":
        raise ValueError(f"the file's name must end in .parquet, got {path.name!r}")
    if matrix is not None:
        check_shape(result, matrix)
    write_rows(path, result, matrix, vectors=True)
    return path.stat().st_size


def write_rows(path: Path, result: Compressed, matrix: EmbeddingMatrix | None, vectors: bool) -> None:
    """A parquet of names, columns and, if so asked, decoded vectors."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n, d = result.shape
    held = {} if matrix is None else dict(told(matrix))
    with replacing(path) as file:
        writer, step = None, max(1, AT_ONCE // d)
        for first in range(0, n, step):
            rows = np.arange(first, min(first + step, n))
            part = {name: column.slice(first, len(rows)) for name, column in held.items()}
            if vectors:
                flat = pa.array(result.rows(rows).ravel())
                part[free("vector", held)] = pa.FixedSizeListArray.from_arrays(flat, d)
            block = pa.table(part)
            writer = writer or pq.ParquetWriter(file, block.schema)
            writer.write_table(block)
        assert writer is not None
        writer.close()


def told(matrix: EmbeddingMatrix) -> Iterator[tuple[str, Any]]:
    """The columns of a matrix, and the names of its rows, as Arrow arrays by name."""
    columns = matrix.columns or {}
    if matrix.has_tokens:
        yield free("name", columns), array_of(matrix.tokens)
    for name in columns:
        yield name, array_of(columns[name])


def array_of(values: Sequence | np.ndarray) -> Any:
    """Values as Arrow has them; as text where they are of several kinds."""
    import pyarrow as pa

    held = values if isinstance(values, np.ndarray) else list(values)
    try:
        return pa.array(held)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeEncodeError):
        return pa.array([None if each is None else whole_letters(str(each)) for each in held], pa.string())


def free(name: str, taken: Any) -> str:
    """A name that no column has."""
    while name in taken:
        name += "_"
    return name


def check_shape(result: Compressed, matrix: EmbeddingMatrix) -> None:
    """Raises ValueError where names and columns are of another matrix."""
    if matrix.digest != result.digest:
        raise ValueError(f"the compressed form was made from another matrix than {matrix.name}; its digest is {result.digest}")


def check_free(folder: Path) -> None:
    """Raises InputError unless there is no such folder, an empty one, or an export for search."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder to export to.")
    other = sorted({each.name for each in folder.iterdir()} - {*NAMES, "__pycache__"})
    if other:
        raise InputError(f"{folder} holds other files, such as {other[0]}; name a new folder or an empty one.")
