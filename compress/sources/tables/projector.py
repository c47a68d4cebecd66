"""The names beside a matrix for the embedding projector: `vectors.tsv` and `metadata.tsv`."""

from pathlib import Path

from compress.sources.tables.columns import naming, row_word

METADATA = "metadata"


def is_metadata(path: Path) -> bool:
    """Whether a file holds the names of a matrix beside it."""
    return path.suffix.lower() == ".tsv" and METADATA in path.stem.lower()


def names_beside(path: Path, n_rows: int) -> tuple[list[str], str] | None:
    """The names of n_rows rows and what they are, from the one list of them in the file's folder; None where there is none of that
    length. One column has no header, more have one."""
    found = [each for each in path.parent.iterdir() if is_metadata(each) and each.is_file()]
    if is_metadata(path) or len(found) != 1:
        return None
    lines = found[0].read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) not in (n_rows, n_rows + 1):
        return None
    head = lines[0].split("\t") if len(lines) > n_rows else ["word"]
    rows = [line.split("\t") for line in lines[len(lines) - n_rows :]]
    at = naming(head, range(len(head))) or 0
    return [row[at] if at < len(row) else "" for row in rows], row_word(head[at])
