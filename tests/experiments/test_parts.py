"""Words of the config that take effect, or are refused, where the parts of a run are made."""

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from pytorch_lightning.callbacks import EMAWeightAveraging
from tests.conftest import train_tiny
from tests.sharing import CACHE

from emotion.errors import ConfigError
from emotion.experiments.configs import VERSION_BASE
from emotion.experiments.parts import Run, build_run
from emotion.files import config_folder


def built(root: Path, folder: Path, *overrides: str) -> Run:
    settings = [
        f"data.root={root}",
        f"run_dir={folder}",
        CACHE,
        "model.weights=null",
        "input.size=64",
        "trainer.accelerator=cpu",
    ]
    with initialize_config_dir(str(config_folder()), version_base=VERSION_BASE):
        config = compose("train", [*settings, *overrides])
    return build_run(config)


def test_the_plateau_follows_the_score_of_the_run(sample_root: Path, tmp_path: Path) -> None:
    words = ("model.schedule=plateau", "monitor.name=val/accuracy", "monitor.mode=max")
    module = built(sample_root, tmp_path, *words, "model.plateau_patience=0").module
    assert module.monitor == "val/accuracy"
    plateau = module.schedule.plateau
    for score in (0.5, 0.6, 0.55):
        plateau.step(score)
    assert plateau.factor == pytest.approx(0.1)


def test_our_own_recipe_averages_the_weights(sample_root: Path, tmp_path: Path) -> None:
    module = built(sample_root, tmp_path, "experiment=faces").module
    (callback,) = module.configure_callbacks()
    assert isinstance(callback, EMAWeightAveraging)
    assert module.ema == 0.99
    assert built(sample_root, tmp_path).module.configure_callbacks() == []


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (["trainer=ddp", "model.freeze_epochs=1"], True),
        (["trainer.devices=2", "model.freeze_epochs=1"], True),
        (["trainer=ddp"], None),
    ],
)
def test_ddp_waits_for_no_gradients_of_frozen_layers(
    sample_root: Path, tmp_path: Path, words: list[str], unused: bool | None
) -> None:
    trainer: Any = built(sample_root, tmp_path, *words).trainer
    assert trainer.strategy._ddp_kwargs.get("find_unused_parameters") == unused


def test_frozen_layers_on_one_device_need_no_ddp(sample_root: Path, tmp_path: Path) -> None:
    trainer = built(sample_root, tmp_path, "model.freeze_epochs=1").trainer
    assert trainer.world_size == 1


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("trainer.sync_batchnorm=true", r"^trainer\.sync_batchnorm: works on GPUs only; set it to"),
        (
            "model.warmup_epochs=3",
            r"^model\.warmup_epochs: expected 0 to trainer.max_epochs=2, got",
        ),
        ("model.warmup_epochs=-1", r"^model\.warmup_epochs: expected 0 or more, got -1$"),
        ("model.backbone_lr=0", r"^model\.backbone_lr: expected a factor above 0"),
        ("model.batch_norm=dead", r"^model\.batch_norm: expected live or frozen, got dead$"),
    ],
)
def test_words_that_do_not_fit_are_refused_before_the_run_begins(
    sample_root: Path, tmp_path: Path, word: str, text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        train_tiny(sample_root, tmp_path / "run", word)
    assert not (tmp_path / "run").exists()
