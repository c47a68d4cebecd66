"""What a task needs of a model, told by what is known of the model before it is opened."""

from collections.abc import Callable

from compress.models.facts import ModelFacts

Need = Callable[[ModelFacts | None, bool], str | None]  # of the model, and whether texts come as token ids: what is lacking
LEAST = 16  # tokens that a question and a part of its text take


def a_model(facts: ModelFacts | None, ids: bool) -> str | None:
    """A model at all."""
    return None if facts else "the model, and this matrix has none; neighbours needs the matrix alone"


def next_tokens(facts: ModelFacts | None, ids: bool) -> str | None:
    """A model that predicts the next token."""
    if facts and facts.causal is False:
        return f"a model that predicts the next token; {facts.kind or 'this one'} does not"
    return None


def a_text(facts: ModelFacts | None, ids: bool) -> str | None:
    """A tokenizer, or a text that needs none."""
    if facts and facts.tokenizer is False and not ids:
        return "a tokenizer, and the model has none; give the text as a .json list of lists of token ids"
    return None


def a_tokenizer(facts: ModelFacts | None, ids: bool) -> str | None:
    """A tokenizer, for texts that come with the task."""
    if facts and facts.tokenizer is False:
        return "a tokenizer, and the model has none; put its files into the model’s folder"
    return None


def room(facts: ModelFacts | None, ids: bool) -> str | None:
    """A model that reads a question and a part of its text at once."""
    if facts and facts.context is not None and facts.context < LEAST:
        return f"a model that reads {LEAST} tokens or more at once; this one reads {facts.context}"
    return None
