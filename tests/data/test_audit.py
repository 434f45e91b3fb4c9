"""The audit: every kind of problem is found where it is, and nothing is found in clean data."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.datasets import SAD, SMILE, add_clean, add_photo, hashes, picture_of
from tests.problems import WRONG, Found, listed, rules

from emotion.data.audit import Rules, audit
from emotion.errors import DataError
from emotion.faces.boxes import Box
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import KINDS


def test_every_kind_is_made() -> None:
    assert set(WRONG) == set(KINDS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add_clean(tmp_path / "data")
    return tmp_path / "data"


def test_clean_data_has_no_problem(root: Path) -> None:
    found = audit(root, Rules(LabelScheme()))
    assert found.problems == ()
    assert {part: len(folder.photos) for part, folder in found.folders.items()} == {
        "train": 4,
        "test": 1,
    }
    assert len(found.facts) == 5
    assert found.copies == []


def test_the_sample_data_set_is_clean(sample_root: Path) -> None:
    assert [str(problem) for problem in audit(sample_root, Rules(LabelScheme())).problems] == []


@pytest.mark.parametrize("kind", WRONG)
def test_each_kind_is_found_where_it_is(
    root: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = WRONG[kind](root, monkeypatch)
    found = audit(root, rules(root, kind))
    assert sorted(listed(found), key=str) == sorted(expected, key=str)
    for problem in found.problems:
        assert problem.message
        assert "\n" not in problem.message
        in_xml = problem.path.suffix == ".xml"
        assert problem.annotation == (problem.path if in_xml else xml_of(problem.image))


def xml_of(image: Path | None) -> Path | None:
    """Gives the XML file beside a picture, where there is one."""
    path = None if image is None else image.parents[1] / "annotations" / f"{image.stem}.xml"
    return path if path and path.exists() else None


def test_many_problems_at_once_are_all_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Boxes that begin left of their picture show that coordinates do not count from 1.
    kinds = [kind for kind in WRONG if kind != "origin_one_based"]
    expected = [found for kind in kinds for found in WRONG[kind](root, monkeypatch)]
    # The groups are of photos that can be read, and of all of them.
    found = audit(root, rules(root))
    assert sorted(listed(found), key=str) == sorted(expected, key=str)
    assert len(expected) == len(kinds) + 3  # of conflicts and differing labels there are two each
    places = [(str(problem.path), problem.line or 0, problem.kind) for problem in found.problems]
    assert places == sorted(places)


def test_the_order_in_which_files_were_made_changes_nothing(tmp_path: Path) -> None:
    roots = [tmp_path / "first" / "data", tmp_path / "second" / "data"]
    for root, names in zip(roots, ("abcdef", "fedcba"), strict=True):
        for name in names:
            label = "sad" if name < "c" else "joy"
            add_photo(root, name, (label, SMILE[1]), ("sad", SMILE[1]), seed=name.replace("f", "a"))
    one, two = (audit(root, Rules(LabelScheme())) for root in roots)
    assert len(one.problems) > 10
    assert listed(one) == listed(two)
    assert [p.message for p in one.problems] == [p.message for p in two.problems]
    assert [p.name for pair in one.copies for p in pair] == [
        p.name for pair in two.copies for p in pair
    ]


def test_an_audit_writes_nothing_into_the_data_set(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for kind in ("box_negative", "size_wrong", "filename_wrong", "picture_truncated", "identical"):
        WRONG[kind](root, monkeypatch)
    before = hashes(root)
    audit(root, Rules(LabelScheme()), tmp_path / "cache")
    assert hashes(root) == before


def test_with_a_cache_the_second_audit_decodes_nothing_and_finds_the_same(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("picture_truncated", "similar", "box_outside", "size_transposed"):
        WRONG[kind](root, monkeypatch)
    first = audit(root, Rules(LabelScheme()), tmp_path / "cache")
    monkeypatch.setattr("emotion.data.pictures.read_image", None)
    assert audit(root, Rules(LabelScheme()), tmp_path / "cache") == first


def kinds_of(root: Path, rules: Rules) -> list[str]:
    return [problem.kind for problem in audit(root, rules).problems]


def test_without_copies_neither_copies_nor_persons_are_compared(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("identical", "similar_across_parts", "group_across_parts"):
        WRONG[kind](root, monkeypatch)
    assert len(kinds_of(root, rules(root))) == 3
    assert kinds_of(root, replace(rules(root), copies=False)) == []


def test_the_smallest_face_is_set_by_the_rules(root: Path) -> None:
    add_photo(root / "train", "a", ("smile", Box(10, 10, 40, 42)))
    assert kinds_of(root, Rules(LabelScheme(), smallest=30, copies=False)) == []
    assert kinds_of(root, Rules(LabelScheme(), smallest=31, copies=False)) == ["box_too_small"]


def test_labels_of_copies_are_compared_by_their_class(root: Path) -> None:
    add_photo(root / "train", "a", ("happy", SMILE[1]), seed="same")
    add_photo(root / "train", "b", ("smile", SMILE[1]), seed="same")
    add_photo(root / "train", "c", ("Smile ", SMILE[1]), seed="same")
    scheme = LabelScheme(mapping={"happy": "smile"})
    assert kinds_of(root, Rules(scheme)) == ["identical", "identical", "label_spelling"]
    fewer = kinds_of(root, Rules(LabelScheme()))
    assert fewer.count("identical_labels_differ") == 3
    assert fewer.count("label_unknown") == 1


def test_a_copy_without_a_face_differs_from_one_with_a_face(root: Path) -> None:
    add_photo(root / "train", "a", seed="same")
    path = add_photo(root / "train", "b", seed="same")
    path.write_text("<annotation><filename>b.png</filename></annotation>")
    found = audit(root, Rules(LabelScheme())).problems
    assert [(p.path.name, p.kind) for p in found] == [
        ("a.xml", "identical_labels_differ"),
        ("b.xml", "identical_labels_differ"),
        ("b.xml", "no_object"),
    ]
    assert found[0].message == "the picture is identical to b.png: smile here, no face there"
    assert found[1].message == "the picture is identical to a.png: no face here, smile there"


def test_broken_pictures_are_no_copies_of_one_another(root: Path) -> None:
    for name, face in {"a": SMILE, "b": SAD}.items():
        picture_of(add_photo(root / "train", name, face)).write_bytes(b"")
    found = audit(root, Rules(LabelScheme()))
    assert [problem.kind for problem in found.problems] == ["picture_empty"] * 2
    assert found.copies == []


@pytest.mark.parametrize("alone", [True, False])
def test_a_broken_picture_of_no_xml_file_or_of_a_broken_one_is_listed_too(
    root: Path, alone: bool
) -> None:
    path = add_photo(root / "train", "a")
    picture_of(path).write_bytes(b"")
    if alone:
        path.unlink()
    else:
        path.write_text("")
    found = listed(audit(root, Rules(LabelScheme())))
    empty = Found("picture_empty", "train/img/a.png", picture="train/img/a.png")
    other = (
        empty._replace(kind="picture_unannotated")
        if alone
        else Found("xml_malformed", "train/annotations/a.xml", 1, picture="train/img/a.png")
    )
    assert sorted(found) == sorted([empty, other])


@pytest.mark.parametrize(
    ("origin", "right", "expected"),
    [
        (0, 81, ["box_outside", "origin_one_based"]),
        (1, 81, []),
        (1, 82, ["box_outside"]),  # it is simply wrong
    ],
)
def test_an_origin_that_is_set_is_believed(
    root: Path, origin: int, right: int, expected: list[str]
) -> None:
    add_photo(root / "train", "a", ("smile", Box(30, 2, right, 61)), SAD)
    assert sorted(kinds_of(root, Rules(LabelScheme(), origin))) == expected


def test_groups_are_known_by_the_picture(root: Path) -> None:
    found = audit(root, Rules(LabelScheme(), groups=r"name:^(\D)"))
    assert {path.name: group for path, group in found.groups.items()} == {
        "s1.png": "s",
        "s2.png": "s",
        "s3.png": "s",
        "t1.png": "t",
        "t2.png": "t",
    }
    told = [(p.kind, p.image, p.others) for p in found.problems if p.kind != "class_too_small"]
    test = (root / "test" / "img" / "s3.png",)
    assert told == [
        ("group_across_parts", root / "train" / "img" / f"{name}.png", test)
        for name in ("s1", "s2")
    ]
    too_small = [p.message for p in found.problems if p.kind == "class_too_small"]
    assert too_small == [
        f"class {name} has 1 person; train and validation need one each"
        for name in ("smile", "sad")
    ]


def test_groups_that_are_not_there_are_refused(root: Path) -> None:
    with pytest.raises(DataError, match=r"data\.groups=gone\.csv: no such file"):
        audit(root, Rules(LabelScheme(), groups="gone.csv"))


def test_identical_and_similar_pictures_are_copies(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRONG["identical"](root, monkeypatch)
    WRONG["similar_across_parts"](root, monkeypatch)
    copies = audit(root, Rules(LabelScheme())).copies
    assert [[path.relative_to(root).as_posix() for path in paths] for paths in copies] == [
        ["train/img/identical_0.png", "train/img/identical_1.png"],
        ["train/img/similar_across_parts_0.png", "test/img/similar_across_parts_1.png"],
    ]


@pytest.mark.slow
def test_the_photos_of_the_original_are_clean(shared: Path) -> None:
    found = audit(shared / "data" / "nota24", Rules(LabelScheme()))
    assert found.problems == ()
    (folder,) = found.folders.values()
    assert len(folder.photos) == 24
    assert sum(len(photo.faces) for photo in folder.photos) == 28


@pytest.mark.slow
def test_the_photos_of_five_emotions_have_no_error(shared: Path) -> None:
    found = audit(shared / "data" / "faces5", Rules(LabelScheme(), groups="groups.csv"))
    assert {part: len(folder.photos) for part, folder in found.folders.items()} == {
        "train": 1688,
        "test": 184,
    }
    kinds = {problem.kind for problem in found.problems}
    assert {kind for kind in kinds if KINDS[kind].severity == "error"} == set()
    assert len(found.groups) == 1688 + 184
