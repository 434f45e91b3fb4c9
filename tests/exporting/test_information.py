"""What files say of the run behind them."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

from emotion.experiments.outcome import RunResult
from emotion.exporting.information import NOT_STATED, gather_information, hash_training_data
from emotion.training.checkpoints import read_checkpoint


def test_the_run_is_described(run_result: RunResult) -> None:
    checkpoint = replace(read_checkpoint(run_result.checkpoint), temperature=3.0, threshold=0.7)
    info = gather_information(checkpoint, packages=["onnx"])
    assert (info.temperature, info.threshold, info.epoch) == (3.0, 0.7, checkpoint.epoch)
    assert info.licence == NOT_STATED
    assert {"python", "emotion", "torch", "onnx"} <= set(info.versions)
    assert type(info).from_json(info.to_json(), "x") == info


def test_the_training_photos_are_hashed_as_the_split_has_them(run_result: RunResult) -> None:
    split = json.loads((run_result.folder / "split.json").read_text())["parts"]
    hashes = sorted(entry["sha256"] for entry in split["train"]["files"].values())
    assert hashes
    expected = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    assert hash_training_data(run_result.checkpoint) == expected


def test_of_a_lone_checkpoint_the_data_are_not_known(run_result: RunResult, tmp_path: Path) -> None:
    assert hash_training_data(Path(shutil.copy(run_result.checkpoint, tmp_path))) is None
