import numpy as np

from compress.analysis.group_words import group_words, words


def planted(n=300, groups=3, seed=0):
    """Texts of words that all groups have and of two of their own, and the group of each."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, groups, n)
    common = ["the", "of", "and", "to", "in", "is"]
    texts = [
        " ".join([*random.choice(common, 4), f"river{'abc'[z]}", f"stone{'abc'[z]}", f"r{at} seldom"])
        for at, z in enumerate(labels)
    ]
    return texts, labels


def test_planted_words_tell_each_group_from_the_rest():
    texts, labels = planted()
    assert [{*found} for found in group_words(map(words, texts), labels, 3, most=2)] == [{f"river{z}", f"stone{z}"} for z in "abc"]


def test_words_that_all_groups_share_tell_none():
    texts = ["the end", "the end", "the end", "the end"]
    assert group_words(map(words, texts), np.array([0, 0, 1, 1]), 2) == [(), ()]


def test_words_named_above_are_left_to_those_above():
    texts, labels = planted()
    without = [{"rivera"}, set(), set()]
    assert group_words(map(words, texts), labels, 3, most=1, without=without)[0] == ("stonea",)


def test_of_rows_with_a_word_each_the_first_ones_speak_for_the_group():
    texts, labels = ["##king", "Ġqueen", "prince", "red", "blue"], np.array([0, 0, 0, 1, 1])
    assert group_words(map(words, texts), labels, 2, most=2) == [("king", "queen"), ("red", "blue")]


def test_words_have_letters_only_and_are_not_parts_of_numbers():
    assert words("The 19th [unused396] state-of-the-art ##king's Ġqueen ▁Zürich 日本 x") == [
        *("the", "state-of-the-art", "king's", "queen", "zürich", "日本")
    ]


def test_a_word_counts_once_a_row_and_numbers_are_none():
    texts = ["spam " * 50 + "egg 1984", "egg", "egg", "ham", "ham"]
    assert group_words(map(words, texts), np.array([0, 0, 0, 1, 1]), 2) == [("egg", "spam"), ("ham",)]


def test_rows_of_no_group_are_not_read():
    assert group_words(map(words, ["one", "two"]), np.array([-1, 0]), 1) == [("two",)]
