from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion.errors import DataError

Build = Callable[..., Path]
YAML = "train: ../../elsewhere/images\nnc: 3\nnames: ['happy', 'sad', 'cat']\n"


def test_fractions_become_pixels(folder: Build, imported: Any, picture: Any) -> None:
    files = {
        "data.yaml": YAML,
        "images/train/a.png": picture(1),
        "labels/train/a.txt": "0 0.5 0.5 0.5 0.2\n\n1 0.25 0.5 0.25 1\n2 0.5 0.5 0.5 0.5\n",
        "images/val2017/images/b.png": picture(2),
        "images/val2017/labels/b.txt": "1 0.5 0.5 1.0 1.0",
        "images/train/c.png": picture(3),
        "labels/train/c.txt": "",
        "images/train/d.png": picture(4),
    }
    result = imported("yolo", folder(files))
    # 40 x 30 pixels: from 10 to 30 and 12 to 18, from 5 to 15 and 0 to 30; the last one included.
    assert result.faces("train") == {
        "a.png": [("smile", (10, 12, 29, 17)), ("sad", (5, 0, 14, 29))]
    }
    assert result.faces("val") == {"b.png": [("sad", (0, 0, 39, 29))]}
    assert result.summary.faces["cat", "train"] == 1
    assert result.summary.without_faces["train"] == 2


def test_roboflows_layout_and_names_by_number(folder: Build, imported: Any, picture: Any) -> None:
    files = {
        "train/images/a.png": picture(1),
        "train/labels/a.txt": "7 0.5 0.5 0.5 0.5",
        "dataset.yml": "names:\n  0: cat\n  7: Angry\n",
        "images/b.png": picture(2),
    }
    result = imported("yolo", folder(files))
    assert result.labels("train") == {"a.png": ["anger"]}
    (record,) = result.record["not_used"]["records"]
    assert record["reason"] == "lies in none of the folders train, val and test"


def test_a_source_without_parts(folder: Build, imported: Any, picture: Any) -> None:
    files = {"data.yaml": YAML, "images/a.png": picture(), "labels/a.txt": "1 0.5 0.5 0.5 0.5"}
    assert imported("yolo", folder(files) / "data.yaml").labels() == {"a.png": ["sad"]}


def test_lines_that_are_no_faces_are_records(folder: Build, imported: Any, picture: Any) -> None:
    lines = (
        "0 0.5 0.5 0.5 0.5",
        "0 0.1 0.1 0.2 0.2 0.3 0.3",
        "3 0.5 0.5 0.5 0.5",
        "-1 0.5 0.5 0.5 0.5",
        "0.5 0.5 0.5 0.5 0.5",
        "0 nan 0.5 0.5 0.5",
        "0 0.5 0.5 0 0.5",
        "0 0.5 0.5 1e300 0.5",
    )
    files = {"data.yaml": YAML, "images/a.png": picture(), "labels/a.txt": "\n".join(lines)}
    result = imported("yolo", folder(files))
    assert result.labels() == {"a.png": ["smile"]}
    records = [tuple(each.values()) for each in result.record["not_used"]["records"]]
    assert records[:4] == [
        ("labels/a.txt:2", "expected a class and four numbers, got 7 fields"),
        ("labels/a.txt:3", "there is no class '3' among the names"),
        ("labels/a.txt:4", "there is no class '-1' among the names"),
        ("labels/a.txt:5", "there is no class '0.5' among the names"),
    ]
    reasons = [reason for _, reason in records[4:]]
    assert ["not four" in reasons[0], "no area" in reasons[1], "not four" in reasons[2]] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("names: [", "is no YAML"),
        (b"\xff\x00", "is no YAML"),
        ("[" * 600, "is no YAML"),
        ("!!python/object/apply:os.system [ls]", "is no YAML"),
        ("x" * 1_000_001, "larger than 1,000,000 bytes"),
        ("names: 5", r"expected names: \[neutral"),
        ("names: {a: b}", r"expected names: \[neutral"),
        ("- 1", r"expected names: \[neutral"),
    ],
)
def test_what_is_no_list_of_names_is_an_error(
    folder: Build, imported: Any, content: str | bytes, reason: str
) -> None:
    source = folder({"data.yaml": content, "images/a.png": "", "labels/a.txt": ""})
    with pytest.raises(DataError, match=rf"data\.yaml: {reason}"):
        imported("yolo", source)


def test_a_label_file_that_is_no_text_is_an_error(folder: Build, imported: Any) -> None:
    source = folder({"data.yaml": YAML, "images/a.png": "", "labels/a.txt": b"\xff"})
    with pytest.raises(DataError, match=r"labels/a\.txt: is no UTF-8 text"):
        imported("yolo", source)


def test_pictures_beside_no_yaml_are_no_layout(folder: Build, imported: Any) -> None:
    with pytest.raises(DataError, match=r"expected data\.yaml, and images/ and labels/"):
        imported("yolo", folder({"images/a.png": ""}))
