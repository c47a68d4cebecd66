"""What a model loses with a setting, in one quick judgement: one task without labels, on a few texts."""

import json
import os
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from compress.errors import InputError, Progress, Step
from compress.matrix import EmbeddingMatrix
from compress.methods import Method
from compress.models.open import facts_of, open_model, stamp_of
from compress.tasks.judging import judge, kind_of, label_of, quick_task, unmet
from compress.tasks.score import Score, Scores
from compress.tasks.texts import read_texts

TEXTS = 200
AFTER = "after"
BUILT_IN = {"perplexity": "the built-in passages", "cosine": "the built-in sentences"}
NOT_ASKED = "The model was not asked what it loses with it"


class QuickJudge:
    """Asks the model of a matrix's source, and keeps what it said with the trials of the matrix. text: a file of texts, as `judge`
    takes it, None for the built-in ones; the first 200 are used."""

    def __init__(self, source: str | os.PathLike, matrix: EmbeddingMatrix, text: Path | str | None, store: Scores | None):
        self.source, self.matrix, self.text, self.store = source, matrix, text, store

    @property
    def has_model(self) -> bool:
        """Whether there is one to ask."""
        return facts_of(self.source) is not None

    @property
    def lack(self) -> str | None:
        """Why the model cannot be asked, in a sentence, by what its files say; None where it can."""
        facts = facts_of(self.source)
        return next(iter(unmet([quick_task(facts) if facts else "cosine"], facts, self.text).values()), None)

    def key(self, method: Method) -> str:
        """What the judgement of a setting is kept under: the matrix, the setting, and the model as its files are."""
        return blake2b(f"{self.matrix.key} {method!r} {stamp_of(self.source)}".encode(), digest_size=16).hexdigest()

    def settings(self, task: str) -> str:
        """What it depends on besides."""
        content = Path(self.text).expanduser().read_bytes() if self.text else b""
        version = kind_of(task).version
        return json.dumps({"version": version, "texts": TEXTS, "of": blake2b(content, digest_size=16).hexdigest()})

    def known(self, method: Method) -> Score | None:
        """The judgement of a setting, where it was asked for before."""
        if self.store is None or not self.has_model:
            return None
        try:
            found = [self.store.of(self.key(method), task, self.settings(task)) for task in ("perplexity", "cosine")]
        except OSError:  # of the text, which is told where it is read
            return None
        return next((scores[0] for scores in found if scores), None)

    def judged(self, method: Method, progress: Progress | None = None) -> Score:
        """The judgement of a setting; it is fitted, and the model opened, where it was not asked for before. progress: told how far
        that is; may raise to stop. Raises InputError with one sentence where the model cannot be asked."""
        if found := self.known(method):
            return found
        if self.lack:
            raise InputError(self.lack)
        if self.text:
            read_texts(self.text)  # what is wrong with it is said before anything is fitted

        def told(share: float, words: str) -> None:
            if progress:
                progress(Step(share, words))

        told(0.0, f"fitting {method.label} to ask the model")
        result = method.fit(self.matrix)
        told(0.4, "opening the model")
        model = open_model(self.source)
        task = quick_task(model.facts)
        (score, *_) = judge(
            model,
            {"before": self.matrix, AFTER: result},
            [task],
            text=self.text,
            limit=TEXTS,
            progress=lambda step: told(0.6 + 0.4 * step.share, f"asking the model: {step.words}"),
        )
        score = replace(score, table=AFTER)
        if self.store:
            self.store.keep(self.key(method), task, self.settings(task), [score])
        return score

    def row(self, score: Score) -> dict:
        """A judgement by name, as JSON takes it, with what it was made on."""
        return {**score.row(), "texts": Path(self.text).name if self.text else "built-in", "words": self.words(score)}

    def words(self, score: Score) -> str:
        """What the model lost, and on what."""
        figure = label_of(score.task) if score.task == score.metric else f"{label_of(score.task)}: {score.metric}"
        unit = "tokens" if score.task == "perplexity" else "texts"
        where = Path(self.text).name if self.text else BUILT_IN[score.task]
        return f"{figure} {score.after:.4g}, {score.before:.4g} before ({score.n:,} {unit} of {where})"
