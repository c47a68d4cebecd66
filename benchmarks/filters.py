"""Accuracy against the share removed: filters pruned by sensitivity and as people do, one shot, on digits and CIFAR's ResNets."""

import argparse
from collections.abc import Iterable
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.data import DATA
from benchmarks.table import heading, table
from compress.pruning import Study, accuracy, batch_size, digits, digits_network, opened, prune, retrained, study

REMOVED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
SEEDS = range(5)
RESNETS = {"ResNet20": "resnet20-12fca82f.th", "ResNet56": "resnet56-4bfd9763.th"}
PICTURES = DATA / "cifar10_test_jpeg" / "test4000.npz"
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WAYS = {  # by, over
    "sensitivity": ("sensitivity", "largest"),
    "mean sensitivity": ("sensitivity", "mean"),
    "norm": ("norm", None),
    "batch-norm scale": ("bn_scale", None),
    "random": ("random", None),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=("digits", *RESNETS), default=("digits", *RESNETS), help="networks to prune")
    parser.add_argument("--pictures", type=int, default=3000, help="pictures that ResNets are judged on")
    parser.add_argument("--measure", choices=("parameters", "flops"), default="parameters", help="what the budget counts")
    args = parser.parse_args(arguments)
    if "digits" in args.only:
        on_digits(args.measure)
    for name in RESNETS:
        if name in args.only and PICTURES.exists() and (DATA / "resnet_cifar10" / RESNETS[name]).exists():
            on_resnet(name, args.pictures, args.measure)


def on_digits(measure: str) -> None:
    start = perf_counter()
    network, held = digits_network(), digits()
    whole = accuracy(network, *held.judge)
    heading(
        f"Digits, {whole:.4f} as it is, trained in {perf_counter() - start:.1f} s, judged on {len(held.judge[0])}, by {measure}"
    )
    rows = []
    for removed in (*REMOVED, 0.7, 0.8):
        smaller = {name: list(pruned(network, [held.batch], removed, name, measure)) for name in WAYS}
        one_shot = (spread([accuracy(each, *held.judge) for each in found]) for found in smaller.values())
        after = (spread([accuracy(retrained(each, *held.learn), *held.judge) for each in found]) for found in smaller.values())
        rows += [(f"{removed:.0%}", "one shot", *one_shot), ("", "one epoch after", *after)]
    table(["removed", "", *WAYS], rows)


def on_resnet(name: str, n_judged: int, measure: str) -> None:
    """Batches are drawn from the pictures after those that are judged."""
    network = opened(DATA / "resnet_cifar10" / RESNETS[name], name)
    images, labels = pictures()
    judged, rest = (images[:n_judged], labels[:n_judged]), images[n_judged:]
    points = batch_size(study(network, rest[:1]).channels)
    drawn = [rest[torch.from_numpy(np.random.default_rng(seed).permutation(len(rest))[:points])] for seed in SEEDS]
    start = perf_counter()
    study(network, drawn[0][:128])
    took = perf_counter() - start
    whole = accuracy(network, *judged)
    heading(f"{name}, {whole:.4f} as it is, judged on {n_judged:,}, by {measure}; a batch is {points}, 128 take {took:.0f} s")
    rows = []
    for removed in REMOVED:
        ways = ([accuracy(each, *judged) for each in pruned(network, drawn, removed, way, measure)] for way in WAYS)
        rows.append((f"{removed:.0%}", *map(spread, ways)))
        print(*rows[-1], flush=True)
    table(["removed", *WAYS], rows)


def pictures() -> tuple[Tensor, Tensor]:
    held = np.load(PICTURES)
    images = (held["x"].astype(np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(SPREAD, np.float32)
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(held["y"])


known: dict[tuple, Study] = {}


def pruned(network: nn.Module, batches: list[Tensor], removed: float, way: str, measure: str) -> Iterable[nn.Module]:
    """One network a seed where the way has one: its batch, or what it draws."""
    by, over = WAYS[way]
    for seed in SEEDS:
        batch = batches[seed % len(batches)]
        key = (id(network), seed % len(batches), over or "mean")
        if key not in known:
            known[key] = study(network, batch, over or "mean")
        yield prune(network, batch, 1 - removed, by, measure, seed, studied=known[key])[0]
        if by in ("norm", "bn_scale") or (over and len(batches) == 1):
            break


def spread(values: list[float]) -> str:
    shown = f"{np.mean(values):.4f}"
    return f"{shown} ± {np.std(values):.3f}" if len(values) > 1 else shown


if __name__ == "__main__":
    main()
