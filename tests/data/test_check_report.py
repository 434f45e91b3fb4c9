"""The report of an audit: everything is in it, as plain JSON, with paths within the data set."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.datasets import SAD, SMILE, add_clean, add_photo, change
from tests.problems import WRONG, listed, rules

import emotion
from emotion.data.audit import Audit, Rules, audit
from emotion.data.check_report import LABELS, SHOWN, describe, make_report
from emotion.faces.boxes import Box
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import KINDS

RULES = Rules(LabelScheme(mapping={"fear": None, "happy": "smile"}), copies=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add_clean(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """A data set with every kind of problem but the one that others exclude."""
    root = tmp_path_factory.mktemp("all") / "data"
    add_clean(root)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for kind in WRONG:
            if kind != "origin_one_based":
                WRONG[kind](root, monkeypatch)
        return audit(root, rules(root))


def strings(value: Any) -> list[str]:
    """Gives every text in plain data, keys too; fails where something is not plain."""
    if isinstance(value, dict):
        return [s for key, item in value.items() for s in (*strings(key), *strings(item))]
    if isinstance(value, list):
        return [s for item in value for s in strings(item)]
    assert value is None or type(value) in (str, int, float, bool)
    return [value] if isinstance(value, str) else []


def test_faces_marked_difficult_are_counted(root: Path) -> None:
    path = add_photo(root / "test", "more", SMILE, SAD)
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace("<difficult>0", "<difficult>1", 1), encoding="utf-8")
    report = make_report(audit(root, RULES))
    assert [part["difficult"] for part in report["parts"].values()] == [0, 1]
    assert "; 1 marked <difficult>\n" in describe(report, "d")


def test_the_report_of_a_clean_data_set(root: Path) -> None:
    add_photo(root / "test", "more", ("fear", SMILE[1]), ("happy", Box(0, 0, 30, 28)))
    assert make_report(audit(root, RULES)) == {
        "format": 1,
        "emotion": emotion.__version__,
        "root": "data",
        "parts": {
            "train": {
                "photos": 4,
                "faces": 4,
                "difficult": 0,
                "classes": {"neutral": 0, "anger": 0, "surprise": 0, "smile": 2, "sad": 2},
                "other_labels": {},
                "box_sides": [40, 40, 40, 40],
            },
            "test": {
                "photos": 2,
                "faces": 3,
                "difficult": 0,
                "classes": {"neutral": 0, "anger": 0, "surprise": 0, "smile": 2, "sad": 0},
                "other_labels": {"dropped": 1},
                "box_sides": [28, 40, 40],
            },
        },
        "clean": True,
        "kinds": [],
        "problems": [],
    }


def test_a_problem_is_told_with_its_place(root: Path) -> None:
    path = add_photo(root / "train", "a", SMILE, ("joy", Box(60, 10, 90, 50)), ("sad", SMILE[1]))
    change(path, "<width>80<", "<width>81<")
    report = make_report(audit(root, RULES))
    base = {
        "file": "train/annotations/a.xml",
        "tag": "bndbox",
        "picture": "train/img/a.png",
        "others": [],
    }
    assert report["problems"][0] == base | {
        "kind": "size_wrong",
        "line": None,
        "tag": "size",
        "object": None,
        "message": "<size> is 81 x 60, but the picture is 80 x 60",
        "box": None,
    }
    assert report["problems"][3] == base | {
        "kind": "box_too_small",
        "line": 21,
        "object": 2,
        "message": "the face of 20 x 40 pixels is too small; expected 24 or more a side",
        "box": [60, 10, 89, 49],
    }
    kinds = [(k["kind"], k["severity"], k["count"], k["files"]) for k in report["kinds"]]
    assert kinds == [  # errors first, then the most frequent
        ("boxes_conflict", "error", 2, 1),
        ("box_outside", "error", 1, 1),
        ("box_too_small", "error", 1, 1),
        ("label_unknown", "error", 1, 1),
        ("size_wrong", "warning", 1, 1),
    ]
    first = report["kinds"][1]
    assert first == {
        "kind": "box_outside",
        "severity": "error",
        "title": "box ends beyond its picture",
        "remedy": KINDS["box_outside"].remedy,
        "mendable": True,
        "accepted": False,
        "count": 1,
        "files": 1,
    }
    assert report["parts"]["train"]["other_labels"] == {"joy": 1}


def test_everything_is_in_the_report(everything: Audit) -> None:
    report = make_report(everything)
    told = [
        (p["kind"], p["file"], p["line"], p["tag"], p["object"], p["picture"])
        for p in report["problems"]
    ]
    assert told == [tuple(found) for found in listed(everything)]
    assert {kind["kind"] for kind in report["kinds"]} == set(KINDS) - {"origin_one_based"}
    assert sum(kind["count"] for kind in report["kinds"]) == len(told)
    assert report["clean"] is False
    others = {p["kind"]: p["others"] for p in report["problems"] if p["others"]}
    assert others["identical"] == ["train/img/identical_0.png"]
    assert others["identical_across_parts"] == ["test/img/identical_across_parts_1.png"]
    assert others["picture_shared"] == ["train/annotations/picture_shared.xml"]


def test_the_report_is_plain_data_and_does_not_say_where_the_data_set_lies(
    everything: Audit,
) -> None:
    report = make_report(everything)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    texts = strings(report)
    assert len(texts) > 500
    assert not [text for text in texts if str(everything.root.parent) in text]
    assert not [text for text in texts if "\\" in text]


def test_a_data_set_that_is_given_by_a_relative_path_has_the_same_report(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("identical", "picture_missing", "path_leaves_folder", "box_outside"):
        WRONG[kind](root, monkeypatch)
    absolute = make_report(audit(root, RULES))
    for place, given in ((root, "."), (root.parent, "data")):
        monkeypatch.chdir(place)
        report = make_report(audit(Path(given), RULES))
        messages = [problem.pop("message") for problem in report["problems"]]
        assert any("no picture" in message for message in messages)
        assert report | {"problems": 0} == absolute | {"problems": 0}
        assert [{**p, "message": ""} for p in report["problems"]] == [
            {**p, "message": ""} for p in absolute["problems"]
        ]


def test_accepted_kinds_are_listed_and_leave_the_data_set_clean(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("size_wrong", "box_outside"):
        WRONG[kind](root, monkeypatch)
    found = audit(root, RULES)
    some = make_report(found, ["size_wrong"])
    assert {kind["kind"]: kind["accepted"] for kind in some["kinds"]} == {
        "size_wrong": True,
        "box_outside": False,
    }
    assert not some["clean"]
    every = make_report(found, ["size_wrong", "box_outside", "similar"])
    assert every["clean"]
    assert len(every["problems"]) == 2
    assert "size_wrong: <size> disagrees with the picture (1 in 1 files, accepted)" in describe(
        every, "here"
    )


def test_the_summary_of_a_clean_data_set(root: Path) -> None:
    assert describe(make_report(audit(root, RULES)), "my/data") == (
        "train: 4 photos, 4 faces (neutral 0, anger 0, surprise 0, smile 2, sad 2)\n"
        "test: 1 photos, 1 faces (neutral 0, anger 0, surprise 0, smile 1, sad 0)\n"
        "\n"
        "my/data: clean, nothing to mend"
    )


def test_the_summary_shows_the_first_of_each_kind_and_counts_the_rest(root: Path) -> None:
    for name in "abcde":
        add_photo(root / "train", name, ("joy", SMILE[1]))
    change(root / "train" / "annotations" / "t1.xml", "<width>80<", "<width>81<")
    lines = describe(make_report(audit(root, RULES)), "d").splitlines()
    message = "unknown label 'joy'; expected neutral, anger, surprise, smile, sad"
    assert SHOWN == 3
    assert lines == [
        "train: 9 photos, 9 faces (neutral 0, anger 0, surprise 0, smile 2, sad 2);"
        " other labels: 'joy' 5",
        "test: 1 photos, 1 faces (neutral 0, anger 0, surprise 0, smile 1, sad 0)",
        "",
        "error label_unknown: label is none of the classes (5 in 5 files)",
        *(f"    train/annotations/{name}.xml:9: {message}" for name in "abc"),
        "    … and 2 more",
        f"  to mend: {KINDS['label_unknown'].remedy}",
        "",
        "warning size_wrong: <size> disagrees with the picture (1 in 1 files)",
        "    train/annotations/t1.xml: <size> is 81 x 60, but the picture is 80 x 60",
        f"  to mend: {KINDS['size_wrong'].remedy}",
        "",
        "d: 5 errors, 1 warnings; `emotion data check d --fix DIR` mends a copy, where that needs"
        " no guess",
    ]


def test_nothing_is_offered_where_nothing_can_be_mended(root: Path) -> None:
    add_photo(root / "train", "a", ("joy", SMILE[1]))
    assert describe(make_report(audit(root, RULES)), "d").endswith("\nd: 1 errors, 0 warnings")


def test_a_hostile_label_does_not_fill_the_screen(root: Path) -> None:
    for number in range(30):
        add_photo(root / "train", f"{number}", (f"{number:02d}" + "x" * 10_000, SMILE[1]), SAD)
    report = make_report(audit(root, RULES))
    text = describe(report, "d")
    assert max(map(len, text.splitlines())) < 1500
    assert f"… and {30 - LABELS} more" in text.splitlines()[0]
    assert len(report["parts"]["train"]["other_labels"]) == 30
