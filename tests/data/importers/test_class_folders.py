from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion.data.importers.class_folders import labels
from emotion.data.importers.trees import open_tree
from emotion.errors import DataError

Build = Callable[..., Path]


def test_parts_are_told_by_their_folders(folder: Build, imported: Any, picture: Any) -> None:
    names = ("train/happy/1.png", "valid/Sad/1.png", "test/angry/deep/1.png", "extra/sad/1.png")
    source = folder({f"archive/{name}": picture(n) for n, name in enumerate(names)})
    result = imported("folder", source)
    assert result.labels("train") == {"1.png": ["smile"]}
    assert result.labels("val") == {"1.png": ["sad"]}
    assert result.labels("test") == {"1.png": ["anger"]}
    (record,) = result.record["not_used"]["records"]
    assert record["place"] == "archive/extra/sad/1.png"
    assert record["reason"] == "lies in none of the folders train, val and test"
    assert not (result.root / "train/groups.csv").exists()


def test_equal_names_of_two_classes_are_kept_apart(
    folder: Build, imported: Any, picture: Any
) -> None:
    result = imported("folder", folder({"happy/1.png": picture(1), "sad/1.png": picture(2)}))
    assert result.faces() == {
        "happy_1.png": [("smile", (0, 0, 39, 29))],
        "sad_1.png": [("sad", (0, 0, 39, 29))],
    }


def test_a_single_class_is_a_class(folder: Build) -> None:
    with open_tree(folder({"around/happy/1.png": "", "around/readme.txt": ""})) as tree:
        assert labels(tree) == {"happy"}


def test_pictures_without_a_folder_are_no_layout(folder: Build, imported: Any) -> None:
    with pytest.raises(DataError, match=r"expected one folder a class .* found 1\.png, a\.txt"):
        imported("folder", folder({"1.png": "", "a.txt": ""}))
