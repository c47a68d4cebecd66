"""A tokenizer's vocabulary cut to some of its tokens: which these are, what else they need, and the tokenizer without the rest.

A tokenizer is what `tokenizers` writes as JSON: its model is BPE, WordPiece, Unigram or WordLevel. On a text whose tokens are kept
the smaller one gives the same tokens, up to their numbers: BPE takes the merges in the same order, WordPiece finds the same longest
pieces, and Unigram the same best division, since no token was added. Any other text comes in smaller pieces, bytes, or as unknown.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from compress.sources.weights import in_scripts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def numbers_of(parts: dict) -> dict[str, int]:
    """The number of each token, those beside the model's vocabulary too."""
    held = parts["model"]["vocab"]
    own = {entry[0]: number for number, entry in enumerate(held)} if isinstance(held, list) else dict(held)
    return own | {each["content"]: each["id"] for each in parts["added_tokens"]}


def used_by(tokenizer: "Tokenizer", texts: Sequence[str]) -> set[int]:
    """The tokens that texts are made of, and single characters, so that other texts can be told by pieces."""
    parts = json.loads(tokenizer.to_str())
    return {number for each in tokenizer.encode_batch(texts) for number in each.ids} | characters(parts)


def written_by(tokenizer: "Tokenizer", scripts: Sequence[str]) -> set[int]:
    """The tokens that are written in these scripts alone, but for those that no text has, as "[unused1]". Raises InputError for
    what is no script."""
    numbers = numbers_of(json.loads(tokenizer.to_str()))
    there = in_scripts([*numbers], scripts, tokenizer.decoder)
    return {number for number, kept in zip(numbers.values(), there, strict=True) if kept}


def characters(parts: dict) -> set[int]:
    """Tokens of one character; where bytes stand in for those that are not there, of ASCII alone."""
    model, numbers = parts["model"], numbers_of(parts)
    before, behind = model.get("continuing_subword_prefix") or "", model.get("end_of_word_suffix") or ""
    short = {token: token.removeprefix(before).removesuffix(behind) for token in numbers}
    bytes_do = bool(model.get("byte_fallback"))
    return {numbers[token] for token, letter in short.items() if len(letter) == 1 and (letter.isascii() or not bytes_do)}


def completed(parts: dict, kept: Iterable[int]) -> set[int]:
    """The tokens, and what they need: those that every text may need, which are tokens that the tokenizer adds, the unknown one and
    bytes; for BPE those that they are merged from; for Unigram the least likely one, by which what is unknown is judged."""
    model, numbers = parts["model"], numbers_of(parts)
    found = {*kept, *(each["id"] for each in parts["added_tokens"])}
    found |= {number for token, number in numbers.items() if BYTE.fullmatch(token) or token == model.get("unk_token")}
    if in_bytes(parts):
        found |= characters(parts)
    if model["type"] == "Unigram":
        scores = [entry[1] for entry in model["vocab"]]
        found |= {scores.index(min(scores)), *([] if model["unk_id"] is None else [model["unk_id"]])}
    names, made = {number: token for token, number in numbers.items()}, made_by(model)
    waiting = [names[number] for number in found if number in names]
    while waiting:
        for part in made.get(waiting.pop(), ()):
            if numbers[part] not in found:
                found.add(numbers[part])
                waiting.append(part)
    return found


def in_bytes(parts: dict) -> bool:
    """Whether the characters that the model sees are the bytes of a text."""
    steps = parts.get("pre_tokenizer") or {}
    return any(step["type"] == "ByteLevel" for step in steps.get("pretokenizers", [steps]) if step)


def merged(model: dict, pair: Sequence[str]) -> str:
    """The token that a pair of BPE becomes."""
    return pair[0] + pair[1].removeprefix(model.get("continuing_subword_prefix") or "")


def made_by(model: dict) -> dict[str, set[str]]:
    """What each token of BPE is merged from, by any of its merges."""
    found: dict[str, set[str]] = {}
    for pair in model.get("merges", ()):
        found.setdefault(merged(model, pair), set()).update(pair)
    return found


def cut(parts: dict, order: Sequence[int]) -> dict:
    """The tokenizer with those tokens alone (ascending), which are numbered by their place among them."""
    place = {number: at for at, number in enumerate(order)}
    model, found = parts["model"], dict(parts)
    held = model["vocab"]
    own: list | dict
    if isinstance(held, list):
        own = [entry for number, entry in enumerate(held) if number in place]
        known = {entry[0] for entry in own}
    else:
        own = {token: place[number] for token, number in held.items() if number in place}
        known = set(own)
    found["model"] = model | {"vocab": own}
    if "merges" in model:
        found["model"]["merges"] = [each for each in model["merges"] if {*each, merged(model, each)} <= known]
    if model.get("unk_id") is not None:
        found["model"]["unk_id"] = place[model["unk_id"]]
    found["added_tokens"] = [each | {"id": place[each["id"]]} for each in parts["added_tokens"]]
    found["post_processor"] = renumbered(parts.get("post_processor"), place)
    if padding := parts.get("padding"):
        found["padding"] = padding | {"pad_id": place[padding["pad_id"]]}
    return found


def renumbered(step: dict | None, place: dict[int, int]) -> dict | None:
    """What adds tokens to a text, with their new numbers."""
    if step is None:
        return None
    found = dict(step)
    if "processors" in step:
        found["processors"] = [renumbered(each, place) for each in step["processors"]]
    if isinstance(named := step.get("special_tokens"), dict):
        found["special_tokens"] = {
            token: each | {"ids": [place[number] for number in each["ids"]]} for token, each in named.items()
        }
    return found | {name: [step[name][0], place[step[name][1]]] for name in ("sep", "cls") if name in step}
