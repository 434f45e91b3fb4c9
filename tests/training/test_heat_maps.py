"""Heat maps, against Grad-CAM by hand."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from emotion.errors import ConfigError
from emotion.faces.inputs import InputSpec
from emotion.training.checkpoints import Checkpoint, CheckpointClassifier
from emotion.training.heat_maps import BATCH, GradCam
from emotion.training.network import EmotionNetwork

SPEC = InputSpec(size=96)


@pytest.fixture(scope="module")
def network() -> EmotionNetwork:
    """At random, but with activations of a size that a trained one has."""
    torch.manual_seed(3)
    network = EmotionNetwork(SPEC)
    network.train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.randint(0, 256, (4, 3, 96, 96)))
    return network.eval()


@pytest.fixture(scope="module")
def classifier(network: EmotionNetwork) -> CheckpointClassifier:
    return classifier_of(network)


def classifier_of(network: EmotionNetwork) -> CheckpointClassifier:
    return CheckpointClassifier(Checkpoint(Path("x.ckpt"), SPEC, network.state_dict(), 1), "cpu")


def crops(count: int) -> NDArray[np.uint8]:
    """Smooth noise, so that crops have parts."""
    coarse = np.random.default_rng(1).integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    return coarse.repeat(16, axis=1).repeat(16, axis=2)


def by_hand(
    network: EmotionNetwork, pixels: NDArray[np.uint8], classes: NDArray[np.int64]
) -> NDArray[np.float32]:
    """One crop after the other, by the paper's formula."""
    maps = []
    for crop, target in zip(pixels, classes, strict=True):
        values = torch.from_numpy(crop.copy()).permute(2, 0, 1)[None].float()
        features = network.backbone.features(values * network.factor + network.offset)
        features = features.detach().requires_grad_(True)
        logits = network.backbone.classifier(features.mean(dim=(2, 3)))
        (gradient,) = torch.autograd.grad(logits[0, int(target)], features)
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        coarse = (weights * features).sum(dim=1, keepdim=True).relu().detach()
        fine = interpolate(coarse, size=(96, 96), mode="bilinear", align_corners=False)[0, 0]
        maps.append((fine / fine.max()).numpy() if fine.max() > 0 else fine.numpy())
    return np.stack(maps)


def test_a_heat_map_is_that_of_the_paper(
    network: EmotionNetwork, classifier: CheckpointClassifier
) -> None:
    pixels, classes = crops(BATCH + 3), np.arange(BATCH + 3, dtype=np.int64) % 5
    maps = GradCam(classifier)(pixels, classes)
    expected = by_hand(network, pixels, classes)
    assert maps.shape == (BATCH + 3, 96, 96)
    assert maps.dtype == np.float32
    assert expected.std(axis=(1, 2)).max() > 0.05  # there is something to be equal to
    np.testing.assert_allclose(maps, expected, atol=1e-5)


def test_it_is_of_the_face_as_it_is_where_the_mirror_image_is_asked_too(
    network: EmotionNetwork, classifier: CheckpointClassifier
) -> None:
    spec = replace(SPEC, mirror=True)
    both = CheckpointClassifier(Checkpoint(Path("x.ckpt"), spec, network.state_dict(), 1), "cpu")
    pixels, classes = crops(2), np.array([0, 3])
    np.testing.assert_array_equal(
        GradCam(both)(pixels, classes), GradCam(classifier)(pixels, classes)
    )


def test_another_class_has_another_map(classifier: CheckpointClassifier) -> None:
    pixels = crops(1).repeat(2, axis=0)
    one, other = GradCam(classifier)(pixels, np.array([0, 3]))
    assert np.abs(one - other).max() > 0.1


def test_it_lights_up_where_the_only_channel_that_counts_does(network: EmotionNetwork) -> None:
    # Class 2 is read off one channel alone; so the map has the shape of that channel.
    pixels = crops(1)
    with torch.no_grad():
        values = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float()
        features = network.backbone.features(values * network.factor + network.offset)[0]
        channel = int(features.flatten(1).std(dim=1).argmax())
        changed = EmotionNetwork(SPEC)
        changed.load_state_dict(network.state_dict())
        changed.backbone.classifier[1].weight[2] = 0
        changed.backbone.classifier[1].weight[2, channel] = 1.0
    heat = GradCam(classifier_of(changed))(pixels, np.array([2]))[0]
    # Cells of the last feature map are 32 pixels wide.
    brightest = np.unravel_index(int(heat.argmax()), heat.shape)
    expected = np.unravel_index(int(features[channel].argmax()), features[channel].shape)
    assert tuple(int(place) // 32 for place in brightest) == tuple(int(p) for p in expected)


def test_a_class_that_nothing_speaks_for_has_an_empty_map(network: EmotionNetwork) -> None:
    changed = EmotionNetwork(SPEC)
    changed.load_state_dict(network.state_dict())
    with torch.no_grad():
        changed.backbone.classifier[1].weight[1] = -1.0  # features are never below 0
    heat = GradCam(classifier_of(changed))(crops(1), np.array([1]))
    assert not heat.any()


def test_it_works_where_gradients_are_off_and_leaves_the_classifier_alone(
    classifier: CheckpointClassifier,
) -> None:
    pixels, classes = crops(2), np.array([0, 1])
    before = classifier.probabilities(pixels)
    expected = GradCam(classifier)(pixels, classes)
    explain = GradCam(classifier)
    with torch.inference_mode():
        np.testing.assert_array_equal(explain(pixels, classes), expected)
    np.testing.assert_array_equal(classifier.probabilities(pixels), before)
    assert all(p.requires_grad and p.grad is None for p in classifier.network.parameters())


def test_no_crops_have_no_maps(classifier: CheckpointClassifier) -> None:
    assert GradCam(classifier)(crops(0), np.array([], np.int64)).shape == (0, 96, 96)


def test_without_captum_the_way_out_is_named(
    classifier: CheckpointClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ConfigError, match=r"pip install 'emotion\[heatmaps\]'"):
        GradCam(classifier)
