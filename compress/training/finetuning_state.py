"""Where a fine-tuning is, kept so that one that was stopped or killed goes on from there and ends as if it had not been."""

import json
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.archive import load
from compress.errors import InputError
from compress.form.compressed import Compressed
from compress.training.state import Kept, named, under

if TYPE_CHECKING:
    from compress.training.finetuning_run import TuningSteps

KEEP = 25  # steps after which the state is kept at the soonest
SPARED = 20  # times as long as keeping it took last are trained in between
MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class Going:
    """What is finished, and what the next step of the training depends on.

    found: scores of each stage, of the seeds that are finished. scores: those of the seed at hand, none in its first training, two
    in its last. form: the compressed table of the last training, None where that is dense. size: of the dense table's entries.
    """

    def __init__(self, kept: Kept):
        self.kept, self.took = kept, 0.0
        self.begins = self.last = time.monotonic()
        self.found: list[list[dict[str, float]]] = []
        self.scores: list[dict[str, float]] = []
        self.form: Compressed | None = None
        self.size = 1.0
        self.begun: tuple[dict[str, np.ndarray], list] | None = None  # of the training that was left
        if held := kept.of("training"):
            self.take(*held)

    def take(self, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> None:
        self.found, self.scores, self.size = about["found"], about["scores"], about["size"]
        if about["compressed"] and self.file:
            try:
                self.form = load(self.file)
            except InputError:  # begun anew
                self.found, self.scores, self.size = [], [], 1.0
                return
        self.begun, self.begins = (arrays, about["curve"]), self.begins - about["seconds"]

    @property
    def seconds(self) -> float:
        """That it has taken so far, what was kept too."""
        return time.monotonic() - self.begins

    @property
    def file(self) -> Path | None:
        """Of the form of the seed at hand."""
        return self.kept.folder and self.kept.folder / f"{len(self.found)}.safetensors"

    def enter(self, form: Compressed | None, size: float, scores: list[dict[str, float]]) -> None:
        """The last training of a seed begins."""
        self.form, self.size, self.scores, self.took = form, size, scores, 0.0
        if form and self.file:
            with suppress(OSError):  # then the next training is begun anew
                self.file.parent.mkdir(parents=True, exist_ok=True)
                form.save(self.file)

    def leave(self, scores: dict[str, float]) -> None:
        """A seed is finished with these scores."""
        self.found.append([*self.scores, scores])
        self.form, self.scores = None, []

    def resume(self, network: Any, adam: Any, schedule: Any) -> list[tuple[int, float]]:
        """Takes up the training that was left, if one was: its steps and their losses."""
        import torch

        if self.begun is None:
            return []
        (arrays, curve), self.begun = self.begun, None
        network.load_state_dict({name: torch.from_numpy(each) for name, each in under("network", arrays).items()})
        for at, each in enumerate(parameters(adam)):
            moments = {name: torch.from_numpy(arrays[key]) for name in MOMENTS if (key := f"{name}.{at}") in arrays}
            adam.state[each] = {name: value.to(each.device) if value.ndim else value for name, value in moments.items()}
        schedule.load_state_dict(schedule.state_dict() | {"last_epoch": len(curve), "_step_count": len(curve) + 1})
        for group, rate, share in zip(adam.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
            group["lr"] = rate * share(len(curve))
        torch.set_rng_state(torch.from_numpy(arrays["chance"]))
        if "chance_cuda" in arrays:
            torch.cuda.set_rng_state(torch.from_numpy(arrays["chance_cuda"]), network.device)
        return [(step, loss) for step, loss in curve]

    def keep(self, network: Any, adam: Any, curve: list[tuple[int, float]], tell: "TuningSteps") -> None:
        """Keeps where the training is, now and then."""
        import torch

        if not self.kept.folder or len(curve) % KEEP or time.monotonic() - self.last < SPARED * self.took:
            return
        began = time.monotonic()
        arrays = named("network", {name: each.numpy(force=True) for name, each in network.state_dict().items()})
        for at, each in enumerate(parameters(adam)):
            arrays |= {f"{moment}.{at}": value.numpy(force=True) for moment, value in adam.state.get(each, {}).items()}
        arrays["chance"] = torch.get_rng_state().numpy()
        if network.device.type == "cuda":
            arrays["chance_cuda"] = torch.cuda.get_rng_state(network.device).numpy()
        about = {"found": self.found, "scores": self.scores, "compressed": bool(self.form), "size": self.size}
        about |= {"curve": curve, "seconds": self.seconds}
        self.kept.put("training", arrays, about)
        tell.kept = f"{tell.done:,} of {tell.of:,} steps"
        self.last = time.monotonic()
        self.took = self.last - began


def parameters(adam: Any) -> list:
    """Of all its groups, in order."""
    return [each for group in adam.param_groups for each in group["params"]]


def key_of(network: Any, *asked: Any) -> str:
    """What tells a fine-tuning from any other: the network's numbers, and all that is asked."""
    found = blake2b(json.dumps(asked, default=str).encode(), digest_size=16)
    for name, each in network.state_dict().items():
        found.update(name.encode())
        found.update(np.ascontiguousarray(each.float().numpy(force=True)).data)
    return found.hexdigest()
