"""Feeds a reader by coverage: libFuzzer keeps changed files that reach new code of this program, and changes those on.

    python -m tests.fuzz --atheris READER [--count 20000] [--seed 0] [--out FOLDER]

Needs `pip install atheris`, which nothing else here does. The first file that does not end in one sentence is kept in FOLDER.
"""

import sys
import warnings
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["compress", "pages"]):
    from tests.fuzz.__main__ import good_files
    from tests.fuzz.child import BUDGET, HUNG, judged_twice, limits
    from tests.fuzz.mutate import LARGEST, mutated
    from tests.fuzz.targets import TARGETS


def main(reader: str, count: int, seed: int, out: Path, folder: Path) -> None:
    """Does not return: libFuzzer ends the process, with 0 where all files that it made ended in one sentence. folder: for those."""
    files = good_files(reader, folder)
    names = sorted(files)
    out.mkdir(parents=True, exist_ok=True)
    limits.MEMORY_LIMIT = BUDGET

    def read(data: bytes) -> None:
        if found := judged_twice(TARGETS[reader], folder, names[len(data) % len(names)], data):
            raise AssertionError(found)

    def change(data: bytes, most: int, seed: int) -> bytes:
        rng = Random(seed)
        return mutated(data, [*files.values()], rng)[:most] if rng.random() < 0.5 else atheris.Mutate(data, most)

    options = {"runs": count, "seed": seed + 1, "max_len": LARGEST, "timeout": int(HUNG), "artifact_prefix": f"{out}/{reader}_"}
    told = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *told, str(folder / reader)], read, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
