"""The comparison of methods by what a model loses: sizes, rows, and that a stopped one goes on."""

import json
import sqlite3

import numpy as np
import pytest

import compress
from compress import METHODS, EmbeddingMatrix, InputError, tasks
from compress.__main__ import main
from compress.training import comparison, healing
from compress.training.comparison import COMPARED, Cell, ComparisonSteps, Size, compare, fit, plan

SMALL = Size("ratio", 4)


@pytest.fixture
def matrix(bert):
    return EmbeddingMatrix(bert.table.detach().numpy().copy())


@pytest.fixture
def data(tmp_path, reviews, write):
    for part, rows in (("train", reviews[:80]), ("dev", reviews[80:])):
        write(tmp_path / "data" / "SST-2" / f"{part}.tsv", rows, ("sentence", "label"))
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def held_out(monkeypatch, reviews):
    """Healed forms are compared on reviews that nothing is learnt from, which so few steps bring nearer."""
    monkeypatch.setattr(healing, "texts_apart", lambda model, seed: {"reviews": [text for text, _ in reviews[80:]]})


@pytest.fixture
def run(bert, matrix, data, tmp_path, reviews):
    """Rows of a comparison in one folder, sst2 alone."""

    def rows(cells, **more):
        given = {"data": data, "texts": {"reviews": [text for text, _ in reviews[:80]]}, "steps": 3} | more
        return list(compare(bert, matrix, cells, ["sst2"], tmp_path / "out", **given))

    return rows


@pytest.fixture
def counted(monkeypatch):
    """How often a form was fitted, healed and judged."""
    counts = dict.fromkeys(("fit", "heal", "figures"), 0)

    def count(place, name):
        real = getattr(place, name)

        def wrapped(*given, **more):
            counts[name] += 1
            return real(*given, **more)

        monkeypatch.setattr(place, name, wrapped)

    count(comparison, "fit")
    count(healing, "heal")
    count(tasks.labelled.Classification, "figures")
    return counts


@pytest.fixture
def toy():
    return EmbeddingMatrix(np.random.default_rng(0).standard_normal((300, 12)) * np.geomspace(4, 0.5, 12))


@pytest.mark.parametrize("name", ["svd", "projective", "lp"])
@pytest.mark.parametrize("saved", [0.2, 0.4, 0.6])
def test_a_share_saved_is_the_largest_rank_by_the_papers_count(toy, name, saved):
    n, d = toy.shape
    method = comparison.saving(METHODS[name], comparison.SETTINGS.get(name, {}), toy.shape, saved)
    k = 5 if name == "projective" else 1
    assert method.factor_bits == 16
    assert method.parameter_count(n, d) == n * method.j + k * method.j * d <= (1 - saved) * n * d
    assert n * (method.j + 1) + k * (method.j + 1) * d > (1 - saved) * n * d


@pytest.mark.parametrize("name", ["light_token", "trellis", "pq"])
def test_a_method_that_counts_bits_gets_the_bytes_of_svd_at_that_saving(toy, name):
    svd = fit(toy, "svd", Size("saved", 0.6), {})
    found = fit(toy, name, Size("saved", 0.6), {})
    assert 0.8 * svd.n_bytes < found.n_bytes <= svd.n_bytes


def test_what_cannot_be_that_small_is_left_out(toy, run):
    assert fit(toy, "svd", Size("ratio", 1000), {}) is None
    assert fit(toy, "projective", Size("saved", 0.99), {"k": 5}) is None
    assert run([Cell("svd", Size("ratio", 1000))]) == []


@pytest.mark.parametrize(("by", "value", "said"), [("saved", 1.0, r"between 0 and 1, got 1$"), ("ratio", 0.0, r"above 0, got 0$")])
def test_a_size_out_of_bounds_is_refused(by, value, said):
    with pytest.raises(ValueError, match=said):
        Size(by, value)


def test_a_plan_has_every_method_at_every_size_and_what_has_one_size_once():
    sizes = [Size("ratio", 25), Size("saved", 0.4)]
    cells = plan(("svd", "int8", "svd", "pq"), sizes, ["mine"])
    assert cells[0] == Cell("int8", None) and len(cells) == 1 + 2 * 2 * 2
    assert cells[1:5] == [Cell(method, sizes[0], by) for by in (None, "mine") for method in ("svd", "pq")]
    assert {cell.method for cell in plan(COMPARED, sizes)} == set(COMPARED)
    assert [str(size) for size in sizes] == ["ratio 25", "40 % saved"]


def test_a_row_has_the_scores_that_judge_gives(run, bert, matrix, data):
    (row,) = run([Cell("svd", SMALL)])
    result = fit(matrix, "svd", SMALL, {})
    (score,) = tasks.judge(bert, {"after": result}, ["sst2"], data=data, limit=4000)
    assert row.method == result.method and not row.healed
    assert row.figures == compress.evaluate(matrix, result).figures()
    (found,) = row.scores
    assert (found.before, found.after, found.lost) == (score.before, score.after, score.lost)
    assert found.refitted is None and score.refitted is not None
    flat = json.loads(json.dumps(row.row()))
    assert flat["scores"][0]["drop"] == score.lost and flat["ratio"] >= 4 and flat["healed_by"] is None


def test_with_refit_a_head_is_fitted_on_every_form(run):
    (row,) = run([Cell("svd", SMALL)], refit=True)
    assert row.scores[0].refitted is not None
    (row,) = run([Cell("svd", SMALL)])  # kept apart
    assert row.scores[0].refitted is None


def test_a_healed_row_is_marked_and_is_another_form_in_as_many_bytes(run, matrix, tmp_path):
    plain, healed = run([Cell("svd", SMALL), Cell("svd", SMALL, "reviews")])
    assert (plain.healed, healed.healed) == (False, True)
    assert (healed.row()["healed_by"], healed.row()["steps"], plain.row()["steps"]) == ("reviews", 3, None)
    assert healed.figures["n_bytes"] == plain.figures["n_bytes"]
    assert healed.figures["relative_error"] != plain.figures["relative_error"]
    named = f"{matrix.key}-{'?' * 16}.*.json"  # as the page Model quality looks for them
    reports = {path.name: json.loads(path.read_text()) for path in (tmp_path / "out").glob(named)}
    marks = sorted((comparison.HEALED in name, report["relative_error"]) for name, report in reports.items())
    assert marks == [(False, plain.figures["relative_error"]), (True, healed.figures["relative_error"])]
    assert {report["scores"][0]["after"] for report in reports.values()} == {plain.scores[0].after, healed.scores[0].after}


def test_a_stopped_run_goes_on(run, counted):
    cells = [Cell("svd", SMALL), Cell("int4", None), Cell("svd", SMALL, "reviews"), Cell("svd", Size("ratio", 6), "reviews")]

    def stop(step):
        if step.figures["done"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(cells, progress=stop)
    assert counted == {"fit": 2, "heal": 1, "figures": 3}
    rows = run(cells)
    assert counted == {"fit": 3, "heal": 2, "figures": 4}
    assert [row.cell for row in rows] == cells
    assert [row.row() for row in run(cells)] == [row.row() for row in rows]
    assert counted == {"fit": 3, "heal": 2, "figures": 4}


def test_other_steps_or_texts_heal_anew(run, counted):
    cells = [Cell("svd", SMALL, "reviews")]
    run(cells)
    run(cells, steps=4)
    run(cells, texts={"reviews": ["w1 w2 w3", "w4 w5", "w6 w7"]})
    assert counted["heal"] == 3 and counted["fit"] == 1


def test_a_damaged_form_is_made_again(run, tmp_path, counted):
    (row,) = run([Cell("svd", SMALL)])
    (path,) = (tmp_path / "out").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-9])
    assert run([Cell("svd", SMALL)])[0].row() == row.row() and counted["fit"] == 2


def test_row_weights_are_used_for_the_method_that_they_are_given_for(run, matrix):
    weights = np.geomspace(1, 1000, matrix.shape[0])
    cells = [Cell("svd", SMALL), Cell("projective", SMALL)]
    plain = run(cells)
    mixed = run(cells, weighted={"svd": EmbeddingMatrix(matrix.values, weights=weights)})
    assert mixed[0].figures["relative_error"] > plain[0].figures["relative_error"]
    assert mixed[1].row() == plain[1].row()


def test_what_is_computed_before_compression_is_computed_once(run, monkeypatch):
    fitted = []
    real = tasks.labelled.Classification.heads
    monkeypatch.setattr(tasks.labelled.Classification, "heads", lambda self, x: fitted.append(len(x)) or real(self, x))
    run([Cell("svd", SMALL), Cell("int4", None), Cell("projective", SMALL)])
    assert fitted == [80]


def test_healing_a_matrix_without_a_model_is_refused(toy, tmp_path):
    cells = [Cell("svd", SMALL, "mine")]
    with pytest.raises(InputError, match=r"^Healing needs the model, and this matrix has none\.$"):
        list(compare(None, toy, cells, ["neighbours"], tmp_path, texts={"mine": ["a", "b"]}))


@pytest.fixture
def source(bert, data, tmp_path, reviews):
    bert.network.save_pretrained(tmp_path / "model")
    bert.tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "text.txt").write_text("\n".join(text for text, _ in reviews[:80]))
    return tmp_path


def command(source, *more):
    given = ["compare", source / "model", "--methods", "svd,int4", "--ratios", "4", "--tasks", "sst2", "--data", source / "data"]
    return [str(part) for part in (*given, "--out", source / "out", *more)]


@pytest.mark.parametrize(
    ("cell", "words"),
    [(Cell("svd", Size("ratio", 25.0)), "4 of 10, judging SVD, ratio 25"), (Cell("int4", None), "4 of 10, judging int4 by row")],
)
def test_what_a_comparison_is_at_is_told(cell, words):
    told = []
    ComparisonSteps(told.append, 3, 10, cell)("judge")
    assert (told[0].share, told[0].words) == (0.3, words)


def test_the_command_prints_a_row_a_form_and_keeps_scores_where_judge_does(source, capsys):
    heal = ("--heal", "--heal-text", source / "text.txt", "--steps", 2)
    assert main(command(source, *heal, "--json", "--progress")) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["method"], row["size"], row["healed_by"]) for row in rows] == [
        ("int4", None, None),
        ("svd", "ratio 4", None),
        ("svd", "ratio 4", "text.txt"),
    ]
    events = [json.loads(line) for line in err.splitlines()]
    assert events[-1] == {"share": 1.0, "words": "done", "done": 3, "of": 3}
    assert {"fit", "measure", "heal", "judge"} <= {event.get("stage") for event in events}
    with sqlite3.connect(source / "out" / "scores.sqlite") as file:
        assert file.execute("SELECT count(*), count(DISTINCT judged) FROM scores").fetchone() == (3, 3)
    assert main(command(source, *heal)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("healed by text.txt" in line for line in lines) == 1 and sum("sst2" in line for line in lines) == 3


def test_the_command_takes_shares_saved_alone(source, capsys):
    given = [part for part in command(source, "--saved", "0.4", "--json") if part not in ("--ratios", "4")]
    assert main(given) == 0
    assert [json.loads(line)["size"] for line in capsys.readouterr().out.splitlines()] == [None, "40 % saved"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--heal", "--text", "x.txt", "--heal-text", "x.txt"), "a form is not to be judged on the texts that it is healed by"),
        (("--saved", "1.5"), "a share of numbers saved must be between 0 and 1, got 1.5"),
        (("--tasks", "magic"), "There is no task magic; take cosine, "),
    ],
)
def test_a_fault_is_one_sentence(source, capsys, more, sentence):
    assert main(command(source, *more)) == 2
    out, err = capsys.readouterr()
    assert out == "" and sentence in err and len(err.splitlines()) == 1
