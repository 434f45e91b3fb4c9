from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from emotion.errors import CheckpointError, ConfigError
from emotion.experiments.outcome import RunResult
from emotion.faces.inputs import InputSpec
from emotion.training.network import EmotionNetwork, check_compiler, load_weights

SPEC = InputSpec(size=64)


def test_logits_are_those_of_torchvisions_network_on_normalised_input() -> None:
    network = EmotionNetwork(SPEC).eval()
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    mean, std = np.array(SPEC.mean), np.array(SPEC.std)
    normalised = (pixels.permute(0, 2, 3, 1).numpy() / 255 - mean) / std
    with torch.no_grad():
        expected = network.backbone(torch.from_numpy(normalised).permute(0, 3, 1, 2).float())
        given = network(pixels)
    assert given.shape == (2, 5)
    torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-4)
    # Logits, not probabilities: softmax happens once, in inference.
    assert not torch.allclose(given.sum(dim=1), torch.ones(2))


def test_in_evaluation_the_mirror_image_is_asked_too() -> None:
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    turned = torch.from_numpy(pixels.numpy()[..., ::-1].copy())
    plain, both = EmotionNetwork(SPEC), EmotionNetwork(replace(SPEC, mirror=True))
    for module in plain.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # the running statistics are those of these faces
    plain.train()(pixels)
    both.load_state_dict(plain.state_dict())
    with torch.inference_mode():
        alone, other = plain.eval()(pixels), plain(turned)
        assert not torch.allclose(alone, other, atol=1e-4)
        torch.testing.assert_close(both.eval()(pixels), (alone + other) / 2)
        torch.testing.assert_close(both(pixels), both(turned))
        assert both(pixels[:0]).shape == (0, 5)
        # Training is as without.
        for network in (plain, both):
            torch.manual_seed(1)
            network.train()
            alone, other = other, network(pixels)
        assert torch.equal(alone, other)


def test_weights_of_any_float_type_are_loaded_and_a_head_of_1000_is_left(tmp_path: Path) -> None:
    source = mobilenet_v2()
    path = tmp_path / "weights.pth"
    half = {k: v.half() if v.is_floating_point() else v for k, v in source.state_dict().items()}
    torch.save(half, path)
    network = EmotionNetwork(SPEC)
    head = network.backbone.classifier[1].weight.clone()
    load_weights(network, str(path))
    first = network.backbone.features[0][0].weight
    assert first.dtype == torch.float32
    torch.testing.assert_close(first, source.features[0][0].weight.half().float())
    torch.testing.assert_close(network.backbone.classifier[1].weight, head)


def test_a_head_that_fits_is_loaded(tmp_path: Path) -> None:
    source = mobilenet_v2(num_classes=5)
    torch.save(source.state_dict(), tmp_path / "five.pth")
    network = EmotionNetwork(SPEC)
    load_weights(network, str(tmp_path / "five.pth"))
    torch.testing.assert_close(network.backbone.classifier[1].weight, source.classifier[1].weight)


def test_a_checkpoint_of_another_run_is_started_from(run_result: RunResult) -> None:
    network = EmotionNetwork(SPEC)
    load_weights(network, str(run_result.checkpoint))
    kept = torch.load(run_result.checkpoint, weights_only=True)["state_dict"]
    for name, value in network.backbone.state_dict().items():
        torch.testing.assert_close(value, kept[f"network.backbone.{name}"])


def test_a_checkpoint_of_another_kind_is_refused(tmp_path: Path) -> None:
    torch.save({"emotion": 1, "state_dict": 2}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match=r"other\.ckpt: a checkpoint, but of another project"):
        load_weights(EmotionNetwork(SPEC), str(tmp_path / "other.ckpt"))


def test_no_weights_leave_the_network_as_it_is() -> None:
    network = EmotionNetwork(SPEC)
    before = network.backbone.features[0][0].weight.clone()
    load_weights(network, None)
    assert torch.equal(network.backbone.features[0][0].weight, before)


def test_missing_weights_are_named() -> None:
    with pytest.raises(CheckpointError, match=r"model\.weights=/no/such\.pth: no such file"):
        load_weights(EmotionNetwork(SPEC), "/no/such.pth")


@pytest.mark.parametrize("content", [{"a": torch.zeros(1)}, [1, 2], {"a": 1}])
def test_a_file_that_is_no_such_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(
        CheckpointError,
        match=r"other\.pth: (not a state dict|expected a checkpoint, or a state dict)",
    ):
        load_weights(EmotionNetwork(SPEC), str(path))


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save(Path("/"), path)  # a pickled class: not plain data
    with pytest.raises(CheckpointError, match="weights_only=True"):
        load_weights(EmotionNetwork(SPEC), str(path))


def test_a_failed_download_names_the_other_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(MobileNet_V2_Weights, "get_state_dict", fail)
    with pytest.raises(CheckpointError, match=r"cannot be downloaded .*no network") as error:
        load_weights(EmotionNetwork(SPEC), "imagenet")
    assert "model.weights=/path/to/mobilenet_v2.pth" in str(error.value)
    assert "model.weights=null" in str(error.value)


@pytest.mark.slow
def test_the_stand_in_imagenet_weights_load(shared: Path) -> None:
    network = EmotionNetwork(SPEC)
    load_weights(network, str(shared / "weights" / "mobilenet_v2-imagenet-int8.pth"))
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


PIXELS = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)


def in_training(network: EmotionNetwork) -> set[bool]:
    return {m.training for m in network.modules() if isinstance(m, nn.BatchNorm2d)}


def test_frozen_batch_norm_stays_in_evaluation_and_dropout_does_not() -> None:
    frozen, live = EmotionNetwork(SPEC, batch_norm="frozen"), EmotionNetwork(SPEC)
    assert in_training(live.train()) == {True}
    assert in_training(frozen.train()) == {False}
    assert frozen.backbone.classifier[0].training
    assert in_training(live.eval()) == {False}


def test_frozen_features_get_no_gradients_and_compute_as_in_evaluation() -> None:
    network = EmotionNetwork(SPEC, dropout=0.0)
    network.features_frozen = True
    logits = network.train()(PIXELS)
    logits.sum().backward()
    assert all(p.grad is None for p in network.backbone.features.parameters())
    assert all(p.grad is not None for p in network.backbone.classifier.parameters())
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(PIXELS), logits.detach())
    network.features_frozen = False
    assert in_training(network.train()) == {True}
    network(PIXELS).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize("batch_norm", ["live", "frozen"])
def test_no_faces_leave_gradients_of_0_and_the_statistics_as_they_are(batch_norm: str) -> None:
    network = EmotionNetwork(SPEC, batch_norm=batch_norm).train()  # type: ignore[arg-type]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network(PIXELS[:0]).sum().backward()
    after = network.state_dict()
    # torch counts batches, also empty ones; with a momentum that is given nothing follows from it.
    assert all(torch.equal(after[k], v) for k, v in before.items() if "num_batches" not in k)
    assert all(float(p.grad.abs().sum()) == 0 for p in network.parameters() if p.grad is not None)
    assert network.backbone.features[0][0].weight.grad is not None


def test_the_last_layer_and_the_others_are_all_parameters() -> None:
    network = EmotionNetwork(SPEC)
    head, rest = network.parameter_groups()
    last = network.backbone.classifier[1]
    assert [id(p) for p in head] == [id(last.weight), id(last.bias)]
    assert {id(p) for p in (*head, *rest)} == {id(p) for p in network.parameters()}
    assert len(head) + len(rest) == len([*network.parameters()])


def test_a_batch_norm_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^model\.batch_norm: expected live or frozen, got on$"):
        EmotionNetwork(SPEC, batch_norm="on")  # type: ignore[arg-type]


def test_a_missing_compiler_is_named_with_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match=r"expected a C\+\+ compiler, and no-such-c") as error:
        check_compiler()
    assert "name another in CXX, or set model.compile=false" in str(error.value)
