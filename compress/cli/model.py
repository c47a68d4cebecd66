"""The commands that need the model, or write what goes to it: export, judge, trim, heal, compare, finetune."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import compress
from compress.analysis.search import SIMILARITIES
from compress.cli.options import (
    add_settings,
    add_source,
    check_out,
    check_settings,
    given_settings,
    listed,
    names,
    numbers,
    opened,
    report,
    stoppable,
    tell,
    tenths,
)
from compress.errors import InputError, Progress, Step
from compress.export.search_index import METRICS
from compress.files import replacing
from compress.tuning.terms import EXAMPLES

if TYPE_CHECKING:
    from compress.training.asking import AskedModel


def add_model_commands(command: Callable) -> None:
    """Adds the parsers; `command` makes one of a name, what it runs and what it is about."""
    about = "A folder to use without this program: the file, load.py, a model card, ONNX; or the whole model as others read it."
    one = command("export", export, about, source=False)
    one.add_argument("file", type=Path)
    one.add_argument("--out", type=Path, required=True, help="the folder, or the .gguf or .parquet file, to write")
    one.add_argument("--source", help="what the file was made from, to measure its errors for the card")
    one.add_argument("--no-onnx", action="store_true", help="leave the ONNX file out")
    one.add_argument("--as", dest="form", choices=FORMS, default="folder", help="what to write")
    one.add_argument("--model", help="whose table it is, where --source is not it: a GGUF file, for compressed-tensors a folder")
    one.add_argument("--type", help="what the decoded table is rounded to: for gguf Q8_0 and others, else int8 or int4")
    one.add_argument("--metric", choices=METRICS, help="for search: what faiss's index goes by, l2 unless given")
    one.add_argument("--group", type=int, help="columns that share a scale in compressed-tensors; 32 unless given")
    one.add_argument("--progress", action="store_true", help="print how far it is as JSON lines on standard error")
    add_source(one)

    one = command("judge", judge, "What the model that uses the matrix loses: tasks, scored before and after.")
    one.add_argument("--file", type=Path, required=True, help="the compressed file")
    one.add_argument("--tasks", type=listed(str), help="names with commas, or a .csv with labels; as suits the model unless given")
    one.add_argument("--data", type=Path, help="the folder with the tasks' folders; the hub by datasets unless given")
    one.add_argument("--text", type=Path, help="texts for tasks without labels: a line each, or a .json; built-in unless given")
    one.add_argument("--seeds", type=int, default=3, help="how many heads are fitted")
    one.add_argument("--limit", type=int, default=4000, help="at most so many texts, training and test examples; 0 for all")
    one.add_argument("--out", type=Path, help="the folder that keeps the scores; what was stopped goes on there")
    add_search(one)
    one.add_argument("--report", type=Path, help="the .json file to write the scores to, with what they are of; after every task")
    one.add_argument("--progress", action="store_true", help="print how far it is as JSON lines on standard error")

    about = "Make a demo of what is installed, once: demo:docs, sentences of documentation with their packages."
    one = command("make", make, about, source=False)
    one.add_argument("source", choices=["demo:docs"])
    one.add_argument("--progress", action="store_true", help="print how far it is as JSON lines on standard error")

    one = command("trim", trim, "A smaller vocabulary: the model's folder with rows dropped and its tokenizer made to fit.")
    one.add_argument("--text", type=Path, help="keep the tokens that these texts are made of: a line each, or a .json")
    one.add_argument("--scripts", type=listed(str), default=[], help="keep what is written in these: Latin,Greek")
    one.add_argument("--out", type=Path, required=True, help="the folder to write")

    one = command("heal", heal, "Bring a model's outputs with the compressed table nearer to its own, by texts without labels.")
    one.add_argument("--file", type=Path, required=True, help="the compressed file")
    one.add_argument(
        "--out", type=Path, required=True, help="the .safetensors file to write, as large as the one before; stopped, it goes on"
    )
    one.add_argument("--text", type=Path, help="texts: a line each, or a .json; built-in unless given")
    one.add_argument("--steps", type=int, default=300, help="of training, 32 texts each")
    one.add_argument("--no-refit", action="store_true", help="train only, without a fit for what the outputs depend on")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--history", type=Path, help="the .json file to write distances and losses to")
    one.add_argument("--progress", action="store_true", help="print how far it is as JSON lines on standard error")

    one = command("compare", compare, "What the model loses by every method at every size; a stopped run goes on.")
    one.add_argument("--methods", type=names, help="names with commas; svd, projective, lp, light_token and trellis unless given")
    one.add_argument("--ratios", type=numbers, help="numbers with commas; 25,103,10,50,5 unless given, none with --saved alone")
    one.add_argument("--saved", type=numbers, default=[], help="shares of numbers saved, as the papers count them: 0.2,0.4,0.6")
    one.add_argument("--tasks", type=listed(str), help="names with commas, or a .csv with labels; as suits the model unless given")
    one.add_argument("--data", type=Path, help="the folder with the tasks' folders; the hub by datasets unless given")
    one.add_argument("--text", type=Path, help="texts for tasks without labels: a line each, or a .json; built-in unless given")
    one.add_argument("--seeds", type=int, default=3, help="how many heads are fitted")
    one.add_argument("--limit", type=int, default=4000, help="at most so many texts, training and test examples; 0 for all")
    one.add_argument("--refit", action="store_true", help="fit a head on every form too; takes most of the time")
    one.add_argument("--heal", action="store_true", help="judge every form healed too")
    one.add_argument("--steps", type=int, default=60, help="of healing, 32 texts each")
    one.add_argument("--heal-text", type=Path, help="texts to heal by, not those above; built-in unless given")
    one.add_argument("--out", type=Path, required=True, help="keeps fits and scores; the app shows ~/.cache/flatland/judged")
    one.add_argument("--progress", action="store_true", help="print how far it is as JSON lines on standard error")

    one = command("finetune", finetune, "Fine-tune a classifier, compress its table, fine-tune it again: scores of each stage.")
    given = one.add_mutually_exclusive_group(required=True)
    given.add_argument("--task", help="a task of GLUE, such as sst2")
    given.add_argument("--csv", type=Path, help="a .csv or .tsv with texts and labels")
    one.add_argument("--data", type=Path, help="the folder with the task's folder; the hub by datasets unless given")
    table = one.add_mutually_exclusive_group(required=True)
    table.add_argument("--file", type=Path, help="the compressed file")
    table.add_argument("--method", choices=compress.METHODS, help="fit this on the fine-tuned table")
    one.add_argument("--ratio", type=float, help="with the best setting at least this many times smaller")
    one.add_argument("--epochs", dest="rounds", type=int, default=2, help="of each fine-tuning")
    one.add_argument("--learning-rate", type=float, default=2e-5)
    one.add_argument("--batch", type=int, default=32, help="examples a step")
    one.add_argument("--max-length", type=int, default=128, help="tokens of a text or pair")
    one.add_argument("--limit", type=int, default=0, help="at most so many training and test examples; 0 for all")
    one.add_argument("--seeds", type=int, default=1, help="how many times all is done")
    one.add_argument("--fine-tuned", action="store_true", help="the model is fine-tuned on the task already")
    one.add_argument("--out", type=Path, help="the folder to write the tuned model to")
    one.add_argument("--report", type=Path, help="the .json file to write the scores and the losses to")
    one.add_argument("--progress", action="store_true", help="print every step as a JSON line on standard error")
    add_settings(one, besides=("epochs",))


def add_until(one: argparse.ArgumentParser) -> None:
    """The options that say what a model may lose, see `asked_model`."""
    one.add_argument("--until", metavar="BOUND", help=f"what the model may lose: {EXAMPLES}".replace("%", "%%"))
    one.add_argument("--data", type=Path, help="for --until: the folder with the tasks' folders; the hub by datasets unless given")
    one.add_argument("--limit", type=int, default=0, help="for --until: at most so many texts or examples; 0 for all")
    add_search(one)
    one.add_argument("--importance", help="for --until: none, or model[:TEXTFILE]; model for one of the next token unless given")


def add_search(one: argparse.ArgumentParser) -> None:
    """The options of search, see `Search`."""
    about = "for search: a file of query vectors; rows of the matrix, held out, unless given"
    one.add_argument("--queries", type=Path, help=about)
    one.add_argument("--qrels", type=Path, help="for search: judgements, as TREC or BEIR have them, by names or numbers of rows")
    one.add_argument("--similarity", choices=SIMILARITIES, default="cosine", help="for search: cosine unless given")


def search_options(args: argparse.Namespace) -> dict[str, Any]:
    """What `add_search` read."""
    return {name: getattr(args, name) for name in ("queries", "qrels", "similarity")}


def asked_model(args: argparse.Namespace) -> "AskedModel | None":
    """The model as `advise --until` asks it; what it cannot be asked is said before anything is opened."""
    from compress.training.asking import AskedModel

    if args.until is None:
        return None
    by = False if args.importance is None and args.weights != "uniform" else importance_option(args)
    return AskedModel(args.source, args.until, args.data, args.text, args.limit or None, by, args.out, search_options(args))


def importance_option(args: argparse.Namespace) -> bool | Path | None:
    """What --importance says: whether, or by which file of texts; None where it is not given."""
    if args.importance in (None, "none", "model"):
        return None if args.importance is None else args.importance == "model"
    kind, _, file = args.importance.partition(":")
    if kind != "model" or not file:
        raise ValueError(f"--importance is none or model[:TEXTFILE], got {args.importance!r}")
    return Path(file)


def asked_importance(args: argparse.Namespace, matrix: compress.EmbeddingMatrix) -> compress.Importance | None:
    """What `fit --importance` asks for: none, or what the source's model depends on by texts of a file, built-in ones without."""
    from compress.models.open import facts_of, open_model
    from compress.tasks.judging import text_lack
    from compress.training.importance import importance_of, kept_importance
    from compress.training.kinds import texts_of_kinds

    def measured() -> compress.Importance:
        text, facts = by if isinstance(by, Path) else None, facts_of(args.source)
        if facts is None:
            raise InputError(f"{matrix.name} has no model to measure its importance by; open the model’s folder.")
        if lack := text_lack("Importance", facts, text):
            raise InputError(lack)
        model = open_model(args.source)
        return importance_of(model, matrix, texts_of_kinds(model, text), progress=tell if args.progress else None)

    by = importance_option(args)
    if not by:
        return None
    if args.weights != "uniform":
        raise ValueError("--importance measures the weights of rows too; leave --weights out")
    return kept_importance(args.importance_kept, measured)


def export(args: argparse.Namespace) -> None:
    """Writes the folder, or the model, and prints what is in it."""
    from compress.export import exported
    from compress.models.foreseen import foreseen

    if args.form != "folder":
        report(args, {"out": str(args.out), **FORMS[args.form](args)})
        return
    for name, forms in {"model": WHOLE, "type": WHOLE, "group": WHOLE, "metric": ("search",)}.items():
        if getattr(args, name) is not None:
            raise ValueError(f"--{name} goes with --as {' or '.join(forms)}")
    result, matrix = compress.load(args.file), opened(args) if args.source else None
    model = foreseen(args.source, result, args.tensor) if args.source else None
    done = exported(result, args.out, matrix, onnx=not args.no_onnx, model=model)
    report(args, {"out": str(done.folder), **done.sizes, "onnx_difference": done.difference})


def export_gguf(args: argparse.Namespace) -> dict[str, Any]:
    """Writes the model's GGUF file with the decoded table."""
    from compress.export.gguf_model import gguf_model, write_gguf

    result = compress.load(args.file)
    tensor = None if args.model and args.source else args.tensor  # which is the source's
    model = gguf_model(model_of(args), result.shape, tensor)
    return asdict(write_gguf(result, model, args.out, args.type or "Q8_0", tell if args.progress else None))


def export_packed(args: argparse.Namespace) -> dict[str, Any]:
    """Writes the model's folder with the decoded table packed as compressed-tensors does."""
    from compress.export.packed_model import GROUP, READERS, write_packed

    group = GROUP if args.group is None else args.group
    progress = tell if args.progress else None
    done = write_packed(compress.load(args.file), model_of(args), args.out, args.type or "int8", group, progress)
    return asdict(done) | {"readers": READERS}


def model_of(args: argparse.Namespace) -> str:
    """What `--model` names, else `--source`."""
    if (model := args.model or args.source) is None:
        raise ValueError(f"--as {args.form} needs --model, the model whose table the file is of")
    return model


def export_for_search(args: argparse.Namespace) -> dict[str, Any]:
    """Writes faiss's index, or the file and search.py."""
    from compress.export.for_search import export_search

    return export_search(compress.load(args.file), args.out, opened(args) if args.source else None, args.metric or "l2")


def export_parquet(args: argparse.Namespace) -> dict[str, Any]:
    """Writes the decoded vectors with names and columns."""
    from compress.export.for_search import write_parquet

    return {"bytes": write_parquet(compress.load(args.file), args.out, opened(args) if args.source else None)}


WHOLE = ("gguf", "compressed-tensors")
FORMS: dict[str, Any] = {  # what an export writes
    "folder": None,
    "gguf": export_gguf,
    "compressed-tensors": export_packed,
    "search": export_for_search,
    "parquet": export_parquet,
}


def judge(args: argparse.Namespace) -> None:
    """Prints the scores of every task that can be judged, reports those that are finished, and says why others cannot be."""
    from compress import tasks
    from compress.models.open import facts_of, open_model

    facts, failed = facts_of(args.source), dict[str, str]()
    given = args.data, args.text, args.seeds, args.limit or None
    made = tasks.ready(args.tasks or usual(facts, args), facts, *given, failed=failed, search=search_options(args))
    asking, model = [name for name in made if tasks.needs_model(name)], None
    if asking:
        try:
            model = open_model(args.source)
        except InputError as error:
            failed |= dict.fromkeys(asking, str(error))
            made = {name: task for name, task in made.items() if name not in failed}
    if not made:
        raise InputError(" ".join(dict.fromkeys(failed.values())))
    matrix, result = opened(args), compress.load(args.file)
    found: dict = {"method": result.method.name, "settings": result.method.settings, "limit": args.limit}
    found["text"] = args.text and args.text.name
    found |= {**compress.evaluate(matrix, result).figures(), "swap": model and swap_of(model.network, result), "scores": []}

    def told(step: Step) -> None:
        if "scores" in step.figures:
            found["scores"] += step.figures["scores"]
            if args.report:
                with replacing(args.report) as file:
                    file.write(json.dumps(found).encode())
        if args.progress:
            tell(step)

    scores = tasks.judge(
        model,
        {"before": matrix, args.file.name: result},
        made,
        text=args.text,
        progress=told,
        store=tasks.Scores(args.out / "scores.sqlite") if args.out else None,
        failed=failed,
    )
    for score in scores:
        print(json.dumps(score.row()) if args.json else score)
    if failed:
        raise InputError(" ".join(dict.fromkeys(failed.values())))


def make(args: argparse.Namespace) -> None:
    """Makes a demo, and prints where it lies."""
    from compress.sources import load_matrix
    from compress.tasks import documentation

    path = documentation.make(tell if args.progress else None if args.json else tenths())
    matrix = load_matrix(args.source)
    report(args, {"rows": matrix.shape[0], "columns": matrix.shape[1], "out": str(path)})


def trim(args: argparse.Namespace) -> None:
    """Writes the model's folder with a smaller vocabulary and prints what is left."""
    from compress.models.trimming import trim as trimmed
    from compress.tasks.texts import texts_with_ends

    texts = texts_with_ends(args.text) if args.text else []
    report(args, {"out": str(args.out), **trimmed(args.source, args.out, texts, args.scripts).row()})


def compare(args: argparse.Namespace) -> None:
    """Prints a row a form, as they come."""
    from compress.models.open import facts_of, open_model
    from compress.tasks import needs_model, ready
    from compress.training.comparison import COMPARED, RATIOS, Size, compare, plan
    from compress.training.healing import lack_of
    from compress.training.kinds import texts_of_kinds

    if args.heal and args.heal_text and args.heal_text == args.text:
        raise ValueError("a form is not to be judged on the texts that it is healed by; give other ones as --heal-text")
    ratios = args.ratios or ([] if args.saved else RATIOS)
    sizes = [Size("ratio", ratio) for ratio in ratios] + [Size("saved", share) for share in args.saved]
    facts = facts_of(args.source)
    failed = dict[str, str]()
    given = args.data, args.text, args.seeds, args.limit or None, args.refit
    tasks = [*ready(args.tasks or usual(facts, args), facts, *given, failed)]
    if not tasks:
        raise InputError(" ".join(dict.fromkeys(failed.values())))
    if args.heal and facts and (why := lack_of(facts, args.heal_text)):
        raise InputError(why)
    matrix = opened(args)
    needed = args.heal or any(needs_model(name) for name in tasks)
    model = open_model(args.source) if facts and needed else None
    by = args.heal_text.name if args.heal_text else "built-in"
    texts = {by: texts_of_kinds(model, args.heal_text) if model else []} if args.heal else {}
    rows = compare(
        model,
        matrix,
        plan(args.methods or COMPARED, sizes, texts),
        tasks,
        args.out,
        args.data,
        args.text,
        texts,
        args.steps,
        *given[2:],
        progress=tell if args.progress else None,
    )
    for row in rows:
        if args.json:
            print(json.dumps(row.row()), flush=True)
            continue
        report(args, row.figures, brief=f"{row.method}{f', healed by {row.cell.healed_by}' if row.healed else ''}")
        for score in row.scores:
            print(" " * 10, score, flush=True)
    if failed:
        raise InputError(" ".join(dict.fromkeys(failed.values())))


def usual(facts: Any, args: argparse.Namespace) -> list[str]:
    """The tasks of a command that names none, see `usual_tasks`; those with labels only where these are to be had."""
    from importlib.util import find_spec

    from compress.tasks import TASKS, UNLABELLED, usual_tasks

    return usual_tasks(facts, TASKS if args.data or find_spec("datasets") else UNLABELLED)


def swap_of(network: Any, result: compress.Compressed) -> dict | None:
    """What a swap would do to a network; None where it cannot be swapped."""
    from compress.models.swap import swapped_copy

    try:
        return asdict(swapped_copy(network, result)[1])
    except ValueError:
        return None


def heal(args: argparse.Namespace) -> None:
    """Writes the healed form and prints what it costs and by how much it is nearer. What was stopped or killed goes on when the
    same is asked for again."""
    from compress.models.open import facts_of, open_model
    from compress.training.healing import Healed, heal, lack_of, state_of
    from compress.training.kinds import texts_of_kinds
    from compress.training.state import clear

    check_out(args.out, ".safetensors")
    if (facts := facts_of(args.source)) and (lack := lack_of(facts, args.text)):
        raise InputError(lack)
    matrix, result = opened(args), compress.load(args.file)
    model = open_model(args.source)
    texts, state = texts_of_kinds(model, args.text), state_of(args.out)

    def run(progress: Progress) -> Healed:
        return heal(model, matrix, result, texts, args.steps, not args.no_refit, args.seed, progress, state=state)

    healed = stoppable(run, tell if args.progress else lambda step: None)
    row = {"method": result.method.name, **result.method.settings, **compress.evaluate(matrix, healed.result).figures()}
    row |= {"file_bytes": healed.result.save(args.out), **healed.row()}
    if args.history:
        with replacing(args.history) as file:
            file.write(json.dumps(healed.row()).encode())
    if healed.finished:
        clear(state)
    report(args, {name: value for name, value in row.items() if name != "losses"})


def finetune(args: argparse.Namespace) -> None:
    """Prints the scores of every stage, and writes the tuned model. What was stopped or killed goes on when the same is asked for
    again, where a report or a model is to be written."""
    import torch

    from compress.models.open import facts_of, open_model
    from compress.training.finetuning import HEAD, Finetuned, check_empty, save_model, state_of
    from compress.training.finetuning_task import lack_of, read_task
    from compress.training.state import clear

    settings = given_settings(args)
    if args.method:
        check_settings(args.method, settings)
    elif settings or args.ratio is not None:
        raise ValueError("the file is fitted already; settings and --ratio go with --method")
    if args.out:
        check_empty(args.out)
    if (facts := facts_of(args.source)) and (lack := lack_of(facts)):
        raise InputError(lack)
    matrix = opened(args)
    task = read_task(args.task or str(args.csv), args.data)
    result: compress.Compressed | compress.Method
    if args.file:
        result = compress.load(args.file)
    elif args.ratio is not None:
        result = compress.fit_to(matrix, args.method, args.ratio, **settings).method
    else:
        result = compress.METHODS[args.method](**settings)
    torch.manual_seed(0)  # of weights that the model's files lack
    model, written = open_model(args.source, HEAD), args.report or args.out
    state = state_of(written) if written else None

    def run(progress: Progress) -> Finetuned:
        return compress.finetune(
            model,
            result,
            task,
            args.rounds,
            args.learning_rate,
            args.batch,
            args.limit or None,
            range(args.seeds),
            not args.fine_tuned,
            args.max_length,
            progress,
            weights=matrix.weights if matrix.weighted else None,
            state=state,
        )

    tuned = stoppable(run, tell if args.progress else lambda step: None)
    if args.report:
        with replacing(args.report) as file:
            file.write(json.dumps({"scores": tuned.rows(), "losses": tuned.curve}).encode())
    if args.out:
        save_model(model, args.out)  # last, since where it is there nothing goes on
    if state:
        clear(state)
    for row in tuned.rows():
        if args.json:
            print(json.dumps(row))
        else:
            stages = (f"{stage} {row[stage]:.4f} ± {row[f'{stage}_spread']:.4f}" for stage in ("before", "after", "tuned"))
            print(f"{row['task']:12} {row['metric']:28} {', '.join(stages)}, n = {row['n']:,}")
