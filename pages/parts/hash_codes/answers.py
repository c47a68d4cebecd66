"""What Hash codes tells at every length and rank: without a fit, from the settings that are known."""

from dataclasses import replace

import numpy as np

from compress import EmbeddingMatrix
from compress.analysis.bound import Bound
from compress.analysis.code_curves import BITS, STEP, CodeCurves, Figures, ideal_coders
from compress.analysis.code_preview import FIGURES, Estimate
from compress.answers.codes import read
from compress.methods import LightToken
from compress.threads import one_thread
from pages.parts import kept
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers, Mark, Ring
from pages.parts.hash_codes.cards import hash_figures, part_words, row_bits
from pages.parts.hash_codes.fits import alike, same_kind, seen, whole_of
from pages.parts.hash_codes.settings import HASH_CODES
from pages.parts.opponents import Rivals
from pages.parts.work.ahead import ahead

CHARTS = {"against_bits": "weighted_error", "against_bits_cosine": "mean_cosine"}  # the figure that each shows
LENGTHS = "LightToken, any length"
OTHERWISE = 0.15  # of an error, the spread between codes that were trained in different ways
APART = 4 * STEP  # bits between two points of that curve
OF_PAPER = ("temperature", "epochs")  # what only the paper's solver is set to


@cached(4)
def ideals_of(matrix: EmbeddingMatrix) -> dict[str, list[Bound]]:
    with one_thread():
        return ideal_coders(matrix)


def curves_of(matrix: EmbeddingMatrix, method: LightToken) -> CodeCurves:
    """What is known of settings of the same kind, from full fits, from those that were shown here, and from the table that is made
    ahead."""
    told = method.settings
    names = ["stages", "loss", "solver", *(OF_PAPER if method.solver == "paper" else ())]
    known = read(method, ahead(matrix, "codes", **{name: told[name] for name in names}) or {})
    known |= {each: figures for each, figures in seen(matrix)[1].items() if same_kind(each, method)}
    for trial in kept.known(matrix.key):
        if isinstance(trial.method, LightToken) and same_kind(trial.method, method):
            known[trial.method] = {name: Estimate(trial.figures[name], 0.0) for name in FIGURES}
    return CodeCurves(ideals_of(matrix), matrix.shape[1], known or trained_otherwise(matrix, method))


def trained_otherwise(matrix: EmbeddingMatrix, method: LightToken) -> dict[LightToken, Figures]:
    """What the codes that were shown last tell of those that are trained for another time or at another temperature."""
    code = alike(matrix, method)
    assert code
    told = whole_of(code).figures
    alone = {name: replace(each, spread=each.spread + OTHERWISE * min(each.value, 1 - each.value)) for name, each in told.items()}
    return {replace(method, bits=code.method.bits, rank=code.method.rank): alone}


def rivals_of(matrix: EmbeddingMatrix, method: LightToken) -> Rivals:
    """What codes of every length and rank are held against."""
    return Rivals(matrix, up_to=HASH_CODES.largest(method, matrix.shape).size(*matrix.shape))


def answers_of(matrix: EmbeddingMatrix, method: LightToken, curves: CodeCurves, rivals: Rivals) -> dict[str, Answers]:
    """For both dials, by their keys."""
    given = matrix, curves, rivals
    return {
        HASH_CODES.bits.key: by_bits(replace(method, bits=BITS[1]), *given),
        HASH_CODES.rank.key: by_rank(replace(method, rank=0), *given),
    }


@cached(8)
def by_bits(method: LightToken, matrix: EmbeddingMatrix, curves: CodeCurves, rivals: Rivals) -> Answers:
    """At every length beside the rank of a method."""
    methods = HASH_CODES.lengths(method, matrix.shape)
    return Answers([each.bits for each in methods], **told_at(methods, matrix, curves, rivals))


@cached(8)
def by_rank(method: LightToken, matrix: EmbeddingMatrix, curves: CodeCurves, rivals: Rivals) -> Answers:
    """The same beside every rank."""
    methods = HASH_CODES.ranks(method, matrix.shape)
    traces = curves_by_rank(matrix, replace(method, bits=BITS[1]), curves)
    return Answers([each.rank for each in methods], **told_at(methods, matrix, curves, rivals), traces=traces)


def told_at(methods: list[LightToken], matrix: EmbeddingMatrix, curves: CodeCurves, rivals: Rivals) -> dict:
    both = [*zip(methods, curves.told(methods), strict=True)]
    return {
        "figures": {"cards": [hash_figures(matrix, *each, rivals) for each in both]},
        "marks": {chart: [marks(matrix, *each, chart) for each in both] for chart in CHARTS},
        "sentences": {"bits_used": [part_words(matrix, *each) for each in both]},
    }


def marks(matrix: EmbeddingMatrix, method: LightToken, told: Figures, chart: str) -> list[Mark]:
    """The ring around a code in a chart, where it is known."""
    value = told[CHARTS[chart]].value
    return [] if np.isnan(value) else [Ring("code", row_bits(matrix, method), value, f"{method.bits} bits")]


def curve_of(matrix: EmbeddingMatrix, method: LightToken, curves: CodeCurves, chart: str) -> tuple:
    """Of codes of every length beside the rank of a method: bits a row, values and their words."""
    methods = some_lengths(matrix, method)
    values = [each[CHARTS[chart]].value for each in curves.told(methods)]
    return np.array([row_bits(matrix, each) for each in methods]), np.array(values), [f"{each.bits} bits, ≈" for each in methods]


@cached(8)
def curves_by_rank(matrix: EmbeddingMatrix, method: LightToken, curves: CodeCurves) -> dict:
    """That curve beside each of the ranks, for each chart."""
    every = [some_lengths(matrix, each) for each in HASH_CODES.ranks(method, matrix.shape)]
    told = curves.told([each for row in every for each in row])
    x = np.array([[row_bits(matrix, each) for each in row] for row in every])
    y = {chart: np.reshape([each[name].value for each in told], x.shape) for chart, name in CHARTS.items()}
    return {chart: {LENGTHS: {"x": x, "y": y[chart]}} for chart in CHARTS}


def some_lengths(matrix: EmbeddingMatrix, method: LightToken) -> list[LightToken]:
    """The method at some of all lengths, the shortest and the longest with them."""
    offered = HASH_CODES.lengths(method, matrix.shape)
    return [*offered[: -1 : APART // STEP], offered[-1]]


def widest(matrix: EmbeddingMatrix, method: LightToken) -> float:
    """The bits a row of the longest code beside the highest rank."""
    return row_bits(matrix, HASH_CODES.largest(method, matrix.shape))
