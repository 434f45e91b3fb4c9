import json
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.types import HydraContext
from omegaconf import OmegaConf
from tests.sweeps.fake_jobs import command, starts

from emotion.commands import train
from emotion.experiments.jobs import Job
from emotion.leaderboards import leaderboard
from emotion.sweeps import dispatch, places
from emotion.sweeps.launcher import ProcessLauncher, SweepEnd


class Table:
    def table(self) -> str:
        return "THE TABLE"


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Job, "command", command)
    monkeypatch.setattr(dispatch, "PAUSE", 0.01)
    monkeypatch.setattr(leaderboard, "write_leaderboard", lambda folder: Table())
    (tmp_path / "faces").mkdir()
    monkeypatch.chdir(tmp_path)


def sweep(*settings: str) -> int:
    return train.main(["-m", "data.root=faces", *settings])


def only_folder() -> Path:
    (folder,) = Path("outputs/sweeps").iterdir()
    return folder


def test_a_grid_runs_in_a_folder_that_the_same_command_finds_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert sweep("model.weights=finish,fail") == 1
    folder = only_folder()
    assert folder.name.startswith("weights-")
    content = json.loads((folder / "sweep.json").read_text())
    typed = ["data.root=faces", "model.weights=finish,fail"]
    assert content["command"] == ["emotion", "train", "-m", *typed]
    assert content["directory"] == str(Path.cwd())
    assert [job["overrides"] for job in content["jobs"]] == [
        ["data.root=faces", "model.weights=finish"],
        ["data.root=faces", "model.weights=fail"],
    ]
    assert [job["status"] for job in content["jobs"]] == ["finished", "failed"]
    assert content["config"]["model"]["weights"] == "finish"
    configs = [job["config"] for job in content["jobs"]]
    assert len(set(configs)) == 2
    assert capsys.readouterr().out.startswith("THE TABLE\n")

    # How many at once makes no other sweep.
    assert sweep("model.weights=finish,fail", "hydra.launcher.jobs=2") == 1
    assert only_folder() == folder
    assert [starts(folder / name) for name in "01"] == [1, 2]
    assert "1 of 2 are finished; trying 1 again that failed" in capsys.readouterr().err
    again = json.loads((folder / "sweep.json").read_text())
    assert [job["config"] for job in again["jobs"]] == configs


@pytest.mark.slow
def test_a_finished_sweep_ends_with_0_and_gives_jobs_their_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "_cores", lambda: [4, 7])
    monkeypatch.setattr(places, "find_gpus", list)
    two = ["seed=1,2", "model.weights=env", "hydra.launcher.jobs=2", "hydra.sweep.dir=sweep"]
    assert sweep(*two) == 0
    logs = [Path("sweep", name, "job.log").read_text().splitlines()[0] for name in "01"]
    assert logs == ["place 4 None", "place 7 None"]


@pytest.mark.slow
def test_gpus_are_given_by_what_the_jobs_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "_cores", lambda: [0, 1, 2])
    monkeypatch.setattr(places, "find_gpus", lambda: ["GPU-a", "GPU-b", "GPU-c", "GPU-d"])
    ddp = ["model.weights=env", "trainer=ddp", "seed=1,2", "hydra.sweep.dir=sweep"]
    assert sweep(*ddp, "hydra.launcher.jobs=2") == 0
    logs = [Path("sweep", name, "job.log").read_text().splitlines()[0] for name in "01"]
    assert logs == ["place 0 GPU-a,GPU-b", "place 1,2 GPU-c,GPU-d"]
    assert sweep("trainer.devices=2,3", "trainer.accelerator=gpu", "hydra.launcher.jobs=2") == 2
    text = capsys.readouterr().err
    assert "hydra.launcher.jobs=2: there are 4 GPUs and a job takes 3; at most 1 at once" in text


@pytest.mark.slow
def test_a_changed_sweep_is_refused_and_leaves_the_folder_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    there = ["hydra.sweep.dir=sweep", "seed=1,2"]
    assert sweep(*there, "model.weights=finish") == 0
    before = {path.name: path.read_bytes() for path in Path("sweep").glob("*.*")}
    assert {"sweep.json", "multirun.yaml"} <= set(before)
    assert sweep(*there, "model.weights=fail") == 2
    text = capsys.readouterr().err
    assert "emotion: hydra.sweep.dir=" in text
    assert (
        "its job 0 has model.weights=finish, the new one model.weights=fail; name another" in text
    )
    assert {path.name: path.read_bytes() for path in Path("sweep").glob("*.*")} == before


@pytest.mark.slow
def test_other_settings_of_hydra_go_to_the_jobs_and_its_own_do_not() -> None:
    Path("more").mkdir()
    Path("x").mkdir()
    Path("more/mine.yaml").write_text("defaults:\n  - train\n  - _self_\nseed: 5\n")
    given = ["hydra.verbose=true", "hydra.sweep.dir='a b'", "hydra.launcher.timeout=60"]
    flags = ["--config-dir=more", "--config-name=mine"]
    assert train.main([*flags, "-m", "model.weights=finish", "data.root=null,x", *given]) == 0
    content = json.loads(Path("a b/sweep.json").read_text())
    flags = ["--config-name=mine", f"--config-dir={Path.cwd() / 'more'}"]
    assert content["jobs"][1]["overrides"] == [
        *flags, "hydra.verbose=true", "model.weights=finish", "data.root=x",
    ]  # fmt: skip
    assert set(content["command"]) >= {*flags, "-m", *given, "data.root=null,x"}
    assert content["config"]["seed"] == 5


def set_up(jobs: object = 1, timeout: object = None, **settings: object) -> None:
    """Sets a launcher up as Hydra does, with those settings of Hydra's."""
    overrides = {"task": settings.pop("task", []), "hydra": ["hydra.mode=MULTIRUN"]}
    content = {
        "overrides": overrides,
        "sweep": {"dir": settings.pop("folder", "sweep")},
        **settings,
    }
    config = OmegaConf.create({"hydra": content})
    context = HydraContext(config_loader=None, callbacks=None)  # type: ignore[arg-type]
    launcher = ProcessLauncher(jobs, timeout)
    launcher.setup(hydra_context=context, task_function=print, config=config)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"jobs": 0}, "hydra.launcher.jobs=0: expected a whole number from 1"),
        ({"jobs": True}, "hydra.launcher.jobs=True: expected a whole number from 1"),
        ({"jobs": "two"}, "hydra.launcher.jobs=two: expected a whole number from 1"),
        ({"timeout": 0}, "hydra.launcher.timeout=0: expected seconds above 0, or null"),
        ({"timeout": "1h"}, "hydra.launcher.timeout=1h: expected seconds above 0, or null"),
        ({"sweeper": {"max_batch_size": 1}}, "hydra.sweeper.max_batch_size: the jobs of a sweep"),
        ({"task": ["hydra.run.dir=x"]}, "hydra.run.dir=x: with -m each job has a folder of its"),
        ({"task": ["run_dir=x"]}, "run_dir=x: with -m each job has a folder of its own; hydra.sw"),
        ({"folder": "/proc/none"}, "hydra.sweep.dir=/proc/none: cannot be made (No such file"),
    ],
)
def test_a_wrong_setting_is_told_at_once(
    capsys: pytest.CaptureFixture[str], settings: dict[str, object], text: str
) -> None:
    set_up()
    with pytest.raises(SweepEnd) as end:
        set_up(**settings)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(f"emotion: {text}")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        pytest.param(
            ["seed=1,2", "model.dropout=${no}"],
            "0 of the sweep (seed=1): Interpolation key 'no' no",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["seed=1,x"],
            "1 of the sweep (seed=x): seed: expected a whole number from 0, got x",
            marks=pytest.mark.slow,
        ),
        (
            ["data.root=faces,no"],
            "1 of the sweep (data.root=no): no: no such folder; set data.root=",
        ),
    ],
)
def test_what_cannot_run_is_told_before_any_job_starts(
    capsys: pytest.CaptureFixture[str], settings: list[str], text: str
) -> None:
    given = [] if settings[0].startswith("data.root") else ["data.root=faces"]
    assert train.main(["-m", *given, *settings, "hydra.sweep.dir=sweep"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"emotion: job {text}")
    assert "Traceback" not in captured.err
    assert not Path("sweep/0").exists()


@pytest.mark.slow
def test_unusual_names_reach_the_jobs_as_they_were_typed() -> None:
    odd = "data.root='it\\'s, a=b/얼굴 [x]'"
    Path("it's, a=b/얼굴 [x]").mkdir(parents=True)
    assert sweep(odd, "model.weights=finish", "seed=1,2", "hydra.sweep.dir='a, b=c'") == 0
    content = json.loads(Path("a, b=c/sweep.json").read_text())
    assert [job["overrides"][0] for job in content["jobs"]] == [odd, odd]
    assert content["config"]["data"]["root"] == "it's, a=b/얼굴 [x]"


@pytest.mark.slow
def test_other_launchers_still_run_the_task(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds: list[int] = []

    def task(config: object, command: object) -> int:
        seeds.append(OmegaConf.select(config, "seed"))  # type: ignore[arg-type]
        return 0

    monkeypatch.setattr(train, "_task", task)
    assert sweep("seed=4,5", "hydra/launcher=basic") == 0
    assert seeds == [4, 5]
    assert not (only_folder() / "sweep.json").exists()


PARENT = """
import sys
from emotion.commands import train
from emotion.experiments.jobs import Job
from tests.sweeps.fake_jobs import command
Job.command = command
code = train.main(["-m", "model.weights=finish,fail", "hydra.sweep.dir=" + sys.argv[1]])
print(code, "torch" in sys.modules)
"""


@pytest.mark.slow
def test_the_process_of_a_sweep_does_not_import_torch(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARENT, str(tmp_path / "sweep")],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "1 False", done.stderr
