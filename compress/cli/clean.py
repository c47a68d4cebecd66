"""The command that lists the rows which a matrix could do without: clean."""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

import compress
from compress.analysis import cleaning
from compress.analysis.duplicates import Groups, Near, equal_rows
from compress.analysis.near_rows import LOWEST, near_rows
from compress.cli.options import check_out, opened, report, tell
from compress.errors import Step
from compress.files import replacing
from compress.form.file import write


def add_clean_command(command: Callable) -> None:
    """Adds the parser; `command` makes one of a name, what it runs and what it is about."""
    one = command("clean", clean, "Rows that a matrix could do without: duplicates, near duplicates, far and empty rows.")
    one.add_argument("--cosine", type=float, default=0.95, help="from which on rows are near duplicates; 0.95 unless given")
    one.add_argument("--file", type=Path, help="the compressed file whose worst rows are listed as far")
    one.add_argument("--far", type=int, default=20, help="how many of them; 20 unless given")
    one.add_argument("--out", type=Path, help="the .csv or .parquet file to write the list to")
    one.add_argument("--without", type=Path, help="the .safetensors file to write the matrix without these rows to")
    one.add_argument("--pairs", type=Path, help=f"the .safetensors file to write the near pairs to, from cosine {LOWEST} on")
    one.add_argument("--progress", action="store_true", help="print how far it is as JSON lines on standard error")


def clean(args: argparse.Namespace) -> None:
    """Writes the list and the matrix without it, and prints how much was found."""
    if args.out and args.out.suffix not in (".csv", ".parquet"):
        raise ValueError(f"--out must end in .csv or .parquet, got {args.out}")
    check_out(args.without, ".safetensors")
    check_out(args.pairs, ".safetensors")
    matrix = opened(args)
    lowest = min(args.cosine, LOWEST) if args.pairs else args.cosine
    near = near_rows(matrix, lowest, tell if args.progress else None)
    found: dict[str, Groups | np.ndarray] = {cleaning.EQUAL: equal_rows(matrix), cleaning.NEAR: near.groups(args.cosine)}
    found[cleaning.EMPTY] = cleaning.empty_rows(matrix)
    if args.file:
        errors = compress.evaluate(matrix, compress.load(args.file)).row_errors
        found[cleaning.FAR] = cleaning.far_rows(matrix, errors, args.far)
    table = cleaning.listed(matrix, found)
    spare = cleaning.spare(table)
    written = {
        args.pairs: lambda path: write(path, near.arrays, {}),
        args.out: lambda path: put(path, cleaning.as_file(named(matrix, table), path.suffix)),
        args.without: lambda path: put(path, cleaning.without(matrix, spare)),
    }
    for path, write_to in written.items():
        if path:
            write_to(path)
    if args.progress:
        tell(Step(1.0, "done"))
    report(args, figures(near, found, args.cosine) | {"rows": matrix.shape[0], "rows_without": matrix.shape[0] - len(spare)})


def put(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    with replacing(path) as file:
        file.write(content)


def named(matrix: compress.EmbeddingMatrix, table: cleaning.Table) -> dict:
    """The list with the rows' names."""
    names = {"name": [matrix.tokens[row] for row in table["row"]]} if matrix.has_tokens else {}
    return {"why": table["why"].tolist(), "group": table["group"], "row": table["row"], **names} | {
        "kept": table["kept"],
        "cosine": table["cosine"],
    }


def figures(near: Near, found: dict[str, Groups | np.ndarray], cosine: float) -> dict:
    """How many groups and rows of each kind, and what the search for near ones found of those of some rows."""
    row: dict[str, object] = {"cosine": cosine}
    for why, each in found.items():
        name = why.replace(" ", "_")
        row |= (
            {f"{name}_rows": len(each)}
            if isinstance(each, np.ndarray)
            else {f"{name}_groups": len(each), f"{name}_rows": len(each.rows)}
        )
    return row | {"pairs_of_some_rows": near.compared, "found_of_them": near.found}
