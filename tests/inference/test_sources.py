"""What is predicted, in which order; the file system itself is the reference."""

import io
import itertools
import os
from pathlib import Path

import pytest

from emotion.errors import DataError
from emotion.inference.sources import Source, check_arguments, list_sources

EMPTY = io.BytesIO()


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def listed(*arguments: str, text: bytes = b"") -> list[str]:
    return [source.name for source in list_sources(arguments, io.BytesIO(text))]


def below(root: Path, *names: str) -> list[str]:
    return [str(root / name) for name in names]


def test_a_folder_gives_its_pictures_and_videos_by_name_however_deep(tmp_path: Path) -> None:
    names = ("b.JPG", "a/z.png", "a/b/c.webp", "c.mp4", "notes.txt", ".hidden.jpg", ".git/x.jpg")
    tree(tmp_path, *names)
    expected = below(tmp_path, "a/b/c.webp", "a/z.png", "b.JPG", "c.mp4")
    assert listed(str(tmp_path)) == expected


def test_a_named_file_is_taken_whatever_it_is(tmp_path: Path) -> None:
    tree(tmp_path, "notes.txt", "[x].jpg", "12")
    for name in ("notes.txt", "[x].jpg", "12"):
        assert listed(str(tmp_path / name)) == below(tmp_path, name)


def test_arguments_keep_their_order(tmp_path: Path) -> None:
    tree(tmp_path, "b.jpg", "a.jpg")
    assert listed(*below(tmp_path, "b.jpg", "a.jpg")) == below(tmp_path, "b.jpg", "a.jpg")


def test_patterns_are_matched_sorted_and_folders_among_them_are_entered(tmp_path: Path) -> None:
    tree(tmp_path, "d2/b.jpg", "d1/a.jpg", "d1/sub/c.jpg", "d1/n.txt")
    assert listed(f"{tmp_path}/d*/*.jpg") == below(tmp_path, "d1/a.jpg", "d2/b.jpg")
    assert listed(f"{tmp_path}/**/c.jpg") == below(tmp_path, "d1/sub/c.jpg")
    assert listed(f"{tmp_path}/d?") == below(tmp_path, "d1/a.jpg", "d1/sub/c.jpg", "d2/b.jpg")


@pytest.mark.parametrize(
    "text",
    [
        b"a.jpg\nb c.jpg\n",
        b"a.jpg\r\n\r\nb c.jpg",
        b"a.jpg\0b c.jpg\0",
        b"a.jpg\0b c.jpg",
    ],
)
def test_a_list_ends_names_with_lines_or_zero_bytes(text: bytes) -> None:
    assert listed("-", text=text) == ["a.jpg", "b c.jpg"]


def test_a_name_with_a_line_break_survives_zero_bytes() -> None:
    assert listed("-", text=b"a\nb.jpg\0c.jpg\0") == ["a\nb.jpg", "c.jpg"]


def test_a_list_is_taken_as_it_comes() -> None:
    class Slow(io.BytesIO):
        blocks = itertools.count()

        def read1(self, size: int | None = -1) -> bytes:
            return b"%d.jpg\n9" % next(self.blocks)

    sources = list_sources(["-"], Slow())
    assert [source.name for source in itertools.islice(sources, 3)] == ["0.jpg", "91.jpg", "92.jpg"]


def test_a_name_that_is_not_utf8_is_kept(tmp_path: Path) -> None:
    (source,) = list_sources(["-"], io.BytesIO(b"a\xff.jpg\n"))
    assert source.path is not None
    assert os.fsencode(source.path) == b"a\xff.jpg"


def test_a_number_is_a_camera_unless_a_file_has_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(list_sources(["0"], EMPTY)) == [Source(None, 0)]
    assert Source(None, 0).name == "camera 0"
    assert not Source(None, 0).is_photo
    monkeypatch.chdir(tree(tmp_path, "0"))
    assert list(list_sources(["0"], EMPTY)) == [Source(Path("0"))]


def test_videos_are_told_by_their_names() -> None:
    assert not Source(Path("a.MP4")).is_photo
    assert Source(Path("a.jpg")).is_photo
    assert not Source(Path("a"), is_video=True).is_photo


def test_what_is_not_meant_is_left_out_of_folders_only(tmp_path: Path) -> None:
    tree(tmp_path, "a.jpg", "drawn/b.jpg")
    found = list_sources([str(tmp_path)], EMPTY, lambda path: "drawn" in path.parts)
    assert [source.name for source in found] == below(tmp_path, "a.jpg")


def test_a_link_that_leads_around_in_a_circle_is_not_followed(tmp_path: Path) -> None:
    tree(tmp_path, "d/a.jpg")
    (tmp_path / "d" / "again").symlink_to(tmp_path)
    assert listed(str(tmp_path)) == below(tmp_path, "d/a.jpg")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nowhere.jpg"], "nowhere.jpg: no such file or folder"),
        (["*.jpg"], r"\*.jpg: no file matches this pattern"),
        (["empty"], "empty: no pictures in it; looked for .bmp .* and videos"),
        (["-", "-"], "the list on standard input can be read once only"),
    ],
)
def test_what_is_not_there_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=text):
        check_arguments(arguments)


def test_what_is_there_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree(tmp_path, "a.jpg", "d/b.mp4", "[x].jpg"))
    check_arguments(["a.jpg", "d", "*.jpg", "[x].jpg", "-", "3"])
