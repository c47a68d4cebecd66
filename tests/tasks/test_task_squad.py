"""SQuAD: windows over the text, spans by a linear head or the model's own, marks as the definition has them."""

import json

import numpy as np
import pytest
import torch

from compress import InputError, tasks
from compress.models.open import OpenModel
from compress.tasks import squad
from compress.tasks.bench import Bench

WORDS = [f"w{number}" for number in range(20, 40)]
GOOD = [f"w{number}" for number in range(10)]


def asked(rng, words=8):
    """A question whose answer is the one good word of the text."""
    text = list(rng.choice(WORDS, words))
    text[rng.integers(words)] = str(rng.choice(GOOD))
    answer = next(word for word in text if word in GOOD)
    text = " ".join(text)
    start = text.split().index(answer)
    return squad.Question("w20 w21", text, ((answer, len(" ".join(text.split()[:start])) + bool(start)),))


def laid_out(questions):
    rows = [
        {
            "context": text,
            "qas": [{"id": "q", "question": question, "answers": [{"text": a, "answer_start": at} for a, at in right]}],
        }
        for question, text, right in questions
    ]
    return {"version": "1.1", "data": [{"title": "t", "paragraphs": rows}]}


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    for file, count in zip(squad.FILES, (120, 40), strict=True):
        (tmp_path / file).write_text(json.dumps(laid_out([asked(rng) for _ in range(count)])))
    return tmp_path


def test_the_answer_of_a_window_is_the_answers_letters(bert, table):
    rng = np.random.default_rng(1)
    questions = [asked(rng, words) for words in (3, 8, 150)]
    windows = list(squad.windows_of(Bench(bert, {"before": table}), questions))
    assert [sum(window.place == place for window in windows) for place in range(3)][:2] == [1, 1]
    assert sum(window.place == 2 for window in windows) > 3
    for place, (_, text, ((answer, _),)) in enumerate(questions):
        mine = [window for window in windows if window.place == place]
        covered = {letter for window in mine for first, last in window.letters[window.context] for letter in range(first, last)}
        assert covered == {at for at, letter in enumerate(text) if letter != " "}
        for window in mine:
            assert len(window.ids) == len(window.types) == len(window.letters) <= 64
        found = [text[w.letters[w.span[0]][0] : w.letters[w.span[1]][1]] for w in mine if w.span]
        assert found and set(found) == {answer}


def test_a_long_question_is_cut_and_leaves_room_for_the_text(bert, table):
    question = squad.Question(" ".join(WORDS * 10), "w1 w2 w3", (("w2", 3),))
    (window,) = squad.windows_of(Bench(bert, {"before": table}), [question])
    assert window.context.stop - window.context.start == 3 and window.span == (window.context.start + 1,) * 2


def test_a_lost_table_loses_answers(bert, table, damaged, data):
    same = tasks.judge(bert, {"same": table}, ["squad"], data=data, seeds=2)
    exact, f1 = tasks.judge(bert, {"lost": damaged}, ["squad"], data=data, seeds=2)
    assert [score.metric for score in same] == [exact.metric, f1.metric] == ["exact match", "F1"]
    for score in same:
        assert score.before == score.after == score.refitted
    assert exact.before > 0.6 > 0.2 > exact.after and exact.n == 40 and exact.seeds == 2
    assert f1.before >= exact.before


def test_limit_bounds_the_questions(bert, damaged, data):
    assert tasks.judge(bert, {"after": damaged}, ["squad"], data=data, limit=25)[0].n == 25


def test_a_models_own_head_is_used(bert, damaged, data):
    from transformers import BertForQuestionAnswering

    torch.manual_seed(1)
    network = BertForQuestionAnswering(bert.network.config).eval()
    model = OpenModel(network, bert.tokenizer, False)
    table = model.table.detach().numpy().copy()
    exact, f1 = tasks.judge(model, {"after": damaged}, ["squad"], data=data, limit=10)
    assert exact.refitted is None and exact.seeds == 1 and 0 <= f1.before <= 1
    questions = squad.at_most(squad.read_squad(data)[1], 10)
    bench = Bench(model, {"before": table})
    (said,) = squad.Squad(questions, questions).answers(bench, "before", None)
    for (question, text, _), answer in zip(questions, said, strict=True):
        inputs = bert.tokenizer(question, text, return_tensors="pt", return_token_type_ids=True)
        with torch.no_grad():
            out = network(**inputs)
        inside = [at for at, kind in enumerate(inputs.sequence_ids(0)) if kind == 1]
        scores = {
            (first, last): float(out.start_logits[0, first] + out.end_logits[0, last])
            for first in inside
            for last in inside
            if first <= last
        }
        first, last = max(scores, key=scores.get)
        assert answer == " ".join(text.split()[first - inside[0] : last - inside[0] + 1])


def test_a_span_is_the_best_inside_the_text_that_is_short_enough():
    logits = torch.zeros(2, 50, 2)
    inside = torch.ones(2, 50, dtype=torch.bool)
    inside[:, :2] = False
    logits[0, 1, 0] = logits[0, 5, 0] = 9  # one before the text
    logits[0, 3, 1] = 9  # an end before the start
    logits[0, 40, 1] = 5  # too far off
    logits[0, 7, 1] = 4
    logits[1, 4] = 1
    assert squad.spans_of(logits, inside) == [(13.0, 5, 7), (2.0, 4, 4)]


@pytest.mark.parametrize(
    ("gold", "said", "exact", "f1"),
    [
        ("The Eiffel Tower", "eiffel tower!", 1, 1),
        ("in 1889", "1889", 0, 2 / 3),
        ("an apple, a pear", "pear pear", 0, 0.5),
        ("theatre", "the theatre", 1, 1),
        ("Paris", "London", 0, 0),
        ("10,000", "10000", 1, 1),
    ],
)
def test_answers_are_marked_without_capitals_points_and_articles(gold, said, exact, f1):
    assert squad.exact_match(gold, said) == exact
    assert squad.f1(gold, said) == pytest.approx(f1)


def test_the_best_of_several_right_answers_counts():
    questions = [squad.Question("q", "t", (("Paris", 0), ("city of Paris", 0))), squad.Question("q", "t", (("1889", 0),))]
    assert squad.Squad([], questions).marks(["the city of paris", "in 1889"]) == pytest.approx((0.5, (1 + 2 / 3) / 2))


def test_the_hubs_rows_are_read(monkeypatch):
    row = {"question": "q", "context": "in Paris", "answers": {"text": ["Paris"], "answer_start": [3]}}
    monkeypatch.setattr(
        squad, "hub_set", lambda path, *_: {"train": [row], "validation": [row, row]} if path == squad.HUB else None
    )
    question = squad.Question("q", "in Paris", (("Paris", 3),))
    assert squad.read_squad(None) == ([question], [question, question])


def test_files_that_will_not_do_are_one_sentence(bert, damaged, data, llama):
    with pytest.raises(InputError, match=r"has no files for squad; looked for train-v1\.1\.json and dev-v1\.1\.json there and in"):
        squad.read_squad(data.parent)
    with pytest.raises(InputError, match=r"^SQuAD needs a tokenizer, and the model has none; put its files into"):
        tasks.judge(llama, {"after": np.ones((50, 16))}, ["squad"], data=data)
    (data / squad.FILES[1]).write_text('{"data": [{"title": "t"}]}')
    with pytest.raises(InputError, match=r"json is not laid out as SQuAD v1\.1 is \('paragraphs'\); fetch the file again\.$"):
        squad.read_squad(data)
    (data / squad.FILES[1]).write_text(json.dumps(laid_out([squad.Question("Who?", "text", ())])))
    with pytest.raises(InputError, match=r"json has no answer to “Who\?”; squad is version 1\.1, where each has one\.$"):
        squad.read_squad(data)
    (data / squad.FILES[1]).write_text('{"data": []}')
    with pytest.raises(InputError, match=r"dev-v1\.1\.json holds no questions; check the file\.$"):
        squad.read_squad(data)
