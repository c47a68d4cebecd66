"""A model with one table after another put into it, and what comes out: vectors of sentences and tokens, the loss of tokens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from compress.errors import InputError
from compress.models.network import states_of
from compress.models.open import MOST_TOKENS, OpenModel
from compress.tasks.score import BEFORE
from compress.tasks.texts import Text

TOKENS_AT_ONCE = 4096  # of a batch, its padding counted in
LOGITS_AT_ONCE = 1 << 26
COMPARED_AT_ONCE, LOGITS_IN_BLOCK = 1 << 24, 128  # numbers of a batch that is held with two tables, its tokens that are compared
COUNTS_FROM_2 = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer")  # the places of tokens
LONGEST = 1024  # tokens that a language model is given at once


@dataclass(frozen=True)
class Predictions:
    """Sums over tokens. before, after: the loss in nats with either table. divergence: of Kullback and Leibler, of the distribution
    after from the one before, in nats. alike: tokens that both find likeliest the same for. n: tokens."""

    before: float = 0.0
    after: float = 0.0
    divergence: float = 0.0
    alike: float = 0.0
    n: int = 0

    def __add__(self, other: "Predictions") -> "Predictions":
        names = [field.name for field in fields(self)]
        return Predictions(**{name: getattr(self, name) + getattr(other, name) for name in names})


class Bench:
    """A model, the tables it is judged with, and what was computed of each text with each table, so that it is computed once.

    tables: name to (n, d) float32; "before" is what every other one is compared with. model may be None for what needs the tables
    alone. tell: told what share of a pass over texts is done, and with which table. names: of the rows, where they have any.
    """

    def __init__(
        self,
        model: OpenModel | None,
        tables: dict[str, Any],
        tell: Callable[[str, float], None] | None = None,
        names: Sequence[str] | None = None,
    ):
        self.model: Any = model
        self.tables, self.names = tables, names
        self.tell = tell or (lambda table, share: None)
        self.forget()

    def forget(self) -> None:
        """Drops all that was computed."""
        self.known: dict[str, dict[Text, np.ndarray]] = {name: {} for name in self.tables}
        self.made: dict[Any, Any] = {}

    def put(self, name: str, table: Any) -> None:
        """Another table under a name; what was computed with the one that had it is dropped."""
        self.tables[name], self.known[name] = table, {}
        self.made = {key: made for key, made in self.made.items() if key[-1] != name}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made when first asked for under this key."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    @property
    def before(self) -> np.ndarray:
        """The table that the others are compared with."""
        return self.tables[BEFORE]

    @property
    def network(self) -> Any:
        """The model's network."""
        return self.model.network

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.model.table.device

    def context(self, most: int) -> int:
        """How many tokens of a text the model is given, at most `most`."""
        config = self.network.config
        found = getattr(config, "max_position_embeddings", None) or most
        kept = 2 if config.model_type in COUNTS_FROM_2 else 0
        given = getattr(self.model.tokenizer, "model_max_length", None) or most
        return max(1, min(most, found - kept if found > 0 else most, given))

    @contextmanager
    def using(self, table: str) -> Iterator[None]:
        """The model with this table in its embedding, its own back afterwards; a tied output follows."""
        weight = self.model.table
        held = weight.detach().clone()
        training = self.network.training
        try:
            with torch.inference_mode():
                weight.copy_(torch.tensor(self.tables[table]))
                self.network.eval()
                yield
        finally:
            with torch.no_grad():
                weight.copy_(held)
            self.network.train(training)

    def ids(self, texts: Sequence[Text], most: int | None) -> list[list[int]]:
        """Token ids of each text, at most so many, None for all. Raises InputError for an id that the table has no row for."""
        strings = [text for text in texts if isinstance(text, str)]
        if strings and self.model.tokenizer is None:
            raise InputError("The model has no tokenizer; give the text as a .json list of lists of token ids.")
        cut = {"truncation": True, "max_length": most} if most else {"truncation": False, "verbose": False}
        encoded = iter(self.model.tokenizer(strings, **cut)["input_ids"] if strings else [])
        found = [list(next(encoded) if isinstance(text, str) else text)[:most] for text in texts]
        self.check(found, texts)
        return found

    def check(self, found: Sequence[Sequence[int]], texts: Sequence[Text]) -> None:
        """Raises InputError for an id that the table has no row for."""
        n = len(self.before)
        for ids, text in zip(found, texts, strict=True):
            if ids and max(ids) >= n:
                what = f"The tokenizer gives “{text[:40]}”" if isinstance(text, str) else "A text has"
                raise InputError(
                    f"{what} the id {max(ids)}, but the matrix has {n:,} rows, counted from 0; take the one it is for."
                )

    def padded(self, ids: list[list[int]], types: list[list[int]] | None = None) -> dict[str, torch.Tensor]:
        """(texts, tokens) ids and mask of a batch, padded at the end, and types of token where the model has them."""
        pad = getattr(self.model.tokenizer, "pad_token_id", None)
        pad = getattr(self.network.config, "pad_token_id", None) if pad is None else pad
        pad = pad if pad is not None and 0 <= pad < len(self.before) else 0
        columns = {"input_ids": (ids, pad), "attention_mask": ([[1] * len(each) for each in ids], 0)}
        if types and (getattr(self.network.config, "type_vocab_size", None) or 0) > 1:
            columns["token_type_ids"] = types, 0
        return {
            name: torch.nn.utils.rnn.pad_sequence([torch.tensor(each) for each in lists], True, fill).to(self.device)
            for name, (lists, fill) in columns.items()
        }

    @property
    def predicted_at_once(self) -> int:
        """Tokens of a batch whose next ones are predicted: each has a number for every row."""
        return min(TOKENS_AT_ONCE, max(1, LOGITS_AT_ONCE // len(self.before)))

    def batches(self, lengths: Sequence[int], table: str, at_once: int = TOKENS_AT_ONCE) -> Iterator[np.ndarray]:
        """Texts of like length together, long ones first, so many tokens at a time; tells how far it is."""
        order = np.argsort(-np.asarray(lengths), kind="stable")
        done, whole, first = 0, max(1, sum(lengths)), 0
        while first < len(order):
            part = order[first : first + max(1, at_once // max(1, lengths[order[first]]))]
            yield part
            first += len(part)
            done += sum(lengths[at] for at in part)
            self.tell(table, done / whole)

    def vectors(self, table: str, texts: Sequence[Text]) -> np.ndarray:
        """(texts, d) sentence vectors with a table: the last layer's outputs, averaged over the tokens of the text."""
        known = self.known[table]
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            ids = self.ids(missing, self.context(MOST_TOKENS))
            for text, each in zip(missing, ids, strict=True):
                if not each:
                    raise InputError(f"The tokenizer finds no token in the text {text!r}; leave it out.")
            with self.using(table):
                for part in self.batches([len(each) for each in ids], table):
                    inputs = self.padded([ids[at] for at in part])
                    mask = inputs["attention_mask"].unsqueeze(-1)
                    mean = (states_of(self.network, inputs) * mask).sum(1) / mask.sum(1)  # (texts, d)
                    known.update(zip((missing[at] for at in part), mean.float().cpu().numpy(), strict=True))
        return np.stack([known[text] for text in texts])

    def predictions(self, table: str, texts: Sequence[Text]) -> Predictions:
        """What the model says of every token that has one before it, with the table "before" and with this one. Texts that are
        longer than the model's context are cut into pieces."""
        most = self.context(LONGEST)
        pieces = [ids[at : at + most] for ids in self.ids(texts, None) for at in range(0, len(ids), most)]
        pieces = [piece for piece in pieces if len(piece) > 1]
        if not pieces:
            raise InputError("No text has two tokens, so there is none to predict; give a longer text.")
        found = Predictions()
        for part in self.batches([len(piece) for piece in pieces], table, max(1, COMPARED_AT_ONCE // len(self.before))):
            inputs = self.padded([pieces[at] for at in part])
            follows = inputs["attention_mask"][:, 1:].bool()
            wanted = inputs["input_ids"][:, 1:][follows]
            before, after = (self.logits(name, inputs)[follows] for name in (BEFORE, table))
            for rows in torch.arange(len(wanted)).split(LOGITS_IN_BLOCK):
                found += compared(before[rows], after[rows], wanted[rows])
        return found

    def logits(self, table: str, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """(texts, tokens - 1, n) what the model makes of each token with a table, but of the last."""
        with self.using(table):
            return self.network(**inputs, use_cache=False).logits[:, :-1]


def compared(before: torch.Tensor, after: torch.Tensor, wanted: torch.Tensor) -> Predictions:
    """Sums over tokens of two models' logits (tokens, n) before them, and what they are (tokens,)."""
    alike = float((before.argmax(-1) == after.argmax(-1)).sum())
    before, after = before.float().log_softmax(-1), after.float().log_softmax(-1)
    divergence = (before.exp() * (before - after)).sum(-1).double().sum()
    lost, lost_after = (-float(each.gather(1, wanted[:, None]).double().sum()) for each in (before, after))
    return Predictions(lost, lost_after, float(divergence), alike, len(wanted))
