"""Figures that stand in the pages' texts are what the code gives."""

import numpy as np
import pytest

from compress import SVD, pruning
from compress.lesson import budget, outlier, token
from pages.parts.filters.words import DIGITS
from pages.parts.lesson import scene2, scene3, scene5


def asked(scene):
    """All that a scene answers, in one line."""
    return " ".join(answer for _, answer in scene.ASKED)


def test_the_digits_network_has_the_parameters_and_pictures_that_are_told():
    parameters = sum(each.numel() for each in pruning.Digits().parameters())
    pictures = len(pruning.digits().learn[0])
    assert f"has {parameters:,} parameters and is trained on {pictures:,} of" in DIGITS


def test_what_a_rank_costs_is_counted_as_the_methods_count():
    picture, words = (budget.HIGH, budget.WIDE), (30_522, 384)
    told = asked(scene3)

    def ratio(shape, j):
        return 4 * shape[0] * shape[1] / SVD(j=j).size(*shape)

    assert f"costs the picture {picture[0]} + {picture[1]} numbers: 128 of them cost {128 * sum(picture):,}" in told
    assert f"more than its own {picture[0] * picture[1]:,}" in told
    assert f"one rank costs {sum(words):,} numbers of {words[0] * words[1] / 1e6:.1f} million" in told
    assert f"rank 5 makes the picture {ratio(picture, 5):.0f} times smaller and the words {ratio(words, 5):.0f} times" in told
    assert ratio(picture, 8) == pytest.approx(ratio(words, 34), rel=0.15)


def test_one_point_swings_a_line_as_far_as_is_told():
    between = np.degrees(outlier.LINE - outlier.AWAY)
    assert f"A line can swing by {between:.0f}° here: then it points at the far point" in asked(scene2)
    assert 0 < max(outlier.lines(outlier.cloud(0), 2.0).swings) < between


def test_a_word_takes_the_bytes_that_are_told():
    own = token.METHOD.rank + token.METHOD.bits // 8
    assert f"{own} bytes a word" in scene5.SEE and f"to {own} bytes" in scene5.QUESTION
    n, d = 30_522, 384
    shared = token.METHOD.size(n, d) / n - own
    assert f"Spread over {n:,} rows they come to some {shared:.0f} bytes a row" in asked(scene5)
