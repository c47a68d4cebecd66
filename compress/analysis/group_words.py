"""The words that tell a group of rows from the rest: c-TF-IDF (Grootendorst, BERTopic, 2022, arXiv 2203.05794)."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

WORD = re.compile(r"(?<![^\W_])[^\W\d_]{2,}(?:['’-][^\W\d_]+)*(?![^\W_])")  # two letters or more, no digits beside them
LONGEST, READ = 24, 2000  # letters of a word, and of a text from its beginning
LIFT = 1.5  # times its share in the others that a word's share in its own group is, at least
BEGINS = str.maketrans("Ġ▁", "  ")  # marks of a tokenizer that a word begins with


def group_words(
    rows: Iterable[Sequence[str]], labels: np.ndarray, n_groups: int, most: int = 3, without: Sequence[Collection[str]] = ()
) -> list[tuple[str, ...]]:
    """The words of each group, the most telling first, at most so many; none for a group that no word tells from the rest.

    A word w of group c weighs tf(w, c) · log(1 + A / f(w)): its share of the group's words, by how many words a group has on
    average over how often w occurs in all. Of words that weigh the same the one met first comes first.

    rows: the words of each, see `words`. labels: (n,) the group of each, -1 for none. without: words that each group is not to be
    told by.
    """
    counts: list[Counter[str]] = [Counter() for _ in range(n_groups)]
    for row, label in zip(rows, labels.tolist(), strict=True):
        if label >= 0:
            counts[label].update(row)
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    every = sum(total.values())
    found = []
    for z, each in enumerate(counts):
        held, left_out = sum(each.values()), {*without[z]} if without else set()
        weights = {
            word: count / held * np.log1p(every / n_groups / total[word])
            for word, count in each.items()
            if word not in left_out and count * (every - held) >= LIFT * (total[word] - count) * held
        }
        found.append(tuple(sorted(weights, key=lambda word: -weights[word])[:most]))
    return found


def words(text: str) -> list[str]:
    """The words of a text in small letters, each once; marks of a tokenizer and numbers are none."""
    found = WORD.findall(text[:READ].translate(BEGINS))
    return list(dict.fromkeys(word.lower() for word in found if len(word) <= LONGEST))
