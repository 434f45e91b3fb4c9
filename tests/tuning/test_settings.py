from pathlib import Path

import pytest

from emotion.errors import ConfigError
from emotion.files import config_folder
from emotion.tuning.settings import (
    Training,
    read_settings,
    read_training,
    search_folder,
    split_overrides,
)
from emotion.tuning.space import Range


def test_what_begins_with_tune_is_the_searchs() -> None:
    own, training = split_overrides(
        ["tune=small", "seed=3", "tune.trials=3", "~tune.ranges.a", "+tuned=1", "data.root=tune"]
    )
    assert own == ["tune=small", "tune.trials=3", "~tune.ranges.a"]
    assert training == ["seed=3", "+tuned=1", "data.root=tune"]


def test_every_file_is_read_and_fits_the_training(tmp_path: Path) -> None:
    for path in sorted((config_folder() / "tune").glob("*.yaml")):
        settings = read_settings([f"tune={path.stem}"])
        training = read_training([f"data.root={tmp_path}"], settings.ranges)
        assert (training.monitor, training.mode) == ("val/loss", "min")


def test_a_file_of_ones_own_says_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("trials: 7\nranges:\n  model.dropout: {low: 0.0, high: 1e-1}\n")
    settings = read_settings([f"tune={path}", "tune.seed=0"])
    assert (settings.trials, settings.seed, settings.sampler) == (7, 0, "tpe")
    assert settings.ranges == (Range("model.dropout", 0.0, 0.1),)


def test_ranges_are_changed_added_and_taken_away() -> None:
    settings = read_settings(
        [
            "tune=small",
            "tune.ranges.model.optimizer.lr.high=0.5",
            "tune.ranges.model.class_weights={choices: [none, balanced]}",
            "~tune.ranges.model.dropout",
            "tune.pruner.warmup_epochs=5",
        ]
    )
    assert settings.ranges == (
        Range("model.optimizer.lr", 1e-4, 0.5, log=True),
        Range("model.class_weights", choices=("none", "balanced")),
    )
    assert settings.pruner == {"warmup_epochs": 5, "startup_trials": 2}
    assert read_settings(["tune.pruner=null"]).pruner is None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tune=smal", "tune=smal: no such search; expected default, small, or a file's path.yaml"),
        ("tune=none.yaml", r"tune=none\.yaml: no such file"),
        ("tune.trails=3", r"tune\.trails: no such setting; did you mean trials\?"),
        ("tune.trials=0", r"tune\.trials: expected a whole number from 1, got 0"),
        ("tune.trials=2.5", r"tune\.trials: expected a whole number from 1, got 2\.5"),
        ("tune.timeout=0", r"tune\.timeout: expected seconds, more than 0, or null, got 0"),
        ("tune.sampler=grid", r"tune\.sampler: expected tpe or random, got grid"),
        ("tune.pruner=median", r"tune\.pruner: expected warmup_epochs, startup_trials or null"),
        ("tune.pruner.warmup=3", r"tune\.pruner\.warmup: no such setting; did you mean warmup_ep"),
        ("tune.pruner.warmup_epochs=-1", r"warmup_epochs: expected a whole number from 0, got -1"),
        ("~tune.ranges.model.x", r"~tune\.ranges\.model\.x: no such range; there are model\.opt"),
        ("~tune.seed", "only a range can be taken away"),
        ("tune.seed={", r"tune\.seed=\{: "),
    ],
)
def test_wrong_settings_of_the_search_are_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_settings([override])


def test_a_spoilt_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("a: [")
    with pytest.raises(ConfigError, match=r"mine\.yaml: cannot be read"):
        read_settings([f"tune={path}"])
    path.write_text("- 1")
    with pytest.raises(ConfigError, match=r"mine\.yaml: expected settings, key: value"):
        read_settings([f"tune={path}"])
    path.write_text("trails: 1")
    with pytest.raises(ConfigError, match=r"tune\.trails: no such setting"):
        read_settings([f"tune={path}"])


@pytest.mark.parametrize(
    ("overrides", "fault", "message"),
    [
        (["data.rot=x"], None, r"data\.rot: no such setting"),
        (["resume=auto"], None, r"resume: each trial has its own; tune\.folder=…"),
        (["model.dropout=1"], Range("model.dropout", 0.0, 0.5), r"set and searched"),
        (["model.mixup=1,2"], None, "Ambiguous value"),
        (["a"], None, "a: expected key=value"),
        ([], Range("model.drop", 0.0, 0.5), r"model\.drop: no such setting; did you mean"),
        ([], Range("model.optimizer", 0.0, 0.5), "not one setting but several"),
        ([], Range("model", choices=("mobilenet_v2", "big")), "model=big: no such model"),
        ([], Range("model.dropout", choices=("a", "b")), r"expected numbers as 0\.2 in the config"),
        ([], Range("data.keep_difficult", 0, 1), r"true in the config does not fit \(0, 1\)"),
        ([], Range("trainer.max_epochs", 1.5, 3), "expected whole numbers as 100 in the config"),
    ],
)
def test_what_does_not_fit_the_training_is_refused(
    overrides: list[str], fault: Range | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        read_training([f"data.root={tmp_path}", *overrides], [fault] if fault else [])


def test_a_setting_of_the_chosen_experiment_can_be_searched(tmp_path: Path) -> None:
    item = Range("data.augmentation.2.p", 0.0, 0.5)  # the original's recipe has one step
    training = read_training([f"data.root={tmp_path}", "experiment=faces"], [item])
    assert training.mode == "max"
    with pytest.raises(ConfigError, match=r"data\.augmentation\.2\.p: no such setting"):
        read_training([f"data.root={tmp_path}"], [item])


def test_a_data_set_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.root: expected a folder of faces, got nothing"):
        read_training([], [])
    with pytest.raises(ConfigError, match=r"got .*none, which is no folder"):
        read_training([f"data.root={tmp_path / 'none'}"], [])


def test_the_folder_is_the_same_for_the_same_search() -> None:
    def folder(*arguments: str) -> Path:
        own, rest = split_overrides(arguments)
        return search_folder(read_settings(own), Training(tuple(rest), {}, "val/loss", "min"))

    first = folder("experiment=faces", "input.size=64")
    assert first.parent == Path("outputs/tune")
    assert first.name.startswith("faces-")
    assert folder("input.size=64", "experiment=faces", "tune.trials=99", "tune.jobs=2") == first
    others = [
        folder("experiment=faces", "input.size=32"),
        folder("experiment=faces", "input.size=64", "tune.seed=2"),
        folder("experiment=faces", "input.size=64", "tune.ranges.model.dropout.high=0.4"),
        folder("input.size=64"),
    ]
    assert len({first, *others}) == 5
    assert others[-1].name.startswith("search-")
    assert folder("tune.folder=here") == Path("here")
