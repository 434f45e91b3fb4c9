"""The settings of a run's data, as somebody may have changed or lost them."""

import re
from pathlib import Path

import pytest

from emotion.errors import DataError
from emotion.evaluation.run_settings import data_settings
from emotion.evaluation.subjects import read_subject
from emotion.experiments.outcome import RunResult
from emotion.faces.labels import EMOTIONS


@pytest.mark.parametrize(
    "text", ["", "a: [", "data: 3", "data: {root: null}", "- 1", "\x00", "a: " + "[" * 5_000]
)
def test_a_config_that_names_no_data_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    assert data_settings(tmp_path / "x.ckpt") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("drop: []", "drop: 5", "data.drop: expected a list of kinds, got 5"),
        ("label_map: null", "label_map: [a]", "data.label_map: expected names and classes, or"),
        ("origin: 0", "origin: x", "data.origin: expected 0 or 1, got 'x'"),
        ("keep_difficult: true", "keep_difficult: x", "expected true or false, got 'x'"),
        ("root: ", "root: /nowhere", "the run's photos are no longer there; name some"),
    ],
)
def test_a_config_that_somebody_changed_is_named_with_its_key(
    run_result: RunResult, tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = (run_result.folder / "config.yaml").read_text()
    assert old in text
    (tmp_path / "config.yaml").write_text(text.replace(old, new))
    with pytest.raises(DataError, match=re.escape(said)):
        read_subject(tmp_path / "x.ckpt", EMOTIONS)
