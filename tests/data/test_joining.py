"""Data sets side by side: where photos go, who is who, and what cannot be joined."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from emotion.data.assignment import SplitPlan, assign, freeze
from emotion.data.audit import Rules
from emotion.data.joining import JoinedSource, join
from emotion.data.parts import read_parts
from emotion.data.source import FaceSource
from emotion.data.split_file import write_split
from emotion.errors import DataError
from emotion.faces.annotations import write_annotation
from emotion.faces.boxes import Box
from emotion.faces.images import write_image
from emotion.faces.labels import LabelScheme

LABELS = ("neutral", "anger", "surprise", "smile", "sad")


def data_set(folder: Path, *names: str) -> Path:
    for place in ("img", "annotations"):
        (folder / place).mkdir(parents=True)
    for number, name in enumerate(names):
        pixels = np.random.default_rng(len(str(folder)) + number).integers(0, 256, (40, 40, 3))
        write_image(folder / "img" / f"{name}.png", pixels.astype(np.uint8))
        faces = [(LABELS[number % 5], Box(2, 2, 38, 38))]
        write_annotation(folder / "annotations" / f"{name}.xml", f"{name}.png", (40, 40), faces)
    return folder


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def test_parts_are_kept_and_a_folder_goes_where_it_is_told(tmp_path: Path) -> None:
    data_set(tmp_path / "one" / "train", "a", "b")
    data_set(tmp_path / "one" / "test", "c")
    two = data_set(tmp_path / "two", "d")
    counts = join(
        [JoinedSource(tmp_path / "one"), JoinedSource(two, "val"), JoinedSource(two)],
        tmp_path / "all",
    )
    assert counts == {"test": {"one": 1}, "train": {"one": 2, "two": 1}, "val": {"two": 1}}
    read = read_parts(tmp_path / "all", 0)
    names = {p: [photo.image.name for photo in folder.photos] for p, folder in read.items()}
    assert names == {"train": ["a.png", "b.png", "d.png"], "val": ["d.png"], "test": ["c.png"]}
    assert not any(folder.problems for folder in read.values())
    assert rows(tmp_path / "all" / "train" / "sources.csv") == [
        *(["filename", "source"], ["a.png", "one"], ["b.png", "one"], ["d.png", "two"])
    ]
    assert not (tmp_path / "all" / "train" / "groups.csv").exists()
    original = (tmp_path / "one" / "train" / "img" / "a.png").read_bytes()
    assert (tmp_path / "all" / "train" / "img" / "a.png").read_bytes() == original


def test_persons_and_votes_come_along(tmp_path: Path) -> None:
    one, two = data_set(tmp_path / "one", "a", "b"), data_set(tmp_path / "two", "d")
    (one / "groups.csv").write_text("filename,person\na.png,anna\nb.png,anna\n")
    (two / "votes.csv").write_text("filename,neutral,anger\nd.png,7,3\n")
    join([JoinedSource(one), JoinedSource(two)], tmp_path / "all")
    train = tmp_path / "all" / "train"
    assert rows(train / "groups.csv")[1:] == [
        *(["a.png", "one: anna"], ["b.png", "one: anna"], ["d.png", "two: d.png"])
    ]
    assert rows(train / "votes.csv") == [["filename", "neutral", "anger"], ["d.png", "7", "3"]]


def test_a_frozen_split_says_where_photos_go(tmp_path: Path) -> None:
    names = [f"p{i}" for i in range(20)]
    root = data_set(tmp_path / "one", *names)
    faces = FaceSource(root, Rules(LabelScheme())).read()
    plan = SplitPlan(val=5, seed=3)
    photos = assign(faces.photos, faces.audit, plan)
    write_split(tmp_path / "split.json", freeze(photos, faces.audit, plan))
    counts = join([JoinedSource(root, None, tmp_path / "split.json")], tmp_path / "all")
    assert counts == {"train": {"one": 15}, "val": {"one": 5}}
    val = read_parts(tmp_path / "all", 0)["val"]
    assert [p.image.name for p in val.photos] == sorted(p.image.name for p in photos["val"])


def test_what_cannot_be_joined_leaves_nothing_behind(tmp_path: Path) -> None:
    one, two = data_set(tmp_path / "one", "a"), data_set(tmp_path / "two", "A")
    with pytest.raises(DataError, match=r"would have one name in train/; rename one of them"):
        join([JoinedSource(one), JoinedSource(two)], tmp_path / "all")
    (one / "votes.csv").write_text("filename,neutral,anger\na.png,7\n")
    with pytest.raises(DataError, match=r"votes.csv:2: expected 3 cells, got 2"):
        join([JoinedSource(one)], tmp_path / "all")
    (one / "votes.csv").write_text("filename,neutral,anger\na.png,7,3\n")
    (two / "votes.csv").write_text("filename,anger,neutral\nA.png,7,3\n")
    shutil.move(two / "img" / "A.png", two / "img" / "b.png")
    shutil.move(two / "annotations" / "A.xml", two / "annotations" / "b.xml")
    with pytest.raises(DataError, match=r"expected the columns neutral, anger, as elsewhere"):
        join([JoinedSource(one), JoinedSource(two)], tmp_path / "all")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "mine.txt").touch()
    with pytest.raises(DataError, match="is not an empty folder"):
        join([JoinedSource(one)], tmp_path / "all")
