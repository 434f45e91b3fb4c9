from collections.abc import Callable
from functools import partial
from inspect import signature
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import EMAWeightAveraging
from torch import Tensor
from torchvision.models import mobilenet_v2

from emotion.errors import ConfigError
from emotion.faces.inputs import InputSpec
from emotion.training.mixing import Mixup
from emotion.training.module import EmotionModule, step_seed

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


def trainer_for(epochs: int, **changes: Any) -> Trainer:
    settings = {
        "max_epochs": epochs,
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
    }
    return Trainer(**(settings | changes))  # type: ignore[arg-type]


def fitted(module: EmotionModule, epochs: int, **changes: Any) -> Trainer:
    trainer = trainer_for(epochs, **changes)
    trainer.fit(module, loader(12, 4), loader(7, 4))
    return trainer


def test_a_fit_logs_each_metric_and_counts_each_sample_once() -> None:
    metrics = fitted(EmotionModule(SPEC, None, ADAM), 2).callback_metrics
    names = {"loss", "accuracy", "balanced_accuracy", "macro_f1", "samples_seen"}
    of_both = {f"{stage}/{name}" for stage in ("train", "val") for name in names}
    seen = {int(target) for batch in loader(7, 4) for target in batch["targets"]}
    assert 0 < len(seen) <= len(SPEC.labels)
    occurring = {f"val/f1_{SPEC.labels[target]}" for target in seen}
    assert set(metrics) == of_both | occurring | {"val/ece", "epoch"}
    assert float(metrics["train/samples_seen"]) == 12
    assert float(metrics["val/samples_seen"]) == 7
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


def test_logit_adjustment_acts_in_training_only() -> None:
    module = EmotionModule(SPEC, None, ADAM, logit_adjustment=0.5)
    module.set_class_counts([10, 20, 30, 40, 0])
    assert not any("adjustment" in name for name in module.state_dict())
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    module.eval()
    with torch.no_grad():
        torch.testing.assert_close(module(pixels), module.network(pixels))


COUNTS = [40, 30, 20, 9, 1]
Named = dict[str, Tensor]
SGD = partial(torch.optim.SGD, lr=1e-2)
Descent = Callable[[Tensor, Tensor, int, int], Tensor]  # logits, targets, epoch, batch -> loss
Input = Callable[[Tensor, int, int], Tensor]  # pixels, epoch, batch -> pixels


def trained_by_hand(
    module: EmotionModule, optimizer: Any, epochs: int, descend: Descent, see: Input, seed: int
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
    for epoch in range(epochs):
        for number, batch in enumerate(loader(12, 4)):
            pixels = see(batch["pixels"].float(), epoch, number)
            key = np.random.SeedSequence([seed, epoch, number, 0, 3])  # of dropout
            torch.manual_seed(int(key.generate_state(1, np.uint64)[0]))
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
    "batch_norm": "live",
    "compile": False,
    "ema": None,
    "schedule": "constant",
    "freeze_epochs": 0,
    "backbone_lr": 1.0,
}


def test_all_options_are_off_by_default() -> None:
    defaults = signature(EmotionModule).parameters
    assert {name: defaults[name].default for name in OFF} == OFF | {"seed": 0}


def test_with_all_options_off_the_weights_are_plain_torchs_to_the_last_bit() -> None:
    torch.manual_seed(0)
    module = EmotionModule(SPEC, None, ADAM, **OFF)  # type: ignore[arg-type]
    module.set_class_counts(COUNTS)
    golden = trained_by_hand(
        module,
        ADAM,
        1,
        lambda z, y, *_: torch.nn.CrossEntropyLoss()(z, y),
        untouched,
        5,
    )
    fitted(module, 1)
    given = module.network.backbone.state_dict()
    assert all(torch.equal(given[name], golden[name]) for name in golden)


@pytest.mark.slow
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

    expected = trained_by_hand(module, SGD, 2, loss, mixed, 5)
    fitted(module, 2)
    torch.testing.assert_close(module.network.backbone.state_dict(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{"dropout": 0.0, "mixup": 1.0}, {"dropout": 0.5}])
def test_draws_follow_from_seed_and_device_and_not_from_what_torch_drew_before(
    monkeypatch: pytest.MonkeyPatch, options: Any
) -> None:
    def trained(seed: int, torch_seed: int) -> Tensor:
        torch.manual_seed(0)
        module = EmotionModule(SPEC, None, SGD, seed=seed, **options)
        torch.manual_seed(torch_seed)
        brief(module, 1)
        return head_of(module)

    first = trained(1, 0)
    assert torch.equal(trained(1, 99), first)
    assert not torch.equal(trained(2, 0), first)
    monkeypatch.setattr(EmotionModule, "global_rank", 1)
    assert not torch.equal(trained(1, 0), first)


def test_each_step_of_a_run_has_a_seed_of_its_own() -> None:
    keys = [*product(range(3), repeat=4)]
    seeds = {step_seed(*key) for key in keys}
    assert len(seeds) == len(keys)
    assert step_seed(1, 0, 0, 0) == step_seed(1, 0, 0, 0)
    assert all(0 <= seed < 2**64 for seed in seeds)


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
    assert float(metrics["train/samples_seen"]) == 12


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
        (
            {"schedule": "linear"},
            r"model\.schedule: expected constant, cosine or plateau, got 'lin",
        ),
        ({"warmup_epochs": -1}, r"model\.warmup_epochs: expected 0 or more, got -1"),
        ({"plateau_factor": 2}, r"model\.plateau_factor: expected above 0 and below 1"),
        ({"compile": "no"}, r"model\.compile: expected true or false, got no"),
        ({"ema": 1}, r"model\.ema: expected null \(off\) or a decay above 0 .*; got 1"),
        ({"ema": "a"}, r"model\.ema: expected null .*; got a"),
        ({"ema": False}, r"model\.ema: expected null .*; got False"),
        ({"freeze_epochs": -1}, r"model\.freeze_epochs: expected a whole number from 0, got -1"),
        ({"freeze_epochs": 0.5}, r"model\.freeze_epochs: expected a whole number from 0, got 0.5"),
        ({"backbone_lr": 0}, r"model\.backbone_lr: expected a factor above 0, .*; got 0"),
        ({"backbone_lr": "a"}, r"model\.backbone_lr: expected a factor above 0, .*; got a"),
        ({"batch_norm": "off"}, r"model\.batch_norm: expected live or frozen, got off"),
    ],
)
def test_a_setting_out_of_range_is_refused_before_weights_are_sought(
    options: Any, text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        EmotionModule(SPEC, "/no/such/weights.pth", ADAM, **options)


# What each option does.


def seeded(optimizer: Any = SGD, **options: Any) -> EmotionModule:
    """A module that starts from the same weights each time."""
    torch.manual_seed(0)
    return EmotionModule(SPEC, None, optimizer, **options)


def brief(module: EmotionModule, epochs: int, **changes: Any) -> Trainer:
    """Trains a step an epoch."""
    trainer = trainer_for(epochs, **changes)
    trainer.fit(module, loader(4, 4), loader(4, 4))
    return trainer


def state(module: EmotionModule) -> Named:
    return {name: value.clone() for name, value in module.network.backbone.state_dict().items()}


def head_of(module: EmotionModule) -> Tensor:
    head: Tensor = module.network.backbone.classifier[1].weight.detach().clone()
    return head


def moved(before: Named, after: Named, *kinds: str) -> set[bool]:
    """Whether the entries of some kinds have changed; True and False where some have."""
    names = [name for name in before if any(kind in name for kind in kinds)]
    assert names
    return {not torch.equal(before[name], after[name]) for name in names}


class Seen(Callback):
    """Notes what the optimiser has at the start of each epoch, and the norm of each step."""

    def __init__(self) -> None:
        self.rates: list[list[float]] = []
        self.types: set[torch.dtype] = set()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        self.rates.append([group["lr"] for group in trainer.optimizers[0].param_groups])

    def on_fit_start(self, trainer: Trainer, pl_module: Any) -> None:
        last = pl_module.network.backbone.classifier[1]
        last.register_forward_hook(lambda *given: self.types.add(given[2].dtype))


@pytest.mark.parametrize(("batch_norm", "changed"), [("live", True), ("frozen", False)])
def test_frozen_batch_norm_keeps_its_statistics_and_learns_the_rest(
    batch_norm: Any, changed: bool
) -> None:
    module = seeded(batch_norm=batch_norm)
    before = state(module)
    brief(module, 2)  # the second epoch comes after a validation
    after = state(module)
    assert moved(before, after, "running_mean", "running_var", "num_batches") == {changed}
    assert True in moved(before, after, "features.0.1.weight", "features.0.1.bias")


def test_frozen_batch_norm_trains_with_the_statistics_that_it_validates_with() -> None:
    still = partial(torch.optim.SGD, lr=0.0)
    module = seeded(still, batch_norm="frozen", dropout=0.0)
    losses = brief(module, 1).callback_metrics
    assert float(losses["train/loss"]) == pytest.approx(float(losses["val/loss"]), rel=1e-6)


def test_ema_keeps_what_lightnings_callback_does() -> None:
    with_word, by_hand, off = seeded(ema=0.5), seeded(), seeded()
    brief(with_word, 2)
    brief(by_hand, 2, callbacks=[EMAWeightAveraging(decay=0.5)])
    brief(off, 2)
    assert torch.equal(head_of(with_word), head_of(by_hand))
    assert not torch.equal(head_of(with_word), head_of(off))


@pytest.mark.parametrize("decay", [0.9, 0.99, 0.995])  # no multiples of a power of 2, as 0.5 is
def test_ema_leaves_counts_as_they_are(decay: float) -> None:
    module = seeded(ema=decay)
    assert float(fitted(module, 3).callback_metrics["val/samples_seen"]) == 7
    whole = [name for name, buffer in module.named_buffers() if not buffer.is_floating_point()]
    assert {name.rpartition(".")[2] for name in whole} == {"num_batches_tracked"}


@pytest.mark.slow
def test_a_plateau_lowers_the_rate_of_the_next_epoch() -> None:
    seen = Seen()
    # So slow that the loss stays what it is to the last bit.
    slow = partial(torch.optim.SGD, lr=1e-30)
    module = seeded(
        slow, schedule="plateau", plateau_patience=1, plateau_factor=0.5, batch_norm="frozen"
    )
    brief(module, 6, callbacks=[seen])
    # The first score is the best; two no better ones; two more.
    assert [rates[0] for rates in seen.rates] == [1e-30] * 3 + [5e-31] * 2 + [2.5e-31]


def test_a_plateau_of_what_is_not_measured_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"model\.monitor=val/beauty: not measured in this run"):
        brief(seeded(schedule="plateau", monitor="val/beauty"), 1)


def test_features_stay_as_they_are_until_their_epoch() -> None:
    module = seeded(freeze_epochs=2)
    before = state(module)
    brief(module, 2)
    assert moved(before, state(module), "features.") == {False}
    assert moved(before, state(module), "classifier.") == {True}
    module = seeded(freeze_epochs=2)
    brief(module, 3)
    assert moved(before, state(module), "features.0.0.weight", "running_mean") == {True}


@pytest.mark.parametrize("optimizer", [SGD, pytest.param(ADAM, marks=pytest.mark.slow)])
def test_features_learn_at_their_own_rate(optimizer: Any) -> None:
    steps = []
    for factor in (1.0, 0.25):
        module, seen = seeded(optimizer, backbone_lr=factor), Seen()
        before = state(module)
        brief(module, 1, callbacks=[seen])
        steps.append({name: value - before[name] for name, value in state(module).items()})
    assert seen.rates == [[optimizer.keywords["lr"], 0.25 * optimizer.keywords["lr"]]]
    whole, slowed = steps
    for name in ("features.0.0.weight", "features.17.conv.0.0.weight", "features.18.1.bias"):
        torch.testing.assert_close(slowed[name], 0.25 * whole[name], rtol=1e-2, atol=1e-7)
        assert float(whole[name].abs().max()) > 1e-5
    assert torch.equal(slowed["classifier.1.weight"], whole["classifier.1.weight"])
    assert float(whole["classifier.1.weight"].norm()) > 0


@pytest.mark.parametrize("clip", [None, 0.01])
def test_the_gradient_is_clipped(clip: float | None) -> None:
    module = seeded(partial(torch.optim.SGD, lr=1.0), batch_norm="frozen")
    before = state(module)
    brief(module, 1, gradient_clip_val=clip)
    step = torch.cat([(value - before[name]).ravel() for name, value in state(module).items()])
    if clip is None:
        assert float(step.norm()) > 0.1
    else:
        # Of weights around 1, of which float32 keeps seven digits.
        assert float(step.norm()) == pytest.approx(clip, rel=1e-2)


@pytest.mark.parametrize(
    ("precision", "type_"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)]
)
def test_with_bf16_mixed_the_network_computes_in_16_bits_and_keeps_32(
    precision: str, type_: torch.dtype
) -> None:
    module, seen = seeded(), Seen()
    before = state(module)
    metrics = brief(module, 1, precision=precision, callbacks=[seen]).callback_metrics
    assert seen.types == {type_}
    assert head_of(module).dtype == torch.float32
    assert moved(before, state(module), "classifier.") == {True}
    assert all(bool(torch.isfinite(value)) for value in metrics.values())


def test_compile_compiles_the_network_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []

    def note(model: Any, **settings: Any) -> Any:
        compiled.append(model)
        return model

    monkeypatch.setattr("emotion.training.module.check_compiler", lambda: None)
    monkeypatch.setattr(torch, "compile", note)
    plain, module = seeded(), seeded(compile=True, ema=0.5)
    brief(module, 1)
    assert [call.__self__ for call in compiled] == [module.network]
    assert list(module.state_dict()) == list(plain.state_dict())
    brief(plain, 1)
    assert len(compiled) == 1


def test_without_a_compiler_compile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(
        ConfigError, match=r"model\.compile: .* no-such-compiler is not on the PATH"
    ):
        EmotionModule(SPEC, None, SGD, compile=True)


@pytest.mark.slow
def test_a_compiled_network_learns_what_the_plain_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    # Three blocks of the seventeen, which have the same kinds of layers: compiling takes minutes.
    few = partial(mobilenet_v2, inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]])
    monkeypatch.setattr("emotion.training.network.mobilenet_v2", few)
    plain, compiled = (seeded(compile=word, batch_norm="frozen", ema=0.5) for word in (False, True))
    losses = [float(brief(m, 1).callback_metrics["val/loss"]) for m in (plain, compiled)]
    # Other kernels round in another way.
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    seeded().load_state_dict(compiled.state_dict())
