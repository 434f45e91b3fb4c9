"""Parts: the folders of a data set, by the names that people give them."""

from pathlib import Path

import pytest
from tests.datasets import add_photo

from emotion.data.parts import read_parts
from emotion.errors import DataError


def parts(root: Path) -> dict[str, list[str]]:
    """Gives the parts that are found, with the names of their photos."""
    return {
        part: [photo.image.stem for photo in folder.photos]
        for part, folder in read_parts(root, origin=0).items()
    }


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["train"], ["train"]),
        (["test"], ["test"]),
        (["test", "train"], ["train", "test"]),
        (["train", "val", "test"], ["train", "val", "test"]),
        (["train", "valid", "test"], ["train", "val", "test"]),
        (["train", "validation"], ["train", "val"]),
    ],
)
def test_folders_are_parts(tmp_path: Path, folders: list[str], expected: list[str]) -> None:
    for name in folders:
        add_photo(tmp_path / name, f"of_{name}")
    found = parts(tmp_path)
    assert list(found) == expected
    assert sorted(name for names in found.values() for name in names) == sorted(
        f"of_{name}" for name in folders
    )


def test_a_folder_of_photos_is_the_only_part(tmp_path: Path) -> None:
    add_photo(tmp_path, "a")
    add_photo(tmp_path, "b")
    assert parts(tmp_path) == {"all": ["a", "b"]}


def test_a_file_called_train_is_no_part(tmp_path: Path) -> None:
    add_photo(tmp_path, "a")
    (tmp_path / "train").write_text("notes on training")
    assert parts(tmp_path) == {"all": ["a"]}


def test_coordinates_are_counted_from_the_origin(tmp_path: Path) -> None:
    add_photo(tmp_path, "a")
    boxes = [read_parts(tmp_path, origin)["all"].photos[0].faces[0].box for origin in (0, 1)]
    assert [box.left for box in boxes] == [10, 9]
    assert [box.bottom for box in boxes] == [48, 47]


def test_a_data_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_parts(tmp_path / "gone", origin=0)
    assert str(caught.value) == (
        f"{tmp_path / 'gone'}: no such folder; set data.root=/path/to/dataset"
    )


def test_a_file_is_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "data.zip").touch()
    with pytest.raises(DataError, match=r"data\.zip: is a file, expected a folder"):
        read_parts(tmp_path / "data.zip", origin=0)


def test_a_part_with_nothing_in_it_is_named(tmp_path: Path) -> None:
    add_photo(tmp_path / "train", "a")
    (tmp_path / "test").mkdir()
    with pytest.raises(DataError, match=r"test: expected img/ and annotations/ in it"):
        read_parts(tmp_path, origin=0)
