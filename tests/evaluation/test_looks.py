"""How often a run has been looked at: counted, and never lost."""

import json
import shutil
from pathlib import Path

import pytest

from emotion.evaluation.looks import note_look, read_looks
from emotion.evaluation.provenance import describe
from emotion.evaluation.subjects import read_subject
from emotion.experiments.outcome import RunResult
from emotion.faces.labels import EMOTIONS


@pytest.fixture
def checkpoint(run: RunResult, tmp_path: Path) -> Path:
    """A checkpoint in a copy of its run folder."""
    folder = shutil.copytree(run.folder, tmp_path / "run")
    return folder / "checkpoints" / run.checkpoint.name


def test_earlier_looks_at_the_same_faces_are_counted(checkpoint: Path) -> None:
    subject = read_subject(checkpoint, EMOTIONS)
    first = describe(subject, checkpoint, 1, EMOTIONS, [])
    assert first.earlier_looks == []
    note_look(first.look(), checkpoint)
    other = read_subject(checkpoint, EMOTIONS, "val")
    note_look(describe(other, checkpoint, 1, EMOTIONS, []).look(), checkpoint)
    again = describe(subject, checkpoint, 1, EMOTIONS, [])
    assert again.earlier_looks == [first.date]
    looks = read_looks(checkpoint)
    assert not looks.damaged
    assert [look["checkpoint"] for look in looks.known] == [checkpoint.name] * 2


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"looks": [1]}', '{"looks": [{"date": 3}]}', "[" * 100_000]
)
def test_a_damaged_list_is_told_and_set_aside(checkpoint: Path, content: str) -> None:
    path = checkpoint.parents[1] / "evaluations.json"
    path.write_text(content)
    assert read_looks(checkpoint).damaged
    about = describe(read_subject(checkpoint, EMOTIONS), checkpoint, 1, EMOTIONS, [])
    assert "evaluations.json in the run folder was damaged" in about.warnings[0]
    note_look(about.look(), checkpoint)
    assert (path.parent / "evaluations-damaged.json").read_text() == content
    assert len(json.loads(path.read_text())["looks"]) == 1
    assert read_looks(checkpoint).damaged  # what was known before stays unknown


def test_a_lone_checkpoint_has_nowhere_to_note_it(tmp_path: Path) -> None:
    note_look({"date": "x", "data": "y"}, tmp_path / "alone.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_that_cannot_be_written_to_is_told(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkpoint.parents[1] / "evaluations.lock").mkdir()
    note_look({"date": "x", "data": "y"}, checkpoint)
    assert "not noted in the run folder: " in capsys.readouterr().err
