"""SQuAD v1.1: the span of a text that answers a question, by a linear head on frozen token vectors or by the model's own."""

import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch

from compress.errors import InputError
from compress.files import read_json
from compress.linalg.blocks import sample_rows
from compress.models.network import states_of
from compress.tasks.bench import Bench
from compress.tasks.glue import hub_set
from compress.tasks.labelled import HEAD_SHARE
from compress.tasks.needs import Need, a_model, a_tokenizer, room
from compress.tasks.score import BEFORE, Figure, Task

HUB = "rajpurkar/squad"
FILES = ("train-v1.1.json", "dev-v1.1.json")
FOLDERS = ("squad", "SQuAD", "squad_v1.1", "SQuAD-v1.1", "squad1.1")
LONGEST = 384  # tokens of a window: question and a part of the text
LONGEST_ANSWER = 30  # tokens
MOST_TRAIN = 10_000  # questions that a head is fitted on, whose tokens' vectors are held in memory
EPOCHS, STEPS, STEP, BATCH = 6, 150, 0.02, 64  # at least so many epochs and steps
FAR = -1e4


class Question(NamedTuple):
    """answers: what counts as right, each with the place of its first letter in the text."""

    question: str
    text: str
    answers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Window:
    """A question and as much of its text as the model is given at once. place: of the question in its list. context: the tokens
    that are the text's. letters: (tokens, 2) where each token lies in the text. span: first and last token of the answer, None
    where the window does not hold it whole."""

    place: int
    ids: list[int]
    types: list[int]
    context: slice
    letters: list[tuple[int, int]]
    span: tuple[int, int] | None


@dataclass(frozen=True)
class Squad(Task):
    """Exact match and F1 of the answers. Where the model was opened with its own head, that judges before and after."""

    train: Sequence[Question]
    test: Sequence[Question]
    seeds: int = 3
    name: str = "squad"
    needs: ClassVar[tuple[Need, ...]] = (a_model, a_tokenizer, room)

    def material(self) -> list:
        return [self.train, self.test]

    def figures(self, bench: Bench, table: str) -> list[Figure]:
        if has_own_head(bench.network):
            before, after = ([self.answers(bench, name, None)[0]] for name in (BEFORE, table))
            refitted = []
        else:
            fixed, fitted = (self.heads(bench, name) for name in (BEFORE, table))
            before = bench.once("said before", lambda: self.answers(bench, BEFORE, fixed))
            said = self.answers(bench, table, torch.cat([fixed, fitted]))
            after, refitted = said[: self.seeds], said[self.seeds :]
        marks = [[self.marks(answers) for answers in each] for each in (before, after, refitted)]
        found = []
        for at, metric in enumerate(("exact match", "F1")):
            now, then, anew = ([each[at] for each in column] for column in marks)
            found.append(Figure(metric, now, then, anew or None, len(self.test)))
        return found

    def marks(self, answers: list[str]) -> tuple[float, float]:
        """Exact match and F1, each the best over the right answers, averaged over the questions."""
        exact, shared = [], []
        for question, said in zip(self.test, answers, strict=True):
            gold = [text for text, _ in question.answers]
            exact.append(max(exact_match(text, said) for text in gold))
            shared.append(max(f1(text, said) for text in gold))
        return float(np.mean(exact)), float(np.mean(shared))

    def heads(self, bench: Bench, table: str) -> torch.Tensor:
        """(seeds, d, 2) a linear head for the first and the last token of an answer a seed."""
        return bench.once(("heads", table), lambda: self.fitted(bench, table))

    def fitted(self, bench: Bench, table: str) -> torch.Tensor:
        windows = [each for each in bench.once("train", lambda: list(windows_of(bench, self.train))) if each.span]
        if not windows:
            raise InputError("No answer of squad's training set lies where it says, so no head can be fitted; check the file.")
        held: list[torch.Tensor] = [torch.empty(0)] * len(windows)
        with bench.using(table):
            for part, states, _ in passes(bench, table, windows):
                for row, at in enumerate(part):
                    held[at] = scaled(states[row, windows[at].context]).half()
        spans = torch.tensor([[place - each.context.start for place in each.span] for each in windows])
        return torch.stack([fit(held, spans, seed) for seed in range(self.seeds)])

    def answers(self, bench: Bench, table: str, heads: torch.Tensor | None) -> list[list[str]]:
        """What each head says to every question, the model's own for None."""
        windows = bench.once("test", lambda: list(windows_of(bench, self.test)))
        count = 1 if heads is None else len(heads)
        best = np.full((count, len(self.test)), -np.inf)
        said = [[""] * len(self.test) for _ in range(count)]
        with bench.using(table):
            for part, states, inputs in passes(bench, table, windows, own=heads is None):
                logits = states if heads is None else torch.einsum("btd,hde->bteh", scaled(states), heads.to(states.device))
                logits = logits if logits.ndim == 4 else logits[..., None]  # (windows, tokens, 2, heads)
                inside = torch.zeros(inputs["input_ids"].shape, dtype=torch.bool)
                for row, at in enumerate(part):
                    inside[row, windows[at].context] = True
                for head in range(count):
                    found = spans_of(logits[..., head].float().cpu(), inside)
                    for at, (score, first, last) in zip(part, found, strict=True):
                        window = windows[at]
                        if score > best[head, window.place]:
                            best[head, window.place] = score
                            text = self.test[window.place].text
                            said[head][window.place] = text[window.letters[first][0] : window.letters[last][1]]
        return said


def passes(bench: Bench, table: str, windows: Sequence[Window], own: bool = False) -> Iterator[tuple]:
    """Windows of a batch, what comes out, (windows, tokens, d) or from the own head (windows, tokens, 2), and what went in."""
    for part in bench.batches([len(each.ids) for each in windows], table):
        inputs = bench.padded([windows[at].ids for at in part], [windows[at].types for at in part])
        if own:
            out = bench.network(**inputs)
            yield part, torch.stack([out.start_logits, out.end_logits], -1), inputs
        else:
            yield part, states_of(bench.network, inputs), inputs


def windows_of(bench: Bench, questions: Sequence[Question]) -> Iterator[Window]:
    """Every question with its text, in overlapping windows where that is long."""
    tokenizer = bench.model.tokenizer
    if tokenizer is None or not tokenizer.is_fast:
        raise InputError("squad needs a tokenizer that tells where its tokens lie in the text; this model has none.")
    most = bench.context(LONGEST)
    for place, (question, text, answers) in enumerate(questions):
        cut = tokenizer(question, add_special_tokens=False, truncation=True, max_length=most // 4, return_offsets_mapping=True)
        question = question[: cut["offset_mapping"][-1][1]] if cut["offset_mapping"] else question
        windows = {"truncation": "only_second", "max_length": most, "stride": most // 4, "return_overflowing_tokens": True}
        encoded = tokenizer(question, text, **windows, return_offsets_mapping=True, return_token_type_ids=True)
        bench.check(encoded["input_ids"], [text] * len(encoded["input_ids"]))
        for number, ids in enumerate(encoded["input_ids"]):
            mine = [at for at, kind in enumerate(encoded.sequence_ids(number)) if kind == 1]
            if mine:
                context, letters = slice(mine[0], mine[-1] + 1), encoded["offset_mapping"][number]
                span = span_of(letters, context, *answers[0]) if answers else None
                yield Window(place, ids, encoded["token_type_ids"][number], context, letters, span)


def span_of(letters: Sequence[tuple[int, int]], context: slice, answer: str, start: int) -> tuple[int, int] | None:
    """The first and the last token of an answer, None where the window does not hold it whole."""
    end, tokens = start + len(answer), range(context.start, context.stop)
    if letters[tokens[0]][0] > start or letters[tokens[-1]][1] < end:
        return None
    inside = [at for at in tokens if letters[at][0] < end and letters[at][1] > start]
    return (inside[0], inside[-1]) if inside else None


def scaled(states: torch.Tensor) -> torch.Tensor:
    """Token vectors at length √d, so that one step length suits every model."""
    return torch.nn.functional.normalize(states.float(), dim=-1) * states.shape[-1] ** 0.5


def fit(states: Sequence[torch.Tensor], spans: torch.Tensor, seed: int) -> torch.Tensor:
    """(d, 2) a linear head by Adam on its seed's share of the windows, in its order. states: each window's (tokens, d)."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(states))[: ceil(HEAD_SHARE * len(states))]
    with torch.enable_grad():
        head = torch.zeros(states[0].shape[1], 2, requires_grad=True)
        adam = torch.optim.Adam([head], lr=STEP)
        for _ in range(max(EPOCHS, ceil(STEPS / ceil(len(rows) / BATCH)))):
            order = rng.permutation(rows)
            for at in range(0, len(order), BATCH):
                part = order[at : at + BATCH]
                flat = torch.cat([states[row] for row in part]).float() @ head  # (tokens of all windows, 2)
                each = flat.split([len(states[row]) for row in part])
                logits = torch.nn.utils.rnn.pad_sequence(each, batch_first=True, padding_value=FAR)  # (windows, tokens, 2)
                adam.zero_grad()
                torch.nn.functional.cross_entropy(logits, spans[part]).backward()
                adam.step()
    return head.detach()


def spans_of(logits: torch.Tensor, inside: torch.Tensor) -> list[tuple[float, int, int]]:
    """The best span of each window, at most 30 tokens long, with its score: of (windows, tokens, 2) logits, inside the text."""
    first, last = logits.masked_fill(~inside[..., None], FAR).unbind(-1)  # (windows, tokens)
    tokens = first.shape[1]
    scores = [(first[:, : tokens - gap] + last[:, gap:]).max(1) for gap in range(min(LONGEST_ANSWER, tokens))]
    best, gap = torch.stack([each.values for each in scores]).max(0)
    starts = torch.stack([each.indices for each in scores]).gather(0, gap[None])[0]
    return [(score, at, at + more) for score, at, more in zip(best.tolist(), starts.tolist(), gap.tolist(), strict=True)]


def at_most(questions: list[Question], limit: int | None) -> list[Question]:
    """All questions, or at most so many drawn by a fixed seed."""
    return questions if limit is None else [questions[at] for at in sample_rows(len(questions), limit, np.random.default_rng(0))]


def has_own_head(network: Any) -> bool:
    """Whether the model was opened with a head that answers questions."""
    return type(network).__name__.endswith("ForQuestionAnswering")


def normalised(answer: str) -> list[str]:
    """The words of an answer without capitals, punctuation and articles."""
    bare = "".join(letter for letter in answer.lower() if letter not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def exact_match(gold: str, said: str) -> float:
    """1 where the words are the same, else 0."""
    return float(normalised(gold) == normalised(said))


def f1(gold: str, said: str) -> float:
    """2·shared / (words of both), of the bags of words."""
    right, given = normalised(gold), normalised(said)
    shared = (Counter(right) & Counter(given)).total()
    return 2 * shared / (len(right) + len(given)) if shared else 0.0


def read_squad(data: Path | str | None) -> tuple[list[Question], list[Question]]:
    """Training and test questions of a folder with SQuAD's two files, of a folder that this lies in, or of the hub for None."""
    if data is None:
        held = hub_set(HUB, None, "squad", FILES[0])
        return questions_of_hub(held["train"]), questions_of_hub(held["validation"])
    data = Path(data).expanduser()
    if not data.is_dir():
        raise InputError(f"There is no folder {data}; give the folder that {FILES[0]} lies in.")
    for folder in (data, *(data / name for name in FOLDERS)):
        if all((folder / file).is_file() for file in FILES):
            train, test = (questions_of(folder / file) for file in FILES)
            return train, test
    raise InputError(f"{data} has no files for squad; looked for {' and '.join(FILES)} there and in {', '.join(FOLDERS)}.")


def questions_of(path: Path) -> list[Question]:
    """The questions of a file that is laid out as SQuAD v1.1 is. Raises InputError where it is not."""
    try:
        found = [
            Question(asked["question"], paragraph["context"], tuple((a["text"], int(a["answer_start"])) for a in asked["answers"]))
            for article in read_json(path)["data"]
            for paragraph in article["paragraphs"]
            for asked in paragraph["qas"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not laid out as SQuAD v1.1 is ({error}); fetch the file again.") from error
    return answered(found, str(path))


def questions_of_hub(rows: Any) -> list[Question]:
    """The questions of a split as `datasets` gives it."""
    found = [
        Question(row["question"], row["context"], tuple(zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)))
        for row in rows
    ]
    return answered(found, HUB)


def answered(questions: list[Question], where: str) -> list[Question]:
    """The same questions, each of which has an answer. Raises InputError where one has none, as in SQuAD 2.0."""
    if not questions:
        raise InputError(f"{where} holds no questions; check the file.")
    for question in questions:
        if not question.answers:
            raise InputError(f"{where} has no answer to “{question.question[:60]}”; squad is version 1.1, where each has one.")
    return questions
