import hashlib
import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from tests.conftest import train_tiny

from emotion.errors import ConfigError, DataError
from emotion.experiments.outcome import RunResult
from emotion.experiments.records import read_record


def test_a_run_folder_holds_everything(run_result: RunResult, sample_root: Path) -> None:
    folder = run_result.folder
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "config.yaml", "split.json", "versions.json", "epochs.csv", "checkpoints", "tensorboard",
        "metrics.json", "selection.json", "curves.png",
    }  # fmt: skip
    config = OmegaConf.load(folder / "config.yaml")
    assert config.data.root == str(sample_root)
    selection = json.loads((folder / "selection.json").read_text())
    assert folder / selection["checkpoint"] == run_result.checkpoint
    assert selection["rule"].startswith("the lowest val/loss of 2 epochs")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["epoch"] == selection["epoch"]
    assert metrics["metrics"]["val/loss"] == pytest.approx(selection["score"])
    with Image.open(folder / "curves.png") as picture:
        assert len(np.unique(np.asarray(picture))) > 10


def test_the_split_names_each_file_once_with_its_hash(
    run_result: RunResult, sample_root: Path
) -> None:
    parts = json.loads((run_result.folder / "split.json").read_text())["parts"]
    assert list(parts) == ["train", "val", "test"]
    named = [name for part in parts.values() for name in part["files"]]
    on_disk = {path.relative_to(sample_root).as_posix() for path in sample_root.rglob("*.xml")}
    assert len(named) == len(set(named)) == len(on_disk)
    assert set(named) == on_disk
    assert {name.split("/")[0] for name in parts["test"]["files"]} == {"test"}
    for name, file in parts["val"]["files"].items():
        assert name.startswith("train/annotations/")
        assert file["picture"] == f"train/img/{Path(name).stem}.jpg"
        content = (sample_root / name).read_bytes() + (sample_root / file["picture"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()


def test_validation_counts_every_face_once(run_result: RunResult) -> None:
    parts = json.loads((run_result.folder / "split.json").read_text())["parts"]
    assert run_result.metrics["val/samples_seen"] == parts["val"]["faces"]


def losses(folder: Path) -> list[str]:
    rows = [line.split(",") for line in (folder / "epochs.csv").read_text().splitlines()]
    return [row[rows[0].index("train/loss")] for row in rows[1:]]


def state(run: RunResult) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(run.checkpoint, weights_only=True)["state_dict"]
    return weights


FAIR = (  # all that treats rare classes and hard labels in another way, at once
    "data.sampler=balanced",
    "model.class_weights=balanced",
    "model.mixup=0.2",
    "model.label_smoothing=0.1",
)


@pytest.mark.parametrize("overrides", [(), pytest.param(FAIR, marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_run_whatever_the_workers_and_the_cache(
    sample_root: Path, run_result: RunResult, tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    first = train_tiny(sample_root, tmp_path / "a", *overrides) if overrides else run_result
    memory = ("data.cache=null", "data.workers=1")
    second = train_tiny(sample_root, tmp_path / "b", *memory, *overrides)
    assert len(losses(first.folder)) == 2
    assert losses(first.folder) == losses(second.folder)
    weights = state(second)
    assert all(torch.equal(value, weights[name]) for name, value in state(first).items())
    # What is compared depends on the options at all.
    assert (losses(first.folder) != losses(run_result.folder)) == bool(overrides)


@pytest.mark.parametrize(
    "override", [*FAIR[:2], *(pytest.param(option, marks=pytest.mark.slow) for option in FAIR[2:])]
)
def test_each_treatment_alone_changes_a_run_and_is_finished(
    sample_root: Path, run_result: RunResult, tmp_path: Path, override: str
) -> None:
    run = train_tiny(sample_root, tmp_path / "run", override, "trainer.max_epochs=1")
    (found,) = losses(run.folder)
    assert math.isfinite(float(found))
    assert found != losses(run_result.folder)[0]


def test_another_seed_gives_another_run(
    sample_root: Path, run_result: RunResult, tmp_path: Path
) -> None:
    other = train_tiny(sample_root, tmp_path / "run", "seed=0", "trainer.max_epochs=1")
    assert losses(other.folder)[0] != losses(run_result.folder)[0]


@pytest.mark.slow
def test_runs_share_the_crop_cache_and_it_changes_nothing(
    sample_root: Path, run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = f"data.cache={tmp_path / 'cache'}"
    first = train_tiny(sample_root, tmp_path / "a", cache, "trainer.max_epochs=1")
    assert "crops at 70 and 64 pixels" in capsys.readouterr().err
    assert losses(first.folder) == losses(run_result.folder)[:1]  # which had another
    # Another split of the same faces needs no other crops.
    train_tiny(sample_root, tmp_path / "b", cache, "seed=0", "trainer.max_epochs=1")
    assert "crops at" not in capsys.readouterr().err


def files_of(split: Path) -> dict[str, dict[str, Any]]:
    parts = json.loads(split.read_text())["parts"]
    return {part: described["files"] for part, described in parts.items()}


def test_the_split_of_a_run_is_the_split_of_the_next_wherever_the_data_lies(
    sample_root: Path, run_result: RunResult, tmp_path: Path
) -> None:
    moved = shutil.copytree(sample_root, tmp_path / "moved")
    frozen = run_result.folder / "split.json"
    settings = [f"data.split={frozen}", "seed=0", "trainer.max_epochs=1"]
    again = train_tiny(moved, tmp_path / "run", *settings)
    assert files_of(again.folder / "split.json") == files_of(frozen)


def test_a_batch_size_that_does_not_divide_is_refused(sample_root: Path, tmp_path: Path) -> None:
    expected = "not divisible by 1 devices x trainer.accumulate_grad_batches=3; set a multiple of 3"
    with pytest.raises(ConfigError, match=r"data\.batch_size=4 counts all devices") as error:
        train_tiny(sample_root, tmp_path, "trainer.accumulate_grad_batches=3")
    assert expected in str(error.value)


def test_a_value_of_the_wrong_type_is_refused(sample_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"input\.size: expected a multiple of 32, .* got 65"):
        train_tiny(sample_root, tmp_path, "input.size=65")
    with pytest.raises(ConfigError, match="trainer: "):
        train_tiny(sample_root, tmp_path, "trainer.precision=nonsense")


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("monitor.name=train/loss", "monitor.name: expected one of val/loss, "),
        ("seed=-1", "seed: expected a whole number from 0, got -1"),
        ("trainer.max_epochs=0", "trainer.max_epochs: expected a whole number from 1, got 0"),
        ("trainer.limit_val_batches=0", "trainer.limit_val_batches: expected more than 0"),
        ("+trainer.check_val_every_n_epoch=2", "check_val_every_n_epoch: expected 1"),
        ("data.workers=-1", "data.workers: expected 0 or more, got -1"),
        ("data.batch_size=0", "data.batch_size: expected 1 or more, got 0"),
        ("data.oversize=100", "data.oversize: expected a factor from 1 to 2, got 100"),
        ("model.optimizer.lr=-1", "model.optimizer: Invalid learning rate: -1"),
        ("model.optimizer.lr=abc", "model.optimizer: "),
        ("model.label_smoothing=5", "model.label_smoothing: expected 0 to 1, got 5"),
        ("input.labels=neutral", "input.labels: expected a list of names, got 'neutral'"),
        ("input.margin=abc", "input.margin: expected a share from 0 to 2, got abc"),
        ("input.size=3200000", "input.size: expected a multiple of 32, 64 to 1024"),
        ("~monitor", "monitor"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    sample_root: Path, tmp_path: Path, override: str, text: str
) -> None:
    with pytest.raises(ConfigError) as error:
        train_tiny(sample_root, tmp_path / "run", override)
    assert text in str(error.value)


def test_two_runs_are_not_mixed_in_one_folder(run_result: RunResult, sample_root: Path) -> None:
    with pytest.raises(ConfigError, match="holds a run already; go on with it by resume="):
        train_tiny(sample_root, run_result.folder)


def test_one_class_is_nothing_to_learn(sample_root: Path, tmp_path: Path) -> None:
    only = "data.label_map={neutral: smile, anger: smile, surprise: smile, sad: smile}"
    with pytest.raises(DataError, match="expected training faces of two classes or more"):
        train_tiny(sample_root, tmp_path / "run", only)


def test_a_checkpoint_that_follows_another_score_is_refused(
    sample_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"let it follow monitor\.name and \.mode"):
        train_tiny(sample_root, tmp_path / "run", "callbacks.best.mode=max")


@pytest.mark.parametrize(
    ("stop", "name"), [(KeyboardInterrupt(), "SIGINT"), (SystemExit(143), "SIGTERM")]
)
def test_a_run_that_is_ended_before_its_first_step_was_stopped(
    sample_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: BaseException,
    name: str,
) -> None:
    def describe(*_: object) -> None:
        raise stop

    monkeypatch.setattr("emotion.experiments.runs._describe", describe)
    with pytest.raises(type(stop)):
        train_tiny(sample_root, tmp_path / "run")
    record = read_record(tmp_path / "run")
    assert record is not None
    assert (record.status, record.reason) == ("stopped", name)
