"""Built-in texts of several kinds, those that something is learnt from, and those held out of it."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from compress.models.open import OpenModel
from compress.sources.order import IN_NO_TEXT, by_order
from compress.tasks.score import BEFORE
from compress.tasks.texts import Text, papers, texts_to_learn

DRAWN, LENGTHS = 6000, range(4, 31)  # texts of words that are drawn, and how many words one has
PIECE = 256  # tokens of a text that a language model is measured on
PIECES = 24  # such texts that the built-in ones give, and as many that the model writes itself
BETWEEN_TEXTS = "<|endoftext|>"  # what many language models learnt to begin a text after
APART, WRITTEN = 200, (20, 64)  # texts of a kind that is held out; of those that a model writes, and how long these are


def texts_of_kinds(model: OpenModel, path: Path | str | None, seed: int = 0) -> list[Text]:
    """What a model's importance is measured by: the texts of a file; without one, documentation and another kind, words drawn by
    the order of the vocabulary, or what a language model writes itself. Raises InputError as `texts_to_learn` does."""
    texts = texts_to_learn(path)
    if path is not None or model.tokenizer is None:
        return texts
    if model.causal:
        return pieces_of(model, texts, seed)
    return [*texts, *drawn(model, DRAWN, seed)]


def texts_apart(model: OpenModel, seed: int = 0) -> dict[str, list[Text]]:
    """By kind, texts that nothing is learnt from; none for a model without a tokenizer."""
    if model.tokenizer is None:
        return {}
    said = (text for text in papers() if is_said(model, text))
    kinds: dict[str, list[Text]] = {"licences and descriptions": [*islice(said, APART)]}
    if model.causal:
        kinds["its own texts"] = [*written(model, *WRITTEN, seed + 1)]
    else:
        kinds["words by order"] = drawn(model, APART, seed + 1)
    return kinds


def is_said(model: OpenModel, text: str) -> bool:
    """Whether a model's vocabulary has words for most of a text."""
    unknown, ids = model.tokenizer.unk_token_id, model.tokenizer(text)["input_ids"]
    return unknown is None or 2 * ids.count(unknown) < len(ids)


def drawn(model: OpenModel, count: int, seed: int = 0) -> list[Text]:
    """Texts of words that are drawn by Zipf's law from the vocabulary in its order, so that every row may be in one."""
    n, tokenizer, rng = len(model.table), model.tokenizer, np.random.default_rng(seed)
    names = tokenizer.convert_ids_to_tokens(range(min(n, len(tokenizer))))
    special = {*tokenizer.all_special_tokens}
    chances = by_order(1.0, len(names), names)
    chances[[name in special or bool(IN_NO_TEXT.fullmatch(name.lower())) for name in names]] = 0
    lengths = rng.integers(LENGTHS.start, LENGTHS.stop, count)
    ids = rng.choice(len(names), lengths.sum(), p=chances / chances.sum())
    return [tokenizer.decode(part) for part in np.split(ids, np.cumsum(lengths)[:-1])]


def pieces_of(model: OpenModel, texts: Sequence[Text], seed: int = 0) -> list[Text]:
    """What a language model's importance is measured on where no text is given: PIECES texts of PIECE tokens, the given ones put
    after each other, and as many that it writes itself, so that more than one kind is there."""
    from compress.tasks.bench import Bench

    bench = Bench(model, {BEFORE: model.table.detach().cpu().numpy()})
    most = bench.context(PIECE)
    joined = [number for each in bench.ids(texts, None) for number in each]
    found = [tuple(joined[at : at + most]) for at in range(0, min(len(joined), PIECES * most), most)]
    return [*found, *written(model, PIECES, most, seed)]


def written(model: OpenModel, count: int, length: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Token ids of texts that a language model writes, drawn from its own distribution: data-free calibration, as in Liu et al.,
    LLM-QAT, 2023. What a text is begun with is left out, as models lean on a first token of that kind as on no other."""
    import torch

    known = model.tokenizer.get_vocab() if model.tokenizer else {}
    config = model.network.config
    starts = (known.get(BETWEEN_TEXTS), config.bos_token_id, config.eos_token_id, 0)
    start = next(each for each in starts if isinstance(each, int))
    draws = torch.Generator(model.table.device).manual_seed(seed)
    last = torch.full((count, 1), start, device=model.table.device)
    found, past = [], None
    with torch.inference_mode():
        for _ in range(length):
            output = model.network(last, past_key_values=past, use_cache=True)
            past = output.past_key_values
            last = torch.multinomial(output.logits[:, -1].float().softmax(-1), 1, generator=draws)
            found.append(last)
    return [tuple(row) for row in torch.cat(found, 1).tolist()]
