from dataclasses import replace
from pathlib import Path

import pytest

from emotion.errors import ConfigError
from emotion.sweeps.changes import check_same, config_hash
from emotion.sweeps.folder import Sweep, SweepJob


def sweep_of(folder: Path, *values: str) -> Sweep:
    jobs = [
        SweepJob(("seed=1", f"lr={value}"), str(number), f"hash {value}")
        for number, value in enumerate(values)
    ]
    command = ["emotion", "train", "-m", "seed=1", f"lr={','.join(values)}"]
    return Sweep(folder, command, "/typed/here", {"lr": values[0], "deep": {"list": [1]}}, jobs)


def test_the_same_sweep_goes_on_wherever_it_lies(tmp_path: Path) -> None:
    before, now = sweep_of(tmp_path, "1", "2"), sweep_of(tmp_path / "moved", "1", "2")
    now.config |= {"run_dir": "elsewhere", "resume": "auto"}
    check_same(before, now)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["1", "3"], "its job 1 has lr=2, the new one lr=3"),
        (["1"], "it has 2 jobs, the new one 1"),
        (["1", "2", "3"], "it has 2 jobs, the new one 3"),
        (["3", "1", "2"], "its job 0 has lr=1, the new one lr=3"),
    ],
)
def test_other_jobs_are_refused(tmp_path: Path, values: list[str], text: str) -> None:
    expected = f"^hydra.sweep.dir={tmp_path}: holds another sweep: {text}; name another hydra.sweep"
    with pytest.raises(ConfigError, match=f"{expected}.dir, or remove that folder$"):
        check_same(sweep_of(tmp_path, "1", "2"), sweep_of(tmp_path, *values))


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (SweepJob(("seed=1",), "1", "hash 2"), "its job 1 has lr=2, the new one without;"),
        (SweepJob(("lr=2", "seed=1"), "1", "hash 2"), "job 1 has the same settings in another ord"),
        (SweepJob(("seed=1", "lr=2"), "x", "hash 2"), "its job 1 is in 1, the new one would be in"),
        (SweepJob(("seed=1", "lr=2"), "1", "new"), "since then the configs of job 1 have changed;"),
    ],
)
def test_a_job_that_is_not_the_same_is_refused(tmp_path: Path, job: SweepJob, text: str) -> None:
    now = sweep_of(tmp_path, "1", "2")
    now.jobs[1] = job
    with pytest.raises(ConfigError, match=text):
        check_same(sweep_of(tmp_path, "1", "2"), now)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"lr": "1", "deep": {"list": [2]}}, r"\(deep.list.0 was 1 and is 2\)"),
        ({"lr": "1", "deep": {"list": [1]}, "new": None}, r"\(new was absent and is None\)"),
        ({"lr": "1"}, r"\(deep.list.0 was 1 and is absent\)"),
    ],
)
def test_the_setting_that_has_changed_in_conf_is_named(
    tmp_path: Path, config: dict[str, object], text: str
) -> None:
    now = sweep_of(tmp_path, "1", "2")
    now.config, now.jobs[0] = config, replace(now.jobs[0], config="new")
    with pytest.raises(ConfigError, match=f"the configs of job 0 have changed {text}"):
        check_same(sweep_of(tmp_path, "1", "2"), now)


def test_the_hash_depends_on_settings_alone() -> None:
    config = {"lr": 0.1, "data": {"root": "x", "size": [1, 2]}, "run_dir": "here"}
    same = {"run_dir": "there", "resume": "auto", "data": {"size": [1, 2], "root": "x"}, "lr": 0.1}
    assert config_hash(config) == config_hash(same)
    assert len({config_hash(config | {"lr": lr}) for lr in (0.1, 0.2, "0.1", None)}) == 4
