import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from tests.sweeps.fake_jobs import command, fake_job

from emotion.experiments.jobs import Job, JobEnd, RunningJob
from emotion.sweeps.progress import (
    Pace,
    SweepProgress,
    epochs_done,
    score_of,
    seconds_left,
)


@pytest.mark.parametrize(
    ("finished", "running", "waiting", "places", "left"),
    [
        ([], [], 3, 1, None),
        ([], [Pace(5, 0, 0)], 3, 1, None),  # no epoch is done yet
        ([Pace(10, 0, 1)], [], 3, 1, 30),
        ([Pace(10, 0, 1), Pace(20, 0, 1)], [], 2, 1, 30),
        ([Pace(10, 0, 1)], [], 3, 2, 20),
        ([Pace(10, 0, 1)], [Pace(4, 0, 0)], 0, 1, 6),
        ([Pace(10, 0, 1)], [Pace(14, 0, 0)], 1, 1, 10),  # longer than the others already
        ([], [Pace(10, 0, 0.25)], 1, 1, 30 + 40),
        ([], [Pace(10, 0.5, 0.75)], 0, 1, 10),  # it went on from its middle
        ([Pace(10, 0.5, 1)], [], 1, 1, 20),
        ([Pace(10, 0, 1)], [Pace(1, 0.5, 0.5)], 0, 1, 4),
        ([], [Pace(10, 0, 0.5), Pace(30, 0, 0.5)], 1, 2, 10 + 40),
    ],
)  # fmt: skip
def test_time_left(
    finished: list[Pace], running: list[Pace], waiting: int, places: int, left: float | None
) -> None:
    assert seconds_left(finished, running, waiting, places) == (
        None if left is None else pytest.approx(left)
    )


@given(st.integers(1, 5), st.integers(0, 20), st.floats(1, 100))
def test_more_places_never_take_longer_and_more_jobs_never_shorter(
    places: int, waiting: int, seconds: float
) -> None:
    def left(waiting: int, places: int) -> float:
        result = seconds_left([Pace(seconds, 0, 1)], [], waiting, places)
        assert result is not None
        return result

    assert left(waiting, places + 1) <= left(waiting, places) <= left(waiting + 1, places)


def test_epochs_and_score_are_read_from_the_run(tmp_path: Path) -> None:
    assert (epochs_done(tmp_path), score_of(tmp_path)) == (0, "")
    (tmp_path / "epochs.csv").write_text("epoch,seconds\n1,2.0\n2,2.1\n")
    (tmp_path / "selection.json").write_text('{"monitor": "val/loss", "score": 1.5, "epoch": 2}')
    assert (epochs_done(tmp_path), score_of(tmp_path)) == (2, "val/loss 1.5000 in epoch 2")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"monitor": 1, "score": "x", "epoch": 2}'])
def test_a_damaged_selection_is_no_score(tmp_path: Path, content: str) -> None:
    (tmp_path / "selection.json").write_text(content)
    assert score_of(tmp_path) == ""


def progress_of(folder: Path) -> SweepProgress:
    folders = {number: folder / str(number) for number in (1, 2)}
    return SweepProgress({1: "lr=1", 2: "lr=[2]"}, folders, [4, 4, None], total=3, places=1)


def test_a_line_for_each_job_that_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "selection.json").write_text(
        '{"monitor": "val/loss", "score": 1.5, "epoch": 2}'
    )
    with progress_of(tmp_path) as progress:
        for number in (1, 2):
            progress.started(number)
            progress.looked({})
        progress.ended(1, JobEnd("finished", 0, 61.2, []))
        progress.ended(2, JobEnd("timed out", 143, 3700.0, ["tail"]))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "1 of 2: lr=1: finished, val/loss 1.5000 in epoch 2 [0:01:01]",
        "2 of 2: lr=[2]: timed out (exit code 143) [1:01:40]",
    ]


def test_a_terminal_has_a_bar_with_the_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(
        "emotion.sweeps.progress.Console",
        lambda stderr: Console(file=shown, force_terminal=stderr, width=100),
    )
    monkeypatch.setattr(Job, "command", command)
    folder = tmp_path / "1"
    with (
        progress_of(tmp_path) as progress,
        RunningJob(fake_job(folder, "hang"), {}) as running,
    ):
        progress.started(1)
        (folder / "epochs.csv").write_text("epoch\n1\n2\n")
        running.started -= 60  # half of its epochs in a minute
        progress.looked({1: running})
        progress._bar.refresh()
    assert "1 of 3" in shown.getvalue()  # one is finished from an earlier time
    assert "about 0:03:00 left" in shown.getvalue()  # the other half, and as much as all of it
