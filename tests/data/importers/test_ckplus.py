import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion.errors import ConfigError, DataError

Build = Callable[..., Path]


def frames(person: str, number: str, count: int, picture: Any) -> dict[str, Any]:
    folder = f"cohn-kanade-images/{person}/{number}"
    return {
        f"{folder}/{person}_{number}_{frame:08d}.png": picture(frame)
        for frame in range(1, count + 1)
    }


@pytest.fixture
def files(picture: Any) -> dict[str, Any]:
    return {
        **frames("S005", "001", 4, picture),
        "Emotion/S005/001/S005_001_00000004_emotion.txt": "   5.0000000e+00\n",
        **frames("S010", "002", 3, picture),
        "Emotion/S010/002/S010_002_00000003_emotion.txt": "   3.0000000e+00\n",
        **frames("S010", "003", 3, picture),
        "Landmarks/S010/003/S010_003_00000003_landmarks.txt": "",
    }


def test_the_last_frame_has_the_label_and_the_first_is_neutral(
    folder: Build, imported: Any, files: Any
) -> None:
    result = imported("ckplus", folder(files))
    assert result.labels() == {
        "S005_001_00000001.png": ["neutral"],
        "S005_001_00000004.png": ["smile"],
        "S010_002_00000001.png": ["neutral"],
    }
    assert result.summary.faces["disgust", ""] == 1
    assert result.summary.faces["unlabelled", ""] == 1
    with (result.root / "groups.csv").open(newline="") as stream:
        assert list(csv.reader(stream))[1:] == [
            ["S005_001_00000001.png", "S005"],
            ["S005_001_00000004.png", "S005"],
            ["S010_002_00000001.png", "S010"],
        ]


def test_more_frames_and_no_frame_twice(folder: Build, imported: Any, files: Any) -> None:
    result = imported("ckplus", folder(files), frames=3, neutral=2)
    assert {name: labels[0] for name, labels in result.labels().items()} == {
        "S005_001_00000001.png": "neutral",
        **{f"S005_001_0000000{frame}.png": "smile" for frame in (2, 3, 4)},
    }
    assert result.summary.faces["unlabelled", ""] == 3


def test_neutral_can_be_left_out(folder: Build, imported: Any, files: Any) -> None:
    result = imported("ckplus", folder(files), neutral=0)
    assert result.labels() == {"S005_001_00000004.png": ["smile"]}


def test_labels_that_are_none_are_records(
    folder: Build, imported: Any, files: Any, picture: Any
) -> None:
    files |= frames("S011", "001", 2, picture)
    files["Emotion/S011/001/S011_001_00000002_emotion.txt"] = b"\xffNaN"
    files["Emotion/S012/001/S012_001_00000002_emotion.txt"] = "1"
    result = imported("ckplus", folder(files))
    first, second = result.record["not_used"]["records"]
    assert first["reason"] == "there are no pictures of this sequence"
    assert "expected a whole number from 0 to 7" in second["reason"]


def test_ck48_has_folders_of_classes(folder: Build, imported: Any, picture: Any) -> None:
    source = folder(
        {
            "CK+48/happy/S010_006_00000013.png": picture(1),
            "CK+48/sadness/S011_002_00000020.png": picture(2),
        }
    )
    result = imported("ckplus", source)
    assert result.labels() == {
        "S010_006_00000013.png": ["smile"],
        "S011_002_00000020.png": ["sad"],
    }
    assert "S010_006_00000013.png,S010\n" in (result.root / "groups.csv").read_text()


def test_what_cannot_be_is_refused(folder: Build, imported: Any, files: Any) -> None:
    source = folder(files)
    with pytest.raises(ConfigError, match="--frames: expected 1 or more, got 0"):
        imported("ckplus", source, frames=0)
    with pytest.raises(ConfigError, match="--neutral: expected 0 or more, got -1"):
        imported("ckplus", source, neutral=-1)
    with pytest.raises(DataError, match=r"expected cohn-kanade-images/S005/001/\*\.png and"):
        imported("ckplus", folder({"a/1.png": ""}) / "a")
