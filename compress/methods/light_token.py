"""LightToken: low rank, and what that leaves of each row as a binary code."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from array_api_compat import array_namespace

from compress.checks import one_of, real, whole
from compress.coding import packing
from compress.errors import Stop
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.methods.base import Method, rank_bound
from compress.methods.svd import SVD
from compress.solvers.autoencoder import train_stage
from compress.solvers.binary_codes import Codes, Target, decoder_fitted, first_gains, fit_codes, regained, sweep
from compress.solvers.code_losses import LOSSES

PRECISIONS = {32: np.float32, 16: np.float16, 8: np.int8}
SOLVERS = ("refined", "paper")
PREVIEW_ROWS = 4096


@dataclass(frozen=True)
class LightToken(Method):
    """A row is its rank-r part plus a linear decoding of L bits: LightToken (KDD 2023; from its authors' public summary).

    rank: r of the SVD part, 0 for none. bits: L, the length of a row's code, 0 for SVD alone. stages: parts of the code, each made
    for what the parts before it leave; any whole number of them, from the first, is a code itself.
    loss: "euclidean", ‖aᵢ−bᵢ‖², or "direction", a bound above it that minds the angle more (direction.py).
    solver: "refined" (ours, codes.py) or "paper", the trained autoencoder (autoencoder.py), whose temperature falls to
    `temperature` over `epochs` a stage. passes: of the refined solver over all rows, for each stage. gain_bits: bits of each row's
    own gain, refined only. factor_bits: precision of the factors and the decoder, 32, 16 or 8. Stored besides: the packed bits;
    encoders are thrown away.
    """

    rank: int = 0
    bits: int = 384
    stages: int = 1
    loss: str = "euclidean"
    solver: str = "refined"
    temperature: float = 0.01
    epochs: int = 20
    passes: int = 40
    gain_bits: int = 3
    factor_bits: int = 8
    seed: int = 0

    name: ClassVar[str] = "light_token"
    label: ClassVar[str] = "LightToken"
    knob: ClassVar[str] = "bits"
    spanning: ClassVar[tuple[str, ...]] = ("bases", "decoder", "offset")

    def __post_init__(self):
        whole("rank", self.rank, 0)
        whole("bits", self.bits, 0)
        whole("stages", self.stages, 1, 1024)
        one_of("loss", self.loss, tuple(LOSSES))
        one_of("solver", self.solver, SOLVERS)
        real("temperature", self.temperature, 0.001, 1)
        whole("epochs", self.epochs, 1, 10000)
        whole("passes", self.passes, 1, 1000)
        whole("gain_bits", self.gain_bits, 0, 8)
        one_of("factor_bits", self.factor_bits, tuple(PRECISIONS))
        whole("seed", self.seed, 0, 2**32 - 1)
        if self.rank == self.bits == 0:
            raise ValueError("bits must be a whole number at least 1 where rank is 0, got 0")
        if self.bits:
            whole("stages", self.stages, 1, self.bits, f"there are {self.bits} bits")

    @classmethod
    def precisions(cls, n, d):
        return {"factor_bits": (8,)}

    def knob_values(self, n, d):
        return range(1, n)

    def check(self, n, d):
        if self.rank:
            whole("rank", self.rank, 1, *rank_bound(n, d))
        if self.bits:
            whole("bits", self.bits, 1, n - 1, f"the matrix has {n:,} rows")

    @property
    def levels(self) -> int:
        """How many gains there are to choose from."""
        return 2**self.gain_bits if self.solver == "refined" and self.bits else 1

    @property
    def widths(self) -> list[int]:
        """Bits of each stage."""
        return [self.bits // self.stages + (stage < self.bits % self.stages) for stage in range(self.stages)]

    def fit(self, matrix, progress=None):
        """Where `progress` raises compress.Stop, the stages finished by then are what is kept, if there is one."""
        self.check(*matrix.shape)
        arrays = self.svd.fit(matrix).arrays if self.rank else {}
        if not self.bits:
            return Compressed(self, arrays, matrix.shape, matrix.digest)
        target = self.target(matrix, arrays)
        stages = self.refined(target, progress) if self.solver == "refined" else self.trained(target, matrix.device, progress)
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

    def prefix(self, stages: int) -> "LightToken":
        """The same settings with the first stages only."""
        return replace(self, bits=sum(self.widths[:stages]), stages=stages)

    def target(self, matrix, arrays: dict) -> Target:
        d = matrix.shape[1]

        def base(rows):
            rows = np.arange(matrix.shape[0])[rows]
            return self.svd.decode(arrays, rows, d) if self.rank else np.zeros((len(rows), d), np.float32)

        return Target(matrix.values, base, matrix.weights, LOSSES[self.loss])

    def refined(self, target: Target, progress):
        """The codes after every stage."""
        codes = None
        for stage, bits in enumerate(self.widths):

            def tell(step, cost, stage=stage):
                if progress:
                    progress({"stage": stage, "step": step, "steps": self.passes, "cost": cost, "saturation": None})

            codes = fit_codes(target, bits, self.levels, self.passes, self.seed + stage, tell, codes)
            yield codes

    def trained(self, target: Target, device: str, progress):
        """The codes after every stage."""
        codes = first_gains(target, 1)
        codes = replace(codes, offset=np.zeros_like(codes.offset))
        for stage, bits in enumerate(self.widths):

            def tell(epoch, cost, saturation, stage=stage):
                if progress:
                    progress({"stage": stage, "step": epoch, "steps": self.epochs, "cost": cost, "saturation": saturation})

            def known(rows, codes=codes):
                return target.base(rows) + codes.decode(rows)

            signs, decoder, offset = train_stage(
                target.values,
                known,
                target.weights,
                bits,
                target.loss,
                self.temperature,
                self.epochs,
                self.seed + stage,
                device,
                tell,
            )
            codes = Codes(
                np.concatenate([codes.signs, signs], axis=1), codes.level, codes.levels, np.concatenate([codes.decoder, decoder]),
                codes.offset + offset,
            )  # fmt: skip
            yield codes

    def code_arrays(self, target: Target, codes: Codes) -> dict:
        """The arrays of the codes, which the refined solver fits once more to the decoder as it is stored."""
        if self.solver == "refined":
            stored = stored_decoder(codes.decoder, self.factor_bits)
            fitted = replace(codes, signs=codes.signs.copy(), decoder=read_decoder(stored))
            sweep(target, fitted)
            codes = replace(regained(target, fitted), decoder=codes.decoder)
        return self.packed(codes)

    def packed(self, codes: Codes) -> dict:
        """The arrays of the codes as they are."""
        arrays = stored_decoder(codes.decoder, self.factor_bits)
        arrays |= {"codes": np.packbits(codes.signs > 0, axis=1, bitorder="little"), "offset": codes.offset.astype(np.float32)}
        if self.levels > 1:
            arrays |= {"gains": packing.pack_stream(codes.level, self.gain_bits), "levels": codes.levels.astype(np.float32)}
        return arrays

    @property
    def draft(self):
        return replace(self, passes=min(self.passes, 2), epochs=min(self.epochs, 2))

    def decode(self, arrays, rows, d):
        if not self.bits:
            return self.svd.decode(arrays, rows, d)
        signs = packing.read_signs(arrays["codes"][rows], self.bits)
        if self.levels > 1:
            level = packing.read_stream(arrays["gains"], self.gain_bits, rows)
            signs = signs * arrays["levels"][level][:, None]
        decoded = signs @ read_decoder(arrays) + arrays["offset"]
        return decoded + self.svd.decode(arrays, rows, d) if self.rank else decoded

    def trainable(self, arrays, n, d):
        base = self.svd.trainable(arrays, n, d) if self.rank else Trainable({}, {})
        if not self.bits:
            return base
        levels = {name: arrays[name] for name in ("levels",) if self.levels > 1}
        codes = {name: arrays[name] for name in ("codes", "gains") if name in arrays}
        ones = {"decoder_scales": np.ones(self.bits, np.float32)}
        return Trainable(
            base.parameters | {"decoder": read_decoder(arrays), "offset": arrays["offset"]} | levels, base.fixed | codes | ones
        )

    def stored(self, arrays, parameters):
        base = self.svd.stored(arrays, parameters) if self.rank else {}
        decoder = stored_decoder(parameters["decoder"], self.factor_bits) if self.bits else {}
        return arrays | base | decoder | {name: parameters[name] for name in ("offset", "levels") if name in parameters}

    def layout(self, n, d):
        layout = self.svd.layout(n, d) if self.rank else {}
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

    def parameter_count(self, n, d):
        """Of the low-rank part and the decoders, and a 32nd of a number for every bit."""
        base = self.svd.parameter_count(n, d) if self.rank else 0
        return (
            base + (n * (self.bits + (self.gain_bits if self.levels > 1 else 0)) + 31) // 32 + self.bits * d + d
            if self.bits
            else base
        )


def stored_decoder(decoder: np.ndarray, factor_bits: int) -> dict:
    largest = np.maximum(np.abs(decoder).max(axis=1), 1e-30).astype(np.float32)
    if factor_bits > 8:
        return {"decoder": (decoder / largest[:, None]).astype(PRECISIONS[factor_bits]), "decoder_scales": largest}
    return {"decoder": np.rint(decoder / largest[:, None] * 127).astype(np.int8), "decoder_scales": largest / 127}


def read_decoder(arrays: dict):
    """(L, d) float32; numpy arrays or torch tensors."""
    xp = array_namespace(arrays["decoder"])
    return xp.astype(arrays["decoder"], xp.float32) * arrays["decoder_scales"][:, None]


def prefixes(matrix, result: Compressed) -> list[Compressed]:
    """The codes of the first one, two, … stages of a fit, each with the decoder that is best for it: by least squares, but the
    whole code as it is."""
    method = result.method
    signs = packing.read_signs(result.arrays["codes"], method.bits).astype(np.int8)
    level = packing.read_stream(result.arrays["gains"], method.gain_bits, np.arange(len(signs))) if method.levels > 1 else None
    target = method.target(matrix, result.arrays)
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
        codes = decoder_fitted(target, codes)
        arrays = {name: array for name, array in result.arrays.items() if name in ("coefficients", "bases", "scales")}
        found.append(Compressed(part, arrays | part.packed(codes), result.shape, result.digest))
    return [*found, result]
