import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from emotion.data.importers.photos import Refusal, SourceFace, SourcePhoto
from emotion.data.importers.trees import open_tree
from emotion.data.importers.voc_folder import plan, write_lists, write_photos

CLASSES = {"joy": "smile", "sad": "sad"}


def photo(part: str, path: str, *labels: str) -> SourcePhoto:
    return SourcePhoto(part, path, tuple(SourceFace(label) for label in labels))


def test_photos_without_a_class_are_not_planned_and_the_order_does_not_matter() -> None:
    photos = [
        photo("test", "a/1.png", "joy"),
        photo("train", "a/1.png", "sad", "fear"),
        photo("train", "b/1.png", "fear"),
        photo("train", "c/1.png"),
        photo("train", "d/2.png", "joy"),
    ]
    planned = plan(photos, CLASSES.get)
    assert [(each.photo.part, each.name, each.classes) for each in planned] == [
        ("test", "1.png", ("smile",)),
        ("train", "1.png", ("sad", None)),
        ("train", "2.png", ("smile",)),
    ]
    random.Random(1).shuffle(photos)
    assert plan(photos, CLASSES.get) == planned


def test_pixels_become_a_picture_and_lists_name_what_was_written(
    folder: Callable[..., Path], tmp_path: Path
) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    photos = [
        SourcePhoto("", "a.png", (SourceFace("joy"),), "ann", {"joy": 3, "sad": 1}, pixels=pixels),
        SourcePhoto("", "b.png", (SourceFace("joy", (0, 0, 1, 1)),), "bob", pixels=pixels),
        SourcePhoto("", "c.odd", (SourceFace("joy"),), pixels=pixels),
    ]
    root = tmp_path / "faces"
    with open_tree(folder({"readme.txt": ""})) as tree:
        written = list(write_photos(root, tree, plan(photos, CLASSES.get)))
    write_lists(root, written)
    assert [len(each.faces) for each in written] == [1, 0, 0]
    assert written[1].refusals == (
        Refusal("b.png", "the box 0, 0, 1, 1 (left, top, right, bottom) has no area"),
    )
    assert written[2].refusals[0].reason.startswith("its ending is not that of a picture")
    with Image.open(root / "img/a.png") as image:
        assert np.array_equal(np.asarray(image), np.stack([pixels] * 3, axis=2))
    assert (root / "groups.csv").read_text() == "filename,person\na.png,ann\n"
    assert (root / "votes.csv").read_text() == "filename,joy,sad\na.png,3,1\n"
    assert sorted(path.name for path in root.rglob("*.*")) == [
        *("a.png", "a.xml"),
        *("groups.csv", "votes.csv"),
    ]
