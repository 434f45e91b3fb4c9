from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer

from emotion.errors import ConfigError
from emotion.faces.inputs import InputSpec
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
    return torch.utils.data.DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


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


def test_logit_adjustment_adds_the_log_frequencies_in_training_only() -> None:
    module = EmotionModule(SPEC, None, ADAM, logit_adjustment=0.5)
    module.set_class_counts([10, 20, 30, 40, 0])
    shares = torch.tensor([0.1, 0.2, 0.3, 0.4, 1e-6])
    torch.testing.assert_close(module.adjustment, 0.5 * shares.log())
    assert "adjustment" not in module.state_dict()
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    module.eval()
    with torch.no_grad():
        torch.testing.assert_close(module(pixels), module.network(pixels))
