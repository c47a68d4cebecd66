"""Healing: what outputs feel of errors, the fit for that, the training, and what must not change."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from compress import METHODS, SVD, EmbeddingMatrix, InputError, Int8, Stop, Trellis, load, load_matrix, save_matrix
from compress.__main__ import main
from compress.cli.options import tell
from compress.models.network import pooled, states_of
from compress.training.healing import MEASURES, heal
from compress.training.importance import importance_of
from tests.killed import killed_at

SMALL = {
    "projective": {"k": 2, "j": 3},
    "light_token": {"bits": 12, "rank": 2, "passes": 3},
    "pq": {"parts": 4, "code_bits": 3, "steps": 3},
    "opq": {"parts": 4, "code_bits": 3, "steps": 3},
    "rq": {"parts": 3, "code_bits": 3, "steps": 2},
    "trellis": {"rate": 8.0, "states": 256},
    "dimensions": {"kept": 8},
}


@pytest.fixture
def matrix(bert):
    return EmbeddingMatrix(bert.table.detach().numpy().copy())


@pytest.fixture
def texts(reviews):
    return [text for text, _ in reviews]


def rank_3(matrix, **settings):
    return SVD(j=3, factor_bits=32, **settings).fit(matrix)


def distance(model, matrix, result, texts):
    """Mean of 1 − cosine of sentence vectors, each text of as many tokens."""
    ids = torch.tensor([model.tokenizer(text)["input_ids"] for text in texts])
    own, other = (vectors(model, table, ids) for table in (matrix.values, result.reconstruct()))
    return float(1 - (own * other).sum(1).mean())


def vectors(model, table, ids):
    with torch.no_grad():
        weight = model.table.detach().clone()
        model.table.copy_(torch.tensor(table, dtype=torch.float32))
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        found = pooled(states_of(model.network, inputs), inputs["attention_mask"].bool())
        model.table.copy_(weight)
    return found


def test_common_rows_weigh_more(bert, matrix, texts):
    felt = importance_of(bert, matrix, texts)
    assert felt.weights.mean() == pytest.approx(1) and felt.weights.argmax() in (2, 3)  # [CLS] and [SEP], in every text
    assert np.trace(felt.metric) == pytest.approx(16)


def test_a_direction_that_the_model_ignores_is_not_felt(bert, matrix, texts):
    """BERT's first LayerNorm takes the mean over columns away."""
    felt = importance_of(bert, matrix, texts)
    shift = np.full(16, 0.25)
    assert shift @ felt.metric @ shift < 1e-4


def test_moments_tell_how_far_small_errors_move_the_outputs(bert, matrix, texts):
    moments, rng = importance_of(bert, matrix, texts).metric, np.random.default_rng(0)
    ids = torch.tensor([bert.tokenizer(text)["input_ids"] for text in texts[:100]])
    own, moved, expected = vectors(bert, matrix.values, ids), [], []
    axes = np.linalg.eigh(moments)[1]
    for axis in axes[:, [1, 5, 9, 13, 15]].T:  # the same small error in all rows, either way at random
        errors = [1e-3 * np.outer(rng.choice([-1, 1], len(matrix.values)), axis) for _ in range(6)]
        moved.append(sum(float((vectors(bert, matrix.values + error, ids) - own).square().sum()) for error in errors))
        expected.append(axis @ moments @ axis)
    assert np.corrcoef(moved, expected)[0, 1] > 0.9


def test_a_language_models_moments_are_its_fisher_information(llama):
    """Against the Kullback–Leibler divergence itself, of small errors in all rows."""
    matrix, rng = EmbeddingMatrix(llama.table.detach().numpy().copy()), np.random.default_rng(0)
    texts = [tuple(rng.integers(0, 50, 12)) for _ in range(150)]
    moments = importance_of(llama, matrix, texts).metric
    inputs = {"input_ids": torch.tensor(texts[:60])}
    own, moved, expected = None, [], []
    axes = np.linalg.eigh(moments)[1]
    with torch.no_grad():
        own = llama.network(**inputs).logits.log_softmax(-1)
        for axis in axes[:, [0, 4, 8, 12, 15]].T:
            held, total = llama.table.clone(), 0.0
            for _ in range(6):
                error = 1e-2 * np.outer(rng.choice([-1, 1], 50), axis)
                llama.table.copy_(held + torch.from_numpy(error).float())
                other = llama.network(**inputs).logits.log_softmax(-1)
                total += float((own.exp() * (own - other)).sum())
            llama.table.copy_(held)
            moved.append(total)
            expected.append(axis @ moments @ axis)
    assert np.corrcoef(moved, expected)[0, 1] > 0.9


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.spanning])
def test_a_fit_for_what_is_felt_loses_less_of_it_in_as_many_bytes(name):
    rng = np.random.default_rng(0)
    matrix = EmbeddingMatrix(rng.standard_normal((300, 16)).astype(np.float32) @ rng.standard_normal((16, 16)).astype(np.float32))
    turned = np.linalg.qr(rng.standard_normal((16, 16)))[0]
    root = (turned * np.geomspace(0.1, 3, 16)) @ turned.T
    method = METHODS[name](**{"j": 4, **SMALL.get(name, {})} if "j" in METHODS[name]().settings else SMALL[name])
    plain, under = method.fit(matrix), method.fit_under(matrix, root)

    def felt(result):
        return np.square((matrix.values - result.reconstruct()) @ root).sum()

    assert under.n_bytes == plain.n_bytes and under.digest == matrix.digest
    assert felt(under) < 0.9 * felt(plain)
    method.check_stored(under.arrays, *under.shape)


def test_a_fit_under_one_is_the_plain_fit():
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    matrix = EmbeddingMatrix((rng.standard_normal((2000, 12)) * np.geomspace(9, 0.1, 12)) @ turned)
    method = Trellis(rate=2.0, states=256)
    same, plain = method.fit_under(matrix, np.eye(12)), method.fit(matrix)
    error = [np.square(matrix.values - each.reconstruct()).sum() for each in (same, plain)]
    assert error[0] == pytest.approx(error[1], rel=0.02)


@pytest.mark.parametrize("name", [*SMALL, "svd", "lp", "int8", "int4"])
def test_healing_brings_the_outputs_nearer_in_as_many_bytes(bert, matrix, texts, name):
    settings = {"j": 3} if name in ("svd", "lp") else SMALL.get(name, {})
    result = METHODS[name](**settings).fit(matrix)
    healed = heal(bert, matrix, result, texts[80:], steps=40, apart={"reviews": texts[:80]})
    assert healed.measure == MEASURES[False] and set(healed.distance) == {"before", "refitted", "healed"}
    best = min(healed.distance.values())
    assert best < healed.distance["before"] or best < 1e-4  # int8 has next to nothing to gain
    assert healed.result.n_bytes == result.n_bytes and healed.result.method == result.method
    found = distance(bert, matrix, healed.result, texts)
    assert found < distance(bert, matrix, result, texts) or found < 1e-4


def test_training_alone_lowers_the_distance_of_a_low_rank_table(bert, matrix, texts):
    result = rank_3(matrix)
    healed = heal(bert, matrix, result, texts[16:], steps=60, refit=False, apart={"reviews": texts[:16]})
    assert healed.distance["healed"] < 0.7 * healed.distance["before"] and "refitted" not in healed.distance
    assert healed.step > 20 and healed.words == f"step {healed.step} of 60 was the best"
    found = distance(bert, matrix, healed.result, texts[:16])
    assert found == pytest.approx(healed.distance["healed"], rel=1e-3)
    first, last = (np.mean([loss for _, loss in part]) for part in (healed.losses[:10], healed.losses[-10:]))
    assert last < first and [step for step, _ in healed.losses] == list(range(1, 61))


def test_a_language_model_is_healed_with_its_tied_output(llama):
    matrix, rng = EmbeddingMatrix(llama.table.detach().numpy().copy()), np.random.default_rng(0)
    texts = [tuple(rng.integers(0, 50, 10)) for _ in range(100)]
    healed = heal(llama, matrix, SVD(j=6, factor_bits=32).fit(matrix), texts, steps=40)
    assert healed.measure == MEASURES[True] and healed.distance["healed"] < 0.95 * healed.distance["before"]


def test_the_model_is_left_as_it_was(bert, matrix, texts):
    before = {name: tensor.clone() for name, tensor in bert.network.state_dict().items()}
    wanted = [parameter.requires_grad for parameter in bert.network.parameters()]
    heal(bert, matrix, rank_3(matrix), texts, steps=3)

    def stop(step):
        if step.figures["stage"] == "train":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heal(bert, matrix, rank_3(matrix), texts, steps=3, progress=stop)
    after = bert.network.state_dict()
    assert after.keys() == before.keys() and all(torch.equal(after[name], before[name]) for name in before)
    assert [parameter.requires_grad for parameter in bert.network.parameters()] == wanted
    assert type(bert.network.get_input_embeddings()) is torch.nn.Embedding


def test_the_same_seed_heals_the_same(bert, matrix, texts):
    one, other = (heal(bert, matrix, rank_3(matrix), texts, steps=5, seed=3).result.arrays for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_what_was_measured_can_be_given_for_another_setting(bert, matrix, texts):
    felt = importance_of(bert, matrix, texts)
    told = []
    healed = heal(bert, matrix, rank_3(matrix), texts, steps=2, refit=felt, progress=told.append)
    assert "refitted" in healed.distance and "measure" not in {step.figures["stage"] for step in told}
    shares = [step.share for step in told]
    assert shares == sorted(shares) and shares[-1] <= 1


def test_a_table_of_another_shape_is_refused(bert, matrix, texts):
    other = Int8().fit(EmbeddingMatrix(np.ones((7, 16), np.float32)))
    with pytest.raises(InputError, match=r"^The compressed table is 7 × 16, the model’s is 45 × 16; take one that was made of it"):
        heal(bert, matrix, other, texts)


def test_one_text_is_too_few(bert, matrix):
    with pytest.raises(InputError, match="needs two texts or more"):
        heal(bert, matrix, rank_3(matrix), ["w1 w2"])


def test_ids_beyond_the_table_are_refused(llama):
    matrix = EmbeddingMatrix(llama.table.detach().numpy().copy())
    with pytest.raises(InputError, match="the id 50, but the matrix has 50 rows"):
        heal(llama, matrix, SVD(j=2).fit(matrix), [(1, 50, 3)] * 3)


def test_the_command_writes_a_file_of_the_same_size_and_its_story(bert, matrix, tmp_path, capsys, texts):
    bert.network.save_pretrained(tmp_path / "model")
    bert.tokenizer.save_pretrained(tmp_path / "model")
    opened = load_matrix(tmp_path / "model")
    given, out = tmp_path / "x.safetensors", tmp_path / "y.safetensors"
    n_bytes = SVD(j=3).fit(opened).save(given)
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    arguments = ["heal", str(tmp_path / "model"), "--file", str(given), "--out", str(out), "--text", str(tmp_path / "texts.txt")]
    assert main([*arguments, "--steps", "4", "--history", str(tmp_path / "h.json"), "--json"]) == 0
    row, history = json.loads(capsys.readouterr().out), json.loads((tmp_path / "h.json").read_text())
    assert out.stat().st_size == n_bytes and load(out).digest == opened.digest
    assert row["distance"] == history["distance"] and len(history["losses"]) == 4


def stop_at(step, how=Stop):
    def told(each):
        if each.figures.get("step") == step:
            raise how

    return told


def parts_of(healed):
    return {name: each for name, each in healed.row().items() if name != "seconds"}


@pytest.mark.parametrize("method", [SVD(j=3, factor_bits=8), METHODS["pq"](**SMALL["pq"])], ids=lambda method: method.name)
def test_a_stopped_or_killed_healing_ends_as_one_that_was_not(bert, matrix, texts, tmp_path, method):
    """Stopped in the first part of the training, killed between two states that are kept, and in the second part."""
    result = method.fit(matrix)
    given = {"steps": 60, "apart": {"reviews": texts[:16]}}
    straight = heal(bert, matrix, result, texts[16:], **given)
    begun = heal(bert, matrix, result, texts[16:], **given, progress=stop_at(20), state=tmp_path / "s")
    assert [step for step, _ in begun.losses] == list(range(1, 21)) and not begun.finished
    assert mean_of(begun) <= begun.distance["before"] and begun.result.n_bytes == result.n_bytes
    for step in (35, 55):
        with pytest.raises(KeyboardInterrupt):
            heal(bert, matrix, result, texts[16:], **given, progress=stop_at(step, KeyboardInterrupt), state=tmp_path / "s")
    told = []
    whole = heal(bert, matrix, result, texts[16:], **given, progress=told.append, state=tmp_path / "s")
    assert min(step.figures["step"] for step in told if "step" in step.figures) > 50
    left = [step.figures["left"] for step in told if "left" in step.figures]
    assert 0 <= left[-1] < left[0]
    assert whole.finished and parts_of(whole) == parts_of(straight)
    assert all(np.array_equal(array, straight.result.arrays[name]) for name, array in whole.result.arrays.items())


def mean_of(healed):
    return healed.distance[healed.taken]


def test_what_was_measured_and_refitted_is_not_lost_when_training_is_killed(bert, matrix, texts, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        heal(bert, matrix, rank_3(matrix), texts, steps=9, progress=stop_at(1, KeyboardInterrupt), state=tmp_path / "s")
    told = []
    heal(bert, matrix, rank_3(matrix), texts, steps=9, progress=told.append, state=tmp_path / "s")
    assert not {"measure", "refit"} & {step.figures["stage"] for step in told}
    heal(bert, matrix, rank_3(matrix), texts, steps=8, progress=told.append, state=tmp_path / "s")
    assert "measure" in {step.figures["stage"] for step in told}


def test_a_state_that_is_cut_short_or_of_other_texts_is_not_gone_on_with(bert, matrix, texts, tmp_path):
    for given in (texts, texts[20:]):
        with pytest.raises(KeyboardInterrupt):
            heal(bert, matrix, rank_3(matrix), given, steps=50, progress=stop_at(10, KeyboardInterrupt), state=tmp_path / "s")
    for part in (tmp_path / "s").iterdir():
        part.write_bytes(part.read_bytes()[:-40])
    healed = heal(bert, matrix, rank_3(matrix), texts[20:], steps=50, state=tmp_path / "s")
    assert parts_of(healed) == parts_of(heal(bert, matrix, rank_3(matrix), texts[20:], steps=50))


def test_the_fit_is_given_back_where_nothing_is_nearer_on_texts_of_another_kind(bert, matrix, texts):
    """The table is whole but for words that no text shows that is learnt from."""
    rng = np.random.default_rng(0)
    learnt = [" ".join(rng.choice([f"w{word}" for word in range(10)], 4)) for _ in range(60)]
    other = [" ".join(rng.choice([f"w{word}" for word in range(10, 40)], 5)) for _ in range(40)]
    result = SVD(j=9, factor_bits=32).fit(EmbeddingMatrix(matrix.values, weights=np.r_[np.full(15, 1e-3), np.ones(30)]))
    healed = heal(bert, matrix, result, learnt, steps=80, refit=False, apart={"other": other})
    assert healed.distance["healed"] > healed.distance["before"] and len(healed.losses) < 80 and healed.finished
    assert healed.taken == "before" and healed.step == 0 and healed.result is result
    assert healed.words == "no step was better, so it is the fit"


def test_no_kind_of_text_is_farther_than_with_the_fit(bert, matrix, texts):
    healed = heal(bert, matrix, rank_3(matrix), texts, steps=24)
    assert set(healed.by_kind) == {"words by order"}  # licences have no word that the model knows
    assert all(kind[healed.taken] <= kind["before"] for kind in healed.by_kind.values())


def test_rows_that_no_text_shows_keep_their_numbers(bert, matrix, texts):
    result = rank_3(matrix)
    shown = [text for text in texts if "w3" not in text.split()]
    healed = heal(bert, matrix, result, shown, steps=30, refit=False, apart={"reviews": texts[:16]})
    moved = (healed.result.arrays["coefficients"] != result.arrays["coefficients"]).any(1)
    assert healed.step and not moved[8] and not moved[0] and moved[2] and moved.sum() > 20


def test_the_command_goes_on_where_it_was_stopped_and_only_with_the_same(bert, matrix, tmp_path, capsys, texts, monkeypatch):
    bert.network.save_pretrained(tmp_path / "model")
    bert.tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    SVD(j=3).fit(load_matrix(tmp_path / "model")).save(tmp_path / "x.safetensors")
    options = {"file": "x.safetensors", "out": "y.safetensors", "text": "texts.txt", "history": "h.json"}
    given = [
        "heal",
        str(tmp_path / "model"),
        *(each for name, value in options.items() for each in (f"--{name}", str(tmp_path / value))),
    ]

    def run(*more):
        capsys.readouterr()
        assert main([*given, *more, "--progress"]) == 0
        events = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
        return [event["step"] for event in events if "step" in event], json.loads((tmp_path / "h.json").read_text())

    def ended_at(step):
        if step.figures.get("step") == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        tell(step)

    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr("compress.cli.model.tell", ended_at)
        run("--steps", "20")
    signal.signal(signal.SIGTERM, before)
    history = json.loads((tmp_path / "h.json").read_text())
    stopped = len(history["losses"])
    assert 5 <= stopped < 20 == history["steps"] and load(tmp_path / "y.safetensors").digest
    steps, history = run("--steps", "20")
    whole = len(history["losses"])
    assert steps == list(range(stopped + 1, whole + 1)) and whole > 10 and history["finished"]
    assert run("--steps", "20")[0] == list(range(1, whole + 1))  # what is whole is not gone on with
    assert run("--steps", "4", "--seed", "1")[0] == [1, 2, 3, 4]
    assert not (tmp_path / "y.healing").exists()


def note(step):
    with open("told", "a") as file:
        file.write(f"{step.figures.get('step', '')} ")


def test_a_healing_that_is_killed_as_it_writes_goes_on_from_its_last_state_and_leaves_no_half_file(
    bert, matrix, tmp_path, texts, monkeypatch
):
    bert.network.save_pretrained(tmp_path / "model")
    bert.tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "texts.txt").write_text("\n".join(texts[:20]))
    SVD(j=3).fit(load_matrix(tmp_path / "model")).save(tmp_path / "x.safetensors")
    monkeypatch.chdir(tmp_path)
    given = ["heal", "model", "--file", "x.safetensors", "--text", "texts.txt", "--steps", "2", "--history", "h.json"]
    assert main([*given, "--out", "straight.safetensors"]) == 0
    straight, kills = Path("straight.safetensors").read_bytes(), 0
    Path("h.json").unlink()
    monkeypatch.setattr("compress.cli.model.tell", note)
    while killed_at(kills, lambda: main([*given, "--out", "y.safetensors", "--progress"]), r"\.(y\.safetensors|h\.json)\."):
        assert not Path("y.safetensors").exists() or Path("y.safetensors").read_bytes() == straight
        assert not Path("h.json").exists() or json.loads(Path("h.json").read_text())["finished"]
        kills += 1
    assert kills >= 6 and Path("y.safetensors").read_bytes() == straight and not Path("y.healing").exists()
    assert Path("told").read_text().split() == ["1", "2"], "a step that was done was done again"


def test_the_command_refuses_a_model_without_a_tokenizer_before_it_is_opened(llama, tmp_path, capsys, monkeypatch):
    llama.network.save_pretrained(tmp_path / "model")
    monkeypatch.setattr("compress.models.open.open_model", lambda *_: pytest.fail("opened"))
    assert main(["heal", str(tmp_path / "model"), "--file", "x.safetensors", "--out", str(tmp_path / "y.safetensors")]) == 2
    assert "Healing needs a tokenizer, and the model has none" in capsys.readouterr().err


def test_the_command_refuses_a_matrix_without_a_model(matrix, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    save_matrix(matrix, path)
    rank_3(matrix).save(tmp_path / "x.safetensors")
    assert main(["heal", str(path), "--file", str(tmp_path / "x.safetensors"), "--out", str(tmp_path / "y.safetensors")]) == 2
    assert "is a matrix without a model" in capsys.readouterr().err
    assert not (tmp_path / "y.safetensors").exists()
