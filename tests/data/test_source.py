"""The source of faces: audited, cleaned, and without what nobody asked for."""

from pathlib import Path

import pytest
from tests.datasets import SAD, SMILE, add_clean, add_photo, change

from emotion.data.audit import Rules, audit
from emotion.data.cleaning import clean
from emotion.data.pictures import FILE
from emotion.data.source import FaceSet, FaceSource
from emotion.errors import ConfigError, DataError
from emotion.faces.boxes import Box
from emotion.faces.labels import LabelScheme

RULES = Rules(LabelScheme(mapping={"happy": "smile", "fear": None}), copies=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add_clean(tmp_path / "data")
    return tmp_path / "data"


def used(faces: FaceSet) -> dict[str, list[tuple[str, list[str]]]]:
    """Gives the photos of each part with the labels of their faces."""
    return {
        part: [(photo.image.stem, [face.label for face in photo.faces]) for photo in photos]
        for part, photos in faces.photos.items()
    }


def test_a_clean_data_set_is_used_whole(root: Path) -> None:
    faces = FaceSource(root, RULES).read()
    assert used(faces) == {
        "train": [("s1", ["smile"]), ("s2", ["smile"]), ("t1", ["sad"]), ("t2", ["sad"])],
        "test": [("s3", ["smile"])],
    }
    assert faces.audit == audit(root, RULES)
    assert faces.cleaned == clean(faces.audit, (), ())


def test_faces_whose_label_is_dropped_are_left_out_and_photos_without_faces_too(
    root: Path,
) -> None:
    add_photo(root / "test", "a", ("fear", SMILE[1]), ("happy", SAD[1]))
    add_photo(root / "test", "b", ("fear", SMILE[1]))
    assert used(FaceSource(root, RULES).read())["test"] == [("a", ["happy"]), ("s3", ["smile"])]


def test_difficult_faces_are_used_unless_they_are_not_wanted(root: Path) -> None:
    path = add_photo(root / "test", "a", SMILE, SAD)
    text = path.read_text().split("<difficult>0")
    path.write_text("<difficult>1".join(text[:2]) + "<difficult>0" + text[2])
    assert used(FaceSource(root, RULES).read())["test"][0] == ("a", ["smile", "sad"])
    fewer = FaceSource(root, RULES, keep_difficult=False).read()
    assert used(fewer)["test"] == [("a", ["sad"]), ("s3", ["smile"])]


def test_problems_are_refused_dropped_or_mended(root: Path) -> None:
    add_photo(root / "train", "a", ("smile", Box(50, 10, 85, 50)), ("joy", SMILE[1]))
    with pytest.raises(DataError, match=r"2 problems that make faces unfit to use"):
        FaceSource(root, RULES).read()
    faces = FaceSource(root, RULES, drop=["label_unknown"], mend=["box_outside"]).read()
    (face,) = faces.photos["train"][0].faces
    assert face.box == Box(50, 10, 80, 50)
    assert (faces.cleaned.dropped, faces.cleaned.mended) == (
        {"label_unknown": 1},
        {"box_outside": 1},
    )


def test_a_photo_is_found_by_its_mended_label(root: Path) -> None:
    add_photo(root / "train", "a", ("Fear", SMILE[1]), ("HAPPY", SAD[1]))
    faces = FaceSource(root, RULES, mend=["label_spelling"]).read()
    assert used(faces)["train"][0] == ("a", ["happy"])


def test_kinds_that_do_not_exist_are_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"^data\.drop: 'boxes' is no kind of problem"):
        FaceSource(root, RULES, drop=["boxes"]).read()


def test_the_rules_are_followed(root: Path) -> None:
    change(root / "train" / "annotations" / "s1.xml", ">10<", ">0<")
    with pytest.raises(DataError, match="box_negative"):
        FaceSource(root, Rules(LabelScheme(), origin=1, copies=False)).read()


def test_facts_of_pictures_are_kept(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FaceSource(root, RULES, cache=tmp_path / "cache")
    first = source.read()
    assert (tmp_path / "cache" / FILE).is_file()
    monkeypatch.setattr("emotion.data.pictures.read_image", None)
    assert source.read() == first


def test_a_data_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone: no such folder; set data\.root="):
        FaceSource(tmp_path / "gone", RULES).read()
