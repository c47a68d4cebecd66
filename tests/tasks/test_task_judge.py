"""Tasks with one table after another in the model: equal tables score equal, a lost table scores less, the model stays whole."""

import copy
import json

import numpy as np
import pytest
import torch

from compress import SVD, EmbeddingMatrix, InputError, tasks
from compress.models.facts import ModelFacts
from compress.models.open import OpenModel, facts_of
from compress.tasks import Scores, bench
from compress.tasks.bench import Bench
from compress.tasks.judging import JudgeSteps
from compress.tasks.texts import built_in, papers, passages, read_texts, texts_to_learn

WORDS = [f"w{number}" for number in range(40)]


@pytest.fixture
def text(tmp_path):
    rng = np.random.default_rng(3)
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(rng.choice(WORDS, rng.integers(2, 9))) for _ in range(40)))
    return path


@pytest.fixture
def ids(tmp_path):
    rng = np.random.default_rng(4)
    path = tmp_path / "ids.json"
    path.write_text(json.dumps([rng.integers(0, 50, rng.integers(2, 40)).tolist() for _ in range(12)]))
    return path


def test_the_same_table_loses_nothing(bert, table, text):
    for score in tasks.judge(bert, {"before": table, "same": table}, ["cosine", "neighbours"], text=text):
        assert score.after == pytest.approx(score.before) == 1
        assert score.refitted is None and score.lost == pytest.approx(0, abs=1e-6)


def test_sentence_vectors_are_the_mean_over_the_texts_tokens(bert, table, text):
    texts = text.read_text().split("\n")
    found = Bench(bert, {"before": table}).vectors("before", texts)
    for vector, each in zip(found, texts, strict=True):
        with torch.no_grad():
            alone = bert.network(**bert.tokenizer(each, return_tensors="pt")).last_hidden_state[0]
        np.testing.assert_allclose(vector, alone.mean(0), atol=1e-5)


FAMILIES = {
    "Bert": {},
    "DistilBert": {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32},
    "Roberta": {},
    "Llama": {},
    "MPNet": {},
    "GPT2": {"n_embd": 16, "n_layer": 1, "n_head": 2},
    "XLNet": {"d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 32},
    "T5": {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2},
}
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_texts_vector_does_not_depend_on_the_texts_beside_it(family):
    import transformers

    places = {} if family in ("XLNet", "T5") else {"max_position_embeddings": 34}
    config = getattr(transformers, f"{family}Config")(vocab_size=60, **(FAMILIES[family] or SIZES), **places)
    torch.manual_seed(0)
    model = OpenModel(getattr(transformers, f"{family}Model")(config).eval(), None, False)
    bench = Bench(model, {"before": model.table.detach().numpy().copy()})
    rng = np.random.default_rng(0)
    texts = [tuple(rng.integers(5, 60, length).tolist()) for length in (1, 3, 9, 31, 200)]
    together = bench.vectors("before", texts)
    bench.forget()
    alone = [bench.vectors("before", [text])[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.ptp(together, axis=0).min() > 0


def test_cosine_is_that_of_the_two_models_vectors(bert, table, damaged, text):
    texts = text.read_text().split("\n")
    bench = Bench(bert, {"before": table, "after": damaged})
    u, v = (bench.vectors(name, texts) for name in ("before", "after"))
    each = np.sort((u * v).sum(1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1))
    mean, worst = tasks.judge(bert, {"after": damaged}, ["cosine"], text=text)
    assert (mean.metric, mean.n) == ("mean cosine", 40) and mean.after == pytest.approx(each.mean(), abs=1e-6)
    assert worst.n == 2 and worst.after == pytest.approx(each[:2].mean(), abs=1e-6)
    assert worst.after < mean.after < 0.99


def test_overlap_is_the_share_of_the_ten_nearest_that_stay():
    rng = np.random.default_rng(0)
    before = rng.standard_normal((40, 5)).astype(np.float32)
    after = before + 0.5 * rng.standard_normal(before.shape).astype(np.float32)

    def near(rows):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return [set(np.argsort(-each)[1:11]) for each in unit @ unit.T]

    shares = [len(was & now) / 10 for was, now in zip(near(before), near(after), strict=True)]
    (score,) = tasks.judge(None, {"before": before, "after": after}, ["neighbours"])
    assert (score.metric, score.n) == ("overlap@10", 40)
    assert score.after == pytest.approx(np.mean(shares)) and 0.3 < score.after < 0.9


def test_a_few_rows_have_fewer_neighbours():
    before = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    (score,) = tasks.judge(None, {"before": before, "after": -before[::-1]}, ["neighbours"])
    assert (score.metric, score.after, score.n) == ("overlap@5", 1, 6)


def test_random_rows_share_as_many_neighbours_as_chance_gives():
    rng = np.random.default_rng(0)
    before, after = rng.standard_normal((2, 3000, 8)).astype(np.float32)
    after[7] = 0
    (score,) = tasks.judge(None, {"before": before, "after": after}, ["neighbours"])
    assert (score.metric, score.n) == ("overlap@10", 2000)
    assert score.after == pytest.approx(10 / 2998, abs=0.002)


def test_a_language_model_is_compared_token_by_token_one_text_after_another(llama, ids):
    result = SVD(j=12).fit(EmbeddingMatrix(llama.table.detach().numpy().copy()))
    perplexity, bits, divergence, agreement = tasks.judge(llama, {"svd": result}, ["perplexity"], text=ids)
    other = copy.deepcopy(llama.network)
    other.get_input_embeddings().weight.data.copy_(torch.from_numpy(result.reconstruct()))
    nats, apart, alike = np.zeros(2), 0.0, 0
    for each in json.loads(ids.read_text()):
        for piece in filter(lambda piece: len(piece) > 1, (each[:32], each[32:])):
            with torch.no_grad():
                before, after = (net(torch.tensor([piece])).logits[0, :-1].log_softmax(-1) for net in (llama.network, other))
            wanted = torch.tensor(piece[1:])
            nats += [-float(logs[torch.arange(len(wanted)), wanted].sum()) for logs in (before, after)]
            apart += float(torch.nn.functional.kl_div(after, before, reduction="sum", log_target=True))
            alike += int((before.argmax(-1) == after.argmax(-1)).sum())
    n = perplexity.n
    assert n == sum(max(len(each) - 1 - (len(each) > 32), 0) for each in json.loads(ids.read_text()))
    assert (perplexity.before, perplexity.after) == pytest.approx(np.exp(nats / n), rel=1e-4)
    assert (2**bits.before, 2**bits.after) == pytest.approx((perplexity.before, perplexity.after))
    assert (divergence.metric, divergence.before, divergence.better) == ("KL", 0, "less")
    assert divergence.after == pytest.approx(apart / n, rel=1e-3) and divergence.after > 0.01
    assert (agreement.metric, agreement.before, agreement.better) == ("top-1 agreement", 1, "more")
    assert agreement.after == alike / n < 1
    assert perplexity.lost == perplexity.after - perplexity.before


def test_the_same_table_in_a_language_model_loses_nothing(llama, ids):
    perplexity, _, divergence, agreement = tasks.judge(llama, {"same": llama.table.detach().numpy()}, ["perplexity"], text=ids)
    assert perplexity.after == perplexity.before and divergence.after == 0 and agreement.after == 1


def test_logits_are_compared_in_blocks(llama, ids, monkeypatch):
    tables = {"svd": SVD(j=4).fit(EmbeddingMatrix(llama.table.detach().numpy().copy()))}
    whole = tasks.judge(llama, tables, ["perplexity"], text=ids)
    sizes = []
    monkeypatch.setattr(bench, "COMPARED_AT_ONCE", 50 * 32)
    monkeypatch.setattr(bench, "LOGITS_IN_BLOCK", 7)
    monkeypatch.setattr(bench, "compared", lambda *logits, real=bench.compared: sizes.append(len(logits[0])) or real(*logits))
    parts = tasks.judge(llama, tables, ["perplexity"], text=ids)
    assert [score.after for score in parts] == pytest.approx([score.after for score in whole], rel=1e-5)
    assert max(sizes) == 7 and sum(sizes) == whole[0].n


def test_uniform_logits_have_the_vocabulary_as_perplexity(llama, ids):
    perplexity, *_ = tasks.judge(llama, {"zero": np.zeros((50, 16))}, ["perplexity"], text=ids)
    assert perplexity.after == pytest.approx(50, rel=1e-5)


def test_the_model_has_its_own_table_afterwards(bert, table, damaged, text):
    bert.network.train()
    seen = []

    def stop(step):
        seen.append(bert.table.detach().numpy().copy())
        if step.figures.get("using") == "after":
            raise KeyboardInterrupt("stopped")

    with pytest.raises(KeyboardInterrupt, match="stopped"):
        tasks.judge(bert, {"after": damaged}, ["cosine"], text=text, progress=stop)
    assert np.array_equal(seen[-1], damaged)
    assert np.array_equal(bert.table.detach().numpy(), table)
    assert bert.network.training
    bert.network(torch.tensor([[2, 7, 3]])).last_hidden_state.sum().backward()  # what was used for judging can still be trained
    assert bert.table.grad is not None


def test_progress_tells_the_task_the_table_and_what_it_gave(bert, damaged, text):
    told = []
    scores = tasks.judge(bert, {"a": damaged, "b": damaged}, ["cosine", "neighbours"], text=text, progress=told.append)
    events = [step.row() for step in told]
    assert [(event["done"], event["task"], event["table"]) for event in events if "scores" in event] == [
        (1, "cosine", "a"),
        (2, "cosine", "b"),
        (3, "neighbours", "a"),
        (4, "neighbours", "b"),
    ]
    assert {event["of"] for event in events} == {4}
    assert [event["passed"] for event in events if event.get("using") == "before"] == [1.0]
    assert json.loads(json.dumps(events))[-1]["scores"] == [scores[-1].row()]


def test_the_share_of_a_judge_never_goes_back():
    told = []
    steps = JudgeSteps(told.append, 2)
    for _ in range(2):
        steps.begin("sst2", "x")
        for using in ("before", "x", "before", "x"):
            for passed in (0.3, 0.7, 1.0):
                steps.part(using, passed)
        assert 0 < told[-1].share < 1
        steps.end([])
    shares = [step.share for step in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    words = [step.words for step in told]
    assert words[:2] == ["SST-2, 1 of 2", "SST-2, 1 of 2, with the table itself"] and words[-1] == "SST-2, 2 of 2 done"


def test_a_finished_task_is_not_run_again(bert, damaged, text, tmp_path, monkeypatch):
    store = Scores(tmp_path / "out" / "scores.sqlite")

    def judged(table, names=("neighbours", "cosine"), **more):
        return tasks.judge(bert, {"after": table}, names, text=text, store=store, **more)

    def stop(step):
        if "scores" in step.figures:
            raise KeyboardInterrupt("stopped")

    with pytest.raises(KeyboardInterrupt, match="stopped"):
        judged(damaged, progress=stop)
    first = tasks.judge(bert, {"after": damaged}, ["neighbours"])[0].row() | {"seconds": 0}
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "vectors", lambda *_: pytest.fail("computed again"))
        patch.setattr(tasks.unlabelled, "overlap", lambda *_: pytest.fail("computed again"))
        with pytest.raises(pytest.fail.Exception, match="computed again"):
            judged(damaged)
    scores = judged(damaged)
    assert scores[0].row() | {"seconds": 0} == first
    monkeypatch.setattr(Bench, "vectors", lambda *_: pytest.fail("computed again"))
    assert judged(damaged) == scores
    renamed = tasks.judge(bert, {"other": damaged}, ["cosine"], text=text, store=store)
    assert [(score.table, score.after) for score in renamed] == [("other", score.after) for score in scores[1:]]
    other = damaged.copy()
    other[0, 0] += 1
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        judged(other)
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        judged(damaged, limit=7)
    with torch.no_grad():
        next(bert.network.encoder.parameters()).add_(1)
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        judged(damaged)


FAULTS = {
    "no task": (
        [],
        {},
        r"^No task is named; take cosine, neighbours, search, perplexity, cola, .*squad, or a .csv or .tsv with labels\.$",
    ),
    "another task": (["cosine", "magic"], {}, r"^There is no task magic; take cosine, neighbours, .*squad, or a .csv"),
    "no tokens predicted": (["perplexity"], {}, r"^Perplexity needs a model that predicts the next token; BertModel does not\.$"),
    "no text there": (["cosine"], {"text": "no.txt"}, r"^There is no file no\.txt; check the path of the text\.$"),
    "no seed": (["cosine"], {"seeds": 0}, r"^seeds must be a whole number between 1 and 100, got 0$"),
    "a limit of nothing": (["cosine"], {"limit": 0}, r"^limit must be a whole number at least 1, got 0$"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_sentence(bert, damaged, text, name):
    names, more, sentence = FAULTS[name]
    with pytest.raises(ValueError, match=sentence):
        tasks.judge(bert, {"after": damaged}, names, **{"text": text, **more})


def test_a_table_of_another_shape_names_both(bert, damaged):
    with pytest.raises(InputError, match=r"^The table after is 45 × 15, the model’s is 45 × 16; take one that was made of it\.$"):
        tasks.judge(bert, {"after": damaged[:, :15]}, ["neighbours"])
    with pytest.raises(InputError, match=r"^The table after is 44 × 16, the one before is 45 × 16; "):
        tasks.judge(None, {"before": damaged, "after": damaged[:44]}, ["neighbours"])
    with pytest.raises(InputError, match=r"^The table after has NaN or infinite entries; compress the matrix again\.$"):
        tasks.judge(bert, {"after": np.full_like(damaged, np.nan)}, ["neighbours"])
    with pytest.raises(InputError, match=r"^Give the table before and one or more to compare with it\.$"):
        tasks.judge(None, {"before": damaged}, ["neighbours"])


def test_a_matrix_without_a_model_has_neighbours_only(damaged):
    with pytest.raises(InputError, match=r"^Sentence vectors need the model, and this matrix has none; neighbours"):
        tasks.judge(None, {"before": damaged, "after": damaged}, ["neighbours", "cosine"])


def test_an_id_beyond_the_table_is_named(bert, damaged, llama, tmp_path):
    bert.tokenizer.add_tokens(["extra"])
    (tmp_path / "t.txt").write_text("w1 w2\nw3 extra\n")
    with pytest.raises(InputError, match=r"^The tokenizer gives “w3 extra” the id 45, but the matrix has 45 rows, counted from 0"):
        tasks.judge(bert, {"after": damaged}, ["cosine"], text=tmp_path / "t.txt")
    (tmp_path / "i.json").write_text("[[1, 2], [3, 77]]")
    with pytest.raises(InputError, match=r"^A text has the id 77, but the matrix has 50 rows"):
        tasks.judge(llama, {"after": np.ones((50, 16))}, ["perplexity"], text=tmp_path / "i.json")


def test_texts_for_a_model_without_a_tokenizer_are_ids(llama, text):
    sentence = r"^Sentence vectors need a tokenizer, .* none; give the text as a \.json list of lists of token ids\.$"
    with pytest.raises(InputError, match=sentence):
        tasks.judge(llama, {"after": np.ones((50, 16))}, ["cosine"], text=text)


BERT, GPT = {"model_type": "bert", "vocab_size": 9}, {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
SUITED = {  # a config, and the tasks that are chosen at first
    "an encoder": (BERT | {"architectures": ["BertModel"]}, ["cosine", "neighbours"]),
    "a masked model": (BERT | {"architectures": ["BertForMaskedLM"]}, ["cosine", "neighbours"]),
    "a model of the next token": (GPT, ["perplexity", "neighbours"]),
    "a permuted one": ({"model_type": "xlnet", "architectures": ["XLNetLMHeadModel"]}, ["cosine", "neighbours"]),
    "no head named": (BERT, ["cosine", "neighbours"]),
    "a classifier": (
        BERT | {"architectures": ["BertForSequenceClassification"], "finetuning_task": "SST2"},
        ["sst2", "neighbours"],
    ),
    "of a task unknown here": (
        BERT | {"architectures": ["BertForSequenceClassification"], "finetuning_task": "mood"},
        ["cosine", "neighbours"],
    ),
    "damaged": ("[1", ["cosine", "neighbours"]),
    "odd": ({"architectures": 7, "max_position_embeddings": "many"}, ["cosine", "neighbours"]),
}


@pytest.mark.parametrize("name", SUITED)
def test_the_tasks_that_suit_a_model_are_told_by_its_config(tmp_path, name):
    config, suited = SUITED[name]
    (tmp_path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    (tmp_path / "vocab.txt").write_text("word")
    facts = facts_of(tmp_path)
    assert tasks.usual_tasks(facts) == suited
    assert "sst2" not in tasks.usual_tasks(facts, tasks.UNLABELLED)
    assert ("perplexity" in tasks.unmet(tasks.TASKS, facts)) is (name != "a model of the next token" and name != "damaged")


def test_what_a_model_lacks_is_told_by_its_files(tmp_path, ids, text):
    (tmp_path / "config.json").write_text(json.dumps(GPT | {"max_position_embeddings": 8}))
    facts = facts_of(tmp_path)
    assert (facts.tokenizer, facts.context) == (False, 8)
    assert set(tasks.unmet(tasks.TASKS, facts)) == set(tasks.TASKS) - {"neighbours", "search"}
    assert set(tasks.unmet(tasks.TASKS, facts, ids)) == set(tasks.LABELLED)
    assert "cosine" in tasks.unmet(["cosine"], facts, text)
    (tmp_path / "vocab.json").write_text("{}")
    (tmp_path / "merges.txt").write_text("")
    facts = facts_of(tmp_path)
    assert tasks.unmet(tasks.TASKS, facts) == {
        "squad": "SQuAD needs a model that reads 16 tokens or more at once; this one reads 8."
    }
    assert not tasks.unmet(tasks.TASKS, facts_of("hub:any/model"))  # nothing is known of it yet
    assert set(tasks.unmet(tasks.TASKS, facts_of("toy"))) == set(tasks.TASKS) - {"neighbours", "search"}


def test_a_model_on_the_hub_is_known_by_what_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("compress.models.open.tokenizer_folder", lambda source: tmp_path)
    assert facts_of("hub:any/model") == ModelFacts()
    (tmp_path / "config.json").write_text(json.dumps(GPT))
    facts = facts_of("hub:any/model")
    assert (facts.causal, facts.tokenizer) == (True, None) and tasks.usual_tasks(facts) == ["perplexity", "neighbours"]


def test_a_model_that_is_open_knows_what_its_files_said(bert, llama, tmp_path):
    bert.network.save_pretrained(tmp_path)
    bert.tokenizer.save_pretrained(tmp_path)
    assert facts_of(tmp_path) == bert.facts
    assert (llama.facts.causal, llama.facts.tokenizer, llama.facts.context) == (True, False, 32)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.txt", " \n\n", r"^empty\.txt is empty; give a text with something on its lines\.$"),
        ("empty.json", "[]", r"^empty\.json is empty; "),
        ("mixed.json", '["a", [1]]', r"^mixed\.json must be a list of texts, or a list of lists of token ids\.$"),
        ("less.json", "[[1, -2]]", r"^less\.json must be a list of texts"),
        ("cut.json", '["a', r"cut\.json is not valid JSON"),
    ],
)
def test_a_text_that_is_none_is_one_sentence(bert, damaged, tmp_path, name, content, sentence):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=sentence):
        tasks.judge(bert, {"after": damaged}, ["cosine"], text=tmp_path / name)


def test_one_token_predicts_nothing(llama, tmp_path):
    (tmp_path / "i.json").write_text("[[1], [2]]")
    with pytest.raises(InputError, match=r"^No text has two tokens, so there is none to predict; give a longer text\.$"):
        tasks.judge(llama, {"after": np.ones((50, 16))}, ["perplexity"], text=tmp_path / "i.json")


def test_the_built_in_texts_are_plain_sentences_each_once():
    texts = built_in()
    assert len(texts) == len(set(texts)) > 1500
    assert all(6 <= len(text.split()) <= 40 and text[0].isupper() and text[-1] in ".?!" for text in texts)
    assert not any(mark in text for text in texts for mark in "`_=<>{}[]|\n")
    assert sorted(read_texts(None) + texts_to_learn(None)) == sorted(texts) and len(texts_to_learn(None)) > 500
    assert len(set(papers())) == len(papers()) > 200 and not set(papers()) & {*texts}


def test_passages_share_no_sentence_with_what_importance_is_measured_on(tmp_path):
    found = passages(None)
    assert 8 <= len(found) == len(set(found)) <= 20 and all(len(text) >= 900 for text in found)
    assert not any(sentence in text for text in found for sentence in built_in())
    (tmp_path / "tinystories_text").mkdir()
    (tmp_path / "tinystories_text" / "tinystories.txt").write_text("Once there was a cat.\n" * 100)
    with_stories = passages(tmp_path)
    assert with_stories[: len(found)] == found and len(with_stories) == len(found) + 2
