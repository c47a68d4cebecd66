"""One quick judgement beside an advice: what it asks, that it is kept with the trials, and what is said where nobody asked."""

import json

import pytest

import compress
from compress import SVD, tasks
from compress.__main__ import main
from compress.tasks import Scores, quick
from compress.tasks.quick import NOT_ASKED, QuickJudge

METHODS = ["--methods", "svd,int4", "--seeds", "1"]


@pytest.fixture
def causal(llama, tmp_path):
    """A folder of a language model without a tokenizer."""
    llama.network.save_pretrained(tmp_path / "causal")
    return tmp_path / "causal"


@pytest.fixture
def encoder(bert, tmp_path):
    bert.network.save_pretrained(tmp_path / "encoder")
    bert.tokenizer.save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


@pytest.fixture
def ids(tmp_path):
    (tmp_path / "ids.json").write_text(json.dumps([[3, 7, 9, 11, 2], [5, 5, 1]] * 150))
    return tmp_path / "ids.json"


@pytest.fixture
def advised(capsys):
    """The row that advise prints for a ratio of 3."""

    def row(source, *more):
        assert main(["advise", str(source), "--ratio", "3", *METHODS, "--json", *map(str, more)]) == 0
        return json.loads(capsys.readouterr().out)

    capsys.readouterr()
    return row


def test_a_language_model_is_asked_for_its_perplexity_and_only_once(causal, llama, ids, tmp_path, advised, monkeypatch, capsys):
    kept = ["--out", tmp_path / "out", "--text", ids]
    assert advised(causal, *kept)["not_asked"] == NOT_ASKED
    row = advised(causal, *kept, "--judge")
    method = compress.METHODS[row["method"]](**row["settings"])
    tables = {"after": method.fit(compress.load_matrix(causal))}
    expected = tasks.judge(llama, tables, ["perplexity"], text=ids, limit=quick.TEXTS)[0]
    found = row["judgement"]
    assert (found["task"], found["n"], found["texts"]) == ("perplexity", expected.n, "ids.json")
    assert (found["before"], found["after"]) == pytest.approx((expected.before, expected.after))
    words = f"Perplexity {found['after']:.4g}, {found['before']:.4g} before ({found['n']:,} tokens of ids.json)"
    assert found["words"] == words and row["not_asked"] is None
    monkeypatch.setattr(quick, "open_model", lambda *_: pytest.fail("asked again"))
    assert advised(causal, *kept, "--judge")["judgement"] == found == advised(causal, *kept)["judgement"]
    assert main(["advise", str(causal), "--ratio", "3", *METHODS, *map(str, kept)]) == 0
    assert capsys.readouterr().out.splitlines()[1] == f"{words}."
    assert {
        trial.method
        for trial in compress.tuning.sweep.Trials(tmp_path / "out" / "trials.sqlite").of(compress.load_matrix(causal).digest)
    } >= {method}


def test_an_encoder_is_asked_for_its_sentence_vectors(encoder, reviews, tmp_path, advised):
    (tmp_path / "text.txt").write_text("\n".join(text for text, _ in reviews))
    found = advised(encoder, "--judge", "--text", tmp_path / "text.txt")["judgement"]
    assert (found["task"], found["metric"], found["n"]) == ("cosine", "mean cosine", len(reviews))
    assert 0 < found["after"] < found["before"] == 1


def test_another_text_setting_or_model_is_another_judgement(encoder, reviews, tmp_path):
    text, store, matrix = tmp_path / "text.txt", Scores(tmp_path / "trials.sqlite"), compress.load_matrix(encoder)
    text.write_text("\n".join(text for text, _ in reviews[:5]))
    asking = QuickJudge(encoder, matrix, text, store)
    score = asking.judged(SVD(j=3))
    assert asking.known(SVD(j=3)) == score and asking.known(SVD(j=2)) is None
    assert QuickJudge(encoder, matrix, None, store).known(SVD(j=3)) is None
    text.write_text("w1 w2 w3")
    assert asking.known(SVD(j=3)) is None
    text.write_text("\n".join(text for text, _ in reviews[:5]))
    (encoder / "config.json").write_text((encoder / "config.json").read_text() + "\n")
    assert asking.known(SVD(j=3)) is None


def test_where_the_model_cannot_be_asked_the_advice_stands_and_says_why(causal, encoder, tmp_path, advised, monkeypatch):
    monkeypatch.setattr(quick, "open_model", lambda *_: pytest.fail("opened"))
    row = advised(causal, "--judge")
    assert row["method"] and row["judgement"] is None
    assert row["not_asked"].startswith(
        f"{NOT_ASKED}: Perplexity needs a tokenizer, and the model has none; give the text as a .json"
    )
    row = advised(encoder, "--judge", "--text", tmp_path / "none.txt")
    assert row["not_asked"].startswith(f"{NOT_ASKED}: There is no file")


def test_a_stopped_question_keeps_the_fits_before_it(causal, ids, tmp_path, capsys, monkeypatch):
    given = ["advise", str(causal), "--ratio", "3", *METHODS, "--out", str(tmp_path / "out"), "--text", str(ids), "--judge"]

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(quick, "open_model", stop)
        assert main([*given, "--progress"]) == 130
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert events[-1]["words"] == "opening the model" and events[-1]["kept"].endswith(" fits")
    shares = [event["share"] for event in events]
    assert shares == sorted(shares) and shares[-1] < 1
    monkeypatch.setattr(compress.tuning.fits.Fits, "trial_of", lambda fits, method, draft: fits.known[draft][method])  # none anew
    assert main([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["judgement"]
