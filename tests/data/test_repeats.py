"""Photos of some sources several times an epoch."""

from pathlib import Path

import pytest

from emotion.data.repeats import check_repeat, repeated
from emotion.errors import ConfigError, DataError
from emotion.faces.boxes import Box
from emotion.faces.samples import FaceSample


def sample(root: Path, name: str) -> FaceSample:
    image = root / "train" / "img" / name
    return FaceSample(image, image.with_suffix(".xml"), 1, 1, Box(0, 0, 9, 9), 0)


def sources(root: Path, part: str, text: str) -> None:
    (root / part).mkdir(parents=True, exist_ok=True)
    (root / part / "sources.csv").write_text("filename,source\n" + text)


def test_faces_of_a_source_come_as_often_as_is_said(tmp_path: Path) -> None:
    sources(tmp_path, "train", "a.jpg,few\nb.jpg,many\n")
    sources(tmp_path, "val", "a.jpg,many\n")  # called alike, and from elsewhere
    a, b, c = (sample(tmp_path, name) for name in ("a.jpg", "b.jpg", "c.jpg"))
    folders = [tmp_path / "val", tmp_path / "train"]
    assert repeated([a, b, c], {"few": 3}, tmp_path, folders) == [a, a, a, b, c]


def test_what_is_refused(tmp_path: Path) -> None:
    given: object
    for given in (3, {"few": 0}, {"few": 1.5}, {"few": 1000}, {"few": True}):
        with pytest.raises(ConfigError, match=r"data.repeat: expected sources"):
            check_repeat(given)
    check_repeat(None)
    check_repeat({"few": 2})
    with pytest.raises(DataError, match=r"sources.csv: no such file here"):
        repeated([sample(tmp_path, "a.jpg")], {"few": 2}, tmp_path, [])
    sources(tmp_path, "train", "a.jpg,few\n")
    with pytest.raises(DataError, match=r"no training face is of it; there are few"):
        repeated([sample(tmp_path, "a.jpg")], {"none": 2}, tmp_path, [tmp_path / "train"])
    sources(tmp_path, "train", "a.jpg\n")
    with pytest.raises(DataError, match=r"sources.csv:2: expected a file name and a source"):
        repeated([sample(tmp_path, "a.jpg")], {"few": 2}, tmp_path, [tmp_path / "train"])
