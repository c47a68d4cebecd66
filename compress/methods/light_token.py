"""LightToken: low rank, and what that leaves of each row as a binary code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from array_api_compat import array_namespace

from compress.checks import one_of, random_seed, real, setting, whole
from compress.coding import packing
from compress.coding.layout import Layout
from compress.errors import Progress, Step, Stop
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.matrix import EmbeddingMatrix
from compress.methods import low_rank
from compress.methods.base import Method, precision, rank_bound
from compress.methods.svd import SVD
from compress.solvers.autoencoder import train_stage
from compress.solvers.binary_codes import Codes, Target, first_gains, fit_codes, refit_decoder, refit_gains, sparing, sweep
from compress.solvers.code_losses import LOSSES
from compress.solvers.packed_signs import packed

PRECISIONS = {32: np.float32, 16: np.float16, 8: np.int8}
SOLVERS = ("refined", "paper")


@dataclass(frozen=True)
class LightToken(Method):
    """A row is its rank-r part plus a linear decoding of L bits: LightToken (KDD 2023; from its authors' public summary).

    rank: r of the SVD part, 0 for none. bits: L, the length of a row's code, 0 for SVD alone. stages: parts of the code, each made
    for what the parts before it leave; any whole number of them, from the first, is a code itself.
    loss: "euclidean", ‖aᵢ−bᵢ‖², or "direction", a bound above it that minds the angle more (solvers/code_losses.py).
    solver: "refined" (ours, solvers/binary_codes.py) or "paper", the trained autoencoder (solvers/autoencoder.py), whose
    temperature falls to `temperature` over `epochs` a stage. passes: of the refined solver over all rows, for each stage.
    gain_bits: bits of each row's own gain, refined only; where rows would lose more than all of themselves, one gain is 0, and its
    rows are without the code's offset too. factor_bits: precision of the factors and the decoder, 32, 16 or 8. Stored
    besides: the packed bits; encoders are thrown away.
    """

    name = "light_token"
    label = "LightToken"
    place = 4
    decoder = "light_token"
    knob = "bits"
    spanning = ("bases", "decoder", "offset")
    coded = True
    effort = 48

    rank: int = setting(0, whole, 0)
    bits: int = setting(384, whole, 0)
    stages: int = setting(1, whole, 1, 1024)
    loss: str = setting("euclidean", one_of, tuple(LOSSES))
    solver: str = setting("refined", one_of, SOLVERS)
    temperature: float = setting(0.01, real, 0.001, 1)
    epochs: int = setting(20, whole, 1, 10000)
    passes: int = setting(40, whole, 1, 1000)
    gain_bits: int = setting(3, whole, 0, 8)
    factor_bits: int = precision(8, tuple(PRECISIONS))
    seed: int = random_seed()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rank == self.bits == 0:
            raise ValueError("bits must be a whole number at least 1 where rank is 0, got 0")
        if self.bits:
            whole("stages", self.stages, 1, self.bits, f"there are {self.bits} bits")

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        """Where `progress` raises compress.Stop, the stages finished by then are what is kept, if there is one."""
        self.check(*matrix.shape)
        arrays = self.base(matrix)
        if not self.bits:
            return Compressed(self, arrays, matrix.shape, matrix.digest)
        return self.encode(matrix, arrays, progress)

    def base(self, matrix: EmbeddingMatrix) -> dict[str, Any]:
        """The arrays of the low-rank part."""
        return self.svd.fit(matrix).arrays if self.rank else {}

    def encode(self, matrix: EmbeddingMatrix, arrays: dict[str, Any], progress: Progress | None = None, **how: int) -> Compressed:
        """Codes for what the low-rank part leaves of the rows. how: calm and turns of the refined solver, see `fit_codes`."""
        target = self.target(matrix, arrays)
        stages = self.refine(target, progress, **how) if self.solver == "refined" else self.train(target, matrix.device, progress)
        finished = []
        try:
            for codes in stages:
                finished.append(codes)
        except Stop:
            if not finished:
                raise
        method = self.prefix(len(finished))
        return Compressed(method, arrays | method.code_arrays(target, finished[-1]), matrix.shape, matrix.digest)

    @property
    def svd(self) -> SVD:
        """The low-rank part, a method of its own."""
        return SVD(j=self.rank, factor_bits=self.factor_bits)

    @property
    def levels(self) -> int:
        """How many gains there are to choose from."""
        return 2**self.gain_bits if self.solver == "refined" and self.bits else 1

    @property
    def widths(self) -> list[int]:
        """Bits of each stage."""
        return [self.bits // self.stages + (stage < self.bits % self.stages) for stage in range(self.stages)]

    def prefix(self, stages: int) -> "LightToken":
        """The same settings with the first stages only."""
        return replace(self, bits=sum(self.widths[:stages]), stages=stages)

    def target(self, matrix: EmbeddingMatrix, arrays: dict[str, Any]) -> Target:
        """What the codes are fitted to: the rows, of which `arrays` hold the low-rank part."""
        d = matrix.shape[1]

        def base(rows: slice | np.ndarray) -> np.ndarray:
            rows = np.arange(*rows.indices(matrix.shape[0])) if isinstance(rows, slice) else np.arange(matrix.shape[0])[rows]
            return self.svd.decode(arrays, rows, d) if self.rank else np.zeros((len(rows), d), np.float32)

        return Target(matrix.rows if self.solver == "refined" else matrix.values, base, matrix.weights, LOSSES[self.loss])

    def refine(self, target: Target, progress: Progress | None, **how: int) -> Iterator[Codes]:
        """The codes after every stage."""
        codes = None
        for stage, bits in enumerate(self.widths):

            def tell(step: int, cost: float | None, stage: int = stage) -> None:
                self.tell_pass(progress, stage, step, self.passes, cost, None)

            codes = fit_codes(target, bits, self.levels, self.passes, self.seed + stage, tell, codes, **how)
            yield codes

    def train(self, target: Target, device: str, progress: Progress | None) -> Iterator[Codes]:
        """The codes after every stage."""
        codes = first_gains(target, 1)
        codes = replace(codes, offset=np.zeros_like(codes.offset))
        for stage, bits in enumerate(self.widths):

            def tell(epoch: int, cost: float, saturation: float, stage: int = stage) -> None:
                self.tell_pass(progress, stage, epoch, self.epochs, cost, saturation)

            def known(rows: slice | np.ndarray, codes: Codes = codes) -> np.ndarray:
                return target.base(rows) + codes.decode(rows)

            seed = self.seed + stage
            signs, decoder, offset = train_stage(target, known, bits, self.temperature, self.epochs, seed, device, tell)
            codes = replace(
                codes,
                signs=np.concatenate([codes.signs, signs], axis=1),
                decoder=np.concatenate([codes.decoder, decoder]),
                offset=codes.offset + offset,
            )
            yield codes

    def tell_pass(
        self, progress: Progress | None, stage: int, step: int, steps: int, cost: float | None, saturation: float | None
    ) -> None:
        """Tells `progress`, if there is one, of a pass over all rows in a stage; both are counted from 0."""
        if progress:
            loss = "" if cost is None else f", loss {cost:.4f}"
            words = f"stage {stage + 1} of {self.stages}, pass {step + 1} over all rows{loss}"
            figures = {"stage": stage, "step": step, "steps": steps, "cost": cost, "saturation": saturation}
            progress(Step((stage + (step + 1) / steps) / self.stages, words, figures))

    def code_arrays(self, target: Target, codes: Codes) -> dict[str, np.ndarray]:
        """The arrays of the codes, which the refined solver fits once more to the decoder as it is stored."""
        if self.solver == "refined":
            stored = stored_decoder(codes.decoder, self.factor_bits)
            fitted = replace(codes, signs=codes.signs.copy(), decoder=read_decoder(stored))
            sweep(target, fitted)
            codes = replace(sparing(target, refit_gains(target, fitted)), decoder=codes.decoder)
        return self.pack(codes)

    def pack(self, codes: Codes) -> dict[str, np.ndarray]:
        """The arrays of the codes as they are."""
        arrays = stored_decoder(codes.decoder, self.factor_bits)
        arrays |= {"codes": packed(codes.signs), "offset": codes.offset.astype(np.float32)}
        if self.levels > 1:
            arrays |= {"gains": packing.pack_stream(codes.level, self.gain_bits), "levels": codes.levels.astype(np.float32)}
        return arrays

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        if not self.bits:
            return low_rank.decoded(arrays, rows, self.rank)
        signs, offset = packing.read_signs(arrays["codes"][rows], self.bits), arrays["offset"]
        if self.levels > 1:
            gains = arrays["levels"][packing.read_stream(arrays["gains"], self.gain_bits, rows)][:, None]
            there = gains != 0
            signs, offset = signs * (gains * there), offset * there
        decoded = signs @ read_decoder(arrays) + offset
        return decoded + low_rank.decoded(arrays, rows, self.rank) if self.rank else decoded

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        base = self.svd.trainable(arrays, n, d) if self.rank else Trainable({}, {})
        if not self.bits:
            return base
        levels = {name: arrays[name] for name in ("levels",) if self.levels > 1}
        codes = {name: arrays[name] for name in ("codes", "gains") if name in arrays}
        ones = {"decoder_scales": np.ones(self.bits, np.float32)}
        decoder = {"decoder": read_decoder(arrays), "offset": arrays["offset"]}
        return Trainable(base.parameters | decoder | levels, base.fixed | codes | ones)

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        base = self.svd.stored(arrays, parameters) if self.rank else {}
        decoder = stored_decoder(parameters["decoder"], self.factor_bits) if self.bits else {}
        return arrays | base | decoder | {name: parameters[name] for name in ("offset", "levels") if name in parameters}

    def layout(self, n: int, d: int) -> Layout:
        layout: Layout = self.svd.layout(n, d) if self.rank else {}
        if self.bits:
            layout |= {
                "codes": ((n, (self.bits + 7) // 8), np.uint8),
                "decoder": ((self.bits, d), PRECISIONS[self.factor_bits]),
                "decoder_scales": ((self.bits,), np.float32),
                "offset": ((d,), np.float32),
            }
        if self.levels > 1:
            layout |= {"gains": (((n * self.gain_bits + 7) // 8,), np.uint8), "levels": ((self.levels,), np.float32)}
        return layout

    def parameter_count(self, n: int, d: int) -> int:
        """Of the low-rank part and the decoders, and a 32nd of a number for every bit."""
        base = self.svd.parameter_count(n, d) if self.rank else 0
        if not self.bits:
            return base
        bits = self.bits + (self.gain_bits if self.levels > 1 else 0)  # of a row
        return base + (n * bits + 31) // 32 + self.bits * d + d

    def check(self, n: int, d: int) -> None:
        if self.rank:
            whole("rank", self.rank, 1, *rank_bound(n, d))
        if self.bits:
            whole("bits", self.bits, 1, n - 1, f"the matrix has {n:,} rows")

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        return {"factor_bits": (8,)}

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        return range(1, n)

    @property
    def draft(self) -> Self:
        return replace(self, passes=min(self.passes, 2), epochs=min(self.epochs, 2))

    @property
    def draft_words(self) -> str:
        return "after a few passes"

    @classmethod
    def examples(cls) -> list[Self]:
        return [
            cls(bits=16, passes=3),
            cls(bits=13, rank=2, factor_bits=16, passes=3),
            cls(bits=21, rank=11, passes=3),
            cls(bits=0, rank=3, passes=3),
            cls(bits=0, rank=3, factor_bits=16, passes=3),
            cls(bits=1, factor_bits=16, passes=3),
            cls(bits=20, stages=3, passes=2, gain_bits=0),
            cls(bits=20, stages=2, passes=2, loss="direction", gain_bits=3),
            cls(bits=12, stages=2, solver="paper", epochs=2),
            cls(bits=12, rank=2, solver="paper", loss="direction", epochs=2, factor_bits=16),
        ]


def stored_decoder(decoder: np.ndarray, factor_bits: int) -> dict[str, np.ndarray]:
    """The arrays that keep a decoder (L, d), each of its rows with a scale."""
    largest = np.maximum(np.abs(decoder).max(axis=1), 1e-30).astype(np.float32)
    if factor_bits > 8:
        return {"decoder": (decoder / largest[:, None]).astype(PRECISIONS[factor_bits]), "decoder_scales": largest}
    return {"decoder": np.rint(decoder / largest[:, None] * 127).astype(np.int8), "decoder_scales": largest / 127}


def read_decoder(arrays: dict[str, Any]) -> Any:
    """(L, d) float32; numpy arrays or torch tensors."""
    xp = array_namespace(arrays["decoder"])
    return xp.astype(arrays["decoder"], xp.float32) * arrays["decoder_scales"][:, None]


def prefixes(matrix: EmbeddingMatrix, result: Compressed) -> list[Compressed]:
    """The codes of the first one, two, … stages of a fit, each with the decoder that is best for it: by least squares, but the
    whole code as it is."""
    method = result.method
    assert isinstance(method, LightToken)
    signs = packing.read_signs(result.arrays["codes"], method.bits).astype(np.int8)
    level = packing.read_stream(result.arrays["gains"], method.gain_bits, np.arange(len(signs))) if method.levels > 1 else None
    target = method.target(matrix.times(-result.exponent), result.arrays)
    found = []
    for stages in range(1, method.stages):
        part = method.prefix(stages)
        codes = Codes(
            signs[:, : part.bits].copy(),
            np.zeros(len(signs), np.int64) if level is None else level,
            result.arrays.get("levels", np.ones(1, np.float32)),
            np.zeros((part.bits, matrix.shape[1]), np.float32),
            np.zeros(matrix.shape[1], np.float32),
        )
        codes = refit_decoder(target, codes)
        arrays = {name: array for name, array in result.arrays.items() if name in ("coefficients", "bases", "scales")}
        found.append(replace(result, method=part, arrays=arrays | part.pack(codes)))
    return [*found, result]
