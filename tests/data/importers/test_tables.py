from collections.abc import Callable
from pathlib import Path

import pytest

from emotion.data.importers.photos import LayoutError
from emotion.data.importers.tables import LONGEST, Table, read_lines, read_rows
from emotion.data.importers.trees import open_tree
from emotion.errors import DataError

Build = Callable[..., Path]


def rows_of(root: Path) -> list[tuple[int, list[str]]]:
    with open_tree(root) as tree:
        return list(read_rows(tree, "t.csv"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_told_by_the_first_line(folder: Build, delimiter: str) -> None:
    root = folder({"t.csv": f'\ufeffa{delimiter}b\r\n\r\n"c,;d"{delimiter} 2 \r\n'})
    assert rows_of(root) == [(1, ["a", "b"]), (3, ["c,;d", "2"])]


def test_fields_go_by_the_header_whatever_its_case_and_spaces(folder: Build) -> None:
    root = folder({"t.csv": "Emotion, Usage\n1,Training,more\n2\n"})
    with open_tree(root) as tree:
        table = Table(tree, "t.csv")
        assert table.column("kind", "usage") == "usage"
        assert list(table) == [
            ("t.csv:2", {"emotion": "1", "usage": "Training"}),
            ("t.csv:3", {"emotion": "2", "usage": ""}),
        ]
        with pytest.raises(LayoutError, match=r"there is no pixels, but emotion, usage"):
            table.require(("emotion", "pixels"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a,b\n\xff\xfe,1\n", "t.csv: is no UTF-8 text"),
        (b"x" * (LONGEST + 1), "more than 1,000,000 characters"),
        (
            b'a,b\n"' + b"x" * 200_000 + b'",1\n',
            "t.csv:2: is no CSV .field larger than field limit",
        ),
        (b"a,b\n" + b'"' + b"x\n" * 100_000, "is no CSV .field larger than field limit"),
    ],
)
def test_what_is_no_table_is_an_error(folder: Build, content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        rows_of(folder({"t.csv": content}))


def test_a_file_that_is_not_there_is_an_error(folder: Build) -> None:
    with open_tree(folder({"a": b""})) as tree, pytest.raises(DataError, match=r"t\.csv: no such"):
        list(read_lines(tree, "t.csv"))


def test_an_empty_file_has_no_columns(folder: Build) -> None:
    with open_tree(folder({"t.csv": b""})) as tree:
        assert Table(tree, "t.csv").columns == []
