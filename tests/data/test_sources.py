"""Where the photos of a joined data set are from."""

from pathlib import Path

import pytest

from emotion.data.sources import find_sources
from emotion.errors import DataError


def test_photos_called_alike_in_two_parts_are_told_apart(tmp_path: Path) -> None:
    folders = [tmp_path / "train", tmp_path / "val"]
    for folder, source in zip(folders, ("one", "two"), strict=True):
        folder.mkdir()
        (folder / "sources.csv").write_text(f"filename,source\na.jpg,{source}\n")
    images = [tmp_path / part / "img" / name for part, name in
              (("val", "a.jpg"), ("train", "a.jpg"), ("train", "b.jpg"))]  # fmt: skip
    assert find_sources(images, tmp_path, folders, "key") == ["two", "one", None]


def test_a_missing_table_is_told_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"key=sources\.csv.*no such file here"):
        find_sources([], tmp_path, [], "key")
