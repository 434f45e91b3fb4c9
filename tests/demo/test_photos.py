import tempfile
from pathlib import Path

import numpy as np
import pytest
from tests.demo.visitors import photo, scene

from emotion.demo.photos import Photo, bare_name, distinct, temporary_folder
from emotion.errors import PictureError


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def whatever(width: int, height: int) -> None:
    return None


def test_a_photo_is_on_the_disk_only_while_it_is_read(disk: Path) -> None:
    dropped = photo("a b.png", 1)
    with dropped.on_disk() as path:
        assert path.is_relative_to(disk)
        assert path.read_bytes() == dropped.content
        assert path.suffix == ".png"
    assert not list(disk.iterdir())
    np.testing.assert_array_equal(dropped.image(whatever), scene(1))
    assert not list(disk.iterdir())


def test_a_broken_photo_is_named_as_its_visitor_names_it_and_leaves_nothing(disk: Path) -> None:
    with pytest.raises(PictureError, match=r"^hölle\.jpg: not a picture"):
        Photo("hölle.jpg", b"nothing").image(whatever)
    assert not list(disk.iterdir())


def test_a_photo_that_is_refused_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(path: Path) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("emotion.demo.photos.read_image", decode)
    with pytest.raises(PictureError, match=r"a\.png: 240 x 160"):
        photo("a.png").image(lambda width, height: f"{width} x {height}")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b.png", "x." + "y" * 300, "?.png\n"])
def test_no_name_leads_anywhere(name: str, disk: Path) -> None:
    with Photo(name, b"content").on_disk() as path:
        assert path.parent.parent == disk
        assert path.suffix in ("", ".png")


def test_a_folder_goes_after_an_error_too(disk: Path) -> None:
    def fail() -> None:
        with temporary_folder() as folder:
            (folder / "x").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(disk.iterdir())


def test_videos_are_told_by_their_names() -> None:
    assert Photo("a.MP4", b"").is_video
    assert not Photo("a.gif", b"").is_video


@pytest.mark.parametrize(
    ("name", "bare"),
    [("a.jpg", "a.jpg"), ("C:\\me\\a.jpg", "a.jpg"), ("/x/a.jpg", "a.jpg"), ("", "unnamed")],
)
def test_names_lose_their_folders(name: str, bare: str) -> None:
    assert bare_name(name) == bare


def test_equal_names_become_different_ones() -> None:
    names = ["image.png", "b.jpg", "image.png", "image-2.png", "image.png"]
    assert distinct(names) == [
        *("image.png", "b.jpg", "image-2.png", "image-2-2.png", "image-3.png")
    ]
