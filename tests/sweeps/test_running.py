import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.processes import in_session, naming, wait_until
from tests.sweeps.fake_jobs import command, starts

from emotion.errors import ConfigError
from emotion.experiments.jobs import Job
from emotion.leaderboards import leaderboard
from emotion.sweeps import dispatch
from emotion.sweeps.folder import Sweep, SweepJob, alone_in, read_sweep
from emotion.sweeps.running import Terms, run_sweep

ROOT = Path(__file__).parents[2]


class Table:
    def table(self) -> str:
        return "THE TABLE"


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "command", command)
    monkeypatch.setattr(dispatch, "PAUSE", 0.01)
    monkeypatch.setattr(leaderboard, "write_leaderboard", lambda folder: Table())


def sweep_of(folder: Path, what: Sequence[str]) -> Sweep:
    jobs = [
        SweepJob(("data.root=x", f"model.weights={name}", f"seed={number}"), str(number), "hash")
        for number, name in enumerate(what)
    ]
    return Sweep(folder, ["emotion", "train", "-m"], str(folder), {}, jobs)


def run(folder: Path, *what: str, at_once: int = 1, timeout: float | None = None) -> int:
    folder.mkdir(exist_ok=True)

    def places(count: int) -> list[dict[str, str]]:
        asked.append(count)
        return [{}] * count

    asked: list[int] = []
    code = run_sweep(sweep_of(folder, what), Terms(places, at_once, timeout, [None] * len(what)))
    assert all(count <= at_once for count in asked)
    return code


def statuses(folder: Path) -> list[str]:
    return [job["status"] for job in json.loads((folder / "sweep.json").read_text())["jobs"]]


def test_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "finish", "env", at_once=2) == 0
    assert statuses(tmp_path) == ["finished", "finished"]
    captured = capsys.readouterr()
    assert captured.out == (f"THE TABLE\nleaderboard: {tmp_path}/leaderboard.csv (.md, .png)\n")
    first, *lines, last = captured.err.splitlines()
    assert first == f"sweep of 2 jobs in {tmp_path}"
    assert len(lines) == 2
    assert any("model.weights=finish, seed=0: finished, val/loss 0.5000" in line for line in lines)
    assert last == f"all 2 jobs are finished: {tmp_path}"


def test_the_middle_one_fails_and_the_same_again_runs_only_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = ("finish", "fail", "finish")
    assert run(tmp_path, *what) == 1
    assert statuses(tmp_path) == ["finished", "failed", "finished"]
    text = capsys.readouterr().err
    log = tmp_path / "1" / "job.log"
    assert "2 of 3: model.weights=fail, seed=1: failed (exit code 1) [" in text
    assert (
        f"model.weights=fail, seed=1: failed (exit code 1); its log: {log}\n    this job fails\n"
        f"2 of 3 jobs are finished; run the others again: emotion sweep resume {tmp_path}\n"
    ) in text
    sweep = read_sweep(tmp_path)
    assert sweep is not None
    assert (sweep.states[1].code, sweep.states[1].tail) == (1, ["this job fails"])

    assert run(tmp_path, *what, at_once=3) == 1
    text = capsys.readouterr().err
    assert f"sweep of 3 jobs in {tmp_path}; 2 of 3 are finished; trying 1 again that failed" in text
    assert [starts(tmp_path / name) for name in "012"] == [1, 2, 1]


def test_a_finished_sweep_runs_nothing_and_shows_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "finish") == 0
    capsys.readouterr()
    assert run(tmp_path, "finish") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("THE TABLE\n")
    assert captured.err == (
        f"sweep of 1 jobs in {tmp_path}; 1 of 1 are finished\nall 1 jobs are finished: {tmp_path}\n"
    )
    assert starts(tmp_path / "0") == 1


def test_nothing_finished_is_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "fail") == 1
    assert capsys.readouterr().out == ""


def test_a_job_that_takes_too_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "hang", "finish", timeout=0.2) == 1
    assert statuses(tmp_path) == ["timed out", "finished"]
    assert "model.weights=hang, seed=0: timed out (exit code 143)" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_jobs_and_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int, code: int
) -> None:
    folder = tmp_path / "my sweep"

    def signal_when_ready() -> None:
        logs = [folder / name / "job.log" for name in "12"]
        assert wait_until(lambda: all(p.exists() and "ready" in p.read_text() for p in logs))
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=signal_when_ready)
    thread.start()
    assert run(folder, "finish", "hang", "hang", "finish", at_once=2) == code
    thread.join()
    assert statuses(folder) == ["finished", "stopped", "stopped", "waiting"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == (
        f"stopped; 1 of 4 jobs are finished; go on: emotion sweep resume '{folder}'"
    )
    assert not naming(str(folder))


def test_a_run_folder_is_no_place_for_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(
        ConfigError, match=f"^hydra.sweep.dir={tmp_path}: holds a run; name another"
    ):
        run(tmp_path, "finish")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]


def test_another_sweep_in_the_folder_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    run(tmp_path, "finish", "fail")
    before = (tmp_path / "sweep.json").read_bytes()
    with pytest.raises(ConfigError, match=r"its job 1 has model.weights=fail, the new one model.w"):
        run(tmp_path, "finish", "finish")
    with alone_in(tmp_path), pytest.raises(ConfigError, match="another sweep is running"):
        run(tmp_path, "finish", "fail")
    assert (tmp_path / "sweep.json").read_bytes() == before
    assert starts(tmp_path / "1") == 1


def test_the_first_command_is_kept(tmp_path: Path) -> None:
    run(tmp_path, "finish")
    again = sweep_of(tmp_path, ["finish"])
    again.command, again.directory = ["emotion", "train", "-m", "more"], "/elsewhere"
    run_sweep(again, Terms(lambda count: [{}], 1, None, [None]))
    kept = read_sweep(tmp_path)
    assert kept is not None
    assert (kept.command, kept.directory) == (["emotion", "train", "-m"], str(tmp_path))


# A sweep whose jobs, other than the script alone, take notice of the lifeline.
SWEEP = """
import sys
from pathlib import Path
import tests.sweeps.test_running as here

def command(job):
    python, *_, script, folder, one, two, three = here.command(job)
    script = "from emotion.processes import settle; settle()" + script
    return [python, "-c", script, folder, one, two, three]

here.Job.command = command
here.run(Path(sys.argv[1]), "finish", "hang", "finish")
"""


def test_killed_it_leaves_nothing_running_and_goes_on_with_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sweep"
    log = folder / "1" / "job.log"
    with subprocess.Popen([sys.executable, "-c", SWEEP, str(folder)], cwd=ROOT) as process:
        assert wait_until(lambda: log.exists() and "ready" in log.read_text())
        (job,) = naming(str(folder / "1"))
        assert in_session(job) == [job]
        process.kill()
        process.wait()
    assert wait_until(lambda: not naming(str(folder)))
    assert statuses(folder) == ["finished", "running", "waiting"]
    capsys.readouterr()
    assert run(folder, "finish", "hang", "finish", timeout=0.2) == 1
    assert "; 1 of 3 are finished; going on with 1 unfinished\n" in capsys.readouterr().err
    assert statuses(folder) == ["finished", "timed out", "finished"]
    assert [starts(folder / name) for name in "012"] == [1, 2, 1]
