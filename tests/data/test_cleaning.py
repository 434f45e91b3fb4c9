"""Cleaning: what is dropped is gone, what is mended is right, and nothing else is let through."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets import HEIGHT, SAD, SMILE, WIDTH, add_clean, add_photo, change
from tests.problems import WRONG, Found, rules

from emotion.data.audit import Audit, Rules, audit
from emotion.data.cleaning import CleanData, clean, mend_face
from emotion.errors import ConfigError, DataError
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.boxes import Box
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import KINDS

RULES = Rules(LabelScheme(), copies=False)
ERRORS = [k for k in WRONG if KINDS[k].severity == "error" and KINDS[k].scope != "data"]
WARNINGS = [k for k in WRONG if KINDS[k].severity == "warning"]
MENDABLE = [k for k in WRONG if KINDS[k].mendable]
Faces = dict[str, tuple[AnnotatedFace, ...]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add_clean(tmp_path / "data")
    return tmp_path / "data"


def faces_of(found: Audit) -> Faces:
    """Gives the faces of every photo that was read, by its XML file."""
    return {
        photo.annotation.relative_to(found.root).as_posix(): photo.faces
        for folder in found.folders.values()
        for photo in folder.photos
    }


def kept_faces(found: Audit, cleaned: CleanData) -> Faces:
    return {
        photo.annotation.relative_to(found.root).as_posix(): photo.faces
        for photos in cleaned.photos.values()
        for photo in photos
    }


def without(faces: Faces, wrong: Sequence[Found]) -> Faces:
    """Leaves out the faces, or the whole photos, that problems stand in."""
    gone = {(w.file, w.number if KINDS[w.kind].scope == "face" else None) for w in wrong}
    # A problem of a picture concerns the XML file that is called like it.
    gone |= {(w.replace("/img/", "/annotations/").replace(".png", ".xml"), n) for w, n in gone}
    return {
        path: tuple(face for face in all_faces if (path, face.number) not in gone)
        for path, all_faces in faces.items()
        if (path, None) not in gone
    }


def refusal(found: Audit, drop: tuple[str, ...] = (), mend: tuple[str, ...] = ()) -> str:
    with pytest.raises(DataError) as caught:
        clean(found, drop, mend)
    return str(caught.value)


def test_clean_data_is_left_as_it_is(root: Path) -> None:
    found = audit(root, RULES)
    cleaned = clean(found, (), ())
    assert cleaned == CleanData(
        {part: list(folder.photos) for part, folder in found.folders.items()}, 0, {}, {}, {}
    )
    assert cleaned.describe() == ""


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_is_refused_unless_what_it_concerns_is_left_out(
    root: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = WRONG[kind](root, monkeypatch)
    found = audit(root, rules(root, kind))
    message = refusal(found)
    assert message.startswith(f"{root}: {len(wrong)} problems that make faces unfit to use:\n")
    assert f"\n  {kind}: {len(wrong)} ({KINDS[kind].title})\n    {found.problems[0]}\n" in message
    assert f"data.drop=[{kind}]" in message
    cleaned = clean(found, (kind,), ())
    assert kept_faces(found, cleaned) == without(faces_of(found), wrong)
    assert cleaned.dropped == {kind: len(wrong)}
    lost = sum(map(len, faces_of(found).values())) - sum(
        map(len, kept_faces(found, cleaned).values())
    )
    assert cleaned.faces_left_out == lost
    assert cleaned.describe() == f"left out {lost} faces (data.drop): {kind} {len(wrong)}\n"


@pytest.mark.parametrize("kind", WARNINGS)
def test_a_warning_is_never_refused_and_may_be_left_out(
    root: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = WRONG[kind](root, monkeypatch)
    found, count = audit(root, rules(root, kind)), sum(w.kind == kind for w in wrong)
    errors = tuple(w.kind for w in wrong if w.kind != kind)
    cleaned = clean(found, (), errors)  # a count from 1 shows in boxes that end outside
    assert list(kept_faces(found, cleaned)) == list(faces_of(found))
    assert cleaned.warned == {kind: count}
    assert cleaned.describe().endswith(
        f"used in spite of warnings (emotion data check shows them): {kind} {count}\n"
    )
    if KINDS[kind].scope != "data":
        fewer = clean(found, (kind,), ())
        assert kept_faces(found, fewer) == without(faces_of(found), wrong)
        assert (fewer.dropped, fewer.warned) == ({kind: count}, {})


@pytest.mark.parametrize("kind", MENDABLE)
def test_what_can_be_mended_loses_nothing(
    root: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = WRONG[kind](root, monkeypatch)
    found = audit(root, rules(root, kind))
    cleaned = clean(found, (), (kind,))
    kept = kept_faces(found, cleaned)
    assert {path: len(faces) for path, faces in kept.items()} == {
        path: len(faces) for path, faces in faces_of(found).items()
    }
    assert all(
        face.label in ("smile", "sad") and face.box.inside(WIDTH, HEIGHT)
        for faces in kept.values()
        for face in faces
    )
    assert (cleaned.mended, cleaned.warned) == ({kind: len(wrong)}, {})
    assert cleaned.describe() == f"mended in memory (data.mend): {kind} {len(wrong)}\n"


def test_a_class_of_one_photo_is_left_to_the_split(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRONG["class_too_small"](root, monkeypatch)
    assert clean(audit(root, RULES), (), ()).warned == {"class_too_small": 1}


def test_a_refusal_counts_each_kind_and_gives_the_first_example_and_the_ways_out(
    root: Path,
) -> None:
    for name in "abc":
        add_photo(root / "train", name, ("smile", Box(50, 10, 90, 50)))
    add_photo(root / "train", "d", ("joy", SMILE[1]), ("fear", SAD[1]))
    change(root / "train" / "annotations" / "t1.xml", "<width>80<", "<width>99<")
    message = refusal(audit(root, RULES))
    folder = root / "train" / "annotations"
    lines = message.splitlines()
    assert lines[:5] == [
        f"{root}: 5 problems that make faces unfit to use:",
        "  box_outside: 3 (box ends beyond its picture)",
        f"    {folder / 'a.xml'}:9: the box 50,10,89,49 ends beyond its picture of 80 x 60",
        "  label_unknown: 2 (label is none of the classes)",
        f"    {folder / 'd.xml'}:9: unknown label 'joy'; expected neutral, anger, surprise, smile,"
        " sad",
    ]
    rest = "\n".join(lines[5:])
    assert "Unknown labels: 'joy' 1, 'fear' 1." in rest
    assert f"`emotion data check {root}` shows them all" in rest
    assert "data.drop=[box_outside,label_unknown]" in rest
    assert "data.mend=[box_outside]" in rest
    assert "size_wrong" not in message


def test_what_nothing_mends_is_offered_no_mending(root: Path) -> None:
    add_photo(root / "train", "a", ("joy", SMILE[1]))
    assert "data.mend" not in refusal(audit(root, RULES))


@pytest.fixture
def twice_wrong(root: Path) -> Audit:
    """Of two faces, the second has a label that is unknown and a box that is too small."""
    add_photo(root / "train", "a", SMILE, ("joy", Box(60, 10, 70, 50)))
    return audit(root, RULES)


@pytest.mark.parametrize("kind", ["label_unknown", "box_too_small"])
def test_a_face_that_is_left_out_for_one_reason_is_not_refused_for_another(
    twice_wrong: Audit, kind: str
) -> None:
    cleaned = clean(twice_wrong, (kind,), ())
    (photo,) = (p for p in cleaned.photos["train"] if p.annotation.stem == "a")
    assert [face.number for face in photo.faces] == [1]
    assert (cleaned.dropped, cleaned.warned) == ({kind: 1}, {})


def test_both_reasons_are_counted_where_both_are_given(twice_wrong: Audit) -> None:
    drop = ("label_unknown", "box_too_small")
    assert clean(twice_wrong, drop, ()).dropped == dict.fromkeys(drop, 1)


def test_another_face_of_the_photo_is_still_refused(root: Path) -> None:
    add_photo(root / "train", "a", ("joy", SAD[1]), ("smile", Box(60, 10, 90, 50)))
    found = audit(root, RULES)
    assert "label_unknown" in refusal(found, drop=("box_outside",))
    assert "box_outside" in refusal(found, drop=("label_unknown",))


def test_a_photo_that_is_left_out_takes_the_problems_of_its_faces_along(root: Path) -> None:
    path = add_photo(root / "train", "a", ("joy", SAD[1]))
    change(path, "<width>80<", "<width>99<")
    cleaned = clean(audit(root, RULES), ("size_wrong",), ())
    assert [p.annotation.stem for p in cleaned.photos["train"]] == ["s1", "s2", "t1", "t2"]


def test_a_face_that_is_left_out_does_not_excuse_its_photo(root: Path) -> None:
    for name, box in {"a": SAD[1], "b": Box(60, 10, 70, 50)}.items():
        add_photo(root / "train", name, ("sad" if name == "a" else "smile", box), seed="same")
    message = refusal(audit(root, Rules(LabelScheme())), drop=("box_too_small",))
    assert "identical_labels_differ: 2" in message
    assert "box_too_small" not in message


def test_what_is_left_out_is_not_mended(root: Path) -> None:
    add_photo(root / "train", "a", SMILE, ("joy", Box(30, 10, 90, 50)))
    add_photo(root / "train", "b", ("sad", Box(30, 10, 90, 50)))
    cleaned = clean(audit(root, RULES), ("label_unknown",), ("box_outside",))
    assert cleaned.dropped == {"label_unknown": 1}
    assert cleaned.mended == {"box_outside": 1}
    assert cleaned.describe() == (
        "left out 1 faces (data.drop): label_unknown 1\n"
        "mended in memory (data.mend): box_outside 1\n"
    )


def test_a_face_whose_label_is_dropped_may_be_as_wrong_as_it_likes(root: Path) -> None:
    add_photo(root / "train", "a", SMILE, ("fear", Box(30, 10, 90, 50)))
    known = audit(root, Rules(LabelScheme(mapping={"fear": "sad"})))
    assert "box_outside: 1" in refusal(known)
    dropped = clean(audit(root, Rules(LabelScheme(mapping={"fear": None}))), (), ())
    assert dropped.describe() == ""


def test_nothing_is_mended_that_was_not_asked_for(root: Path) -> None:
    add_photo(root / "train", "a", (" Smile", Box(-5, 10, 90, 50)))
    found = audit(root, RULES)
    message = refusal(found, mend=("box_outside", "label_spelling"))
    assert "box_negative: 1" in message
    assert "box_outside" not in message
    mended = clean(found, (), ("box_outside", "box_negative", "label_spelling"))
    (face,) = next(p for p in mended.photos["train"] if p.annotation.stem == "a").faces
    assert (face.label, face.box) == ("smile", Box(0, 10, 80, 50))


@pytest.mark.parametrize(
    ("drop", "mend", "start"),
    [
        (("nonsense",), (), "data.drop: 'nonsense' is no kind of problem; expected some of "),
        ((), ("nonsense",), "data.mend: 'nonsense' is no kind of problem; expected some of "),
        (("box_outside", "class_too_small"), (), "data.drop: 'class_too_small' is no choice here;"),
        (("origin_one_based",), (), "data.drop: 'origin_one_based' is no choice here; expected"),
        ((), ("label_unknown",), "data.mend: 'label_unknown' is no choice here; expected some of"),
    ],
)
def test_kinds_that_cannot_be_given_are_refused(
    root: Path, drop: tuple[str, ...], mend: tuple[str, ...], start: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        clean(audit(root, RULES), drop, mend)
    message = str(caught.value)
    assert message.startswith(start)
    allowed = [kind.name for kind in KINDS.values() if not mend or kind.mendable]
    scoped = [name for name in allowed if KINDS[name].scope != "data"]
    assert message.endswith(f"expected some of {', '.join(scoped)}")


CORNERS = st.integers(-200, 300)


@given(x=st.tuples(CORNERS, CORNERS), y=st.tuples(CORNERS, CORNERS), negative=st.booleans())
def test_mended_boxes_are_cut_off_at_the_border_where_that_was_asked_for(
    x: tuple[int, int], y: tuple[int, int], negative: bool
) -> None:
    box = Box(min(x), min(y), max(x) + 1, max(y) + 1)
    mend = ("box_negative",) if negative else ("box_outside",)
    face = AnnotatedFace("smile", box, False, 3, 7)
    half = mend_face(face, (100, 90), LabelScheme(), mend)
    whole = mend_face(face, (100, 90), LabelScheme(), ("box_negative", "box_outside"))
    assert replace(half, box=box) == replace(whole, box=box) == face
    assert mend_face(face, (0, 0), LabelScheme(), mend) == face
    columns = set(range(100)) & set(range(box.left, box.right))
    rows = set(range(90)) & set(range(box.top, box.bottom))
    if not columns or not rows:
        assert half == whole == face  # where it should be would be a guess
        return
    inside = Box(min(columns), min(rows), max(columns) + 1, max(rows) + 1)
    assert whole.box == inside
    if negative:
        assert half.box == Box(inside.left, inside.top, box.right, box.bottom)
    else:
        assert half.box == Box(box.left, box.top, inside.right, inside.bottom)


@pytest.mark.parametrize(
    ("label", "mended"),
    [
        ("Smile", "smile"),
        (" s m i l e\n", "smile"),
        ("HAPPY", "happy"),  # which is mapped
        ("happy", "happy"),
        ("smile", "smile"),
        ("smiles", "smiles"),
        ("Fear ", "fear"),
    ],
)
def test_mended_labels_are_written_as_they_are_known(label: str, mended: str) -> None:
    scheme = LabelScheme(mapping={"happy": "smile", "fear": None})
    face = AnnotatedFace(label, Box(-5, 0, 5, 5), False, 3)
    assert mend_face(face, (9, 9), scheme, ("label_spelling",)) == replace(face, label=mended)
    assert mend_face(face, (9, 9), scheme, ()) == face
