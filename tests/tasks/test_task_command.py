"""The command judge: the library's scores, kept, told as JSON, and a killed run goes on."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

import compress
from compress import tasks
from compress.__main__ import main

T5 = {"vocab_size": 60, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}


@pytest.fixture
def source(bert, tmp_path, reviews, write):
    """A model's folder, a compressed file of its table, and a folder with one task."""
    bert.network.save_pretrained(tmp_path / "model")
    bert.tokenizer.save_pretrained(tmp_path / "model")
    compress.SVD(j=3).fit(compress.load_matrix(tmp_path / "model")).save(tmp_path / "x.safetensors")
    for part, rows in (("train", reviews[80:]), ("dev", reviews[:80])):
        write(tmp_path / "data" / "SST-2" / f"{part}.tsv", rows, ("sentence", "label"))
    (tmp_path / "text.txt").write_text("\n".join(text for text, _ in reviews))
    return tmp_path


def arguments(source, names="cosine,neighbours,sst2", *more):
    options = {"file": "x.safetensors", "data": "data", "text": "text.txt"}
    given = [part for name, value in options.items() for part in (f"--{name}", source / value)]
    return [str(part) for part in ("judge", source / "model", *given, "--tasks", names, *more)]


def without_time(row):
    return {name: value for name, value in row.items() if name != "seconds"}


def test_it_gives_the_librarys_scores_and_keeps_them(source, bert, capsys, monkeypatch):
    command = arguments(source, "cosine,neighbours,sst2", "--seeds", 2, "--out", source / "out", "--json")
    assert main(command) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    expected = tasks.judge(
        bert,
        {"x.safetensors": compress.load(source / "x.safetensors")},
        ["cosine", "neighbours", "sst2"],
        data=source / "data",
        text=source / "text.txt",
        seeds=2,
    )
    assert [without_time(row) for row in rows] == [pytest.approx(without_time(score.row())) for score in expected]
    assert (source / "out" / "scores.sqlite").is_file()
    monkeypatch.setattr(tasks.labelled.Classification, "figures", lambda *_: pytest.fail("run again"))
    assert main(command) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows


def test_without_json_every_score_has_a_line(source, capsys):
    assert main(arguments(source, "neighbours,sst2", "--limit", 40)) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.split()[:3] == ["neighbours", "overlap@10", "before"] and first.endswith("n = 44")  # [PAD] is zero
    assert "refitted" in last and "±" in last and last.endswith("n = 40")


def test_progress_is_json_on_standard_error(source, capsys):
    assert main(arguments(source, "sst2", "--progress", "--json")) == 0
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in err.splitlines()]
    about = {"done": 0, "of": 1, "task": "sst2", "table": "x.safetensors"}
    assert events[0] == {"share": 0.0, "words": "SST-2, 1 of 1", **about}
    assert events[-1]["scores"] == [json.loads(out)] and events[-1]["done"] == 1
    assert {event["using"] for event in events if "passed" in event} == {"before", "x.safetensors"}


def test_a_run_that_is_killed_goes_on_after_its_finished_tasks(source, capsys):
    command = [sys.executable, "-m", "compress", *arguments(source, "neighbours,sst2", "--out", source / "out", "--progress")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        while "scores" not in json.loads(process.stderr.readline()):
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (-signal.SIGTERM, 0)
    assert main(command[3:]) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["done"] for event in events if "scores" in event] == [1, 2]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("magic", "compress: There is no task magic; take cosine, neighbours, search, perplexity, cola, "),
        ("perplexity", "compress: Perplexity needs a model that predicts the next token; BertModel does not."),
        ("rte", "has no folder for rte; looked for RTE and glue_rte."),
    ],
)
def test_a_fault_is_one_sentence(source, capsys, names, sentence):
    assert main(arguments(source, names)) == 2
    out, err = capsys.readouterr()
    assert out == "" and sentence in err and len(err.splitlines()) == 1


def test_a_matrix_without_a_model_has_its_neighbours_judged(tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).standard_normal((60, 8)))
    matrix = compress.load_matrix(tmp_path / "a.npy")
    compress.Int4().fit(matrix).save(tmp_path / "x.safetensors")
    command = ["judge", str(tmp_path / "a.npy"), "--file", str(tmp_path / "x.safetensors"), "--json"]
    assert main([*command, "--tasks", "neighbours"]) == 0
    assert 0.5 < json.loads(capsys.readouterr().out)["after"] < 1
    assert main([*command, "--tasks", "cosine"]) == 2
    assert "Sentence vectors need the model, and this matrix has none" in capsys.readouterr().err


def test_a_task_that_cannot_be_judged_takes_no_other_with_it_and_opens_no_model(llama, tmp_path, capsys, monkeypatch):
    llama.network.save_pretrained(tmp_path / "model")  # without a tokenizer
    compress.SVD(j=3).fit(compress.load_matrix(tmp_path / "model")).save(tmp_path / "x.safetensors")
    monkeypatch.setattr("compress.models.open.open_model", lambda *_: pytest.fail("opened"))
    given = ["judge", str(tmp_path / "model"), "--file", str(tmp_path / "x.safetensors")]
    capsys.readouterr()  # what saving the model said
    for more in (["--tasks", "perplexity,neighbours"], []):  # what suits a model of the next token
        assert main([*given, *more, "--json", "--report", str(tmp_path / "report.json")]) == 2
        out, err = capsys.readouterr()
        assert [json.loads(line)["task"] for line in out.splitlines()] == ["neighbours"]
        assert json.loads((tmp_path / "report.json").read_text())["scores"] == [json.loads(out)]
        assert err == (
            "compress: Perplexity needs a tokenizer, and the model has none; give the text as a .json list of lists of token ids.\n"
        )


def test_what_goes_wrong_in_one_task_is_said_after_the_figures_of_the_others(source, capsys, monkeypatch):
    monkeypatch.setattr(tasks.unlabelled.Cosine, "figures", lambda *_: [][1])
    assert main(arguments(source, "cosine,rte,neighbours", "--json")) == 2
    out, err = capsys.readouterr()
    assert [json.loads(line)["task"] for line in out.splitlines()] == ["neighbours"]
    assert "Sentence vectors cannot be judged (list index out of range)." in err
    assert "has no folder for rte" in err and len(err.splitlines()) == 1


def test_a_model_that_cannot_be_opened_has_its_neighbours_judged(source, capsys):
    (source / "model" / "config.json").write_text('{"model_type": "magic", "architectures": ["MagicModel"]}')
    assert main(arguments(source, "cosine,neighbours", "--json")) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["task"] == "neighbours" and "cannot be opened" in err


def test_what_only_the_open_model_tells_takes_no_other_task_with_it(tmp_path, capsys):
    from transformers import T5Config, T5ForConditionalGeneration

    T5ForConditionalGeneration(T5Config(**T5)).save_pretrained(tmp_path / "model")
    compress.SVD(j=3).fit(compress.load_matrix(tmp_path / "model")).save(tmp_path / "x.safetensors")
    (tmp_path / "ids.json").write_text("[[5, 6, 7, 8]]")
    capsys.readouterr()
    given = ["judge", str(tmp_path / "model"), "--file", str(tmp_path / "x.safetensors"), "--text", str(tmp_path / "ids.json")]
    assert main([*given, "--tasks", "perplexity,neighbours", "--json"]) == 2
    out, err = capsys.readouterr()
    assert [json.loads(line)["task"] for line in out.splitlines()] == ["neighbours"]
    assert err.startswith("compress: Perplexity needs a model that predicts the next token; T5")
    assert main(["advise", str(tmp_path / "model"), "--until", "kl <= .1", "--text", str(tmp_path / "ids.json")]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == err.strip()


def test_a_text_that_is_not_there_is_said_before_anything_is_opened(source, capsys, monkeypatch):
    monkeypatch.setattr("compress.models.open.open_model", lambda *_: pytest.fail("opened"))
    monkeypatch.setattr(compress, "load_matrix", lambda *_, **__: pytest.fail("opened"))
    (source / "text.txt").unlink()
    assert main(arguments(source, "cosine")) == 2
    assert capsys.readouterr().err.startswith("compress: There is no file ")
