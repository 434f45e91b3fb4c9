import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emotion.data.importers.trees import UnusableError, inside, open_tree
from emotion.errors import DataError

FILES = {
    "b/2.PNG": b"two",
    "a.csv": b"x,y",
    "b/.hid.png": b"",
    "__MACOSX/b/2.PNG": b"",
    ".g/h": b"",
}


@pytest.fixture(params=["folder", "archive"])
def source(request: pytest.FixtureRequest) -> Path:
    build: Callable[..., Path] = request.getfixturevalue(request.param)
    return build(FILES)


def test_a_folder_and_an_archive_are_read_alike(source: Path) -> None:
    with open_tree(source) as tree:
        assert tree.names == ["a.csv", "b/2.PNG"]
        assert tree.pictures == ["b/2.PNG"]
        assert tree.read("b/2.PNG") == b"two"
        assert tree.read("./b//2.PNG") == b"two"
        assert tree.find("2.PNG") == "b/2.PNG"
        assert tree.find(".PNG") is None
        assert tree.has("a.csv")
        assert not tree.has("c.csv")
        assert tree.contents() == "a.csv, b/"
        assert tree.refusals == []


@pytest.mark.parametrize("name", ["../a", "b/../../a", "/etc/passwd", "C:\\a", "..\\a", "\\\\h\\a"])
def test_no_name_leads_out(source: Path, name: str) -> None:
    with open_tree(source) as tree:
        assert not tree.has(name)
        with pytest.raises(UnusableError, match="leads out of the source; nothing outside it"):
            tree.read(name)


def test_nothing_is_read_past_the_limit(source: Path) -> None:
    with open_tree(source) as tree, pytest.raises(UnusableError, match="larger than 2 bytes"):
        tree.read("a.csv", 2)


@pytest.mark.parametrize("name", ["c.csv", "b", "a.csv/x", "x" * 300, "", "a\0b"])
def test_what_is_no_file_is_a_reason(source: Path, name: str) -> None:
    with open_tree(source) as tree:
        assert not tree.has(name)
        with pytest.raises(UnusableError):
            tree.read(name)


def test_links_out_of_a_folder_are_refused(folder: Callable[..., Path], tmp_path: Path) -> None:
    root = folder({"a/1.png": b"one"})
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "other").mkdir()
    (root / "a/2.png").symlink_to(tmp_path / "secret.png")
    (root / "a/3.png").symlink_to(root / "a/1.png")
    (root / "a/4.png").symlink_to(root / "a/4.png")
    (root / "b").symlink_to(tmp_path / "other")
    with open_tree(root) as tree:
        assert tree.names == ["a/1.png", "a/3.png"]
        assert [refusal.place for refusal in tree.refusals] == ["b", "a/2.png", "a/4.png"]
        assert tree.read("a/3.png") == b"one"
        for name in ("a/2.png", "b/x.png"):
            with pytest.raises(UnusableError, match="leads out"):
                tree.read(name)


def test_a_source_that_is_itself_a_link_is_read(
    folder: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(folder({"a.csv": b"x"}))
    with open_tree(tmp_path / "link") as tree:
        assert tree.read("a.csv") == b"x"


def test_a_pipe_is_not_waited_for(folder: Callable[..., Path]) -> None:
    root = folder({"a.csv": b"x"})
    os.mkfifo(root / "p.png")
    with open_tree(root) as tree, pytest.raises(UnusableError, match="no regular file"):
        tree.read("p.png")


def test_a_file_stands_for_its_folder(folder: Callable[..., Path]) -> None:
    root = folder({"a.csv": b"x", "b/1.png": b"one"})
    with open_tree(root / "a.csv") as tree:
        assert tree.file == "a.csv"
        assert tree.find("1.png") is None
        assert tree.read("b/1.png") == b"one"


def test_members_that_lead_out_or_are_links_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("../evil.png", b"")
        packed.writestr("/abs.png", b"")
        packed.writestr(link, "/etc/passwd")
        packed.writestr("good.png", b"")
    with open_tree(path) as tree:
        assert tree.names == ["good.png"]
        assert [refusal.place for refusal in tree.refusals] == [
            *("../evil.png", "/abs.png"),
            "link.png",
        ]


def _odd_member(path: Path, change: Callable[[zipfile.ZipInfo], None]) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.png", b"content")
        change(packed.infolist()[0])


@pytest.mark.parametrize(("field", "value"), [("flag_bits", 1), ("compress_type", 99), ("CRC", 1)])
def test_a_member_that_cannot_be_unpacked_is_a_reason(
    tmp_path: Path, field: str, value: int
) -> None:
    path = tmp_path / "s.zip"
    _odd_member(path, lambda member: setattr(member, field, value))
    with open_tree(path) as tree, pytest.raises(UnusableError, match="cannot be unpacked"):
        tree.read("a.png")


def test_no_source_and_no_archive_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such file or folder"):
        open_tree(tmp_path / "nowhere").__enter__()
    (tmp_path / "s.zip").write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"cannot be read as a \.zip file"):
        open_tree(tmp_path / "s.zip").__enter__()


@given(st.text())
@example("0 \\")  # what is left ends in a space, as a folder's name may
@example(".")
def test_a_name_stays_inside_or_is_refused(name: str) -> None:
    try:
        path = inside(name)
    except UnusableError:
        return
    assert not path.startswith("/")
    assert ".." not in path.split("/")
    assert str(PurePosixPath(path)) == path != "."
