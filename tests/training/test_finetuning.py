"""Fine-tuning a classifier with a compressed table: what it lost comes back, how it is stored stays, the model stays whole."""

import copy
import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from small_models import tokenizer_with

import compress
from compress import SVD, InputError, ProjectiveClustering
from compress.__main__ import main
from compress.form.layers import CompressedEmbedding
from compress.models.open import OpenModel, open_model
from compress.models.swap import train_table
from compress.tasks.examples import Examples
from compress.training import finetuning_state
from compress.training.finetuning import HEAD, finetune, save_model
from compress.training.finetuning_run import Run, TuningSteps, groups_of
from compress.training.finetuning_task import LabelledTask, read_task
from tests.killed import killed_at

WORDS = [f"w{number}" for number in range(36)]
GOOD, BAD, PLAIN = WORDS[:8], WORDS[8:16], WORDS[16:]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
WIDE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
SMALL = {
    "Bert": WIDE,
    "Roberta": WIDE | {"type_vocab_size": 1, "pad_token_id": 0},
    "DistilBert": {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32},
}
QUICK = {"learning_rate": 5e-3, "batch": 16, "epochs": 3}
POOR = SVD(j=4, factor_bits=8)  # of random rows, it keeps next to nothing


def classifier(family="Bert", **settings):
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(VOCABULARY), max_position_embeddings=32, initializer_range=0.1, **SMALL[family], **settings
    )
    return OpenModel(getattr(transformers, f"{family}ForSequenceClassification")(config).eval(), tokenizer_with(VOCABULARY), False)


def examples(n, seed, label=lambda good, bad: str(int(good > bad))):
    """Texts of some good and bad words among others, and the label that their numbers give."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        good, bad = ((2, 0), (0, 2), (3, 0), (0, 3))[rng.integers(4)]
        words = [*rng.choice(GOOD, good), *rng.choice(BAD, bad), *rng.choice(PLAIN, 3)]
        texts.append(" ".join(rng.permutation(words)))
        labels.append(label(good, bad))
    return Examples(tuple(texts), None, tuple(labels))


TASK = LabelledTask("words", examples(480, 1), {"": examples(120, 2)})


def table_of(model):
    return compress.EmbeddingMatrix(model.table.detach().numpy())


def state_of(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same_state(network, state):
    now = network.state_dict()
    return list(now) == list(state) and all(torch.equal(now[name], state[name]) for name in state)


def logits(network, texts=TASK.tests[""].texts[:20]):
    encoded = tokenizer_with(VOCABULARY)(list(texts), padding=True, return_tensors="pt")
    kept = {name: encoded[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        return network(**kept).logits


def without_time(tuned):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in tuned.rows()]


@pytest.mark.parametrize("family", SMALL)
def test_fine_tuning_gives_back_what_the_compressed_table_lost(family):
    model = classifier(family)
    result = POOR.fit(table_of(model))
    tuned = compress.finetune(model, result, TASK, **QUICK)
    (figure,) = tuned.figures
    assert (figure.metric, figure.n, tuned.n_train) == ("accuracy", 120, 480)
    assert figure.before[0] > 0.9 > 0.8 > figure.after[0]
    assert figure.tuned[0] > 0.9
    assert [step for step, _ in tuned.curve] == list(range(1, 91))
    assert np.mean([loss for _, loss in tuned.curve[-10:]]) < np.mean([loss for _, loss in tuned.curve[:10]])


@pytest.mark.parametrize(
    "method", [POOR, SVD(j=4), ProjectiveClustering(k=2, j=3, restarts=1), compress.LightToken(rank=2, bits=8, epochs=1)]
)
def test_training_moves_the_factors_and_keeps_how_they_are_stored(method):
    model = classifier()
    result = method.fit(table_of(model))
    tuned = finetune(model, result, TASK, **QUICK | {"epochs": 1}, limit=160, head_first=False).result
    assert tuned.n_bytes == result.n_bytes and tuned.method == result.method
    assert {name: (each.dtype, each.shape) for name, each in tuned.arrays.items()} == {
        name: (each.dtype, each.shape) for name, each in result.arrays.items()
    }
    assert not np.array_equal(tuned.reconstruct(), result.reconstruct())
    layer = model.network.get_input_embeddings()
    assert isinstance(layer, CompressedEmbedding) and not list(layer.parameters())
    np.testing.assert_allclose(layer.weight.numpy(), tuned.reconstruct(), rtol=1e-5, atol=1e-6)
    assert not model.network.training


def test_coefficients_of_8_bits_are_trained_too():
    model = classifier()
    result = POOR.fit(table_of(model))
    tuned = finetune(model, result, TASK, **QUICK | {"epochs": 1}, head_first=False).result
    assert (tuned.arrays["coefficients"] != result.arrays["coefficients"]).mean() > 0.1


def test_a_factor_moves_as_fast_against_its_size_as_the_table_would():
    model = classifier()
    compress.swap_embedding(model.network, POOR.fit(table_of(model)))
    layer = train_table(model.network)
    others, *factors = groups_of(model.network, layer, 1e-3, size=0.5)
    assert others["lr"] == 1e-3 and len(factors) == len(list(layer.parameters())) == 2
    for group in factors:
        (factor,) = group["params"]
        assert group["lr"] / float(factor.detach().square().mean().sqrt()) == pytest.approx(1e-3 / 0.5)
    assert len(others["params"]) + 2 == len(list(model.network.parameters()))


def test_a_method_is_fitted_on_the_table_as_fine_tuning_left_it():
    after = {}
    for result in (POOR.fit(table_of(classifier())), POOR):
        after[type(result)] = finetune(classifier(), result, TASK, **QUICK).figures[0].after[0]
    assert after[SVD] > 0.9 > 0.8 > after[compress.Compressed]


def test_a_seed_gives_the_same_scores_again_and_another_gives_others():
    model, result = classifier(), POOR.fit(table_of(classifier()))
    settings = QUICK | {"epochs": 1, "limit": 96}
    one, two, other = (finetune(copy.copy(model), result, TASK, **settings, seeds=seeds) for seeds in ((0,), (1, 0), (1,)))
    assert one.curve == two.curve != other.curve
    (both,) = two.figures
    for stage in ("before", "after", "tuned"):
        assert getattr(both, stage) == getattr(other.figures[0], stage) + getattr(one.figures[0], stage)
    (row,) = two.rows()
    assert row["before"] == np.mean(both.before) and row["before_spread"] == np.std(both.before, ddof=1)
    assert (row["seeds"], row["n_train"], row["n"], row["n_bytes"]) == (2, 96, 96, result.n_bytes)


def test_scores_are_learnt_by_a_head_of_one_output():
    def share(good, bad):
        return str((good - bad) / 3)

    model = classifier()
    task = LabelledTask("share", examples(480, 1, share), {"": examples(120, 2, share)}, ("Spearman correlation",), True)
    tuned = finetune(model, POOR.fit(table_of(model)), task, **QUICK)
    (figure,) = tuned.figures
    assert figure.before[0] > 0.75 > 0.5 > abs(figure.after[0]) and figure.tuned[0] > 0.75
    assert model.network.config.num_labels == 1 and logits(model.network).shape == (20, 1)


def test_a_new_head_has_an_output_for_each_label_by_name():
    def three(good, bad):
        return "good" if good > bad else "awful" if bad == 3 else "bad"

    model = classifier()
    finetune(model, None, LabelledTask("x", examples(96, 1, three), {"": examples(48, 2, three)}), **QUICK | {"epochs": 1})
    assert model.network.config.id2label == {0: "awful", 1: "bad", 2: "good"}
    assert logits(model.network).shape == (20, 3)


def test_a_table_may_stay_dense():
    model = classifier()
    tuned = finetune(model, None, TASK, **QUICK)
    (figure,) = tuned.figures
    assert figure.before == figure.after and figure.before[0] > 0.9 and figure.tuned[0] > 0.9
    assert tuned.result is None and isinstance(model.network.get_input_embeddings(), torch.nn.Embedding)


def test_a_model_that_is_fine_tuned_already_is_taken_as_it_is():
    model = classifier()
    said, calls = finetune(model, None, TASK, **QUICK).figures[0].tuned, []
    model.network.config.id2label = {0: "good", 1: "bad"}  # in another order than the alphabet's
    named = {"0": "good", "1": "bad"}
    train, test = (part._replace(labels=tuple(map(named.get, part.labels))) for part in (TASK.train, TASK.tests[""]))
    settings = QUICK | {"epochs": 1, "head_first": False, "progress": calls.append}
    tuned = finetune(model, POOR, LabelledTask("x", train, {"": test}), **settings)
    assert tuned.figures[0].before == said
    assert calls[-1].figures["done"] == calls[-1].figures["of"] == 30 and calls[-1].share == 1


@pytest.mark.parametrize("stage", ["before", "compress", "after", "tuned"])
@pytest.mark.parametrize("error", [compress.Stop, KeyError])
def test_a_stop_or_an_error_leaves_the_model_as_it_was(stage, error):
    model = classifier()
    network, state, chance = model.network, state_of(model.network), torch.random.get_rng_state()

    def stopping(step):
        told = step.figures
        if "fit" in told if stage == "compress" else told["stage"] == stage and "fit" not in told:
            raise error("told")

    with pytest.raises(error, match="told"):
        method = ProjectiveClustering(k=2, j=3, restarts=2)
        finetune(model, method, TASK, **QUICK | {"epochs": 1}, limit=64, progress=stopping)
    assert model.network is network and same_state(network, state) and not network.training
    assert isinstance(network.get_input_embeddings(), torch.nn.Embedding)
    assert torch.equal(torch.random.get_rng_state(), chance)


def test_a_written_model_gives_the_same_logits_again(tmp_path):
    model = classifier()
    finetune(model, POOR, TASK, **QUICK | {"epochs": 1}, limit=64)
    compress.register()
    opened = open_model(save_model(model, tmp_path / "out"), HEAD)
    assert torch.equal(logits(opened.network), logits(model.network))
    assert opened.tokenizer("w3 w4").input_ids == model.tokenizer("w3 w4").input_ids
    assert isinstance(opened.network.get_input_embeddings(), CompressedEmbedding)
    assert not any("word_embeddings.weight" in name for name in opened.network.state_dict())
    with pytest.raises(InputError, match=r"out holds files already; name a new folder or an empty one\.$"):
        save_model(model, tmp_path / "out")


def test_a_model_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    model = classifier()
    monkeypatch.setattr(type(model.tokenizer), "save_pretrained", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        save_model(model, tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("family", "kinds"), [("Bert", [0, 0, 0, 1, 1]), ("Roberta", None), ("DistilBert", None)])
def test_pairs_go_in_as_one_with_what_the_model_takes(family, kinds):
    pair = Examples(("w0", "w1"), ("w2", "w3"), ("0", "1"))
    run = Run(classifier(family), LabelledTask("x", pair, {"": pair}), ["0", "1"], 1, 1e-3, 2, 32, TuningSteps(None, 1))
    assert [row["input_ids"] for row in run.train_rows] == [[2, 4, 3, 6, 3], [2, 5, 3, 7, 3]]
    assert [row.get("token_type_ids") for row in run.train_rows] == [kinds, kinds]


def given(**changed):
    """A call's arguments, some changed."""
    return {"model": classifier(), "result": POOR, "task": TASK, "limit": 32} | changed


def with_labels(*labels, tests=("0", "1")):
    texts = tuple("w0 w20" for _ in labels)
    return LabelledTask("x", Examples(texts, None, labels), {"": Examples(("w0", "w1"), None, tests)})


BAD_INPUT = [
    ({"epochs": 0}, r"^epochs must be a whole number between 1 and 100, got 0$"),
    ({"limit": 1}, r"^limit must be a whole number at least 2, got 1$"),
    ({"learning_rate": 2.0}, r"^learning_rate must be a number between 1e-08 and 1, got 2\.0$"),
    ({"seeds": ()}, r"^seeds must be one or more whole numbers, got none$"),
    ({"result": SVD(j=17)}, r"^j must be a whole number between 1 and 16 \(the matrix has 16 columns\), got 17$"),
    (
        {"result": SVD(j=2).fit(compress.EmbeddingMatrix(np.eye(30, 8)))},
        r"^The compressed table is 30 × 8, the model’s is 40 × 16; take one that was made of it\.$",
    ),
    ({"task": with_labels("0", None)}, r"^Example 2 of x’s training set has no label; fill it in or leave the example out\.$"),
    ({"task": with_labels("0", "1", tests=("0", " "))}, r"^Example 2 of x’s test set has no label; fill it in"),
    ({"task": with_labels("1", "1")}, r"^Every label of x’s training set is “1”; give examples of at least two classes\.$"),
    ({"task": with_labels("0", "1", tests=("0", "7"))}, r"^x’s test set has the label “7”, which no training example has;"),
    ({"task": with_labels(), "limit": None}, r"^x’s training set holds no examples; check the file\.$"),
    (
        {"task": with_labels("0", "1", "2"), "head_first": False},
        r"^x has 3 labels, the model's head 2; take a model for that many\.$",
    ),
    (
        {"task": replace(with_labels("0", "1"), scored=True), "head_first": False},
        r"^The labels of x are scores, for a head of one output; the model's head has 2\.$",
    ),
    ({"task": replace(with_labels("0", "much"), scored=True)}, r"^x’s training set has a score that is no number \("),
]


@pytest.mark.parametrize(("changed", "message"), BAD_INPUT)
def test_what_does_not_fit_is_one_sentence(changed, message):
    with pytest.raises(ValueError, match=message):
        finetune(**given(**changed))


def test_a_tokenizer_must_be_there_and_be_the_tables():
    with pytest.raises(InputError, match=r"^The model has no tokenizer that can pad; put its files into the model's folder\.$"):
        finetune(**given(model=replace(classifier(), tokenizer=None)))
    model = replace(classifier(), tokenizer=tokenizer_with([*VOCABULARY[:4], *(f"x{n}" for n in range(30)), *WORDS]))
    with pytest.raises(InputError, match=r"^The tokenizer gives “w.*” the id \d+, but the matrix has 40 rows, counted from 0;"):
        finetune(**given(model=model))


def test_a_model_must_classify_and_have_a_table_of_its_own():
    with pytest.raises(InputError, match=r"^BertModel is no sequence classifier; open the model with the head ForSequence"):
        finetune(**given(model=replace(classifier(), network=classifier().network.bert)))
    model = classifier()
    compress.swap_embedding(model.network, POOR.fit(table_of(model)))
    with pytest.raises(ValueError, match=r"^the embedding of BertForSequenceClassification is compressed already; open"):
        finetune(**given(model=model))


def test_a_loss_that_runs_away_is_one_sentence():
    with pytest.raises(InputError, match=r"^The loss is not finite at step \d+; take a lower learning rate\.$"):
        model = classifier()
        with torch.no_grad():
            model.network.bert.pooler.dense.bias.fill_(torch.nan)
        finetune(**given(model=model))


def test_a_persons_scores_are_parted_for_the_test(tmp_path):
    rows = [f"w{n},w{n + 1},{n / 4}" for n in range(20)]
    (tmp_path / "x.csv").write_text("text1,text2,score\n" + "\n".join(rows))
    task = read_task(str(tmp_path / "x.csv"))
    assert task.scored and task.asked[0] == "Spearman correlation" and (task.train.n, task.tests[""].n) == (16, 4)
    assert sorted(task.train.labels + task.tests[""].labels) == [n / 4 for n in range(20)]
    (tmp_path / "few.csv").write_text("text1,text2,score\n" + "\n".join(rows[:4]))
    with pytest.raises(InputError, match=r"^The examples are too few to put some aside for the test; give at least ten\.$"):
        read_task(str(tmp_path / "few.csv"))


def test_the_scores_of_stsb_have_training_examples(tmp_path):
    (tmp_path / "STS-B").mkdir()
    for part, score in (("train", 2.5), ("dev", 4)):
        lines = (f"main\tf\t2012\t{n}\t{n + score}\tA man.\tA woman." for n in range(2))
        (tmp_path / "STS-B" / f"sts-{part}.tsv").write_text("\n".join(lines))
    task = read_task("stsb", tmp_path)
    assert task.scored and task.train == (("A man.",) * 2, ("A woman.",) * 2, (2.5, 3.5))
    assert task.tests[""].labels == (4.0, 5.0)


def test_a_task_that_is_not_for_a_classifier_is_refused():
    with pytest.raises(InputError, match=r"^There is no task squad to fine-tune on; take cola, sst2, .*, or a \.csv"):
        read_task("squad")


@pytest.fixture
def source(tmp_path):
    """A model's folder without a head, and a file of examples."""
    model = classifier()
    model.network.bert.save_pretrained(tmp_path / "model")
    model.tokenizer.save_pretrained(tmp_path / "model")
    part = examples(200, 1)
    (tmp_path / "x.csv").write_text("text,label\n" + "\n".join(map(",".join, zip(part.texts, part.labels, strict=True))))
    return tmp_path


def arguments(source, *more):
    quick = "--learning-rate", 5e-3, "--batch", 16, "--epochs", 8
    return [str(part) for part in ("finetune", source / "model", "--csv", source / "x.csv", *quick, *more)]


def test_the_command_prints_the_scores_and_writes_the_model(source, capsys):
    command = arguments(source, "--method", "svd", "--ratio", 6, "--factor-bits", 8, "--out", source / "out", "--json")
    assert main([*command, "--progress"]) == 0
    out, err = capsys.readouterr()
    row = json.loads(out)
    assert (row["task"], row["metric"], row["n"] + row["n_train"]) == ("x.csv", "accuracy", 200)
    assert row["before"] > 0.9 and row["tuned"] > 0.9 and row["ratio"] >= 6
    events = [json.loads(line) for line in err.splitlines()]
    assert [event["done"] for event in events if "loss" in event] == list(range(1, events[-1]["of"] + 1))
    compress.register()
    assert open_model(source / "out", HEAD).network.get_input_embeddings().method.name == "svd"
    assert main(command) == 2
    assert "out holds files already" in capsys.readouterr().err


def test_the_command_takes_a_compressed_file(source, capsys):
    compress.SVD(j=4).fit(compress.load_matrix(source / "model")).save(source / "x.safetensors")
    command = arguments(source, "--file", source / "x.safetensors", "--limit", 32, "--report", source / "report.json")
    assert main(command) == 0
    report = json.loads((source / "report.json").read_text())
    assert report["scores"][0]["n_train"] == 32 and [step for step, _ in report["losses"]] == list(range(1, 17))
    line = capsys.readouterr().out
    assert line.split()[:3] == ["x.csv", "accuracy", "before"] and line.rstrip().endswith("n = 32")
    assert main(arguments(source, "--file", source / "x.safetensors", "--j", 3)) == 2
    assert capsys.readouterr().err == "compress: the file is fitted already; settings and --ratio go with --method\n"


@pytest.mark.parametrize("method", [None, POOR, ProjectiveClustering(k=2, j=3, restarts=1)])
def test_a_killed_fine_tuning_ends_as_one_that_was_not(tmp_path, monkeypatch, method):
    """Killed in the first and the last training of the first seed, and in the first of the second."""
    monkeypatch.setattr(finetuning_state, "SPARED", 0)
    given = QUICK | {"epochs": 2, "limit": 256, "seeds": (0, 1)}  # 32 steps each time
    model, other = classifier(hidden_dropout_prob=0.1), classifier(hidden_dropout_prob=0.1)
    straight = finetune(other, method, TASK, **given)
    for at, kept in ((30, 0), (62, 25), (90, 32 + 25)):
        told = []

        def dying(step, at=at, told=told):
            told.append(step.figures["done"])
            if step.figures["done"] == at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            finetune(model, method, TASK, **given, state=tmp_path / "s", progress=dying)
        assert min(told) >= kept
    resumed = finetune(model, method, TASK, **given, state=tmp_path / "s")
    assert without_time(resumed) == without_time(straight) and resumed.curve == straight.curve
    assert same_state(model.network, other.network.state_dict())


def test_a_fine_tuning_that_is_killed_as_it_writes_goes_on_from_its_last_state_and_leaves_no_half_model(source, monkeypatch):
    monkeypatch.setattr(finetuning_state, "SPARED", 0)
    monkeypatch.setattr(finetuning_state, "KEEP", 1)
    told, out, kills = source / "told", source / "out", 0
    told.write_text("")
    monkeypatch.setattr("compress.cli.model.tell", lambda step: told.write_text(f"{told.read_text()}{step.figures['done']} "))
    given = arguments(source, "--method", "svd", "--j", 4, "--limit", 16, "--epochs", 1, "--fine-tuned")
    given += ["--out", str(out), "--report", str(source / "report.json"), "--progress"]
    while killed_at(kills, lambda: main(given), r"\.out\.\w{8}\.part'"):
        assert not out.exists() or open_model(out, HEAD).network.get_input_embeddings().method.name == "svd"
        kills += 1
    done = [int(each) for each in told.read_text().split()]
    assert kills > 4 and open_model(out, HEAD) and json.loads((source / "report.json").read_text())["losses"]
    assert done == sorted(done) and done.count(1) > kills, "the step that was done was done again"
    assert not (source / "report.finetuning").exists()


def test_a_command_that_is_stopped_writes_nothing(source):
    command = [sys.executable, "-m", "compress", *arguments(source, "--method", "svd", "--j", 4, "--progress")]
    command += ["--out", str(source / "out"), "--epochs", "100"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while "loss" not in json.loads(process.stderr.readline()):
            pass
        process.send_signal(signal.SIGTERM)
        last = process.stderr.read().splitlines()
        assert process.wait(60) == -signal.SIGTERM
    assert all(json.loads(line)["done"] < 20 for line in last)
    assert sorted(path.name for path in source.iterdir()) == ["model", "x.csv"]
