from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion.errors import DataError

Build = Callable[..., Path]


def test_the_authors_layout(folder: Build, imported: Any, picture: Any) -> None:
    lines = (
        *("train_00001.jpg 5", "train_00002.jpg 2", "train_00003.jpg 4", "test_0001.jpg 7"),
        *("train_00004.jpg", "other_1.jpg 3", ""),
    )
    names = ("train_00001", "train_00002", "test_0001")
    pictures = {
        f"basic/Image/aligned/{name}_aligned.jpg": picture(n, (100, 100), "JPEG")
        for n, name in enumerate(names)
    }
    listing = {"basic/EmoLabel/list_patition_label.txt": "\r\n".join(lines)}
    result = imported("rafdb", folder({**listing, **pictures}))
    assert result.faces("train") == {"train_00001_aligned.jpg": [("sad", (0, 0, 99, 99))]}
    assert result.labels("test") == {"test_0001_aligned.jpg": ["neutral"]}
    assert result.summary.faces["fear", "train"] == 1
    assert [each["reason"] for each in result.record["not_used"]["records"]] == [
        "there is no Image/aligned/train_00003_aligned.jpg in the source",
        "expected a picture's name and a number",
        "expected a name that begins with train_ or test_, got 'other_1.jpg'",
    ]


def test_kaggles_layout(folder: Build, imported: Any, picture: Any) -> None:
    source = folder(
        {
            "DATASET/train/1/train_00001_aligned.jpg": picture(1, format="JPEG"),
            "DATASET/test/4/test_0001_aligned.jpg": picture(2, format="JPEG"),
            "train_labels.csv": "image,label\n",
        }
    )
    result = imported("rafdb", source)
    assert result.labels("train") == {"train_00001_aligned.jpg": ["surprise"]}
    assert result.labels("test") == {"test_0001_aligned.jpg": ["smile"]}


def test_other_folders_are_no_layout(folder: Build, imported: Any) -> None:
    with pytest.raises(DataError, match=r"expected EmoLabel/list_patition_label\.txt and"):
        imported("rafdb", folder({"train/happy/1.png": "", "test/sad/1.png": ""}))
