"""Pruning whole networks: what is kept, what it costs, what is lost."""

import io

import numpy as np
import onnxruntime
import pytest
import torch
from small_networks import Depthwise, Residual, Straight, images, made

from compress.pruning import (
    BY,
    NETWORKS,
    VARIANTS,
    Digits,
    accuracy,
    digits,
    opened,
    output_error,
    prune,
    retrained,
    study,
)

pytestmark = pytest.mark.usefixtures("operators_read_once")


def lost(network, smaller):
    return accuracy(network, *digits().judge) - accuracy(smaller, *digits().judge)


def test_digits_lose_at_most_two_points_one_shot_at_40_percent(trained):
    smaller, report = prune(trained, digits().batch, 0.6)
    assert report.removed >= 0.4 and lost(trained, smaller) <= 0.02


def test_digits_lose_at_most_half_a_point_after_an_epoch_at_60_percent(trained):
    smaller, report = prune(trained, digits().batch, 0.4)
    assert report.removed >= 0.6 and lost(trained, retrained(smaller, *digits().learn)) <= 0.005


def test_random_filters_lose_more_of_the_digits(trained):
    sensitive, random = (prune(trained, digits().batch, 0.6, by)[0] for by in ("sensitivity", "random"))
    assert lost(trained, random) > lost(trained, sensitive) + 0.05


def test_training_is_the_same_each_time_and_leaves_the_networks_own(trained):
    before = {name: values.clone() for name, values in trained.state_dict().items()}
    state = torch.random.get_rng_state()
    first, second = (retrained(trained, *digits().learn) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, values in first.state_dict().items():
        assert torch.equal(values, second.state_dict()[name]) and torch.equal(trained.state_dict()[name], before[name])


def test_parts_of_the_digits_share_no_picture():
    held = digits()
    parts = [{each.numpy().tobytes() for each in part} for part in (held.learn[0], held.batch, held.judge[0])]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1797


@pytest.mark.parametrize("variant", VARIANTS)
def test_planted_dead_filters_go_first(variant):
    network = made(Residual)
    network.one.weight.data[[1, 3]] = 0
    smaller, report = prune(network, images(), 0.999, variant=variant)
    assert report.kept["one"] == (3, 5) and report.bound["two"] == 0
    if variant == "top":
        assert output_error(network, smaller, images()) < 1e-6


@pytest.mark.parametrize("by", ["sensitivity", "norm", "random"])
@pytest.mark.parametrize("kind", [Straight, Residual, Depthwise])
def test_the_same_seed_gives_the_same_network(kind, by):
    first, second = (prune(made(kind), images(), 0.6, by, seed=3, variant="sampled")[0].state_dict() for _ in range(2))
    assert all(torch.equal(values, second[name]) for name, values in first.items())


def test_another_seed_draws_others():
    network, x = made(Straight), images()
    kept = [prune(network, x, 0.5, "random", seed=seed)[1].choice.kept for seed in (0, 1)]
    assert (kept[0] != kept[1]).any() and kept[0].sum() == kept[1].sum()


def test_norm_keeps_the_largest_filters():
    network = made(Straight)
    network.get_submodule("body.0").weight.data *= torch.arange(1.0, 9).reshape(-1, 1, 1, 1)
    _, report = prune(network, images(), 0.5, "norm")
    space = next(each for each in study(network, images()).channels.prunable if each.name == "body.0")
    kept = report.choice.kept[space.channels]
    assert not kept[0] and kept[-1] and (np.diff(kept.astype(int)) >= 0).all()


def test_a_smaller_network_is_saved_as_weights_alone_and_opened_again():
    network = made(Residual)
    smaller, _ = prune(network, images(), 0.5)
    file = io.BytesIO()
    torch.save(smaller.state_dict(), file)
    file.seek(0)
    again, _ = prune(network, images(), 0.5)
    again.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(again(images()), smaller(images()))


@pytest.mark.parametrize("kind", [Straight, Residual, Depthwise])
def test_a_smaller_network_goes_to_onnx(kind, tmp_path):
    smaller, x = prune(made(kind), images(), 0.5)[0], images()
    torch.onnx.export(smaller, (x,), str(tmp_path / "smaller.onnx"), input_names=["x"], dynamo=True, verbose=False)
    found = onnxruntime.InferenceSession(str(tmp_path / "smaller.onnx")).run(None, {"x": x.numpy()})[0]
    np.testing.assert_allclose(found, smaller(x).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_study_made_once_serves_every_budget():
    network, x = made(Straight), images()
    known = study(network, x)
    for keep in (0.3, 0.8):
        ours, theirs = prune(network, x, keep, studied=known)[1], prune(network, x, keep)[1]
        assert ours.kept == theirs.kept and ours.epsilon == theirs.epsilon and ours.bound == theirs.bound


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"keep": 0}, "keep must be more than 0 and at most 1, got 0"),
        ({"keep": 1.5}, "keep must be more than 0 and at most 1, got 1.5"),
        ({"keep": 0.01}, r"keep must be at least 0\.\d+ of the parameters, which is one filter a layer, got 0.01"),
        ({"by": "luck"}, f"by must be one of {', '.join(BY)}, got 'luck'"),
        ({"measure": "time"}, "measure must be one of parameters, flops, got 'time'"),
        ({"variant": "some"}, "variant must be one of top, sampled, mixed, got 'some'"),
        ({"over": "least"}, "over must be one of largest, mean, got 'least'"),
        ({"by": "bn_scale"}, "is followed by no batch norm with a scale"),
    ],
)
def test_a_bad_setting_is_named(settings, told):
    with pytest.raises(ValueError, match=told):
        prune(made(Straight), images(), **settings)


@pytest.mark.parametrize("batch", [torch.zeros(0, 3, 16, 16), torch.zeros(3, 16, 16), np.zeros((2, 3, 16, 16))])
def test_what_is_no_batch_of_images_is_refused(batch):
    with pytest.raises(ValueError, match="batch must be images"):
        prune(made(Straight), batch)


def test_a_network_without_anything_to_prune_says_why():
    with pytest.raises(ValueError, match="no layer of Sequential can lose a filter: 0: it is the network's output"):
        prune(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)), images())


def test_labels_that_are_no_classes_are_refused(trained):
    x, y = digits().judge
    with pytest.raises(ValueError, match="labels must be from 0 to 9, the network's classes, got 1 to 10"):
        accuracy(trained, x, y + 1)
    with pytest.raises(ValueError, match="there must be a label a picture, got 550 pictures and 3 labels"):
        retrained(trained, x, y[:3])


@pytest.mark.parametrize(("name", "guarded"), [("ResNet20", False), ("ResNet20", True), ("VGG16-BN", False)])
def test_a_state_dict_is_opened_by_name(name, guarded, tmp_path):
    kind, *sizes = NETWORKS[name]
    network = made(lambda: kind(*sizes, n_classes=7))
    torch.save({"state_dict": {f"module.{key}": values for key, values in network.state_dict().items()}}, tmp_path / "saved.th")
    again = opened(tmp_path / "saved.th", name, guarded=guarded)
    x = images(2, side=32)
    assert torch.equal(again(x), network(x)) and again(x).shape == (2, 7)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({"state_dict": made(Digits).state_dict()}, "this state_dict is not of a ResNet20: Missing key"),
        ({"weight": torch.zeros(3)}, "has no linear layer, so it is not of a ResNet20"),
        ([1, 2], "this file holds no state_dict"),
        ({"epoch": 3}, "this file holds no state_dict"),
    ],
)
def test_a_file_that_is_not_of_this_network_says_so(held, told, tmp_path):
    torch.save(held, tmp_path / "bad.pt")
    for guarded in (False, True):
        with pytest.raises(ValueError, match=told):
            opened(tmp_path / "bad.pt", "ResNet20", guarded=guarded)


def test_a_file_that_is_more_than_weights_is_not_opened(tmp_path):
    torch.save(made(Residual), tmp_path / "whole.pt")
    for guarded in (False, True):
        with pytest.raises(ValueError, match="cannot be read as weights alone"):
            opened(tmp_path / "whole.pt", "ResNet20", guarded=guarded)


def test_a_file_that_takes_too_long_ends_in_a_sentence(tmp_path, monkeypatch):
    torch.save({"w": torch.zeros(3, 3)}, tmp_path / "slow.pt")
    monkeypatch.setattr("compress.guard.apart.SECONDS", 0.0)
    monkeypatch.setattr("compress.guard.apart.A_SECOND", 1e9)
    monkeypatch.setattr("compress.guard.apart.LOADING", 0.0)
    with pytest.raises(ValueError, match=r"^slow\.pt takes more than 0 s to read"):
        opened(tmp_path / "slow.pt", "ResNet20", guarded=True)
