import json
from pathlib import Path

import pytest

from emotion.errors import EmotionError
from emotion.tuning.record import NAME, open_folder
from emotion.tuning.settings import Training, read_settings


def test_another_search_is_refused(tmp_path: Path) -> None:
    def note(*arguments: str, **config: int) -> None:
        training = Training(("data.root=x",), {"input": dict(config)}, "val/loss", "min")
        open_folder(tmp_path, read_settings(arguments), training)

    note(size=64)
    note("tune.trials=3", "tune.jobs=2", size=64)
    with pytest.raises(EmotionError, match=r"another search: search\.seed was 1 and is 2 now"):
        note("tune.seed=2", size=64)
    with pytest.raises(EmotionError, match=r"model\.dropout\.high was 0\.5 and is 0\.4 now"):
        note("tune.ranges.model.dropout.high=0.4", size=64)
    with pytest.raises(EmotionError, match=r"ranges\.model\.dropout was \{.*\} and is nothing now"):
        note("~tune.ranges.model.dropout", size=64)
    with pytest.raises(EmotionError, match=r"training\.input\.size was 64 and is 32 now; take"):
        note(size=32)
    (tmp_path / "tune.json").write_text("{")
    with pytest.raises(EmotionError, match=r"tune\.json: cannot be read"):
        note(size=64)


def test_a_folder_that_holds_a_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    with pytest.raises(EmotionError, match="holds a run; give the search a folder of its own"):
        open_folder(tmp_path, read_settings([]), Training((), {}, "val/loss", "min"))


def note(folder: Path, *overrides: str, **config: object) -> None:
    """Opens the folder for a search with that training."""
    open_folder(folder, read_settings([]), Training(overrides, config, "val/loss", "min"))


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    config = {"a": 1, "b": {"c": [1, 2], "d": {"e": "얼굴", "f": None}}, "z": 0}
    note(tmp_path, "seed=1", **config)
    for other, text in (
        (config | {"a": 2, "z": 3}, "training.a was 1 and is 2 now"),
        (config | {"b": {"c": [1], "d": {"e": "x"}}}, "training.b.c was [1, 2] and is [1] now"),
        (
            config | {"b": {"c": [1, 2], "d": {"e": "x", "f": 1}}},
            'training.b.d.e was "얼굴" and is "x" now',
        ),
        (config | {"b": 3}, "and is 3 now"),
        (config | {"y": True}, "training.y was nothing and is true now"),
        ({"a": 1, "b": config["b"]}, "training.z was 0 and is nothing now"),
    ):
        with pytest.raises(EmotionError) as error:
            note(tmp_path, "seed=1", **other)
        assert str(error.value).startswith(f"{tmp_path}: holds another search: training.")
        assert f"{text}; take that back to go on with it" in str(error.value)
    with pytest.raises(EmotionError, match=r'overrides was \["seed=1"\] and is \["seed=2"\] now'):
        note(tmp_path, "seed=2", **config)


def test_the_same_search_changes_nothing_however_its_settings_are_ordered(tmp_path: Path) -> None:
    note(tmp_path, "seed=1", "data.root=x", a={"b": 1, "c": (1, 2)})
    before = (tmp_path / NAME).read_bytes()
    note(tmp_path, "data.root=x", "seed=1", a={"c": (1, 2), "b": 1})
    assert (tmp_path / NAME).read_bytes() == before
    assert json.loads(before)["overrides"] == ["data.root=x", "seed=1"]


def test_what_is_no_record_of_ours_is_refused(tmp_path: Path) -> None:
    for content in ("[]", "{}", '{"format": 2}'):
        (tmp_path / NAME).write_text(content)
        with pytest.raises(EmotionError, match="holds another search: "):
            note(tmp_path)
