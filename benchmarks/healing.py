"""What healing gives back: six sentence tasks of the demo model with a table as it is fitted, fitted by importance, and healed, by
built-in texts alone; no text of a task is learnt from or chosen by. Fits and scores are kept, so that a stopped run goes on."""

import argparse
import json
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.data import DATA, demo
from benchmarks.peers import error, file_bytes
from benchmarks.sentences import TASKS, mean_change, scores
from benchmarks.table import heading, table
from compress import METHODS, Compressed, Importance, fit_to, load, load_matrix
from compress.files import replacing
from compress.models.open import open_model
from compress.training.healing import STEPS, heal
from compress.training.importance import importance_of
from compress.training.kinds import texts_of_kinds

CELLS = [f"{method}:{ratio}" for ratio in (103, 50, 25) for method in ("trellis", "pq", "svd", "projective")]
SETTINGS: dict[str, dict] = {"trellis": {"states": 256}, "projective": {"k": 5}}
KEPT = Path("~/.cache/flatland/healing").expanduser()
A = 0.7  # of the order weights, which only Trellis is fitted with


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=CELLS, help="methods with a ratio, as trellis:103")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--kept", type=Path, default=KEPT, help="folder of fits and scores")
    args = parser.parse_args(arguments)
    if not (DATA / "glue_stsb").exists():
        return
    args.kept.mkdir(parents=True, exist_ok=True)
    own, _ = judged(args.kept, "own", None)
    rows = [row("the table itself", None, own, own, 0.0)]
    for cell in args.only:
        method, ratio = cell.split(":")
        for name, result, story in forms(args.kept, method, float(ratio), args.steps):
            found, moved = judged(args.kept, f"{cell}-{name}-{args.steps if story else 0}", result)
            rows.append(row(f"{METHODS[method].label}, {name}", result, own, found, moved, story))
    heading(f"Healing, demo model, by built-in texts, at most {args.steps} steps")
    table(["form", "ratio", "error", *TASKS, "mean", "1 - cosine", "held out: fit, refitted, trained", "taken"], rows)


def forms(folder: Path, method: str, ratio: float, steps: int):
    """A method at a ratio: as it is fitted, by order weights, by importance, and healed, each with its name."""
    settings = SETTINGS.get(method, {})

    def fitted(name: str, make) -> Compressed:
        path = folder / f"{method}-{ratio:g}-{name}.safetensors"
        if not path.exists():
            make().save(path)
        return load(path)

    plain = fitted("plain", lambda: fit_to(demo(), method, ratio, **settings))
    yield "as fitted", plain, None
    given = plain
    if method == "trellis":
        given = fitted("order", lambda: plain.method.fit(load_matrix("demo", weights=f"order:{A}")))
        yield "by order", given, None
    yield "by importance", fitted("importance", lambda: given.method.fit_for(demo(), importance(folder))), None
    story = folder / f"{method}-{ratio:g}-healed-{steps}.json"

    def healed() -> Compressed:
        state = folder / f"{method}-{ratio:g}-healed-{steps}.state"
        model = open_model("demo")
        found = heal(model, demo(), given, texts_of_kinds(model, None), steps, importance(folder), state=state)
        with replacing(story) as file:
            file.write(json.dumps(found.row()).encode())
        return found.result

    yield "healed", fitted(f"healed-{steps}", healed), json.loads(story.read_bytes()) if story.exists() else None


@cache
def importance(folder: Path) -> Importance:
    """What the demo model's outputs depend on, by the built-in texts."""
    path = folder / "importance.npz"
    if not path.exists():
        model = open_model("demo")
        found = importance_of(model, demo(), texts_of_kinds(model, None))
        with replacing(path) as file:
            np.savez(file, weights=found.weights, metric=found.metric, floor=found.floor)
    with np.load(path) as held:
        return Importance(held["weights"], held["metric"], float(held["floor"]))


def judged(folder: Path, name: str, result: Compressed | None) -> tuple[dict[str, float], float]:
    """The scores of a form, of the table itself for None."""
    path = folder / f"{name}.scores.json"
    if not path.exists():
        found = scores(demo().values if result is None else result.reconstruct())
        with replacing(path) as file:
            file.write(json.dumps(found).encode())
    found, moved = json.loads(path.read_bytes())
    return found, moved


def row(name: str, result: Compressed | None, own: dict, found: dict, moved: float, story: dict | None = None) -> tuple:
    ratio = f"{demo().n_bytes / file_bytes(result):.2f}" if result else "1"
    lost = f"{error(demo(), result):.4f}" if result else "0"
    cells = [f"{found[task]:.2f}" for task in TASKS]
    distances = " → ".join(f"{value:.4f}" for value in story["distance"].values()) if story else ""
    taken = story["chosen"] if story else ""
    return (name, ratio, lost, *cells, f"{mean_change(own, found):+.2f}", f"{moved:.4f}", distances, taken)


if __name__ == "__main__":
    main()
