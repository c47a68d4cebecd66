"""What a model may lose: read as a person writes it, and how much worse a figure may be by that."""

import pytest

from compress import Int8
from compress.tuning.fits import judged, judged_before
from compress.tuning.sweep import Trial
from compress.tuning.targets import ModelTarget
from compress.tuning.terms import term

ALLOWED = {  # with the figure of the table itself, and whether less or more of it is better
    "kl <= .02": (0.0, "less", 0.02),
    "KL at most 0.02": (0.0, "less", 0.02),
    "kl .02": (0.0, "less", 0.02),
    "perplexity <= +1%": (20.0, "less", 0.2),
    "perplexity ≤ +.5": (20.0, "less", 0.5),
    "perplexity <= 20.5": (20.0, "less", 0.5),
    "stsb >= -.5 points": (0.8672, "more", 0.005),
    "STS-B at most −.5 points": (0.8672, "more", 0.005),
    "stsb >= -1%": (0.8, "more", 0.008),
    "recall@10 >= .95": (1.0, "more", 0.05),
    "recall@10 at least 95%": (1.0, "more", 0.05),
}


@pytest.mark.parametrize("text", ALLOWED)
def test_a_bound_says_how_much_worse_a_figure_may_be(text):
    before, better, allowed = ALLOWED[text]
    assert term(text).allowed(before, better) == pytest.approx(allowed)


def test_the_figures_name_is_what_stands_before_the_bound():
    assert [term(text).name for text in ("STS-B >= -1 point", "top-1 agreement at least .98", "My own.csv -1 points")] == [
        "STS-B",
        "top-1 agreement",
        "My own.csv",
    ]


@pytest.mark.parametrize("text", ["", "kl", "<= .02", "kl <= much", "kl <= .02 nats", "kl <= 0", "kl <= -"])
def test_what_is_no_bound_is_told_how_one_is_written(text):
    with pytest.raises(ValueError, match=r"^a bound on what the model loses is written as 'kl <= \.02', 'perplexity <= \+1%'"):
        term(text)


@pytest.mark.parametrize(
    ("text", "before", "better", "sentence"),
    [
        ("kl >= .02", 0.0, "less", r"^of kl less is better, so that it is to be at most something, got 'kl >= \.02'$"),
        ("stsb <= .8", 0.8, "more", r"^of stsb more is better, so that it is to be at least something"),
        (
            "perplexity <= 14",
            14.9,
            "less",
            r"^with the table itself perplexity is 14\.9 already, so 'perplexity <= 14' cannot be kept$",
        ),
    ],
)
def test_a_bound_that_cannot_be_kept_says_why(text, before, better, sentence):
    with pytest.raises(ValueError, match=sentence):
        term(text).allowed(before, better)


@pytest.mark.parametrize("knee", [9.0, 21.0, 39.0, 130.0])
@pytest.mark.parametrize("power", [2, 4, 16])
def test_a_search_by_a_models_figure_comes_near_the_largest_ratio_in_few_fits(knee, power):
    target, made = ModelTarget({"until": "stsb -.5 points"}, term("stsb -.5 points"), "STS-B", "more"), []

    def fit(ratio):  # a loss that chance hides far from the knee, where it is what is allowed
        made.append(ratio)
        lost = 0.005 * (ratio / knee) ** power if ratio > knee / 2 else -0.0003
        figures = {"ratio": ratio, "n_bytes": 1e6 / ratio, judged("STS-B"): 0.8672 - lost, judged_before("STS-B"): 0.8672}
        return Trial(Int8(), figures)

    found = target.search(fit, 8.0, 1.0, 1000.0, 8)
    assert target.met(found) and found.figures["ratio"] > 0.9 * knee and len(made) <= 8
