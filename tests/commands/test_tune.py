import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.commands.test_train import TINY
from tests.tuning.quick_training import StepJob

from emotion.commands.tune import main
from emotion.errors import ConfigError, EmotionError

# What a terminal runs, but for the training.
WORKER = """
import sys
from emotion.tuning import search
from emotion.experiments.jobs import Job
from emotion.processes import settle
from tests.tuning.quick_training import command
Job.command = command
search.PAUSE = 0.01
settle()
import emotion.commands.tune as tune
tune._conclude = lambda *_: None  # seconds, and not what is asked here
code = tune.main(sys.argv[1:])
assert "torch" not in sys.modules
sys.exit(code)
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set for the toy training, in the folder in which commands are run."""
    monkeypatch.setattr("emotion.tuning.running_trial.RunningJob", StepJob)
    monkeypatch.setattr("emotion.tuning.search.PAUSE", 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").mkdir()
    return behave(tmp_path / "faces")


def behave(root: Path, **behaviour: float) -> Path:
    (root / "behaviour.json").write_text(json.dumps(behaviour))
    return root


def states(folder: Path) -> list[str]:
    """Lists the states of the trials, told by SQLite alone."""
    path = folder / "study.db"
    if not path.exists():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        try:
            rows = connection.execute("SELECT state FROM trials ORDER BY number").fetchall()
        except sqlite3.OperationalError:  # no table yet
            rows = []
    connection.close()
    return [str(row[0]) for row in rows]


@pytest.mark.slow
def test_a_search_ends_in_its_best_trial(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "data.root=faces",
        "tune=small",
        "tune.trials=6",
        "tune.pruner=null",
        "tune.folder=found",
    ]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "found: 0 of 6 trials are done"
    scores = [json.loads(Path(f"found/{n}/selection.json").read_text())["score"]
              for n in range(6) if Path(f"found/{n}/selection.json").exists()]  # fmt: skip
    trials = [line for line in lines if line.startswith("trial ")]
    assert [line.partition(":")[0] for line in trials] == [f"trial {n}" for n in range(6)]
    assert f"; best {min(scores):.4f} (trial " in trials[-1]
    best = next(line for line in lines if line.startswith("best: "))
    number = int(best.split()[2].rstrip(","))
    kept = json.loads(Path(f"found/{number}/selection.json").read_text())
    assert kept["score"] == min(scores)
    command = shlex.split(next(line for line in lines if line.startswith("again: ")))
    assert command[1:4] == ["emotion", "train", "data.root=faces"]
    config = Path(f"found/{number}/config.yaml").read_text()
    assert command[4].removeprefix("model.optimizer.lr=") in config
    assert f"checkpoint: found/{number}/checkpoints/epoch_004.ckpt" in lines
    for name in ("leaderboard.csv", "leaderboard.md", "history.png", "importance.png"):
        assert Path("found", name).stat().st_size > 100
    with pytest.raises(EmotionError, match=r"found: holds another search: search\.seed was 1"):
        main([*arguments, "tune.seed=2"])


@pytest.mark.usefixtures("blank")
def test_a_search_of_one_trial_says_what_cannot_be_drawn(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    behave(data, nan_above=1e-3)
    assert main(["data.root=faces", "tune=small", "tune.trials=2", "tune.folder=found"]) == 1
    told = capsys.readouterr()
    assert "trial 1: failed, 1 s" in told.out
    assert "epoch 2: val/loss is not a number" in told.out
    assert "importance: not drawn, 1 trials were trained to their end; it takes 4" in told.out
    assert told.err == "1 of 2 trials failed\n"


def test_a_search_in_which_all_fails_is_given_up(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    behave(data, fails_above=0.0)
    assert main(["data.root=faces", "tune=small", "tune.folder=found"]) == 2
    told = capsys.readouterr()
    assert "\n    a line of the log\n" in told.out
    assert "history: not drawn, no trial was trained to its end" in told.out
    assert told.err == (
        "emotion: given up: 3 trials in a row failed, the last one: the learning rate is too high\n"
    )


def test_mistakes_are_told_before_anything_is_made(data: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.drop: no such setting"):
        main(["data.root=faces", "tune.ranges.model.drop={low: 0.0, high: 1.0}"])
    with pytest.raises(ConfigError, match=r"-m: no such option; expected key=value"):
        main(["-m", "data.root=faces"])
    with pytest.raises(ConfigError, match=r"tune\.jobs=5000: there are "):
        main(["data.root=faces", "tune.jobs=5000"])
    assert not Path("outputs").exists()


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert "  emotion tune experiment=faces data.root=/path/to/faces\n" in told
    assert max(map(len, told.splitlines())) <= 100


def test_without_optuna_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *rest: object) -> object:
        if name == "optuna":
            raise ModuleNotFoundError("No module named 'optuna'", name="optuna")
        return imported(name, *rest)  # type: ignore[arg-type]

    imported = __import__
    monkeypatch.setattr("builtins.__import__", missing)
    with pytest.raises(EmotionError, match=r"not installed: pip install 'emotion\[tune\]'"):
        main(["data.root=faces"])


@contextmanager
def worker(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a search as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, "data.root=faces", "tune=small", "tune.pruner=null",
         "tune.folder=found", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, f"no {path}"
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_worker_leaves_nothing_and_another_goes_on(data: Path) -> None:
    behave(data, seconds=0.3)
    with worker("tune.trials=2") as first:
        wait_for(Path("found/0/epochs.csv"))
        first.kill()
        first.communicate()
    before = states(Path("found"))
    assert before == ["RUNNING"]
    behave(data)
    with worker("tune.trials=2") as second:
        out, err = second.communicate(timeout=60)
    assert (second.returncode, err) == (0, "")
    assert out.splitlines()[0] == "found: 0 of 2 trials are done"
    assert states(Path("found")) == ["COMPLETE", "COMPLETE"]
    starts = [Path(f"found/{n}/starts.txt").read_text().split() for n in range(2)]
    assert starts[0][0] == "1"
    assert int(starts[0][1]) > 1  # it went on, and did not begin again
    assert starts[1] == ["1"]


@pytest.mark.slow
def test_two_commands_share_one_search_and_ctrl_c_ends_one(data: Path) -> None:
    behave(data, seconds=0.1)
    with worker("tune.trials=3") as first, worker("tune.trials=3") as second:
        wait_for(Path("found/0/epochs.csv"))
        wait_for(Path("found/1/epochs.csv"))
        first.send_signal(signal.SIGINT)
        _, err = first.communicate(timeout=60)
        assert first.returncode == 130
        assert err.startswith("emotion: interrupted; ")
        assert err.endswith(
            "go on with: emotion tune data.root=faces tune=small tune.pruner=null"
            " tune.folder=found tune.trials=3\n"
        )
        second.communicate(timeout=60)
        assert second.returncode == 0
    assert states(Path("found")) == ["COMPLETE"] * 3


@pytest.mark.slow
def test_real_trainings_are_searched_and_continued(
    sample_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [
        sys.executable, "-m", "emotion", "tune", f"data.root={sample_root}", *TINY,
        "trainer.max_epochs=2", "tune=small", "tune.folder=found",
    ]  # fmt: skip
    done = subprocess.run([*command, "tune.trials=1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([*command, "tune.trials=2"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("found: 1 of 2 trials are done\ntrial 1: val/loss ")
    best = next(line for line in done.stdout.splitlines() if line.startswith("checkpoint: "))
    assert Path(best.removeprefix("checkpoint: ")).is_file()
    board = Path("found/leaderboard.csv").read_text().splitlines()
    assert len(board) == 3
