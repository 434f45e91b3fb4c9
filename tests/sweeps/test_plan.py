import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from emotion.errors import ConfigError
from emotion.experiments.configs import VERSION_BASE
from emotion.files import config_folder
from emotion.sweeps.plan import Plan, plan_sweep, sweep_name, typed_settings


@pytest.fixture(scope="module")
def loader() -> Iterator[ConfigLoader]:
    with initialize_config_dir(str(config_folder()), version_base=VERSION_BASE):
        yield GlobalHydra.instance().config_loader()


@pytest.fixture(autouse=True)
def outside_hydra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes away what a command that another test ran in this process has left behind."""
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)


def compose_sweep(loader: ConfigLoader, *settings: str) -> DictConfig:
    return loader.load_configuration(
        "train", list(settings), run_mode=RunMode.MULTIRUN, validate_sweep_overrides=False
    )


def plan(loader: ConfigLoader, settings: Sequence[str], *jobs: Sequence[str]) -> Plan:
    return plan_sweep(compose_sweep(loader, *settings), loader, jobs)


def test_every_job_is_planned(loader: ConfigLoader, tmp_path: Path) -> None:
    settings = [f"hydra.sweep.dir={tmp_path}", "hydra.verbose=true", "hydra.launcher.jobs=2"]
    settings += ["seed=1,2", "trainer.max_epochs=7"]
    jobs = [[f"seed={seed}", f"trainer.max_epochs={seed + 6}"] for seed in (1, 2)]
    found = plan(loader, settings, *jobs)
    assert found.epochs == [7, 8]
    assert [trainer["devices"] for trainer in found.trainers] == [1, 1]
    sweep = found.sweep
    assert (sweep.folder, sweep.directory) == (tmp_path, str(Path.cwd()))
    assert sweep.command == ["emotion", "train", "-m", *settings]
    assert [job.folder for job in sweep.jobs] == ["0", "1"]
    assert [job.overrides for job in sweep.jobs] == [("hydra.verbose=true", *job) for job in jobs]
    assert sweep.config["seed"] == 1
    assert "hydra" not in sweep.config
    assert not HydraConfig.initialized()  # as it was before

    # The hashes tell settings apart, and not folders.
    elsewhere = plan(loader, [f"hydra.sweep.dir={tmp_path / 'x'}"], *jobs)
    hashes = [job.config for job in elsewhere.sweep.jobs]
    assert hashes == [job.config for job in sweep.jobs]
    assert len(set(hashes)) == 2


def test_no_limit_of_epochs_is_unknown() -> None:
    sweep = plan_of_trainers([{"max_epochs": -1}, {"max_epochs": None}, {"max_epochs": 3}])
    assert sweep.epochs == [None, None, 3]


def plan_of_trainers(trainers: list[dict[str, object]]) -> Plan:
    return Plan(sweep=None, trainers=trainers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "jobs", "text"),
    [
        (["hydra.sweep.subdir=x"], [["seed=1"], ["seed=2"]], "hydra.sweep.subdir=x: two jobs wo"),
        (
            [],
            [["seed=2"], ["seed=1"], ["seed=1"]],
            "jobs 1 and 2 of the sweep have the same settin",
        ),
        ([], [["seed=1"], ["seed=${no}"]], "job 1 of the sweep (seed=${no}): Interpolation key"),
        ([], [["seed=1", "trainer=no"]], "job 0 of the sweep (job 0): In 'train': Could not find"),
    ],
)
def test_a_job_that_cannot_be_composed_is_named(
    loader: ConfigLoader, settings: list[str], jobs: list[list[str]], text: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(text)}"):
        plan(loader, settings, *jobs)
    assert not HydraConfig.initialized()


def test_what_was_typed_is_given_as_it_was(loader: ConfigLoader) -> None:
    settings = ["hydra.verbose=true", "seed=1,2", "model.dropout=${seed}", "data.root='a b'"]
    assert typed_settings(compose_sweep(loader, *settings)) == settings


def test_the_name_tells_what_is_swept_and_the_hash_all_the_rest() -> None:
    task = ["model.optimizer.lr=1e-3,1e-4", "seed=range(3)", "data.root=x", "trainer=cpu,auto"]
    name = sweep_name(task, [])
    assert name.startswith("lr-seed-trainer-")
    assert len(name) == len("lr-seed-trainer-") + 6
    assert sweep_name(task, ["hydra.launcher.jobs=2", "hydra/launcher=basic"]) == name
    assert sweep_name(task, ["hydra.sweep.dir=x", "hydra.mode=MULTIRUN"]) == name
    others = [sweep_name([*task, "seed=1"], []), sweep_name(task, ["hydra.verbose=true"])]
    assert len({name, *others}) == 3
    assert sweep_name(["data.root=x"], []).startswith("sweep-")


def test_the_name_is_that_of_the_sweep_in_its_jobs_too() -> None:
    content = {"task": ["seed=1,2"], "name": "${sweep_name:${task},[]}"}
    config = OmegaConf.create(content)
    name = config.name
    assert name == sweep_name(["seed=1,2"], [])
    job = OmegaConf.create(content | {"task": ["seed=1"]})
    OmegaConf.copy_cache(from_config=config, to_config=job)  # as Hydra does for a job
    assert job.name == name
