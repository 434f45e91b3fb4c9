"""Detectors by name: what is built, and what is said about files that do not fit."""

import inspect
from pathlib import Path

import pytest
import yaml

from emotion.errors import ConfigError
from emotion.faces.detector_files import build_detector
from emotion.faces.detectors import DlibDetector
from emotion.files import config_folder


def test_dlib_is_built_with_the_files_settings_unless_others_are_given() -> None:
    plain = build_detector()
    assert isinstance(plain, DlibDetector)
    assert (plain.upsample, plain.threshold) == (0, 0.0)
    given = build_detector("dlib", {"upsample": 1, "threshold": None})
    assert isinstance(given, DlibDetector)
    assert (given.upsample, given.threshold) == (1, 0.0)


def test_the_file_lists_every_setting() -> None:
    content = yaml.safe_load((config_folder() / "detector" / "dlib.yaml").read_text())
    assert set(content) - {"_target_"} == set(inspect.signature(DlibDetector).parameters)


def test_a_detector_of_ones_own_is_one_class_and_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_faces.py").write_text(
        "class Mine:\n"
        "    def __init__(self, size): self.size = size\n"
        "    def detect(self, image): return []\n"
    )
    (tmp_path / "mine.yaml").write_text("_target_: my_faces.Mine\nsize: 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    built = build_detector(str(tmp_path / "mine.yaml"))
    assert vars(built) == {"size": 7}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("_target_: emotion.faces.boxes.Nothing", "_target_: emotion.faces.boxes.Nothing cannot"),
        ("_target_: nowhere.at.all.Class", "cannot be imported"),
        ("upsample: 1", r"_target_: expected package\.module\.Class, got None"),
        ("- a", "expected _target_ and settings, got list"),
        ("a: [", "cannot be read as YAML"),
        ("_target_: emotion.faces.detectors.DlibDetector\ncolour: 1", "DlibDetector: got an unex"),
        ("_target_: pathlib.PurePath", r"has no method detect\(image\)"),
        ("_target_: emotion.faces.detectors.DlibDetector\nupsample: 9", "upsample: expected 0, 1"),
    ],
)
def test_a_file_that_does_not_fit_is_told(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "odd.yaml").write_text(content)
    with pytest.raises(ConfigError, match=text):
        build_detector(str(tmp_path / "odd.yaml"))


def test_a_name_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--detector dlip: expected dlib, or the path of a"):
        build_detector("dlip")
    with pytest.raises(ConfigError, match=r"gone\.yaml: no such file"):
        build_detector(str(tmp_path / "gone.yaml"))
