"""The survey of the demo, every method fitted anew at every ratio, beside the trials that ship with the program.

Run: python -m benchmarks.survey [--kept FOLDER] [--write]
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.data import demo
from compress.tuning import measured
from compress.tuning.fits import error_of
from compress.tuning.survey import survey
from compress.tuning.sweep import Trials


class Anew(Trials):
    """Trials without those that ship."""

    shipped = staticmethod(lambda key: [])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", type=Path, help="folder in which fits are kept from one run to the next")
    parser.add_argument("--write", action="store_true", help="write the trials that ship with the program")
    given = parser.parse_args(arguments)
    matrix = demo()
    with tempfile.TemporaryDirectory() as folder:
        store, known = Anew((given.kept or Path(folder)) / "survey.sqlite"), shipped(matrix.key)
        print(f"{'setting':72}{'ratio':>8}{'error':>12}{'shipped':>12}")
        for trial in survey(matrix, store=store):
            told = f"{known[trial.method]:.6f}" if trial.method in known else "none"
            print(f"{str(trial.method)[:70]:72}{trial.figures['ratio']:8.2f}{error_of(trial):12.6f}{told:>12}", flush=True)
        if given.write:
            measured.write((key, store.rows(key)) for key in (matrix.key, f"{matrix.key} drafts"))


def shipped(key: str) -> dict:
    """The errors of the trials that ship, by their settings."""
    with tempfile.TemporaryDirectory() as folder:
        return {trial.method: error_of(trial) for trial in Trials(Path(folder) / "none.sqlite").of(key)}


if __name__ == "__main__":
    main()
