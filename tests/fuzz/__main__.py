"""Feeds every reader with files that were changed at random, and says what did not end in one sentence.

    python -m tests.fuzz [READER …] [--count 20000] [--seed 0] [--first 0] [--out FOLDER] [--atheris]

Files that failed are kept in FOLDER, one for each way of failing, by reader and number: the same number, seed and reader give the
same file again.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from compress import InputError
from tests.fuzz.child import changed
from tests.fuzz.targets import TARGETS

KEPT = Path(__file__).with_name("kept.json")  # by reader and name, compressed by zlib, in base64
ROOT = Path(__file__).parents[2]
MOST_DEATHS = 200  # of children, for one reader
MEMORY = Path("/dev/shm")  # where it is there: making and removing files on a disk takes longer than reading them


@dataclass
class Report:
    """What came of a reader. files: the good ones. ways: how often each way of failing was met. firsts: the first file of each.
    ended: the ways that the guard ends in a sentence."""

    reader: str
    read: int = 0
    seconds: float = 0.0
    files: dict[str, bytes] = field(default_factory=dict)
    ways: Counter = field(default_factory=Counter)
    firsts: dict[str, dict] = field(default_factory=dict)
    ended: Counter = field(default_factory=Counter)

    def note(self, found: dict) -> None:
        way = f"{found['kind']} {found['what'] if found['kind'] in ('error', 'died') else ''}".strip()
        self.ways[way] += 1
        self.firsts.setdefault(way, found)

    def by_guard(self, seed: int, folder: Path) -> None:
        """Takes out what is no failure where files are read apart, as the app reads them: what was too slow, took too much memory
        or ended its process there is one sentence."""
        target = TARGETS[self.reader]
        for way in [way for way, found in self.firsts.items() if target.guarded and found["kind"] in ("died", "slow", "memory")]:
            name, content = self.content(self.firsts[way], seed)
            (folder / name).write_bytes(content)
            began = time.time()
            try:
                target.guarded(folder / name)
            except InputError as error:
                self.ended[f"{way} ({time.time() - began:.1f} s: {error})"] = self.ways.pop(way)

    def content(self, found: dict, seed: int) -> tuple[str, bytes]:
        """The name and the bytes of a file that was read."""
        if found["number"] < 0:
            return found["name"], self.files[found["name"]]
        return changed(self.files, self.reader, seed, found["number"])

    @property
    def line(self) -> str:
        counts = f"{sum(self.ways.values()):>5,} failed in {len(self.ways)} ways, {sum(self.ended.values()):,} ended by the guard"
        return f"{self.reader:<20} {self.read:>7,} files {self.seconds:>6,.0f} s {counts}"


def fuzzed(reader: str, count: int, seed: int = 0, first: int = 0) -> Report:
    """A reader fed with so many changed files, in children that are started again when one dies."""
    report, number, stop = Report(reader), first, first + count
    with tempfile.TemporaryDirectory(prefix="flatland-fuzz-", dir=place_for_files()) as held:
        report.files = good_files(reader, Path(held))
        for _ in range(MOST_DEATHS):
            began = time.time()
            child = run_child(Path(held), [reader], stop - number, seed, number)
            for line in child.stdout.splitlines():
                told = json.loads(line)
                if "read" in told:
                    report.read, report.seconds = report.read + told["read"], report.seconds + told["seconds"]
                else:
                    report.note(told)
            if child.returncode == 0:
                break
            at = int.from_bytes(Path(held, "at").read_bytes(), "little") if Path(held, "at").exists() else first
            hung = child.returncode == -signal.SIGPROF
            what = f"hung {place_of(child.stderr)}" if hung else f"{-child.returncode} {place_of(child.stderr)}"
            report.note({"kind": "died", "what": what, "number": at, "where": child.stderr[-3000:]})
            report.read, report.seconds = report.read + at + 1 - number, report.seconds + time.time() - began
            number = at + 1
            if number >= stop:
                break
        report.by_guard(seed, Path(held))
    return report


def place_for_files() -> Path | None:
    """Where changed files are written; None for where temporary files lie."""
    return MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None


def run_child(folder: Path, readers: list[str], count: int, seed: int = 0, first: int = 0) -> subprocess.CompletedProcess:
    """The child, over so many changed files of each reader, whose good ones are in the folder."""
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.child", *map(str, (seed, first, count)), str(folder), *readers],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=surroundings(folder),
    )


def by_coverage(reader: str, count: int, seed: int, out: Path) -> int:
    """What libFuzzer ends with when it has fed a reader, see covered.py."""
    with tempfile.TemporaryDirectory(prefix="flatland-fuzz-", dir=place_for_files()) as held:
        asked = [reader, str(count), str(seed), str(out), held]
        done = subprocess.run([sys.executable, "-m", "tests.fuzz.covered", *asked], cwd=ROOT, env=surroundings(Path(held)))
    return done.returncode


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a process that reads changed files."""
    return os.environ | {"TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def good_files(reader: str, folder: Path) -> dict[str, bytes]:
    """The files that a reader's changed ones are made of, which FOLDER/READER then holds: good ones, and those that once failed."""
    once_failed = json.loads(KEPT.read_text()).get(reader, {})
    with tempfile.TemporaryDirectory() as made:
        files = TARGETS[reader].files(Path(made))
    files |= {name: zlib.decompress(b64decode(text)) for name, text in once_failed.items()}
    (folder / reader).mkdir()
    for name, content in files.items():
        (folder / reader / name).write_bytes(content)
    return files


def place_of(stderr: str) -> str:
    """The innermost place of our own code in what `faulthandler` wrote."""
    lines = [line for line in stderr.splitlines() if line.lstrip().startswith("File ") and "site-packages" not in line]
    own = [line for line in lines if "/compress/" in line or "/pages/" in line]
    return (own or lines or [stderr.strip()[-200:]])[0].strip().removeprefix("File ")


def kept(report: Report, seed: int, out: Path) -> None:
    """Writes the first file of every way of failing, and how it failed."""
    for way, found in report.firsts.items():
        name, content = report.content(found, seed)
        stem = f"{report.reader.replace(':', '_')}_{found['number']}"
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{stem}_{name}").write_bytes(content)
        told = f"{report.ways[way]} × {way}\n{found.get('words', '')}\n{found.get('where', '')}\n"
        (out / f"{stem}.why").write_text(told)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("readers", nargs="*", help=", ".join(TARGETS))
    parser.add_argument("--count", type=int, default=20_000, help="files a reader, 20,000 unless given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--out", type=Path, default=Path("fuzz"), help="where files that failed are kept")
    parser.add_argument("--atheris", action="store_true", help="by coverage, with libFuzzer; needs pip install atheris")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # of archives that name a member twice
    if asked.atheris:
        if find_spec("atheris") is None:
            parser.error("--atheris needs pip install atheris")
        ended = [by_coverage(reader, asked.count, asked.seed, asked.out.absolute()) for reader in asked.readers or TARGETS]
        sys.exit(any(ended))
    failed = 0
    for reader in asked.readers or TARGETS:
        report = fuzzed(reader, asked.count, asked.seed, asked.first)
        print(report.line, flush=True)
        for way, times in report.ways.most_common():
            found = report.firsts[way]
            print(f"    {times:>5} × {way}: file {found['number']} {found.get('words', found['what'])[:160]!r}", flush=True)
        for way in report.ended:
            print(f"    ended by the guard: {way[:300]}", flush=True)
        kept(report, asked.seed, asked.out)
        failed += len(report.ways)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
