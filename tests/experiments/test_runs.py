import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from tests.conftest import train_tiny

from emotion.errors import ConfigError
from emotion.experiments.runs import RunResult


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
    train, val = parts["train"]["files"], parts["val"]["files"]
    annotations = sample_root / "train" / "annotations"
    assert not set(train) & set(val)
    assert set(train) | set(val) == {path.name for path in annotations.iterdir()}
    name = sorted(val)[0]
    picture = sample_root / "train" / "img" / name.replace(".xml", ".jpg")
    content = (annotations / name).read_bytes() + picture.read_bytes()
    assert val[name] == hashlib.sha256(content).hexdigest()


def test_validation_counts_every_face_once(run_result: RunResult) -> None:
    parts = json.loads((run_result.folder / "split.json").read_text())["parts"]
    assert run_result.metrics["val/samples"] == parts["val"]["faces"]


def losses(folder: Path) -> list[str]:
    rows = [line.split(",") for line in (folder / "epochs.csv").read_text().splitlines()]
    return [row[rows[0].index("train/loss")] for row in rows[1:]]


def test_the_same_seed_gives_the_same_run_whatever_the_workers(
    sample_root: Path, tmp_path: Path
) -> None:
    first = train_tiny(sample_root, tmp_path / "a", "seed=0")
    second = train_tiny(sample_root, tmp_path / "b", "seed=0", "data.workers=1")
    other = train_tiny(sample_root, tmp_path / "c", "seed=1")
    assert losses(first.folder) == losses(second.folder)
    assert losses(first.folder) != losses(other.folder)
    states = [torch.load(r.checkpoint, weights_only=True)["state_dict"] for r in (first, second)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


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
