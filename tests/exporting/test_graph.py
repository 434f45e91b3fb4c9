"""The exported graph, against the network that it is made from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.exports import faces

from emotion.exporting.graph import ExportedGraph
from emotion.faces.inputs import InputSpec
from emotion.training.checkpoints import Checkpoint
from emotion.training.network import EmotionNetwork


def checkpoint(spec: InputSpec) -> Checkpoint:
    """Makes a network whose batch norm knows the faces that it is asked about."""
    torch.manual_seed(0)
    network = EmotionNetwork(spec)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # running statistics are those of the last batch
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.3)
    torch.nn.init.normal_(network.backbone.classifier[1].weight, std=0.05)
    network.train()(torch.from_numpy(faces(5, spec.size)).permute(0, 3, 1, 2))
    return Checkpoint(Path("x.ckpt"), spec, network.state_dict(), 1)


@pytest.mark.parametrize(
    "spec",
    [
        InputSpec(size=64),
        InputSpec(labels=("no", "yes"), size=96, mean=(0.1, 0.5, 0.9), std=(0.3, 1.0, 2.0)),
        InputSpec(size=64, mirror=True),
    ],
)
def test_it_is_the_network_with_all_that_comes_before_and_after(spec: InputSpec) -> None:
    given = checkpoint(spec)
    network = EmotionNetwork(spec)
    network.load_state_dict(given.state)
    pixels = faces(5, spec.size)
    # Written out in float64: normalise, ask the plain backbone, divide, softmax.
    shares = (pixels / 255 - np.array(spec.mean)) / np.array(spec.std)
    backbone = network.backbone.double().eval()
    with torch.inference_mode():
        plain = backbone(torch.from_numpy(shares).permute(0, 3, 1, 2)).numpy()
        if spec.mirror:
            turned = torch.from_numpy(shares[:, :, ::-1].copy()).permute(0, 3, 1, 2)
            plain = (plain + backbone(turned).numpy()) / 2
    for temperature in (1.0, 2.5, 0.5):
        with torch.inference_mode():
            graph = ExportedGraph(replace(given, temperature=temperature))
            found = graph(torch.from_numpy(pixels))
        logits = plain / temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        expected = powers / powers.sum(axis=1, keepdims=True)
        assert expected.std(axis=0).max() > 1e-3, "faces that are told apart"
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found.numpy(), expected, atol=2e-5)


def test_nothing_is_left_of_batch_norm_dropout_and_gradients() -> None:
    graph = ExportedGraph(checkpoint(InputSpec(size=64)))
    kinds = {type(module).__name__ for module in graph.modules()}
    assert "Conv2d" in kinds
    assert not kinds & {"BatchNorm2d", "Dropout"}
    assert not any(parameter.requires_grad for parameter in graph.parameters())


def test_the_checkpoint_stays_as_it_was() -> None:
    given = checkpoint(InputSpec(size=64))
    before = {name: tensor.clone() for name, tensor in given.state.items()}
    ExportedGraph(given)
    assert all(torch.equal(before[name], tensor) for name, tensor in given.state.items())
