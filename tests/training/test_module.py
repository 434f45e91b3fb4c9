from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from torch import Tensor
from torchvision.models import mobilenet_v2

from emotion.errors import ConfigError
from emotion.faces.inputs import InputSpec
from emotion.training.mixing import Mixup
from emotion.training.module import EmotionModule

SPEC = InputSpec(size=64)
ADAM = partial(torch.optim.Adam, lr=1e-3)


def loader(n: int, size: int) -> Any:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (n, 3, 64, 64), dtype=torch.uint8, generator=generator)
    targets = torch.randint(0, 5, (n,), generator=generator)
    batches = [
        {"pixels": pixels[i : i + size], "targets": targets[i : i + size]}
        for i in range(0, n, size)
    ]
    # With a generator of its own, or each pass would draw from the one that dropout uses.
    return torch.utils.data.DataLoader(batches, batch_size=None, generator=generator)  # type: ignore[arg-type]


def fitted(module: EmotionModule, epochs: int) -> Trainer:
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(module, loader(12, 4), loader(7, 4))
    return trainer


def test_a_fit_logs_each_metric_and_counts_each_sample_once() -> None:
    metrics = fitted(EmotionModule(SPEC, None, ADAM), 2).callback_metrics
    names = {"loss", "accuracy", "balanced_accuracy", "macro_f1", "samples"}
    assert set(metrics) == {f"{s}/{n}" for s in ("train", "val") for n in names} | {"epoch"}
    assert float(metrics["train/samples"]) == 12
    assert float(metrics["val/samples"]) == 7
    assert float(metrics["epoch"]) == 2  # counted from 1


def test_the_logged_validation_loss_is_cross_entropy_over_all_samples() -> None:
    module = EmotionModule(SPEC, None, ADAM, label_smoothing=0.3)
    trainer = fitted(module, 1)
    module.eval()
    batches = list(loader(7, 4))
    with torch.no_grad():
        logits = torch.cat([module(batch["pixels"]) for batch in batches])
    targets = torch.cat([batch["targets"] for batch in batches])
    expected = -logits.log_softmax(dim=1)[torch.arange(7), targets].mean()
    assert float(trainer.callback_metrics["val/loss"]) == pytest.approx(float(expected), rel=1e-4)


def rates(module: EmotionModule, total: int, warmup: int) -> list[float]:
    return [module._rate(step, warmup, total) for step in range(total)]


def test_a_constant_schedule_keeps_the_rate() -> None:
    assert rates(EmotionModule(SPEC, None, ADAM), 10, 0) == [1.0] * 10


def test_a_cosine_schedule_rises_then_falls_to_zero() -> None:
    module = EmotionModule(SPEC, None, ADAM, schedule="cosine")
    values = rates(module, 100, 10)
    assert values[:10] == pytest.approx([(k + 1) / 11 for k in range(10)])
    assert values[10] == 1.0
    assert values[55] == pytest.approx(0.5)
    assert all(a >= b for a, b in pairwise(values[10:]))
    assert module._rate(100, 10, 100) == pytest.approx(0.0)


def test_an_unknown_schedule_is_refused() -> None:
    wrong: Any = "linear"
    with pytest.raises(ConfigError, match=r"model\.schedule: expected constant or cosine"):
        EmotionModule(SPEC, None, ADAM, schedule=wrong)


def test_logit_adjustment_acts_in_training_only() -> None:
    module = EmotionModule(SPEC, None, ADAM, logit_adjustment=0.5)
    module.set_class_counts([10, 20, 30, 40, 0])
    assert not any("adjustment" in name for name in module.state_dict())
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    module.eval()
    with torch.no_grad():
        torch.testing.assert_close(module(pixels), module.network(pixels))


COUNTS = [40, 30, 20, 9, 1]
SGD = partial(torch.optim.SGD, lr=1e-2)
Descent = Callable[[Tensor, Tensor, int, int], Tensor]  # logits, targets, epoch, batch -> loss
Input = Callable[[Tensor, int, int], Tensor]  # pixels, epoch, batch -> pixels


def trained_by_hand(
    module: EmotionModule, optimizer: Any, epochs: int, descend: Descent, see: Input
) -> dict[str, Tensor]:
    """Trains torchvision's network as `fitted` trains the module, in plain torch."""
    network = mobilenet_v2(num_classes=5, dropout=0.2)
    network.load_state_dict(module.network.backbone.state_dict())
    type_ = module.network.factor.dtype
    network = network.train().to(type_, memory_format=torch.channels_last)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    factor, offset = (1 / (255 * std)).to(type_), (-mean / std).to(type_)
    descent = optimizer(network.parameters())
    torch.manual_seed(1)  # of dropout; making the network drew, too
    for epoch in range(epochs):
        for number, batch in enumerate(loader(12, 4)):
            pixels = see(batch["pixels"].float(), epoch, number)
            # As the network does it, which is half the time of (pixels / 255 - mean) / std.
            logits = network(torch.addcmul(offset, pixels, factor))
            descent.zero_grad()
            descend(logits, batch["targets"], epoch, number).backward()  # type: ignore[no-untyped-call]
            descent.step()
    state: dict[str, Tensor] = network.state_dict()
    return state


def untouched(pixels: Tensor, epoch: int, batch: int) -> Tensor:
    return pixels


OFF = {
    "label_smoothing": 0.0,
    "logit_adjustment": 0.0,
    "class_weights": "none",
    "mixup": 0.0,
    "seed": 5,
}


@pytest.mark.parametrize("options", [{}, OFF])  # by default, and by name
def test_with_all_options_off_the_weights_are_plain_torchs_to_the_last_bit(options: Any) -> None:
    torch.manual_seed(0)
    module = EmotionModule(SPEC, None, ADAM, **options)
    module.set_class_counts(COUNTS)
    golden = trained_by_hand(
        module, ADAM, 1, lambda z, y, *_: torch.nn.CrossEntropyLoss()(z, y), untouched
    )
    torch.manual_seed(1)
    fitted(module, 1)
    given = module.network.backbone.state_dict()
    assert all(torch.equal(given[name], golden[name]) for name in golden)


def test_options_together_train_as_plain_torch_does_with_mixed_weighted_soft_targets() -> None:
    torch.manual_seed(0)
    module = EmotionModule(
        SPEC, None, SGD, class_weights="balanced", label_smoothing=0.1, mixup=0.4, seed=5
    )
    module.set_class_counts(COUNTS)
    module.double()  # six steps on batches of 4 make much of a float32's last bit
    weight = torch.tensor([100 / (5 * count) for count in COUNTS]).double()
    taught = weight[:, None] * (0.9 * torch.eye(5).double() + 0.1 / 5)  # a row a class

    def mixed(values: Tensor, epoch: int, batch: int) -> Tensor:
        mixing = Mixup(0.4, 5).draw(4, epoch, batch, 0)
        assert mixing is not None
        return mixing.share * values + (1 - mixing.share) * values[mixing.partners]

    def loss(logits: Tensor, targets: Tensor, epoch: int, batch: int) -> Tensor:
        soft = mixed(taught[targets], epoch, batch)
        return -(soft * logits.log_softmax(dim=1)).sum(dim=1).mean()

    expected = trained_by_hand(module, SGD, 2, loss, mixed)
    torch.manual_seed(1)
    fitted(module, 2)
    torch.testing.assert_close(module.network.backbone.state_dict(), expected, rtol=1e-4, atol=1e-5)


def test_mixup_is_drawn_from_seed_and_device_and_not_from_torchs_generator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trained(seed: int, torch_seed: int) -> Tensor:
        torch.manual_seed(0)
        module = EmotionModule(SPEC, None, SGD, dropout=0.0, mixup=1.0, seed=seed)
        torch.manual_seed(torch_seed)
        fitted(module, 1)
        head: Tensor = module.network.backbone.classifier[1].weight.detach()
        return head

    first = trained(1, 0)
    assert torch.equal(trained(1, 99), first)
    assert not torch.equal(trained(2, 0), first)
    monkeypatch.setattr(EmotionModule, "global_rank", 1)
    assert not torch.equal(trained(1, 0), first)


def test_while_mixing_train_metrics_are_of_mixed_faces_and_their_own_classes() -> None:
    still = partial(torch.optim.SGD, lr=0.0)  # the weights stay, so that they can be asked again
    module = EmotionModule(SPEC, None, still, dropout=0.0, class_weights="balanced", mixup=1.0)
    module.set_class_counts(COUNTS)
    metrics = fitted(module, 1).callback_metrics
    module.train()
    losses, right = [], 0
    for number, batch in enumerate(loader(12, 4)):
        mixing = Mixup(1.0, 0).draw(4, 0, number, 0)
        assert mixing is not None
        with torch.no_grad():
            logits = module(mixing.mix(batch["pixels"]))
        losses.append(torch.nn.functional.cross_entropy(logits, batch["targets"]))
        right += int((logits.argmax(dim=1) == batch["targets"]).sum())
    assert float(metrics["train/loss"]) == pytest.approx(float(sum(losses)) / 3, rel=1e-4)
    assert float(metrics["train/accuracy"]) == pytest.approx(right / 12)
    assert float(metrics["train/samples"]) == 12


@pytest.mark.parametrize("options", [{"class_weights": "balanced"}, {"logit_adjustment": 1.0}])
def test_a_fit_without_the_counts_that_the_loss_needs_is_refused(options: Any) -> None:
    with pytest.raises(ValueError, match="need set_class_counts before fit"):
        fitted(EmotionModule(SPEC, None, ADAM, **options), 1)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"class_weights": "sqrt"}, r"model\.class_weights: expected none or balanced"),
        ({"mixup": -1}, r"model\.mixup: expected 0 \(off\) to 100"),
        ({"label_smoothing": 2}, r"model\.label_smoothing: expected 0 to 1"),
    ],
)
def test_a_setting_out_of_range_is_refused_before_weights_are_sought(
    options: Any, text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        EmotionModule(SPEC, "/no/such/weights.pth", ADAM, **options)
