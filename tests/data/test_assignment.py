"""Who stands where: by folders, shares, counts, folds and frozen splits; nobody on two sides."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.datasets import SAD, SMILE, add_clean, add_photo, change, noise, picture_of

from emotion.data.assignment import SplitPlan, assign, freeze
from emotion.data.audit import Rules
from emotion.data.source import FaceSet, FaceSource
from emotion.data.split_file import read_split, write_split
from emotion.errors import ConfigError, DataError
from emotion.faces.images import write_image
from emotion.faces.labels import LabelScheme

RULES = Rules(LabelScheme())
SMILES = [f"a{number}" for number in range(10)]
SADS = [f"b{number}" for number in range(10)]
Parts = dict[str, list[str]]


def fill(folder: Path, names: list[str]) -> None:
    """Adds photos of one face each: those called a… smile, the others are sad."""
    for name in names:
        add_photo(folder, name, SMILE if name.startswith("a") else SAD)


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ten smiling and ten sad photos; nobody writes into it."""
    root = tmp_path_factory.mktemp("flat") / "data"
    fill(root, SMILES + SADS)
    return root


@pytest.fixture(scope="module")
def flat_faces(flat: Path) -> FaceSet:
    return FaceSource(flat, RULES).read()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of three smiling and three sad photos, to change."""
    fill(tmp_path / "data", SMILES[:3] + SADS[:3])
    return tmp_path / "data"


def stems(faces: FaceSet, plan: SplitPlan) -> Parts:
    photos = assign(faces.photos, faces.audit, plan)
    return {part: [photo.annotation.stem for photo in members] for part, members in photos.items()}


def parts_of(root: Path, plan: SplitPlan, groups: str | None = None) -> Parts:
    return stems(FaceSource(root, replace(RULES, groups=groups)).read(), plan)


def everyone(parts: Parts) -> list[str]:
    return sorted(name for members in parts.values() for name in members)


def kinds(members: list[str]) -> tuple[int, int]:
    """Counts those that smile and those that are sad."""
    smiling = sum(name.startswith("a") for name in members)
    return smiling, len(members) - smiling


def frozen(root: Path, plan: SplitPlan) -> Path:
    """Freezes the split of a plan in a file beside the data set."""
    faces = FaceSource(root, RULES).read()
    path = root.parent / "split.json"
    write_split(path, freeze(assign(faces.photos, faces.audit, plan), faces.audit, plan))
    return path


# --- folders, shares and counts


def test_a_fifth_of_each_class_validates_where_nothing_is_said(flat_faces: FaceSet) -> None:
    parts = stems(flat_faces, SplitPlan())
    assert list(parts) == ["train", "val"]
    assert everyone(parts) == SMILES + SADS
    assert (kinds(parts["train"]), kinds(parts["val"])) == ((8, 8), (2, 2))
    assert all(members == sorted(members) for members in parts.values())


def test_the_seed_draws(flat_faces: FaceSet) -> None:
    first, again, other = (stems(flat_faces, SplitPlan(seed=seed)) for seed in (0, 0, 1))
    assert first == again != other


def test_folders_are_used_as_they_are(tmp_path: Path) -> None:
    add_clean(tmp_path)
    fill(tmp_path / "val", ["a8", "b9"])
    expected = {"train": ["s1", "s2", "t1", "t2"], "val": ["a8", "b9"], "test": ["s3"]}
    assert parts_of(tmp_path, SplitPlan()) == expected
    assert len(parts_of(tmp_path, SplitPlan(train=4))["train"]) == 4


def test_a_folder_for_the_test_is_never_drawn_from(tmp_path: Path) -> None:
    add_clean(tmp_path)
    parts = parts_of(tmp_path, SplitPlan(val=0.5))
    assert parts["test"] == ["s3"]
    assert [sorted(name[0] for name in parts[part]) for part in ("train", "val")] == [
        ["s", "t"]
    ] * 2


@pytest.mark.parametrize(("val", "default"), [(0.3, "auto"), (2, "auto")])
def test_a_share_beside_a_folder_for_validation_is_refused(
    tmp_path: Path, val: float, default: str
) -> None:
    add_clean(tmp_path)
    fill(tmp_path / "val", ["a8", "b9"])
    message = (
        rf"^data\.val={val}: the data set has a folder val/; set data\.val={default} to use it, or"
        r" move its files into train/$"
    )
    with pytest.raises(ConfigError, match=message):
        parts_of(tmp_path, SplitPlan(val=val))


def test_folds_beside_a_folder_for_validation_are_refused(tmp_path: Path) -> None:
    add_clean(tmp_path)
    fill(tmp_path / "val", ["a8", "b9"])
    message = (
        r"^data\.folds=2: the data set has a folder val/; set data\.folds=null to use it, or"
        r" move its files into train/$"
    )
    with pytest.raises(ConfigError, match=message):
        parts_of(tmp_path, SplitPlan(folds=2))


@pytest.mark.parametrize(("test", "count"), [(0.3, (3, 3)), (4, (2, 2))])
def test_a_test_part_is_kept_from_one_folder(
    flat_faces: FaceSet, test: float, count: tuple[int, int]
) -> None:
    parts = stems(flat_faces, SplitPlan(test=test))
    assert everyone(parts) == SMILES + SADS
    assert (kinds(parts["val"]), kinds(parts["test"])) == ((2, 2), count)


def test_a_test_share_beside_a_folder_for_the_test_is_refused(tmp_path: Path) -> None:
    add_clean(tmp_path)
    message = r"^data\.test=0\.2: the data set has a folder test/; set data\.test=null to use it$"
    with pytest.raises(ConfigError, match=message):
        parts_of(tmp_path, SplitPlan(test=0.2))


def test_counts_are_met_exactly(flat_faces: FaceSet) -> None:
    parts = stems(flat_faces, SplitPlan(train=13, val=7))
    assert everyone(parts) == SMILES + SADS
    assert {part: len(members) for part, members in parts.items()} == {"train": 13, "val": 7}
    assert kinds(parts["val"]) in [(3, 4), (4, 3)]


def test_counts_that_do_not_add_up_name_the_folder_that_is_divided(tmp_path: Path) -> None:
    add_clean(tmp_path)
    message = (
        rf"^{tmp_path}/train: data\.train=1300 and data\.val=388 ask for 1688 photos, but there"
        r" are 4; set data\.train=null, and data\.val to a share such as 0\.2$"
    )
    with pytest.raises(DataError, match=message):
        parts_of(tmp_path, SplitPlan(train=1300, val=388))


def test_a_word_for_a_share_is_refused(flat_faces: FaceSet) -> None:
    message = r"^data\.val: expected a count, a share or auto, got 'some'$"
    with pytest.raises(ConfigError, match=message):
        stems(flat_faces, SplitPlan(val="some"))


# --- folds


def test_each_photo_validates_exactly_once_over_all_folds(flat_faces: FaceSet) -> None:
    validated = []
    for fold in (1, 2, 3):
        parts = stems(flat_faces, SplitPlan(folds=3, fold=fold))
        assert everyone(parts) == SMILES + SADS
        assert kinds(parts["val"]) in [(3, 3), (3, 4), (4, 3)]
        validated += parts["val"]
    assert sorted(validated) == SMILES + SADS


def test_folds_leave_a_folder_for_the_test_alone(tmp_path: Path) -> None:
    add_clean(tmp_path)
    for fold in (1, 2):
        parts = parts_of(tmp_path, SplitPlan(folds=2, fold=fold))
        assert parts["test"] == ["s3"]
        assert len(parts["val"]) == len(parts["train"]) == 2


@pytest.mark.parametrize("fold", [0, 4, -1])
def test_a_fold_that_does_not_exist_is_an_error(flat_faces: FaceSet, fold: int) -> None:
    with pytest.raises(ConfigError, match=rf"^data\.fold: expected 1 to 3, got {fold}$"):
        stems(flat_faces, SplitPlan(folds=3, fold=fold))


def test_a_fold_without_folds_is_an_error(flat_faces: FaceSet) -> None:
    message = (
        r"^data\.fold=2: there are no folds; set data\.fold=1, or data\.folds to their number$"
    )
    with pytest.raises(ConfigError, match=message):
        stems(flat_faces, SplitPlan(fold=2))


@pytest.mark.parametrize("plan", [SplitPlan(val=0.2), SplitPlan(train=9), SplitPlan(test=0.1)])
def test_folds_and_shares_contradict_each_other(flat_faces: FaceSet, plan: SplitPlan) -> None:
    message = (
        r"^data\.folds: cannot be combined with data\.val, data\.train or data\.test; set"
        r" data\.val=auto, data\.train=null and data\.test=null$"
    )
    with pytest.raises(ConfigError, match=message):
        stems(flat_faces, replace(plan, folds=3))


# --- who and what stays together


def persons(names: list[str]) -> dict[str, str]:
    """Gives each two photos of a class in turn one person."""
    return {name: f"{name[0]}-person-{int(name[1:]) // 2}" for name in names}


def add_groups(folder: Path, owners: dict[str, str]) -> None:
    rows = "".join(f"{name}.png,{person}\n" for name, person in owners.items())
    (folder / "groups.csv").write_text(f"filename,person\n{rows}", encoding="utf-8")


def test_nobody_is_on_two_sides(tmp_path: Path) -> None:
    names, owners = SMILES + SADS, persons(SMILES + SADS)
    fill(tmp_path / "train", names)
    fill(tmp_path / "test", ["a77"])
    add_groups(tmp_path / "train", owners)
    add_groups(tmp_path / "test", {"a77": "somebody else"})
    faces = FaceSource(tmp_path, replace(RULES, groups="groups.csv")).read()
    plans = [SplitPlan(seed=seed, val=0.4) for seed in range(5)]
    plans += [SplitPlan(folds=3, fold=fold) for fold in (1, 2, 3)]
    for plan in plans:
        parts = stems(faces, plan)
        assert sorted(parts["train"] + parts["val"]) == names
        sides = [{owners[name] for name in parts[part]} for part in ("train", "val")]
        assert sides[0].isdisjoint(sides[1])
        assert all(sides)
    # Without groups some seed does part them, so the above is no accident.
    alone = FaceSource(tmp_path, RULES).read()
    torn = [stems(alone, plan) for plan in plans]
    assert any({owners[n] for n in p["train"]} & {owners[n] for n in p["val"]} for p in torn)


def test_copies_of_one_picture_stay_together(tmp_path: Path) -> None:
    for name in SMILES + SADS:
        face = SMILE if name.startswith("a") else SAD
        add_photo(tmp_path, name, face, seed=persons([name])[name])
    faces = FaceSource(tmp_path, RULES).read()
    assert len(faces.audit.copies) == 10
    for seed in range(5):
        parts = stems(faces, SplitPlan(val=0.4, seed=seed))
        owners = [set(persons(parts[part]).values()) for part in ("train", "val")]
        assert owners[0].isdisjoint(owners[1])
        assert everyone(parts) == SMILES + SADS


def test_a_class_with_two_persons_cannot_stand_in_three_parts(tmp_path: Path) -> None:
    names = SMILES[:8] + SADS[:4]
    fill(tmp_path, names)
    add_groups(tmp_path, persons(names))
    message = (
        rf"^{tmp_path}: class sad: 2 groups for 3 parts \(train, val, test\), each of which needs"
        r" at least one; add photos of it, ask for fewer parts, or leave the class out with"
        r" data\.label_map$"
    )
    with pytest.raises(DataError, match=message):
        parts_of(tmp_path, SplitPlan(val=0.3, test=0.3), "groups.csv")
    with pytest.raises(DataError, match=r"class sad: 2 groups for data\.folds=3, each of which"):
        parts_of(tmp_path, SplitPlan(folds=3), "groups.csv")
    parts = parts_of(tmp_path, SplitPlan(val=0.3), "groups.csv")
    assert all(min(kinds(members)) > 0 for members in parts.values())


# --- the same split everywhere


@pytest.mark.parametrize("plan", [SplitPlan(val=0.3, test=0.2), SplitPlan(folds=3, fold=2)])
def test_names_and_content_alone_decide(flat: Path, tmp_path: Path, plan: SplitPlan) -> None:
    # Written in another order, elsewhere, under another name, with other times.
    root = tmp_path / "renamed" / "data"
    fill(root, (SMILES + SADS)[::-1])
    for number, path in enumerate(sorted(root.rglob("*.*"))):
        os.utime(path, (1e9 - number, 1e9 - number))
    moved = root.rename(tmp_path / "another name")
    assert parts_of(moved, plan) == parts_of(flat, plan)


def test_the_order_of_photos_does_not_matter(flat_faces: FaceSet) -> None:
    photos = {part: members[::-1] for part, members in flat_faces.photos.items()}
    turned = assign(photos, flat_faces.audit, SplitPlan(val=0.3))
    names = {part: [p.annotation.stem for p in members[::-1]] for part, members in turned.items()}
    assert names == stems(flat_faces, SplitPlan(val=0.3))


# --- a frozen split


@pytest.mark.parametrize(
    "plan",
    [SplitPlan(), SplitPlan(val=3, test=0.3, seed=9), SplitPlan(train=12, val=8, seed=2)],
)
def test_a_frozen_split_is_used_exactly(flat: Path, flat_faces: FaceSet, plan: SplitPlan) -> None:
    path = frozen(flat, plan)
    # What else is said does not matter.
    assert stems(flat_faces, SplitPlan(val=0.5, seed=77, file=path)) == stems(flat_faces, plan)
    assert read_split(path).how["seed"] == plan.seed


def test_frozen_folders_are_used_exactly(tmp_path: Path) -> None:
    root = tmp_path / "data"
    add_clean(root)
    expected = parts_of(root, SplitPlan(val=0.5, seed=3))
    path = frozen(root, SplitPlan(val=0.5, seed=3))
    assert parts_of(root, SplitPlan(file=path)) == expected


def test_a_frozen_split_has_all_folds(flat: Path, flat_faces: FaceSet) -> None:
    path = frozen(flat, SplitPlan(folds=3, fold=1, seed=4))
    for fold in (1, 2, 3):
        expected = stems(flat_faces, SplitPlan(folds=3, fold=fold, seed=4))
        assert stems(flat_faces, SplitPlan(fold=fold, file=path)) == expected


@pytest.mark.parametrize("fold", [0, 4])
def test_a_fold_that_was_not_frozen_is_an_error(flat: Path, flat_faces: FaceSet, fold: int) -> None:
    path = frozen(flat, SplitPlan(folds=3))
    with pytest.raises(ConfigError, match=rf"^data\.fold: expected 1 to 3, got {fold}$"):
        stems(flat_faces, SplitPlan(fold=fold, file=path))


def test_a_fold_of_a_split_without_folds_is_an_error(flat: Path, flat_faces: FaceSet) -> None:
    path = frozen(flat, SplitPlan())
    with pytest.raises(ConfigError, match=r"^data\.fold=2: there are no folds"):
        stems(flat_faces, SplitPlan(fold=2, file=path))


def test_a_split_that_is_frozen_again_stays_as_it_is(flat: Path, flat_faces: FaceSet) -> None:
    path = frozen(flat, SplitPlan(folds=3, seed=4))
    plan = SplitPlan(seed=8, fold=2, file=path)
    again = freeze(assign(flat_faces.photos, flat_faces.audit, plan), flat_faces.audit, plan)
    first = read_split(path)
    assert again.how == first.how | {"fold": 2}
    folds = {name: entry.fold for name, entry in first.entries.items()}
    assert {name: entry.fold for name, entry in again.entries.items()} == folds
    assert {name for name, fold in folds.items() if fold == 2} == {
        name for name, entry in again.entries.items() if entry.part == "val"
    }


def test_faces_of_each_part_are_counted(flat_faces: FaceSet) -> None:
    plan = SplitPlan(val=0.3)
    split = freeze(assign(flat_faces.photos, flat_faces.audit, plan), flat_faces.audit, plan)
    nobody = {"neutral": 0, "anger": 0, "surprise": 0}
    assert split.faces == {
        "train": nobody | {"smile": 7, "sad": 7},
        "val": nobody | {"smile": 3, "sad": 3},
    }


def refused(root: Path, path: Path) -> str:
    with pytest.raises(DataError) as caught:
        parts_of(root, SplitPlan(file=path))
    return str(caught.value)


def problem(path: Path, name: str, what: str) -> str:
    return (
        f"data.split={path}: annotations/{name}.xml or its picture img/{name}.png {what}\n"
        "1 of 6 photos are not as they were frozen; restore them, or freeze the split anew:"
        " emotion data split ROOT --out split.json"
    )


def test_a_changed_xml_file_is_noticed(small: Path) -> None:
    path = frozen(small, SplitPlan(val=2))
    change(small / "annotations" / "a1.xml", "smile", "sad")
    assert refused(small, path) == problem(path, "a1", "has changed")


def test_a_changed_picture_is_noticed(small: Path) -> None:
    path = frozen(small, SplitPlan(val=2))
    write_image(small / "img" / "b2.png", noise("another"))
    assert refused(small, path) == problem(path, "b2", "has changed")


def test_a_missing_photo_is_noticed(small: Path) -> None:
    path = frozen(small, SplitPlan(val=2))
    annotation = small / "annotations" / "b0.xml"
    picture_of(annotation).unlink()
    annotation.unlink()
    assert refused(small, path) == problem(path, "b0", "is missing")


def test_new_photos_are_left_out_and_counted(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = frozen(small, SplitPlan(val=2))
    expected = parts_of(small, SplitPlan(file=path))
    capsys.readouterr()
    fill(small, ["a8", "b8"])
    assert parts_of(small, SplitPlan(file=path)) == expected
    said = f"{path}: does not name 2 photos, which are left out\n"
    assert capsys.readouterr().err.endswith(said)


def test_a_frozen_split_moves_with_its_data(small: Path) -> None:
    path = frozen(small, SplitPlan(val=2))
    expected = parts_of(small, SplitPlan(file=path))
    moved = small.rename(small.parent / "elsewhere")
    assert parts_of(moved, SplitPlan(file=path)) == expected
