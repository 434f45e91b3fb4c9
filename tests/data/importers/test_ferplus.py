import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.data.importers.ferplus import RULES, VOTES, photos, winner
from emotion.data.importers.photos import SourcePhoto
from emotion.data.importers.trees import open_tree
from emotion.errors import ConfigError, DataError

Build = Callable[..., Path]
ROWS = {
    "a.png": (4, 0, 0, 1, 3, 2, 0, 0, 0, 0),  # official: 4 of 9 do not suffice
    "b.png": (5, 1, 1, 1, 1, 1, 0, 0, 0, 0),  # official: the only one; no majority
    "c.png": (0, 6, 4, 0, 0, 0, 0, 0, 0, 0),
    "d.png": (0, 0, 0, 0, 5, 5, 0, 0, 0, 0),  # a tie
    "e.png": (0, 0, 0, 0, 0, 0, 0, 0, 9, 1),
}


def label_csv(rows: Mapping[str, tuple[int, ...]]) -> str:
    return "".join(
        f'{name},"(0, 0, 40, 30)",{",".join(map(str, votes))}\n' for name, votes in rows.items()
    )


@pytest.fixture
def files(picture: Any) -> dict[str, Any]:
    pictures = {f"FER2013Train/{name}": picture(n) for n, name in enumerate(ROWS)}
    valid = {"FER2013Valid/a.png": picture(9)}
    return {
        **pictures,
        **valid,
        "FER2013Train/label.csv": label_csv(ROWS),
        "FER2013Valid/label.csv": label_csv({"a.png": (0, 0, 0, 10, 0, 0, 0, 0, 0, 0)}),
    }


@pytest.mark.parametrize(
    ("rule", "labels"),
    [
        ("official", {"b.png": ["neutral"], "c.png": ["smile"]}),
        ("majority", {"c.png": ["smile"]}),
        ("plurality", {"a.png": ["neutral"], "b.png": ["neutral"], "c.png": ["smile"]}),
    ],
)
def test_the_rule_chooses(
    archive: Build, imported: Any, files: dict[str, Any], rule: str, labels: dict[str, list[str]]
) -> None:
    result = imported("ferplus", archive(files), rule=rule)
    assert result.labels("train") == labels
    assert result.faces("val") == {"a.png": [("sad", (0, 0, 39, 29))]}
    assert result.summary.faces["unknown", "train"] == 1
    assert result.summary.faces["no winner", "train"] == 4 - len(labels)
    assert result.record["settings"] == {"rule": rule}
    with (result.root / "train/votes.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["filename", *VOTES]
    assert rows == [[name, *map(str, ROWS[name])] for name in labels]


def test_the_winner_needs_votes_besides(folder: Build, imported: Any, files: Any) -> None:
    result = imported("ferplus", folder(files), rule="plurality", votes=6)
    assert result.labels("train") == {"c.png": ["smile"]}


def test_kept_others_are_emotions_only(folder: Build, imported: Any, files: Any) -> None:
    files["FER2013Train/label.csv"] += label_csv({"f.png": (0, 0, 0, 0, 0, 0, 10, 0, 0, 0)})
    files["FER2013Train/f.png"] = files["FER2013Train/a.png"]
    result = imported("ferplus", folder(files), keep_others=True)
    assert result.labels("train") == {
        **{"b.png": ["neutral"], "c.png": ["smile"]},
        "f.png": ["fear"],
    }


def test_rows_that_are_no_faces_are_records(folder: Build, imported: Any, files: Any) -> None:
    ten = "0,9,0,0,0,0,0,0,0,0"
    shown = ten.replace(",", ", ")
    files["FER2013Train/label.csv"] += (
        f'a.png,"(0, 0, 48, 48)",1,2\nb.png,"(nan, 0, 48, 48)",{ten}\n'
        f'c.png,"(0, 0, 48, 48)",x{ten}\nc.png,"(0, 0, 0, 48)",{ten}\n'
        f'../a.png,"(0, 0, 48, 48)",{ten}\ngone.png,"(0, 0, 48, 48)",{ten}\n'
    )
    result = imported("ferplus", folder(files))
    records = {each["place"]: each["reason"] for each in result.record["not_used"]["records"]}
    assert records == {
        "FER2013Train/label.csv:6": "expected a name, a box and 10 votes, got 4 fields",
        "FER2013Train/label.csv:7": "expected a box as in '(0, 0, 48, 48)', got '(nan, 0, 48, 48)'",
        "FER2013Train/label.csv:8": f"expected whole numbers of votes, got x{shown}",
        "FER2013Train/c.png": "the box 0, 0, 0, 48 (left, top, right, bottom) has no area",
        "FER2013Train/../a.png": "leads out of the source; nothing outside it is read",
        "FER2013Train/gone.png": "no such file in the source",
    }


def test_labels_that_are_no_text_are_an_error(folder: Build, imported: Any) -> None:
    with pytest.raises(DataError, match=r"label\.csv: is no UTF-8 text"):
        imported("ferplus", folder({"FER2013Test/label.csv": b"\xff,\xfe"}))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"rule": "best"}, "--rule: expected official, majority, plurality, got 'best'"),
        ({"votes": 11}, "--votes: expected 0 to 10"),
        ({"votes": -1}, "--votes: expected 0 to 10"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(
    folder: Build, imported: Any, files: Any, settings: Any, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        imported("ferplus", folder(files), **settings)


def recount(votes: Any, rule: str) -> Any:
    """Finds the winners of all rows with numpy; -1 where there is none."""
    kept = np.where(votes <= 1, 0, votes) if rule == "official" else votes
    most = kept.max(axis=1)
    if rule == "plurality":
        won = np.sort(kept, axis=1)[:, -1] > np.sort(kept, axis=1)[:, -2]
    else:
        won = most / np.maximum(kept.sum(axis=1), 1) > 0.5
    return np.where(won, kept.argmax(axis=1), -1)


@given(st.lists(st.integers(0, 10), min_size=10, max_size=10), st.sampled_from(RULES))
def test_the_winner_is_numpys(votes: list[int], rule: str) -> None:
    (expected,) = recount(np.array([votes]), rule)
    assert winner(votes, rule) == [*VOTES, "no winner"][expected]


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_each_winner_in_the_real_data_is_numpys(shared: Path, rule: str) -> None:
    source = shared / "data/ferplus.zip"
    with open_tree(source) as tree:
        found = [photo for photo in photos(tree, rule) if isinstance(photo, SourcePhoto)]
    assert Counter(photo.part for photo in found) == {"train": 26804, "val": 3510}
    for part, folder in (("train", "FER2013Train"), ("val", "FER2013Valid")):
        votes = np.array([row[2:] for row in rows_of(source, folder)], dtype=int)
        names = np.array([*VOTES, "no winner"])[recount(votes, rule)]
        labels = [photo.faces[0].label for photo in found if photo.part == part]
        assert labels == names.tolist()


def rows_of(source: Path, folder: str) -> list[list[str]]:
    with zipfile.ZipFile(source) as packed, packed.open(f"{folder}/label.csv") as stream:
        return list(csv.reader(io.TextIOWrapper(stream, "utf-8")))


@pytest.mark.slow
def test_the_real_data_is_imported_whole(shared: Path, imported: Any) -> None:
    source = shared / "data/ferplus.zip"
    result = imported("ferplus", source)
    assert result.summary.refused == 0
    classes = {"neutral": "neutral", "happiness": "smile", "surprise": "surprise"}
    classes |= {"sadness": "sad", "anger": "anger"}
    for part, folder in (("train", "FER2013Train"), ("val", "FER2013Valid")):
        rows = rows_of(source, folder)
        votes = np.array([row[2:] for row in rows], dtype=int)
        expected = {
            row[0]: [classes[VOTES[winner]]]
            for row, winner in zip(rows, recount(votes, "official"), strict=True)
            if winner >= 0 and VOTES[winner] in classes
        }
        assert result.labels(part) == expected
        counts = Counter(label for (label,) in expected.values())
        assert result.record["parts"][part]["classes"] == counts
        with (result.root / part / "votes.csv").open(newline="") as stream:
            kept = [[row[0], *row[2:]] for row in rows if row[0] in expected]
            assert list(csv.reader(stream))[1:] == sorted(kept)
        with zipfile.ZipFile(source) as packed:
            for name in sorted(expected)[::100]:
                copied = (result.root / part / "img" / name).read_bytes()
                assert copied == packed.read(f"{folder}/{name}")
