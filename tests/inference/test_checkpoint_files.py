"""Finding a checkpoint by its file or by its run."""

from pathlib import Path

import pytest

from emotion.errors import CheckpointError
from emotion.experiments.outcome import RunResult
from emotion.inference.checkpoint_files import find_checkpoint, run_folder


def test_a_checkpoint_is_found_by_its_run(run_result: RunResult, tmp_path: Path) -> None:
    assert find_checkpoint(run_result.folder) == run_result.checkpoint
    assert find_checkpoint(run_result.checkpoint) == run_result.checkpoint
    assert run_folder(run_result.checkpoint) == run_result.folder
    assert run_folder(tmp_path / "alone.ckpt") == tmp_path
    (tmp_path / "selection.json").write_text('{"checkpoint": "../../etc/passwd"}')
    with pytest.raises(CheckpointError, match=r"without a readable selection\.json"):
        find_checkpoint(tmp_path)
