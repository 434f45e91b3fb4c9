import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from tests.conftest import train_tiny
from tests.training.comparison import assert_same_run

from emotion.errors import CheckpointError, ConfigError, DataError
from emotion.experiments.continuation import expanded, overrides_of
from emotion.experiments.outcome import RunResult
from emotion.experiments.parts import Run, check_run
from emotion.experiments.records import RunRecord, now, read_record, write_record
from emotion.experiments.runs import LOCK
from emotion.files import alone


@pytest.fixture(scope="module")
def half(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that is `run_result`, had it ended after its first epoch of two."""
    folder = tmp_path_factory.mktemp("half") / "run"
    train_tiny(sample_root, folder, "trainer.max_epochs=1")
    return folder


@pytest.fixture
def moved(half: Path, tmp_path: Path) -> Path:
    """That run, in a folder of another name, which a test may spoil."""
    return Path(shutil.copytree(half, tmp_path / "moved"))


def test_a_run_goes_on_to_where_it_would_have_been(
    sample_root: Path, run_result: RunResult, moved: Path
) -> None:
    assert_same_run(train_tiny(sample_root, moved, "resume=auto"), run_result)
    selection = json.loads((moved / "selection.json").read_text())
    assert (moved / selection["checkpoint"]).is_file()  # found although the folder was moved
    config = OmegaConf.load(moved / "config.yaml")
    assert (config.trainer.max_epochs, config.resume) == (2, None)
    record = read_record(moved)
    assert record is not None
    assert (record.status, record.resumed) == ("finished", 1)


def test_a_folder_with_a_run_is_not_trained_in_by_accident(sample_root: Path, moved: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds a run already; go on with it by resume="):
        train_tiny(sample_root, moved)


def test_what_is_finished_is_left_alone(
    sample_root: Path, moved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in moved.rglob("*") if path.is_file()}
    with pytest.raises(AssertionError):  # there is no result
        train_tiny(sample_root, moved, "resume=auto", "trainer.max_epochs=1")
    assert "finished already; nothing is left to do" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in moved.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("seed=0", "seed: 1 then, 0 now"),
        ("model.optimizer.lr=1", "model.optimizer.lr: 3e-05 then, 1 now"),
        (
            "input.labels=[a,b]",
            "input.labels: ['neutral', 'anger', 'surprise', 'smile', 'sad'] then",
        ),
    ],
)
def test_other_settings_are_refused_by_name(
    sample_root: Path, moved: Path, override: str, told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        train_tiny(sample_root, moved, "resume=auto", override)
    assert f"{moved}: holds a run with other settings:\n" in str(error.value)
    assert told in str(error.value)
    assert "or name another hydra.run.dir" in str(error.value)


@pytest.mark.slow
def test_a_run_without_a_checkpoint_begins_again(
    sample_root: Path, run_result: RunResult, moved: Path
) -> None:
    shutil.rmtree(moved / "checkpoints")
    (moved / "selection.json").unlink()
    assert_same_run(train_tiny(sample_root, moved, "resume=auto"), run_result)


def test_a_damaged_checkpoint_is_named(sample_root: Path, moved: Path) -> None:
    last = moved / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=r"last\.ckpt: not a checkpoint, damaged"):
        train_tiny(sample_root, moved, "resume=auto")


def test_data_that_changed_is_noticed_and_the_checkpoint_stays(
    sample_root: Path, moved: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(sample_root, tmp_path / "data"))
    xml = data / "train" / "annotations" / "scene_00002.xml"
    xml.write_text(xml.read_text() + "\n")
    last = moved / "checkpoints" / "last.ckpt"
    before = hashlib.sha256(last.read_bytes()).hexdigest()
    with pytest.raises(DataError, match=r"scene_00002\.xml or its picture .* has changed"):
        train_tiny(data, moved, "resume=auto")
    assert hashlib.sha256(last.read_bytes()).hexdigest() == before


def test_the_settings_of_a_run_come_before_those_that_are_typed(tmp_path: Path) -> None:
    command = ["emotion", "train", "data.root=faces", "seed=3", "hydra.run.dir='x'", "resume=auto"]
    folder = tmp_path / "it's a=run"
    write_record(folder, RunRecord(command, "stopped", now()))
    (folder / "config.yaml").write_text("{}")
    assert overrides_of(folder) == ["data.root=faces", "seed=3"]
    quoted = str(folder).replace("'", "\\'")
    assert expanded([f"resume={folder}", "trainer.max_epochs=9", "seed=4"]) == [
        "data.root=faces", "trainer.max_epochs=9", "seed=4", f"hydra.run.dir='{quoted}'",
        "resume=auto",
    ]  # fmt: skip
    assert expanded(["resume=auto", "seed=4"]) == ["resume=auto", "seed=4"]


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected the folder of a run, with a config\.yaml"):
        expanded([f"resume={tmp_path}"])


@pytest.mark.parametrize("item", ["hydra.run.dir=x", "-m"])
def test_a_run_that_goes_on_has_its_folder(half: Path, item: str) -> None:
    with pytest.raises(ConfigError, match=f"goes on in that folder; leave out {item}"):
        expanded([f"resume={half}", item])


def test_a_last_checkpoint_that_was_removed_is_no_reason_to_begin_again(
    sample_root: Path, moved: Path
) -> None:
    (moved / "checkpoints" / "last.ckpt").unlink()
    record = read_record(moved)
    assert record is not None
    write_record(moved, replace(record, status="stopped"))
    with (moved / "epochs.csv").open("a") as stream:
        stream.write("2,0.1\n")
    text = r"last.ckpt: is missing, and without it the run of 2 epochs cannot go on; name another"
    with pytest.raises(CheckpointError, match=text):
        train_tiny(sample_root, moved, "resume=auto")
    assert (moved / "checkpoints" / "epoch_001.ckpt").is_file()


def test_a_run_that_was_killed_before_its_last_checkpoint_was_there_begins_again(
    sample_root: Path, moved: Path, run_result: RunResult
) -> None:
    record = read_record(moved)
    assert record is not None
    write_record(moved, replace(record, status="running"))
    (moved / "checkpoints" / "last.ckpt").rename(moved / "checkpoints" / ".writing-x.ckpt")
    assert_same_run(train_tiny(sample_root, moved, "resume=auto"), run_result)
    names = {path.name for path in (moved / "checkpoints").iterdir()}
    assert names == {run_result.checkpoint.name, "last.ckpt"}


def test_fewer_epochs_than_were_trained_are_refused(sample_root: Path, moved: Path) -> None:
    record = read_record(moved)
    assert record is not None
    write_record(moved, replace(record, status="stopped"))
    with pytest.raises(ConfigError, match=r"^trainer.max_epochs=0: the run in .* is in epoch 1 al"):
        train_tiny(sample_root, moved, "resume=auto", "trainer.max_epochs=0")


@pytest.mark.parametrize("content", ["", "a: 1", "- 1"])
def test_a_config_of_something_else_is_named(sample_root: Path, moved: Path, content: str) -> None:
    (moved / "config.yaml").write_text(content)
    with pytest.raises(ConfigError, match=r"config.yaml: expected the settings of a run"):
        train_tiny(sample_root, moved, "resume=auto")


def test_two_trainings_do_not_share_a_folder(
    sample_root: Path, moved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion.experiments.runs.PATIENCE", 0)
    record = read_record(moved)
    with (
        alone(moved / LOCK, "the other"),
        pytest.raises(ConfigError, match=f"^{moved}: another process is training in it; wait"),
    ):
        train_tiny(sample_root, moved, "resume=auto")
    assert read_record(moved) == record


def test_what_another_training_did_meanwhile_is_not_trained_over(
    sample_root: Path, moved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = read_record(moved)
    assert record is not None
    checked = check_run

    def check(run: Run) -> None:
        checked(run)
        write_record(moved, replace(record, resumed=7))

    monkeypatch.setattr("emotion.experiments.runs.check_run", check)
    with pytest.raises(ConfigError, match="another process has just trained in it; type that aga"):
        train_tiny(sample_root, moved, "resume=auto")
    assert read_record(moved) == replace(record, resumed=7)
