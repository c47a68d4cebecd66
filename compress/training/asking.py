"""A model that is asked what it loses, with one compressed form of its table after another: what advice is bisected by."""

import os
from collections.abc import Mapping
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import InputError
from compress.form.compressed import Compressed
from compress.importance import Importance
from compress.matrix import EmbeddingMatrix
from compress.models.open import OpenModel, facts_of, open_model, stamp_of
from compress.tasks.judging import TASKS, label_of, needs_model, ready, settings_of, text_lack, unmet
from compress.tasks.score import BEFORE
from compress.tasks.uploads import ENDINGS
from compress.training.importance import importance_of, kept_importance
from compress.training.kinds import texts_of_kinds
from compress.tuning.terms import term

if TYPE_CHECKING:
    from compress.tasks.bench import Bench

KL, BITS, AGREEMENT, AFTER = "KL", "bits per token", "top-1 agreement", "after"
FIGURES = {  # by the words that a person has for it: a figure that is not the first of its task
    "kl": ("perplexity", KL),
    "bits per token": ("perplexity", BITS),
    "agreement": ("perplexity", AGREEMENT),
    "top-1 agreement": ("perplexity", AGREEMENT),
    **{name: ("search", name) for name in ("recall@1", "recall@10", "recall@100")},
    "recall": ("search", "recall@10"),
    "ndcg@10": ("search", "nDCG@10"),
}
LESS = {"perplexity", KL, BITS}  # figures of which less is better


class AskedModel:
    """The model of a source, asked about one figure of a task.

    until: the bound that the figure is to keep, see `terms.term`. data, text, limit: of the task, see `judge`. importance: whether
    fits are made for what the model depends on, as is usual for one of the next token; or the file of a text that this is measured
    by. folder: keeps that. search: see `judge`. It is asked about the forms of one matrix, its own.

    Raises InputError before a model is opened where it cannot be asked that, and ValueError for a bound that is none.
    """

    def __init__(
        self,
        source: str | os.PathLike,
        until: str,
        data: Path | str | None = None,
        text: Path | str | None = None,
        limit: int | None = None,
        importance: bool | Path | None = None,
        folder: Path | None = None,
        search: Mapping[str, Any] | None = None,
    ):
        self.source, self.term, self.text, self.folder = source, term(until), text, folder
        self.measured: Importance | None = None
        self.bench: Bench | None = None
        self.name, figure = named(self.term.name)
        self.figure, self.better = figure or label_of(self.name), "less" if (figure or self.name) in LESS else "more"
        facts = self.facts = facts_of(source)
        self.task = ready([self.name], facts, data, text, 1, limit, refit=False, search=search)[self.name]
        usual = facts is not None and facts.causal is True and facts.tokenizer is not False
        self.by = usual and needs_model(self.name) if importance is None else importance
        if self.by:
            learnt = self.by if isinstance(self.by, Path) else None
            if facts is None:
                raise InputError("Importance needs the model, and this matrix has none.")
            if lack := text_lack("Importance", facts, learnt):
                raise InputError(lack)

    @cached_property
    def key(self) -> str:
        return digest(self.name, settings_of(self.task), self.made)

    @cached_property
    def made(self) -> str:
        """How fits are made: for which importance."""
        content = self.by.expanduser().read_bytes() if isinstance(self.by, Path) else self.by
        return digest("fits", content, self.facts and stamp_of(self.source))

    @property
    def made_for(self) -> str | None:
        """What fits are made for, as --importance takes it; None for all rows and directions alike."""
        return f"model:{self.by}" if isinstance(self.by, Path) else "model" if self.by else None

    @cached_property
    def model(self) -> OpenModel:
        """The model, opened when it is first needed; only then is it known what some cannot do."""
        model = open_model(self.source)
        for lack in unmet([self.name], model.facts, self.text).values():
            raise InputError(lack)
        return model

    def importance(self, matrix: EmbeddingMatrix) -> Importance | None:
        def measured() -> Importance:
            texts = texts_of_kinds(self.model, self.by if isinstance(self.by, Path) else None)
            return importance_of(self.model, matrix, texts)

        if self.by and self.measured is None:
            path = self.folder and self.folder / f"importance-{digest(matrix.digest, self.made)}.npz"
            self.measured = kept_importance(path, measured)
        return self.measured

    def figures(self, matrix: EmbeddingMatrix, result: Compressed) -> dict[str, tuple[float, float]]:
        from compress.tasks.bench import Bench

        if self.bench is None:
            model, names = self.model if needs_model(self.name) else None, matrix.tokens if matrix.has_tokens else None
            self.bench = Bench(model, {BEFORE: matrix.values}, names=names)
        self.bench.put(AFTER, result if self.task.by_blocks else result.reconstruct())
        first, *others = self.task.figures(self.bench, AFTER)
        found = [(first.metric if self.figure == first.metric else label_of(self.name), first)]
        found += [(each.metric, each) for each in others]
        return {name: (float(np.mean(each.before)), float(np.mean(each.after))) for name, each in found}


def named(name: str) -> tuple[str, str | None]:
    """The task that a figure is of, and the figure where it is not the first. Raises ValueError for what is none."""
    if name.lower() in FIGURES:
        return FIGURES[name.lower()]
    if name.lower().endswith(ENDINGS):
        return name, None
    for task in TASKS:
        if plain(name) in (plain(task), plain(label_of(task))):
            return task, None
    raise ValueError(f"the model can be asked about {', '.join([*TASKS, 'kl', 'agreement', 'recall@10'])}, got {name!r}")


def plain(name: str) -> str:
    """A name without capitals and signs: STS-B is stsb."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def digest(*what: object) -> str:
    """32 hexadecimal digits that tell these apart from others."""
    return blake2b(repr(what).encode(), digest_size=16).hexdigest()
