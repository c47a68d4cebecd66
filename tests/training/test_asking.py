"""Advice in a model's own terms: the smallest form with which it loses no more, by few fits; what cannot be asked is said."""

import json

import numpy as np
import pytest
import torch

import compress
from compress import METHODS, EmbeddingMatrix, InputError, Trellis, advise, tasks
from compress.__main__ import main
from compress.training import asking
from compress.training.asking import AskedModel
from compress.training.kinds import written
from compress.tuning.sweep import Trials


@pytest.fixture
def source(llama, tmp_path):
    """The folder of a language model without a tokenizer, whose table has more rows than its text needs."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig.from_dict(llama.network.config.to_dict() | {"vocab_size": 300})
    LlamaForCausalLM(config).eval().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def ids(source, tmp_path):
    """Texts that the model wrote, which no other model finds more probable."""
    (tmp_path / "ids.json").write_text(json.dumps(written(asking.open_model(source), 12, 32)))
    return tmp_path / "ids.json"


@pytest.fixture
def fits(monkeypatch):
    """The fits made, in order; after `stop` of them the next is interrupted."""

    class Fits(list):
        stop = None

    made = Fits()

    def fit(self, *given, real=Trellis.code_rows):
        if made.stop == len(made):
            raise KeyboardInterrupt("stopped")
        made.append(self)
        return real(self, *given)

    monkeypatch.setattr(Trellis, "code_rows", fit)
    return made


def loss_of(source, ids, result):
    matrix = compress.load_matrix(source)
    model = asking.open_model(source)
    return {score.metric: score for score in tasks.judge(model, {"before": matrix, "x": result}, ["perplexity"], text=ids)}


@pytest.mark.parametrize(("until", "figure", "most"), [("kl <= .05", "KL", 0.05), ("perplexity <= +2%", "perplexity", 0.02)])
def test_the_smallest_form_that_keeps_the_bound_is_found_by_few_fits(source, ids, fits, until, figure, most):
    matrix = compress.load_matrix(source)
    found = advise(matrix, until=AskedModel(source, until, text=ids), methods=["trellis"]).best
    assert len(fits) <= 6
    del fits[:]

    def lost(ratio):
        score = loss_of(source, ids, compress.fit_to(matrix, "trellis", ratio))[figure]
        return score.lost / (score.before or 1)

    assert lost(found.figures["ratio"]) <= most < lost(found.figures["ratio"] * 1.15)
    assert found.figures["n_bytes"] == found.method.size(*matrix.shape)


def test_what_was_stopped_goes_on_and_another_question_takes_what_is_there(source, ids, fits, tmp_path):
    matrix, store = compress.load_matrix(source), Trials(tmp_path / "trials.sqlite")

    def asked(until):
        return advise(matrix, until=AskedModel(source, until, text=ids), methods=["trellis", "int8"], store=store)

    for fits.stop in (1, 2):
        with pytest.raises(KeyboardInterrupt, match="stopped"):
            asked("kl <= .05")
        assert len(fits) == fits.stop
    fits.stop = None
    found = asked("kl <= .05")
    whole = list(fits)
    assert len(whole) == len({*whole}) <= 6 and found.cost["known"] == 2
    again = asked("kl <= .05")
    assert (again.best, again.runners_up) == (found.best, found.runners_up) and again.cost["fits"] == 0 and fits == whole
    other = asked("agreement >= .9")
    assert other.best.figures["judged top-1 agreement"] >= 0.9 and other.cost["known"] >= len(whole)
    assert len(fits) == len({*fits})


def test_a_runner_up_is_named_with_its_size_and_what_is_out_of_reach_with_its_figure(source, ids):
    found = advise(compress.load_matrix(source), until=AskedModel(source, "kl .01", text=ids), methods=["trellis", "int8", "int4"])
    (other,) = found.runners_up
    assert (found.best.method.name, other.method.name) == ("trellis", "int8")
    times = other.figures["n_bytes"] / found.best.figures["n_bytes"]
    assert found.why == (
        f"Trellis at {found.best.figures['ratio']:.3g}× has KL {found.best.figures['judged KL']:.4g}, 0 before; "
        f"the next, int8 by row, takes {times:.2f} times the bytes."
    )
    assert found.out_of_reach["int4"].startswith("still KL 0.")
    assert found.asked == {"until": "kl .01"}


def test_fits_are_made_for_what_the_model_depends_on_where_that_is_asked(source, ids, tmp_path):
    matrix = compress.load_matrix(source)
    plain = AskedModel(source, "kl <= .05", text=ids)
    assert plain.made_for is None and plain.importance(matrix) is None  # without a tokenizer no built-in text can be read
    asked = AskedModel(source, "kl <= .05", text=ids, importance=ids, folder=tmp_path)
    importance = asked.importance(matrix)
    assert importance is not None and asked.key != plain.key
    again = AskedModel(source, "kl <= .05", text=ids, importance=ids, folder=tmp_path)
    again.model = None  # it is read from the folder
    np.testing.assert_array_equal(again.importance(matrix).metric, importance.metric)
    found = advise(matrix, until=asked, methods=["trellis"]).best
    result = found.method.fit_for(matrix, importance)
    assert loss_of(source, ids, result)["KL"].after == pytest.approx(found.figures["judged KL"], rel=1e-4)


def test_recall_is_asked_of_a_matrix_alone():
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal((200, 16)).astype(np.float32))
    asked = AskedModel("toy", "recall@10 at least .9")
    found = advise(matrix, until=asked, methods=["trellis"]).best
    before, after = matrix.values, found.method.fit(matrix).reconstruct()
    scores = {each.metric: each.after for each in tasks.judge(None, {"before": before, "after": after}, ["search"])}
    assert scores["recall@10"] == pytest.approx(found.figures["judged recall@10"]) and scores["recall@10"] >= 0.9


def test_names_of_figures_are_those_that_a_person_has_for_them():
    known = {
        "kl": ("perplexity", "KL"),
        "sts-b": ("stsb", None),
        "recall@10": ("search", "recall@10"),
        "SST-2".lower(): ("sst2", None),
    }
    assert {name: asking.named(name) for name in known} == known
    with pytest.raises(ValueError, match=r"^the model can be asked about cosine, .*, got 'magic'$"):
        asking.named("magic")


def test_what_cannot_be_asked_is_said_before_anything_is_opened(source, bert, tmp_path, monkeypatch, capsys):
    bert.network.save_pretrained(tmp_path / "bert")
    bert.tokenizer.save_pretrained(tmp_path / "bert")
    capsys.readouterr()
    monkeypatch.setattr(asking, "open_model", lambda *_: pytest.fail("opened"))
    monkeypatch.setattr(compress, "load_matrix", lambda *_, **__: pytest.fail("opened"))
    said = {
        (source, "kl <= .02"): "Perplexity needs a tokenizer, and the model has none; give the text as a .json list of lists",
        (tmp_path / "bert", "kl <= .02"): "Perplexity needs a model that predicts the next token; BertModel does not.",
        ("toy", "cosine >= .9"): "Sentence vectors need the model, and this matrix has none",
        (tmp_path / "bert", "rte >= -1 points"): "",
        (tmp_path / "bert", "magic <= 1"): "the model can be asked about cosine, neighbours, search, perplexity, ",
        (tmp_path / "bert", "cosine"): "a bound on what the model loses is written as 'kl <= .02'",
    }
    for (where, until), sentence in said.items():
        assert main(["advise", str(where), "--until", until, "--data", str(tmp_path)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith(f"compress: {sentence}") and len(err.splitlines()) == 1
    with pytest.raises(InputError, match="Importance needs a tokenizer"):
        AskedModel(source, "recall .9", importance=True)


def test_the_command_says_the_answer_what_it_took_and_how_far_it_is(source, ids, tmp_path, capsys):
    given = ["advise", str(source), "--until", "kl <= .05", "--text", str(ids), "--methods", "trellis,int8"]
    assert main([*given, "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("Trellis at ") and " has KL 0." in lines[0] and lines[0].endswith(" times the bytes.")
    assert lines[1].startswith("The model was asked about ") and "and about 0 before; all of them took" in lines[1]
    told = [line for line in err.splitlines() if "KL" in line]
    assert all(", about 1 min left" in line for line in told) and len(told) >= 3
    assert main([*given, "--out", str(tmp_path / "out"), "--json", "--progress"]) == 0
    out, err = capsys.readouterr()
    row = json.loads(out)
    assert row["asked"] == {"until": "kl <= .05"} and row["cost"]["fits"] == 0 and row["judged KL"] <= 0.05
    assert row["judgement"] is None and row["not_asked"] is None and row["importance"] is None
    shares = [json.loads(line)["share"] for line in err.splitlines()]
    assert shares == sorted(shares)


def test_one_question_at_a_time(source, ids):
    with pytest.raises(ValueError, match=r"^give exactly one of ratio, .*min_cosine and until, got ratio and until$"):
        advise(compress.load_matrix(source), ratio=4, until=AskedModel(source, "kl .05", text=ids))


def test_a_bound_that_the_table_itself_does_not_keep_is_refused(source, ids):
    with pytest.raises(ValueError, match=r"^with the table itself perplexity is .* already, so 'perplexity <= 2' cannot be kept$"):
        advise(compress.load_matrix(source), until=AskedModel(source, "perplexity <= 2", text=ids), methods=["int8"])


def test_methods_that_lower_another_error_are_not_asked_unless_named():
    assert "lp" in METHODS and "lp" not in compress.tuning.targets.USUAL
