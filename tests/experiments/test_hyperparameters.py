import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.data_provider import (
    MultiplexerDataProvider,
)
from tensorboard.backend.event_processing.plugin_event_multiplexer import (
    EventMultiplexer,
)
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import (
    api_pb2,
    list_session_groups,
)
from tensorboard.plugins.hparams.backend_context import Context
from tests.leaderboards.run_writer import config_of, write_run
from torch.utils.tensorboard import SummaryWriter

from emotion.experiments.configs import compose_config
from emotion.experiments.hyperparameters import (
    log_hyperparameters,
    settings_of,
    source_of,
    text_of,
)
from emotion.leaderboards.leaderboard import read_leaderboard
from emotion.training.selection import Selection


class Page:
    """What TensorBoard's HParams page shows for a folder, from its own backend."""

    def __init__(self, folder: Path) -> None:
        events = EventMultiplexer()
        events.AddRunsFromDirectory(str(folder))
        events.Reload()
        base = TBContext(data_provider=MultiplexerDataProvider(events, str(folder)))
        context, request = Context(base), RequestContext()
        nothing: Any = type("Nothing", (), {"hyperparameters": [], "session_groups": []})()
        tags = context.hparams_metadata(request, "")
        experiment = context.experiment_from_metadata(request, "", True, tags, nothing)
        statuses = api_pb2.ListSessionGroupsRequest(
            start_index=0,
            slice_size=100,
            allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_UNKNOWN],
        )
        found = list_session_groups.Handler(request, context, "", statuses).run()
        self.names = [info.name for info in experiment.hparam_infos]
        self.differing = [info.name for info in experiment.hparam_infos if info.differs]
        self.metrics = [info.name.tag for info in experiment.metric_infos]
        self.rows = [self._row(group) for group in found.session_groups]

    @staticmethod
    def _row(group: Any) -> dict[str, Any]:
        values = {metric.name.tag: metric.value for metric in group.metric_values}
        for name, field in group.hparams.items():
            values[name] = getattr(field, field.WhichOneof("kind"))
        return values | {"sessions": len(group.sessions), "run": group.sessions[0].name}


def log(folder: Path, score: float, epoch: int = 2, **settings: Any) -> None:
    selection = Selection("val/loss", "min", epoch, score, 4, None)
    dotted = {name.replace("__", "."): value for name, value in settings.items()}
    log_hyperparameters(folder / "tensorboard", config_of(dotted), selection)


def curves(folder: Path) -> None:
    with SummaryWriter(str(folder / "tensorboard")) as writer:
        writer.add_scalar("val/loss", 9.0, 7)


def test_the_page_shows_the_leaderboard(tmp_path: Path) -> None:
    # Of single precision, as training gives them.
    scores = {"0": float(np.float32(1 / 3)), "1": float(np.float32(0.1))}
    for (name, score), lr in zip(scores.items(), (1e-5, 3e-4), strict=True):
        write_run(tmp_path / name, score, {"model.optimizer.lr": lr, "seed": int(name)})
        log(tmp_path / name, score, model__optimizer__lr=lr, seed=int(name))
        curves(tmp_path / name)
    page, (board,) = Page(tmp_path), read_leaderboard(tmp_path).boards
    assert page.differing == list(board.varied) == ["model.optimizer.lr", "seed"]
    assert page.names[:2] == page.differing
    assert page.metrics == ["hp/epoch", "hp/val_loss"]  # and none of the curves
    of_page = {row["run"].split("/")[0]: row for row in page.rows}
    for group in board.groups:
        (run,) = group.runs
        row = of_page[run.name]
        assert (row["hp/val_loss"], row["hp/epoch"]) == (run.score, run.epoch)
        assert row["hp/val_loss"] == scores[run.name]
        for name in page.differing:
            assert row[name] == run.settings[name]


def test_a_run_that_goes_on_replaces_its_row(tmp_path: Path) -> None:
    log(tmp_path / "0", 0.5, trainer__max_epochs=4)
    curves(tmp_path / "0")
    log(tmp_path / "0", 0.25, epoch=6, trainer__max_epochs=8)
    curves(tmp_path / "0")
    (row,) = Page(tmp_path).rows
    assert row["sessions"] == 1
    assert (row["hp/val_loss"], row["hp/epoch"], row["trainer.max_epochs"]) == (0.25, 6, 8)
    assert len(list((tmp_path / "0" / "tensorboard" / "kept").iterdir())) == 1


def test_runs_with_other_settings_have_columns_too(tmp_path: Path) -> None:
    log(tmp_path / "0", 0.5, model__nesterov=True)
    log(tmp_path / "1", 0.4, model__nesterov=False, model__optimizer={"momentum": 0.9})
    page = Page(tmp_path)
    assert "model.optimizer.lr" in page.names
    assert "model.optimizer.momentum" in page.names
    by_run = {row["run"]: row for row in page.rows}
    assert by_run["0/tensorboard/kept"]["model.nesterov"] is True
    assert by_run["1/tensorboard/kept"]["model.nesterov"] is False


def test_what_conf_repeats_is_one_column_until_it_differs(tmp_path: Path) -> None:
    log(tmp_path / "0", 0.5, seed=3)
    (row,) = Page(tmp_path).rows
    assert row["seed"] == 3
    assert "data.seed" not in row
    assert "data.input.size" not in row
    log(tmp_path / "1", 0.5, seed=3, model__seed=4)
    assert {row.get("model.seed") for row in Page(tmp_path).rows} == {None, 4}


@pytest.mark.slow
def test_the_command_tensorboard_shows_the_scores(tmp_path: Path) -> None:
    # Its data server reads by other rules than the backend above: it drops doubles.
    for name, score in (("0", 0.5), ("1", 0.25)):
        log(tmp_path / name, score, seed=int(name))
        curves(tmp_path / name)
    command = Path(sys.executable).with_name("tensorboard")
    arguments = [str(command), "--logdir", str(tmp_path), "--host", "127.0.0.1", "--port", "0"]
    page = "data/plugin/hparams/session_groups"
    asked = {"allowedStatuses": ["STATUS_SUCCESS"], "startIndex": 0, "sliceSize": 9}
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            address = next(w for line in server.stderr for w in line.split() if "http://127" in w)
            request = Request(address + page, json.dumps(asked | {"colParams": []}).encode())
            request.add_header("Content-Type", "application/json")
            for _ in range(60):
                with urlopen(request) as answer:
                    groups = json.load(answer).get("sessionGroups", [])
                shown = [v for g in groups for v in g["metricValues"] if "loss" in v["name"]["tag"]]
                if len(shown) == 2:
                    break
                time.sleep(0.5)
        finally:
            server.terminate()
    assert sorted(value["value"] for value in shown) == [0.25, 0.5]


@pytest.mark.parametrize("experiment", ["original", "faces", "demo"])
def test_all_that_conf_repeats_is_known(experiment: str) -> None:
    config = compose_config(
        ["data.root=/x", "run_dir=/y", f"experiment={experiment}", "trainer=cpu"]
    )
    raw = settings_of(OmegaConf.to_container(config))  # type: ignore[arg-type]
    plain = settings_of(OmegaConf.to_container(config, resolve=True))  # type: ignore[arg-type]
    repeating = {name: str(value)[2:-1] for name, value in raw.items() if str(value)[:2] == "${"}
    assert len(repeating) >= 4
    for name, source in repeating.items():
        for inside in plain:
            if inside == name or inside.startswith(f"{name}."):
                assert source_of(inside, plain) == source + inside.removeprefix(name)


def test_settings_are_flat_and_without_paths_of_the_run() -> None:
    settings = settings_of(config_of({"model.weights": None}) | {"run_dir": "/x", "logger": {}})
    assert settings["data.augmentation.0.flip"] == 0.5
    assert settings["input.labels"] == "[anger, smile]"
    assert settings["model.weights"] is None
    assert not {"run_dir", "data.cache", "callbacks.best.dirpath"} & set(settings)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "null"), (True, "true"), (1e-5, "1e-05"), (3, "3"), ("a b", "a b")]
)
def test_values_are_written_as_in_yaml(value: Any, text: str) -> None:
    assert text_of(value) == text
