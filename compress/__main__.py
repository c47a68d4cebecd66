"""The command line: thin over the library's calls."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import compress
from compress import cache
from compress.analysis.code_preview import PATIENT, code_preview
from compress.answers import tables
from compress.cli.clean import add_clean_command
from compress.cli.model import add_model_commands, add_until, asked_importance, asked_model
from compress.cli.options import (
    Parts,
    add_settings,
    add_source,
    check_out,
    check_settings,
    end_with_parent,
    ending_with_parent,
    given_settings,
    json_object,
    names,
    numbers,
    opened,
    planting,
    report,
    size,
    stoppable,
    tell,
    time_left,
    write_array,
    write_blocks,
)
from compress.errors import InputError, Progress, Step
from compress.files import bytes_text, replacing
from compress.form.metrics import FAR, error_text
from compress.guard.budget import VARIABLE
from compress.methods import ALONE
from compress.sources import MADE
from compress.sources.order import use_words
from compress.tuning import counting, survey, sweep
from compress.tuning.opponents import best_svd
from compress.tuning.recalls import RECALL

if TYPE_CHECKING:
    from compress.tasks.quick import QuickJudge

NAMED = 5  # rows that lose most
LISTED = 5  # tensors of a source, the likeliest first


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and gives its exit status; what went wrong is one line on standard error."""
    args = parser().parse_args(arguments)
    if args.attached:
        end_with_parent()
    if args.memory:
        os.environ[VARIABLE] = args.memory
    try:
        if not args.attached:
            cache.tidy()
        args.run(args)
    except (InputError, ValueError, IndexError) as error:
        print(f"compress: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"compress: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("compress: stopped; no file was left half-written", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(prog="python -m compress", description="Compress an embedding matrix and see what it costs.")
    top.add_argument("--attached", action="store_true", help="end when standard input is closed, as when a parent has ended")
    about = f"that all matrices may take together, as 8GB; {VARIABLE} unless given, else half of what is there"
    top.add_argument("--memory", metavar="SIZE", help=about)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], about: str, source: bool = True) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=about, description=about)
        one.set_defaults(run=run)
        if source:
            one.add_argument("source", help=f"{', '.join(MADE)}, a file, a model's folder, or hub:org/name")
            add_source(one)
        one.add_argument("--json", action="store_true", help="print one JSON object a result")
        return one

    one = command("info", info, "Shape, spectrum and tensors of a source.")
    one.add_argument("--all", action="store_true", help=f"list every tensor, not only the {LISTED} likeliest to be the table")

    one = command("fit", fit, "Fit a method and save the compressed form.")
    one.add_argument("--method", required=True, choices=compress.METHODS)
    one.add_argument("--ratio", type=float, help="find the best setting at least this many times smaller")
    one.add_argument(
        "--importance",
        default="none",
        help="what errors are to spare: none, or model[:TEXTFILE], what the model's outputs depend on, by a text or built-in ones",
    )
    one.add_argument("--importance-kept", type=Path, help="the .npz file that keeps what was measured, read where it is there")
    one.add_argument("--planted", type=planting, help="COUNT:LENGTH, rows planted before, each as long as LENGTH median rows")
    one.add_argument("--out", type=Path, help="the .safetensors file to write")
    one.add_argument("--progress", action="store_true", help="print every step as a JSON line on standard error")
    one.add_argument("--history", type=Path, help="the .json file to write the steps of the search to")
    one.add_argument("--preview", type=Path, help="the .safetensors file to write the codes of some rows to, before those of all")
    add_settings(one)

    one = command("decode", decode, "Decode a compressed file to a .npy of float32.", source=False)
    one.add_argument("file", type=Path)
    one.add_argument("--out", type=Path, required=True, help="the .npy file to write")

    one = command("evaluate", evaluate, "Every error figure of a compressed file against its source.", source=False)
    one.add_argument("file", type=Path)
    one.add_argument("--source", required=True)
    add_source(one)

    one = command("sweep", sweep_settings, "Fit every method at every ratio; a stopped sweep goes on where it was.")
    one.add_argument("--methods", type=names, default=ALONE, help="names with commas; all but trimmed unless given")
    one.add_argument("--ratios", type=numbers, default=list(sweep.RATIOS), help="numbers with commas")
    one.add_argument("--out", type=Path, required=True, help="the folder that keeps the trials")
    one.add_argument("--progress", action="store_true", help="print every trial as a JSON line on standard error")
    add_settings(one, several=True)

    one = command("survey", survey_sizes, "The best setting of every method at every ratio; what was stopped goes on where it was.")
    one.add_argument(
        "--methods", type=names, default=survey.SURVEYED, help="names with commas; all with several sizes unless given"
    )
    one.add_argument("--ratios", type=numbers, help="numbers with commas; of every method its own unless given")
    one.add_argument("--out", type=Path, required=True, help="the folder that keeps the trials")
    one.add_argument("--progress", action="store_true", help="print every search as a JSON line on standard error")

    about = "Recall@10 of every trial kept, of SVD and of vector databases' codes; what was stopped goes on where it was."
    one = command("recall", count_recall, about)
    one.add_argument("--out", type=Path, required=True, help="the folder that keeps the trials")
    one.add_argument("--progress", action="store_true", help="print every count as a JSON line on standard error")

    about = "The setting to take for a size, an error or what the model may lose, and the runner-up of every other method."
    one = command("advise", advise, about)
    one.add_argument("--ratio", type=float, help="at least this many times smaller")
    one.add_argument("--max-bytes", type=size, help="at most this size, such as 2MB")
    one.add_argument("--max-error", type=float, help="at most this relative error, weighted where the rows are")
    one.add_argument("--min-cosine", type=float, help="at least this mean cosine of a row with what it decodes to")
    add_until(one)
    one.add_argument(
        "--methods", type=names, help="names with commas; all but trimmed unless given, for --until those that lower this error"
    )
    one.add_argument("--seeds", type=int, help="over how many seeds the spread is taken; 3, with --until 1")
    one.add_argument("--judge", action="store_true", help="ask the model, where there is one, what it loses with that setting")
    one.add_argument("--text", type=Path, help="texts to ask it about: a line each, or a .json; built-in sentences unless given")
    one.add_argument("--out", type=Path, help="the folder that keeps the trials; what was stopped goes on there")
    one.add_argument("--progress", action="store_true", help="print every fit as a JSON line on standard error")

    add_model_commands(command)
    add_clean_command(command)

    one = command("answers", answers, "What a page shows for every value of a setting, as a table of arrays.")
    one.add_argument("--table", required=True, choices=tables.TABLES)
    one.add_argument("--settings", type=json_object, default={}, help="of the table, as a JSON object")
    one.add_argument("--out", type=Path, required=True, help="the .safetensors file to write; what was stopped goes on there")
    one.add_argument("--progress", action="store_true", help="print how far it is as JSON lines on standard error")

    about = "What the cache holds, by kind, and how much it may hold; --clear removes all of it."
    one = command("cache", show_cache, about, source=False)
    one.add_argument("--clear", action="store_true", help="remove all that nothing is being written to")

    command("wait", wait, "Load what a map needs, then run the command that comes on standard input, a list in JSON.", source=False)

    one = command("map", draw_map, "UMAP coordinates of every row, as a .npy of shape (n, 2).")
    one.add_argument("--out", type=Path, required=True, help="the .npy file to write")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--rows", type=int, help="how many rows are laid out, the others being placed beside their nearest; all")
    one.add_argument("--small", action="store_true", help="write two bytes a coordinate: uint16, 65535 the longer side of the map")
    one.add_argument("--progress", action="store_true", help="print how far it is as JSON lines on standard error")
    return top


def info(args: argparse.Namespace) -> None:
    """Prints what a source holds."""
    matrix = opened(args)
    spectrum = compress.spectrum(matrix)
    tensors = [f"{each.name} {' × '.join(map(str, each.shape))} {each.dtype}" for each in compress.tensors(args.source)]
    more = 0 if args.all or args.json else max(len(tensors) - LISTED, 0)
    row = {
        "name": matrix.name,
        "rows": matrix.shape[0],
        "columns": matrix.shape[1],
        "bytes": matrix.n_bytes,
        **({"stored_as": matrix.stored.scheme, "stored_bytes": matrix.stored.n_bytes} if matrix.stored else {}),
        "tokens": matrix.has_tokens,
        "row_word": matrix.row_word,
        "effective_rank": spectrum.effective_rank,
        "energy_rank": spectrum.energy_rank,
        "rank_for_90_percent": spectrum.rank_for(0.9),
        "weights": args.weights,
        "digest": matrix.digest,
        "notes": list(matrix.notes),
        "tensors": [*tensors[:LISTED], f"… and {more:,} more; --all lists them"] if more else tensors,
    }
    report(args, row)


def fit(args: argparse.Namespace) -> None:
    """Fits a setting or a size, writes the form and prints its figures."""
    settings = given_settings(args)
    check_settings(args.method, settings)
    check_out(args.out, ".safetensors")
    history: list[dict] = []

    def stepped(step: Step) -> None:
        history.append(step.row())
        if args.progress:
            tell(step)

    matrix = opened(args)
    importance = asked_importance(args, matrix)
    if args.ratio is not None:
        result = compress.fit_to(matrix, args.method, args.ratio, importance, **settings)
    else:
        kind = compress.METHODS[args.method]
        method = kind(**kind.told_by(matrix) | settings)
        if args.preview:
            preview(matrix, method, args.preview)
        run = partial(method.fit_for, matrix, importance) if importance else partial(method.fit, matrix)
        result = stoppable(run, stepped)
    if args.history:
        with replacing(args.history) as file:
            file.write(json.dumps(history).encode())
    row = {"method": result.method.name, **result.method.settings, **figures_of(matrix, result)}
    if args.out:
        row["file_bytes"] = result.save(args.out)
    if importance:
        row["importance_error"] = importance.error(matrix, result)
    report(args, row | beside(matrix, result) | ({"notes": list(matrix.notes)} if matrix.notes else {}))


def preview(matrix: compress.EmbeddingMatrix, method: compress.Method, path: Path) -> None:
    """Writes what Hash codes shows of codes until all rows have theirs."""
    if not isinstance(method, compress.LightToken):
        raise ValueError(f"--preview goes with the method light_token, got {method.name}")
    check_out(path, ".safetensors")
    code_preview(matrix, method, patience=PATIENT).result.save(path)


def decode(args: argparse.Namespace) -> None:
    """Writes the values that a compressed file decodes to."""
    check_out(args.out, ".npy")
    result = compress.load(args.file)
    write_blocks(args.out, result.shape, (block for _, block in result.blocks()))
    report(args, {"rows": result.shape[0], "columns": result.shape[1], "out": str(args.out)})


def evaluate(args: argparse.Namespace) -> None:
    """Prints every error figure of a compressed file."""
    matrix = opened(args)
    result = compress.load(args.file)
    row = {"method": result.method.name, **result.method.settings, **figures_of(matrix, result)}
    row |= {"file_bytes": args.file.stat().st_size, "same_matrix": result.digest == matrix.digest}
    report(args, row | beside(matrix, result))


def figures_of(matrix: compress.EmbeddingMatrix, result: compress.Compressed) -> dict:
    """Every figure of a form, and where rows lose far more than others how many these are, and the worst: name, error, use."""
    found = compress.evaluate(matrix, result)
    worse = found.worse
    if not len(worse):
        return found.figures()
    uses = use_words(matrix, worse[:NAMED])
    named = [
        ", ".join(filter(None, [f"{matrix.tokens[row]!r} {error_text(found.row_errors[row])}", use]))
        for row, use in zip(worse[:NAMED], uses, strict=True)
    ]
    words = f"{len(worse):,} of {matrix.shape[0]:,} rows lose more than {FAR} times what rows lose in the mean; the worst:"
    return found.figures() | {"worse_rows": [words, *named]}


def beside(matrix: compress.EmbeddingMatrix, result: compress.Compressed) -> dict:
    """How many times smaller than in its file, where the matrix is not in float32 there; and SVD at its best in as many bytes: its
    error, weighted where rows are, and its setting."""
    against, svd = matrix.file_ratio(result.n_bytes), best_svd(matrix, result.n_bytes)
    found = {} if against is None else {"file_ratio": against}
    return found | ({"svd_at_same_bytes": svd.error, "svd_setting": str(svd.method)} if svd else {})


def sweep_settings(args: argparse.Namespace) -> None:
    """Fits what is not fitted yet and prints every trial."""
    from tqdm import tqdm

    matrix = opened(args)
    told = {name: value for method in args.methods for name, value in compress.METHODS[method].told_by(matrix).items()}
    methods = sweep.plan(matrix.shape, args.methods, args.ratios, **told | given_settings(args))
    store = sweep.Trials(args.out / "trials.sqlite")
    with tqdm(total=len(methods), disable=args.json or args.progress, unit="trial") as bar:

        def finished(step: Step) -> None:
            bar.update()
            if args.progress:
                tell(step)

        trials = sweep.run(matrix, methods, store, finished)
    for trial in trials:
        report(args, {"method": trial.method.name, **trial.method.settings, **trial.figures}, brief=str(trial.method))


def survey_sizes(args: argparse.Namespace) -> None:
    """Prints the best trial of every method and ratio, as they come."""
    store = sweep.Trials(args.out / "trials.sqlite")
    for trial in survey.survey(opened(args), args.methods, args.ratios, store, tell if args.progress else None):
        report(args, {"method": trial.method.name, **trial.method.settings, **trial.figures}, brief=str(trial.method))


def count_recall(args: argparse.Namespace) -> None:
    """Prints the recall of every setting that was not counted yet, as they come."""
    matrix, store = opened(args), sweep.Trials(args.out / "trials.sqlite")
    for name, n_bytes, recall in counting.count(matrix, store, progress=tell if args.progress else None):
        ratio = matrix.n_bytes / n_bytes
        row = {"setting": name, "n_bytes": n_bytes, "ratio": ratio, RECALL: recall}
        print(json.dumps(row) if args.json else f"{ratio:8.2f}  {recall:8.4f}  {n_bytes:>12,}  {name}", flush=True)


def advise(args: argparse.Namespace) -> None:
    """Prints the setting to take, why, what the model loses with it, or that it was not asked, and the runners-up."""
    from compress.tasks import Scores
    from compress.tasks.quick import QuickJudge

    until = asked_model(args)
    matrix = opened(args)
    kept = args.out and args.out / "trials.sqlite"
    asking = QuickJudge(args.source, matrix, args.text, Scores(kept) if kept else None)
    told = tell if args.progress else time_left() if until and not args.json else None
    tell_part = Parts(told, [0.8, 0.2] if args.judge else [1.0])
    found = compress.advise(
        matrix,
        ratio=args.ratio,
        max_bytes=args.max_bytes,
        max_error=args.max_error,
        min_cosine=args.min_cosine,
        until=until,
        methods=args.methods,
        seeds=args.seeds,
        store=sweep.Trials(kept) if kept else None,
        progress=tell_part,
    )
    tell_part.next()
    own = {"judgement": None, "not_asked": None} if until else asked_of(asking, found.best.method, args.judge, tell_part)
    row = {**found.row(), **own, **({"figure": until.figure, "importance": until.made_for} if until else {})}
    if args.progress:
        tell(Step(1.0, "done", {"advice": row}))
    if args.json:
        print(json.dumps(row))
        return
    print(found.why)
    if row["judgement"]:
        print(f"{row['judgement']['words']}.")
    elif row["not_asked"]:
        print(row["not_asked"] + ("" if args.judge else "; --judge asks it, --until takes what it may lose."))
    if found.cost:
        fits, known, seconds = (found.cost[name] for name in ("fits", "known", "seconds"))
        print(f"The model was asked about {fits} fits, and about {known} before; all of them took {seconds:.0f} s.")
    if row.get("importance"):
        print(f"Fits are made with --importance {row['importance']}.")
    if found.spread:
        print(f"Over {found.seeds} seeds its error is from {' to '.join(error_text(error) for error in found.spread)}.")
    for trial in (found.best, *found.runners_up):
        report(args, trial.figures, brief=str(trial.method))
    for name, why in found.out_of_reach.items():
        print(f"{compress.METHODS[name].label} is out of reach: {why}")


def asked_of(asking: "QuickJudge", method: compress.Method, judge: bool, progress: Progress) -> dict:
    """The judgement of a setting, where it is known or to be asked for, and why there is none where there could be."""
    from compress.tasks.quick import NOT_ASKED

    if not asking.has_model:
        return {"judgement": None, "not_asked": None}
    try:
        score = asking.judged(method, progress) if judge else asking.known(method)
    except InputError as error:
        return {"judgement": None, "not_asked": f"{NOT_ASKED}: {error}"}
    return {"judgement": score and asking.row(score), "not_asked": None if score else NOT_ASKED}


def answers(args: argparse.Namespace) -> None:
    """Writes a table of answers, at times also what there is of it so far."""
    check_out(args.out, ".safetensors")
    matrix = opened(args)

    def run(progress: Progress) -> tables.Arrays:
        return tables.make(matrix, args.table, args.out, progress, args.settings)

    arrays = stoppable(run, tell if args.progress else lambda step: None)
    row = {name: f"{' × '.join(map(str, array.shape))} {array.dtype}" for name, array in arrays.items()}
    report(args, {"table": args.table, **row, "out": str(args.out)})


def draw_map(args: argparse.Namespace) -> None:
    """Writes a map of the rows."""
    from compress.analysis.scatter import in_two_bytes, umap_map

    check_out(args.out, ".npy")
    positions = umap_map(opened(args), args.seed, tell if args.progress else None, args.rows)
    write_array(args.out, in_two_bytes(positions) if args.small else positions)
    report(args, {"rows": len(positions), "out": str(args.out)})


def show_cache(args: argparse.Namespace) -> None:
    """Prints what lies in the cache, by kind, or removes it."""
    if args.clear:
        cache.clear()
    kinds: dict[str, list[int]] = {}
    for unit in cache.units():
        kinds.setdefault(unit.path.relative_to(cache.root()).parts[0], []).append(unit.n_bytes)
    total, most = sum(map(sum, kinds.values())), cache.most()
    if args.json:
        told = {kind: {"count": len(sizes), "bytes": sum(sizes)} for kind, sizes in sorted(kinds.items())}
        print(json.dumps({"folder": str(cache.root()), "bytes": total, "most": most, "kinds": told}))
        return
    for kind, sizes in sorted(kinds.items()):
        print(f"{kind:12} {len(sizes):8,}  {bytes_text(sum(sizes)):>10}")
    print(f"{cache.root()} holds {bytes_text(total)} of at most {bytes_text(most)}")


def wait(args: argparse.Namespace) -> None:
    """Runs the command that comes, when what takes long to load is there; none where the input is closed first."""
    with ending_with_parent():
        from compress.analysis.layout import umap_learn

        umap_learn()
    if line := sys.stdin.readline():
        sys.exit(main(json.loads(line)))


if __name__ == "__main__":
    sys.exit(main())
