"""What the commands share: options and how they are read, a source opened, results told."""

import argparse
import json
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np

import compress
from compress.analysis.outliers import plant
from compress.errors import Progress, Step
from compress.files import bytes_of, replacing
from compress.form.metrics import error_text
from compress.sources.tables.columns import named as column_names
from compress.sources.weights import KINDS, MOST_A

T = TypeVar("T")
OUTSIDE = re.compile(r",(?![^(]*\))")  # commas that are not within brackets, as those of svd(j=30, factor_bits=4) are
FAREWELL = 3.0  # seconds that work has for saving what is finished when who started it has ended
LOOK = 1.0  # seconds between two looks at whether a wait is over


def add_source(one: argparse.ArgumentParser) -> None:
    """The options that say what of a source is opened, see `opened`."""
    one.add_argument("--tensor", help="which tensor to take where the source has several")
    about = "columns of numbers of a table that are not in the matrix: names with commas, '' for none; those that look like it"
    one.add_argument("--left-out", type=column_names, metavar="NAMES", help=about)
    one.add_argument("--names", metavar="COLUMN", help="which column of a table names its rows")
    one.add_argument("--columns", metavar="FILE", help="a second file of columns of the matrix: a row for each of its rows")
    one.add_argument("--weights", default="uniform", help=f"of the rows: {KINDS}; A between 0 and {MOST_A}")


def opened(args: argparse.Namespace) -> compress.EmbeddingMatrix:
    """The matrix that a command is about, with the row weights that were asked for."""
    asked = {"left_out": args.left_out, "names": args.names, "columns": args.columns}
    matrix = compress.load_matrix(args.source, tensor=args.tensor, weights=args.weights, **asked)
    return plant(matrix, *args.planted)[0] if getattr(args, "planted", None) else matrix


def planting(text: str) -> tuple[int, float]:
    """How many rows to plant and how many median rows long each is, with a colon between."""
    try:
        count, length = text.split(":")
        return int(count), float(length)
    except ValueError:
        raise argparse.ArgumentTypeError(f"planted rows are COUNT:LENGTH, say 20:10, got {text!r}") from None


def add_settings(one: argparse.ArgumentParser, several: bool = False, besides: Sequence[str] = ()) -> None:
    """An option for every setting that any method has, besides some; for a sweep each may be several values with commas."""
    owners: dict[str, list[str]] = {}
    kinds = {}
    for name, method in compress.METHODS.items():
        for field in fields(method):
            owners.setdefault(field.name, []).append(name)
            kinds[field.name] = field.type
    for setting, methods in owners.items():
        if setting in besides:
            continue
        if kinds[setting] is bool:
            kind: dict[str, Any] = {"action": "store_true", "default": None}
        else:
            read: Any = next(each for each in (int, float, str) if each in (kinds[setting], *get_args(kinds[setting])))
            kind = {"type": listed(read) if several else read}
        one.add_argument(f"--{setting.replace('_', '-')}", help=f"setting of {', '.join(methods)}", **kind)


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """The settings of methods that a command was given, by name."""
    every = {field.name for method in compress.METHODS.values() for field in fields(method)}
    return {name: getattr(args, name) for name in sorted(every) if getattr(args, name, None) is not None}


def check_settings(method: str, settings: dict) -> None:
    """Raises ValueError for a setting that the method does not have."""
    known = [field.name for field in fields(compress.METHODS[method])]
    for name in settings:
        if name not in known:
            raise ValueError(f"{method} has no setting {name}; it has {', '.join(known) or 'none'}")


def check_out(path: Path | None, ending: str) -> None:
    """Raises ValueError where the file to write has not the ending of what is written."""
    if path is not None and path.suffix != ending:
        kind = "written as safetensors" if ending == ".safetensors" else "an array of NumPy"
        raise ValueError(f"--out must end in {ending}, got {path}: it is {kind}, and programs tell what a file holds by its ending")


def write_array(path: Path, values: np.ndarray) -> None:
    """Writes a .npy whole or not at all."""
    with replacing(path) as file:
        np.save(file, values)


def write_blocks(path: Path, shape: tuple[int, int], blocks: Iterable[np.ndarray]) -> None:
    """The same of a float32 array (n, d) that comes some rows at a time."""
    with replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for block in blocks:
            file.write(np.ascontiguousarray(block, "<f4").data)


def tell(step: Step) -> None:
    """Prints a step as a JSON line on standard error."""
    print(json.dumps(step.row()), file=sys.stderr, flush=True)


def tenths() -> Progress:
    """Prints on standard error, ten times or so, how far it is."""
    said = [-1.0]

    def told(step: Step) -> None:
        if step.share >= said[-1] + 0.1:
            said.append(step.share)
            print(f"{step.share:4.0%}  {step.words}", file=sys.stderr, flush=True)

    return told


def time_left() -> Progress:
    """Prints what is finished, and about how long it takes yet, in words on standard error."""
    began = time.monotonic()

    def told(step: Step) -> None:
        if step.share and "judged" not in step.figures:
            return
        left = (time.monotonic() - began) * (1 - step.share) / step.share if step.share else None
        print(step.words + ("" if left is None else f", about {max(1, round(left / 60))} min left"), file=sys.stderr, flush=True)

    return told


class Parts:
    """Progress of work in parts, each of a share of the whole, which carries along what is kept. tell: None to tell nobody."""

    def __init__(self, tell: Progress | None, shares: Sequence[float]):
        self.tell, self.shares, self.at = tell, shares, 0
        self.kept: dict[str, str] = {}

    def next(self) -> None:
        """The part at hand is done."""
        self.at += 1

    def __call__(self, step: Step) -> None:
        if "kept" in step.figures:
            self.kept = {"kept": step.figures["kept"]}
        if self.tell:
            share = sum(self.shares[: self.at]) + self.shares[self.at] * step.share
            self.tell(Step(share, step.words, self.kept | dict(step.figures)))


def report(args: argparse.Namespace, row: dict, brief: str = "") -> None:
    """Prints a result: as a JSON object with --json, else in one line after which stands `brief`, else a line a figure."""
    if args.json:
        print(json.dumps(row))
    elif brief:
        weighted = "" if args.weights == "uniform" else f"  {error_text(row['weighted_error']):>8} weighted"
        print(f"{row['ratio']:8.2f}  {error_text(row['relative_error']):>8}{weighted}  {row['n_bytes']:>12,}  {brief}")
    else:
        for name, value in row.items():
            for line in value if isinstance(value, list) else [value]:
                print(f"{name:20} {format(line, '.6g') if isinstance(line, float) else line}")


def stoppable(run: Callable[[Progress], T], progress: Progress) -> T:
    """What a run gives, told its progress, which SIGTERM ends after the step in hand: with what is finished by then where it keeps
    that."""
    asked: list[bool] = []

    def stepped(step: Step) -> None:
        progress(step)
        if asked:
            raise compress.Stop

    before = signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
    try:
        return run(stepped)
    except compress.Stop:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        raise
    finally:
        if not asked:
            signal.signal(signal.SIGTERM, before)


def end_with_parent() -> None:
    """Ends this process when its standard input is closed, as when the program that started it has ended: as SIGTERM does, and by
    force if that takes too long."""

    def follow() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(FAREWELL)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def ending_with_parent() -> Iterator[None]:
    """Ends this process at once when its standard input is closed meanwhile, of which nothing is read."""
    over = threading.Event()

    def follow() -> None:
        closed = select.poll()
        closed.register(0, 0)  # hears of its end, and of nothing else
        while not over.is_set():
            if closed.poll(1000 * LOOK) and not over.is_set():
                os._exit(0)

    if hasattr(select, "poll"):
        threading.Thread(target=follow, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def names(text: str) -> list[str]:
    """Names of methods with commas between them."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in found if name not in compress.METHODS]
    if unknown or not found:
        raise argparse.ArgumentTypeError(f"methods are {', '.join(compress.METHODS)}, got {text!r}")
    return found


def size(text: str) -> float:
    """Bytes, as a number or with KB, MB or GB after it."""
    try:
        return bytes_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def listed(read: type) -> Callable[[str], list]:
    """Reads values with commas between them."""

    def values(text: str) -> list:
        return [read(part.strip()) for part in OUTSIDE.split(text)]

    values.__name__ = f"list of {read.__name__}"  # as argparse calls it where a value is wrong
    return values


def numbers(text: str) -> list[float]:
    """Numbers above 0 with commas between them."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) <= 0:
        raise argparse.ArgumentTypeError(f"ratios are numbers above 0 with commas, got {text!r}")
    return found


def json_object(text: str) -> dict[str, Any]:
    """Reads settings by name as JSON."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"settings are a JSON object, such as '{{\"j\": 60}}', got {text!r}")
    return found
