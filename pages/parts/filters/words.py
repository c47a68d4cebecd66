"""What Filters says in words: what the page is, its formulas and papers, and what the data of a network tell."""

import numpy as np
import pandas as pd

from compress.charts.filters import BY
from compress.pruning import Study
from pages.parts.filters.curve import Curve

ABOUT = (
    "A filter can go if the layer after it hardly depends on it. Here its sensitivity, measured on a few pictures without labels, "
    "decides what stays in a convolutional network, and what other ways of choosing keep at the same size is shown beside it."
)
FORMULA = (
    "**Sensitivity.** Of channel $j$, for a layer after it with weights $w$ and inputs $a(x)$: $s_j = \\max_{x, i, \\pm} "
    "\\; w^{\\pm}_{ij} \\cdot a_j(x) / \\sum_l w^{\\pm}_{il} \\cdot a_l(x)$, over the points $x$ of the batch, the outputs $i$, "
    "the two signs of the weights and all places. *Mean share* sums over points and places before it divides. Where several "
    "layers read a channel, the largest counts.\n\n"
    "**Budget.** With $S = \\sum_j s_j$ and $p_j = s_j / S$, a layer needs $m(\\varepsilon) = \\lceil 3 (6 + 2 \\varepsilon) S K / "
    "\\varepsilon^2 \\rceil$ samples for a relative error of $\\varepsilon$ with probability at least $1 - \\delta$, where "
    "$K = 6 \\log(8 (\\text{places} + 1) \\, \\text{outputs} / \\delta)$. They keep $\\lceil \\sum_j 1 - (1 - p_j)^m \\rceil$ "
    "filters in the mean. One $\\varepsilon$ for all layers, the smallest whose counts fit the budget, sets every layer's share. "
    "An $\\varepsilon$ above 1 promises nothing; it is then only the common measure by which layers share the budget.\n\n"
    "**Bound.** Shown by layer is the sum of the sensitivities that are gone. On the batch, with largest shares and without "
    "reweighting, no output of the layer loses a larger share of what it sums. It holds for each layer by itself, on the inputs "
    "of the whole network; errors of several layers add up and batch norms and sums after them can make them larger.\n\n"
    "**Assumptions.** The points are drawn independently from the same source as those of later; the paper asks for "
    "$\\lceil 3 \\log(8 \\eta \\eta^* / \\delta) \\rceil$ of them, $\\eta$ being the number of filters and $\\eta^*$ that of the "
    "widest layer, and that a filter's share comes within a constant factor of its upper end often "
    "enough for so few points to see it. Biases are left out.\n\n"
    "**Other ways.** Filter norm: the same share of every layer, those of largest $\\ell_2$ norm (Li et al. 2017). Random: the "
    "same share, any. Batch-norm scale: one threshold on $|\\gamma|$ for all layers (network slimming, Liu et al. 2017).\n\n"
    "Liebenwein, Baykal, Lang, Feldman and Rus, *Provable Filter Pruning for Efficient Neural Networks*, ICLR 2020 "
    "([arXiv 1911.07412](https://arxiv.org/abs/1911.07412))."
)
DIGITS = (
    "**The digits network** has 77,290 parameters and is trained on 1,097 of scikit-learn's digits with an ℓ1 penalty on "
    "batch-norm scales, so that many of its filters are silent: nothing after them depends on them, and they go first at no loss. "
    "Without that penalty fewer are silent, so that what is shown here is not to be expected of every network."
)


def held_words(known: Study) -> str:
    """Which channels stay whole, and why."""
    held = [
        f"- `{space.name}`, {len(space.channels)} channels: {plainly(space.held)}" for space in known.channels.spaces if space.held
    ]
    return "**Channels that are kept whole**\n\n" + "\n".join(held)


def plainly(why: str) -> str:
    """The library's reason, with what its node of the trace is."""
    first, _, rest = why.partition(" ")
    if rest in ("cuts channels out", "pads channels"):
        return f"a shortcut slices and pads them (`{first}` {rest})"
    return why


def near_one(known: Study) -> float:
    """The share of the channels that count at all whose sensitivity is above .9."""
    values = np.concatenate([known.values[space.channels] for space in known.channels.prunable])
    return float((values[values > 0] > 0.9).mean()) if (values > 0).any() else 0.0


def silent(known: Study) -> tuple[int, int]:
    """Filters that nothing depends on, and all that can go."""
    values = np.concatenate([known.values[space.channels] for space in known.channels.prunable])
    return int((values == 0).sum()), len(values)


def comparison_words(lost: pd.DataFrame, curve: Curve, accuracy: bool) -> str:
    """Where sensitivity loses, by how much, to whom, and what may be why. lost: what `losses` gives."""
    when = "After one epoch of retraining" if curve.retrained else "One shot"
    if lost.empty:
        return f"{when}, no other way keeps clearly more than sensitivity at any of these budgets."
    worst = lost.loc[lost["gap"].idxmax()]
    share, many = round(100 * worst["removed"]), len(lost)
    verb = "keeps more" if accuracy else "errs less"
    words = [
        f"{when}, at {share} % removed {BY[worst['by']][0]} {verb}: {number(worst['theirs'])} against {number(worst['ours'])} by "
        "sensitivity" + (f"; {at_others(lost, share)}" if many > 1 else "") + "."
    ]
    if share in curve.other:
        words.append(f"{instead_words(curve)} gets {number(curve.other[share])} there.")
    part = near_one(curve.known)
    if curve.known.over == "largest":
        words.append(
            f"The largest share is above .9 for {part:.0%} of the filters that count at all"
            + (": one place where little is summed is enough for that, so that their order says little." if part >= 0.25 else ".")
        )
    if worst["by"] == "bn_scale":
        words.append(
            "Batch-norm scales carry what training learned about the filters, most of all where it was made to shrink them."
        )
    return " ".join(words)


def instead_words(curve: Curve) -> str:
    if curve.setting.variant != "top":
        return "Keeping the most sensitive, without drawing,"
    return f"Sensitivity as the {curve.instead.over} share"


def at_others(lost: pd.DataFrame, share: int) -> str:
    others = [f"{round(100 * removed)}" for removed in lost["removed"] if round(100 * removed) != share]
    listed = f"{', '.join(others[:-1])} and {others[-1]}" if len(others) > 1 else others[0]
    return f"at {listed} % another way is ahead as well"


def number(value: float) -> str:
    """A share in three digits, as .529."""
    return f"{value:.3f}".removeprefix("0")
