"""Files: whole or not at all."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import ConfigError, EmotionError
from emotion.files import alone, replacing, write_json, write_text


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_once_the_block_has_ended(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
        assert temporary.parent == target.parent  # a rename within one folder is one step
    assert target.read_text() == "whole"
    assert names_in(target.parent) == ["a.txt"]


def test_the_old_content_stays_until_the_block_has_ended(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_a_failure_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write_half() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        write_half()
    assert target.read_text() == "old"
    assert names_in(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("name", ["a.png", "a.tar.gz", "no_suffix"])
def test_the_temporary_name_keeps_the_suffix(tmp_path: Path, name: str) -> None:
    with replacing(tmp_path / name) as temporary:
        assert temporary.suffix == Path(name).suffix
        assert temporary.name.startswith(".")  # hidden from whoever lists the folder


def test_others_may_read_the_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_a_file_in_the_place_of_a_folder_is_an_error_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    target = tmp_path / "file" / "a.txt"
    with pytest.raises(EmotionError) as caught:
        write_text(target, "y")
    assert str(caught.value).startswith(f"{target}: cannot be written (")


def test_a_folder_in_the_place_of_the_file_is_an_error_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(EmotionError) as caught:
        write_text(tmp_path / "a.txt", "y")
    assert str(caught.value) == f"{tmp_path / 'a.txt'}: cannot be written (Is a directory)"
    assert names_in(tmp_path) == ["a.txt"]


@given(text=st.text(st.characters(codec="utf-8")))
def test_text_is_written_as_utf8(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    target = tmp_path_factory.getbasetemp() / "text.txt"
    write_text(target, text)
    assert target.read_bytes().decode("utf-8") == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(content=JSON)
def test_json_comes_back(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    target = tmp_path_factory.getbasetemp() / "content.json"
    write_json(target, content)
    assert json.loads(target.read_text(encoding="utf-8")) == content


def test_json_is_readable_for_people(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "기쁨"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "name": "기쁨"\n}\n'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_without_a_number_is_refused_and_the_old_file_stays(
    tmp_path: Path, value: float
) -> None:
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": value})
    assert (tmp_path / "a.json").read_text() == "1\n"
    assert names_in(tmp_path) == ["a.json"]


def test_one_at_a_time_is_let_in(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "a.lock"
    with alone(lock, "taken"), pytest.raises(ConfigError, match=r"^taken$"), alone(lock, "taken"):
        raise AssertionError("nobody comes here")
    with alone(lock, "free again"):
        pass


def test_a_lock_that_cannot_be_written_is_named() -> None:
    with (
        pytest.raises(ConfigError, match=r"^/proc/none: cannot be written \(No such file"),
        alone(Path("/proc/none/a.lock"), "taken"),
    ):
        raise AssertionError("nobody comes here")
