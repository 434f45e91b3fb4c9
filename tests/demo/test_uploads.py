"""Uploads: a folder each, gone as soon as they are read, and nothing else is read."""

import os
import time
from pathlib import Path

import pytest

from emotion.demo.limits import Limits
from emotion.demo.uploads import ABANDONED, Upload, UploadError, Uploads


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return Uploads(folder)


def dropped(uploads: Uploads, name: str = "a.jpg", content: bytes = b"photo") -> Upload:
    """As Gradio stores it: below a folder that is named by the content's hash."""
    place = uploads.new() / "0123abcd"
    place.mkdir()
    (place / "stored").write_bytes(content)
    return Upload(place / "stored", name)


def test_files_are_read_under_their_own_names_and_removed(uploads: Uploads) -> None:
    photos = uploads.take([dropped(uploads), dropped(uploads, "x/a.jpg", b"other")], Limits())
    assert [(photo.name, photo.content) for photo in photos] == [
        ("a.jpg", b"photo"),
        ("a-2.jpg", b"other"),
    ]
    assert not list(uploads.folder.iterdir())


def test_the_same_photo_of_two_visitors_is_two_files(uploads: Uploads) -> None:
    mine, yours = dropped(uploads), dropped(uploads)
    uploads.take([mine], Limits())
    (photo,) = uploads.take([yours], Limits())
    assert photo.content == b"photo"


def test_too_many_or_too_large_files_are_refused_and_removed(uploads: Uploads) -> None:
    limits = Limits(megabytes=0.001, photos=2)
    with pytest.raises(UploadError, match="3 files at once; this page takes 2"):
        uploads.take([dropped(uploads) for _ in range(3)], limits)
    with pytest.raises(
        UploadError, match=r"b\.jpg: 0\.0 MB; this page takes files of up to 0\.001"
    ):
        uploads.take([dropped(uploads), dropped(uploads, "b.jpg", bytes(1001))], limits)
    assert not list(uploads.folder.iterdir())


def test_what_was_not_uploaded_is_neither_read_nor_removed(
    uploads: Uploads, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    link = uploads.new() / "link.jpg"
    link.symlink_to(secret)
    for path in (secret, uploads.folder / ".." / "secret.jpg", link):
        with pytest.raises(UploadError, match="was not uploaded here"):
            uploads.take([Upload(path, "a.jpg")], Limits())
    assert secret.read_bytes() == b"secret"


def test_a_file_that_has_gone_is_told(uploads: Uploads) -> None:
    gone = Upload(uploads.new() / "gone.jpg", "gone.jpg")
    with pytest.raises(UploadError, match=r"gone\.jpg: has gone meanwhile; drop it again"):
        uploads.take([gone], Limits())


def test_only_uploads_that_nobody_asked_about_for_long_are_removed(uploads: Uploads) -> None:
    old, new = uploads.new(), uploads.new()
    (uploads.folder / "other").mkdir()
    for path in (old, uploads.folder / "other"):
        before = time.time() - ABANDONED - 5
        os.utime(path, (before, before))
    uploads.remove_abandoned()
    assert {path.name for path in uploads.folder.iterdir()} == {new.name, "other"}
