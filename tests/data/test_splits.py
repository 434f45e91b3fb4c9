"""Splits: complete, leak-free, alike in their classes, and the same wherever photos come from."""

import csv
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from emotion.data.splits import folds, split
from emotion.errors import ConfigError, DataError
from emotion.faces.folders import read_folder
from emotion.faces.labels import EMOTIONS

Ints = NDArray[np.int64]


LABELLED = np.eye(5, dtype=np.int64)[np.arange(24) % 5]
FEW = settings(max_examples=30)


def names(total: int) -> list[str]:
    return [f"train/annotations/{number:05d}.xml" for number in range(total)]


def one_face_each(labels: Any, classes: int = len(EMOTIONS)) -> Ints:
    return np.eye(classes, dtype=np.int64)[np.asarray(labels, dtype=np.int64)]


def unequal(total: int, seed: int = 0) -> Ints:
    """One face a photo, with labels as unequal as those of a found data set."""
    return one_face_each(
        np.random.default_rng(seed).choice(len(EMOTIONS), total, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    )


def alone(total: int) -> Ints:
    return np.arange(total)


def split_plainly(
    counts: Ints, bonds: Ints, wanted: dict[str, Any], seed: int = 0, place: str = "faces"
) -> Ints:
    labels = EMOTIONS[: counts.shape[1]]
    return split(counts, bonds, names(len(counts)), wanted, labels, seed, place)


def fold_plainly(counts: Ints, bonds: Ints, k: int, seed: int = 0) -> Ints:
    labels = EMOTIONS[: counts.shape[1]]
    return folds(counts, bonds, names(len(counts)), k, labels, seed, "faces")


def sizes(parts: Ints, number: int) -> list[int]:
    return [int((parts == part).sum()) for part in range(number)]


@st.composite
def single_faces(draw: st.DrawFn, parts: int) -> Ints:
    """Photos of one face each; every class that there is has a photo for each part."""
    labels = draw(st.lists(st.integers(0, 4), min_size=parts, max_size=60))
    held = np.bincount(labels, minlength=5)
    labels += [c for c in range(5) if held[c] for _ in range(parts - held[c])]
    return one_face_each(labels)


@st.composite
def bound_photos(draw: st.DrawFn, parts: int) -> tuple[Ints, Ints]:
    """Photos of up to three faces in bonds; every class that there is has a bond for each part."""
    faces = st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), max_size=40)
    counts = np.array(draw(faces), np.int64).reshape(-1, 4) // 2
    bonds = draw(st.lists(st.integers(0, 30), min_size=len(counts), max_size=len(counts)))
    own = np.repeat(np.eye(4, dtype=np.int64), parts, axis=0)
    counts = np.concatenate([counts, own])
    return counts, np.concatenate([np.array(bonds, np.int64), 100 + np.arange(len(own))])


# --- sizes


def test_the_originals_counts_come_out() -> None:
    parts = split_plainly(unequal(1688), alone(1688), {"train": 1300, "val": 388})
    assert sizes(parts, 2) == [1300, 388]


@pytest.mark.parametrize(("share", "count"), [(0.2, 20), (0.5, 50), (0.011, 1), (0.988, 99)])
def test_a_share_counts_photos(share: float, count: int) -> None:
    counts = one_face_each([1] * 100)
    parts = split_plainly(counts, alone(100), {"train": None, "val": share})
    assert sizes(parts, 2) == [100 - count, count]


def test_counts_and_shares_may_be_mixed() -> None:
    wanted = {"train": 100, "val": 0.25, "test": None}
    assert sizes(split_plainly(unequal(200), alone(200), wanted), 3) == [100, 50, 50]


def test_one_part_takes_everything() -> None:
    assert sizes(split_plainly(unequal(20), alone(20), {"train": None}), 1) == [20]


@FEW
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_exact_counts_come_out_and_each_class_has_its_share_to_within_one_photo(
    data: st.DataObject, seed: int
) -> None:
    counts = data.draw(single_faces(parts=3))
    total = len(counts)
    val = data.draw(st.integers(1, total - 2))
    test = data.draw(st.integers(1, total - val - 1))
    wanted = {"train": total - val - test, "val": val, "test": test}
    parts = split_plainly(counts, alone(total), wanted, seed)
    assert sizes(parts, 3) == list(wanted.values())
    for part, size in enumerate(wanted.values()):
        held, shares = counts[parts == part].sum(0), counts.sum(0) * size / total
        assert (np.abs(held - shares) < 1).all()


def test_many_groups_are_as_even_as_single_photos() -> None:
    counts, bonds = unequal(4500), np.arange(4500) // 5
    numbers = fold_plainly(counts, bonds, 3)
    assert sizes(numbers - 1, 3) == [1500, 1500, 1500]
    for fold in (1, 2, 3):
        assert (np.abs(counts[numbers == fold].sum(0) - counts.sum(0) / 3) <= 2).all()


def reachable(group_sizes: list[int]) -> set[int]:
    """All numbers of photos that whole groups make."""
    sums = {0}
    for size in group_sizes:
        sums |= {made + size for made in sums}
    return sums - {0, sum(group_sizes)}


@FEW
@given(group_sizes=st.lists(st.integers(1, 9), min_size=2, max_size=9), data=st.data())
def test_with_groups_a_count_comes_out_exactly_where_whole_groups_make_it(
    group_sizes: list[int], data: st.DataObject
) -> None:
    bonds = np.repeat(np.arange(len(group_sizes)), group_sizes)
    counts = np.zeros((len(bonds), 2), np.int64)
    val = data.draw(st.integers(1, len(bonds) - 1))
    possible = reachable(group_sizes)
    wanted = {"train": None, "val": val}
    if val in possible:
        assert sizes(split_plainly(counts, bonds, wanted), 2) == [len(bonds) - val, val]
        return
    with pytest.raises(DataError) as caught:
        split_plainly(counts, bonds, wanted)
    nearest = [max((n for n in possible if n < val), default=0)]
    nearest.append(min((n for n in possible if n > val), default=0))
    listed = " and ".join(str(n) for n in nearest if n)
    assert f"data.val={val} cannot be made; nearest for data.val: {listed}; set" in str(
        caught.value
    )


def test_counts_that_groups_make_one_by_one_but_not_together_are_refused_with_near_ones() -> None:
    # 6 is 3 + 3 or 2 + 2 + 2; neither leaves the 3 + 2 that 5 is.
    bonds = np.repeat(np.arange(5), [3, 3, 2, 2, 2])
    counts = np.zeros((12, 2), np.int64)
    expected = (
        r"^faces: 5 groups of 2 to 3 photos \(data\.groups, copies\) stay whole, and data\.val=6"
        r" and data\.test=5 were not found together; found was data\.val=(\d), data\.test=(\d);"
        r" set these, or shares such as data\.val=0\.2$"
    )
    with pytest.raises(DataError, match=expected) as caught:
        split_plainly(counts, bonds, {"train": None, "val": 6, "test": 5})
    found = re.search(expected, str(caught.value))
    assert found is not None
    val, test = int(found[1]), int(found[2])
    parts = split_plainly(counts, bonds, {"train": None, "val": val, "test": test})
    assert sizes(parts, 3) == [12 - val - test, val, test]


def test_shares_of_groups_come_as_near_as_whole_groups_allow() -> None:
    counts, bonds = one_face_each([0] * 70), np.repeat(np.arange(10), 7)
    parts = split_plainly(counts, bonds, {"train": None, "val": 0.2, "test": 0.1})
    assert sizes(parts, 3) == [49, 14, 7]
    assert sizes(split_plainly(counts, bonds, {"train": None, "val": 0.24}), 2) == [56, 14]
    assert sizes(split_plainly(counts, bonds, {"train": None, "val": 0.01}), 2) == [63, 7]


def test_shares_are_exact_where_enough_photos_stand_alone() -> None:
    bonds = np.concatenate([np.repeat(np.arange(6), 7), 100 + np.arange(58)])
    parts = split_plainly(unequal(100), bonds, {"train": None, "val": 0.23, "test": 0.11})
    assert sizes(parts, 3) == [66, 23, 11]


# --- what stays together


@FEW
@given(drawn=bound_photos(parts=3), seed=st.integers(0, 2**32))
def test_no_bond_stands_in_two_parts_and_no_part_is_empty(
    drawn: tuple[Ints, Ints], seed: int
) -> None:
    counts, bonds = drawn
    parts = split_plainly(counts, bonds, {"train": None, "val": 0.3, "test": 0.2}, seed)
    assert set(parts.tolist()) == {0, 1, 2}
    for bond in np.unique(bonds):
        assert len(set(parts[bonds == bond].tolist())) == 1


@FEW
@given(drawn=bound_photos(parts=4), seed=st.integers(0, 2**32))
def test_folds_divide_all_photos_and_break_no_bond(drawn: tuple[Ints, Ints], seed: int) -> None:
    counts, bonds = drawn
    numbers = fold_plainly(counts, bonds, 4, seed)
    assert len(numbers) == len(counts)
    assert set(numbers.tolist()) == {1, 2, 3, 4}
    for bond in np.unique(bonds):
        assert len(set(numbers[bonds == bond].tolist())) == 1


@FEW
@given(counts=single_faces(parts=4), seed=st.integers(0, 2**32))
def test_folds_of_single_faces_are_equal_to_within_one_photo_in_all_and_of_each_class(
    counts: Ints, seed: int
) -> None:
    numbers = fold_plainly(counts, alone(len(counts)), 4, seed)
    held = np.stack([counts[numbers == fold].sum(0) for fold in range(1, 5)])
    assert np.ptp(held.sum(1)) <= 1
    assert (np.abs(held - counts.sum(0) * held.sum(1)[:, None] / len(counts)) < 1).all()


def test_each_photo_is_validated_on_once_over_all_folds() -> None:
    numbers = fold_plainly(unequal(103), alone(103), 5)
    validated = [np.flatnonzero(numbers == fold) for fold in range(1, 6)]
    assert sorted(np.concatenate(validated).tolist()) == list(range(103))


def test_a_scarce_class_reaches_every_part_although_large_groups_hold_it() -> None:
    # Three persons have the only sad faces; one of them has most photos.
    person = [30, 4, 3] + [5] * 12
    bonds = np.repeat(np.arange(len(person)), person)
    labels = np.tile([0, 3], len(bonds))[: len(bonds)]
    labels[[0, 31, 35]] = 4
    for seed in range(10):
        wanted = {"train": None, "val": 0.2, "test": 0.2}
        parts = split_plainly(one_face_each(labels), bonds, wanted, seed)
        assert sorted(parts[labels == 4].tolist()) == [0, 1, 2]


def distance(counts: Ints, bonds: Ints, parts: Ints, number: int) -> float:
    """How uneven parts of equal share are: photos and each class, relative, squared."""
    columns = np.column_stack([np.ones(len(counts)), counts])
    held = np.stack([columns[parts == part].sum(0) for part in range(number)])
    return float(((held / held.mean(0) - 1) ** 2).sum())


@pytest.mark.parametrize("seed", range(8))
def test_two_folds_of_ten_groups_are_nearly_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bonds = np.repeat(np.arange(10), rng.integers(1, 12, 10))
    counts = one_face_each(np.arange(len(bonds)) % 3, 3)
    every = ((np.arange(1, 512)[:, None] >> np.arange(10)) & 1)[:, bonds]
    best = min(distance(counts, bonds, parts, 2) for parts in every)
    found = distance(counts, bonds, fold_plainly(counts, bonds, 2, seed) - 1, 2)
    assert found <= best + 0.01


# --- what the result depends on


@FEW
@given(drawn=bound_photos(parts=3), shuffle=st.randoms(use_true_random=False))
def test_neither_the_order_of_photos_nor_the_numbers_of_bonds_matter(
    drawn: tuple[Ints, Ints], shuffle: random.Random
) -> None:
    counts, bonds = drawn
    given_names = names(len(counts))
    order = list(range(len(counts)))
    shuffle.shuffle(order)
    renumbered = 7 * np.unique(bonds, return_inverse=True)[1][order] % 1009
    arguments = ({"train": None, "val": 0.3}, EMOTIONS[:4], 5, "faces")
    expected = split(counts, bonds, given_names, *arguments)
    shuffled = [given_names[i] for i in order]
    assert split(counts[order], renumbered, shuffled, *arguments).tolist() == (
        expected[order].tolist()
    )
    k_folds = (3, EMOTIONS[:4], 5, "faces")
    expected = folds(counts, bonds, given_names, *k_folds)
    assert folds(counts[order], renumbered, shuffled, *k_folds).tolist() == (
        expected[order].tolist()
    )


def test_the_unicode_form_of_names_does_not_matter() -> None:
    composed = [f"\u00e9{number}.xml" for number in range(9)] + [f"f{n}.xml" for n in range(9)]
    decomposed = [name.replace("\u00e9", "e\u0301") for name in composed]
    rest = ({"train": None, "val": 0.5}, EMOTIONS, 3, "faces")
    expected = split(unequal(18), alone(18), composed, *rest).tolist()
    assert split(unequal(18), alone(18), decomposed, *rest).tolist() == expected


def test_a_known_split_stays_as_it_is_on_every_machine() -> None:
    parts = split_plainly(LABELLED, alone(24), {"train": None, "val": 6}, seed=1)
    assert np.flatnonzero(parts).tolist() == [3, 8, 17, 19, 20, 21]
    grouped = split_plainly(LABELLED, np.arange(24) // 3, {"train": None, "val": 6}, seed=1)
    assert np.flatnonzero(grouped).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("grouped", [False, True])
def test_each_seed_is_another_split_and_zero_is_a_seed(grouped: bool) -> None:
    bonds = np.arange(300) // 4 if grouped else alone(300)

    def chosen(seed: int) -> tuple[int, ...]:
        wanted = {"train": None, "val": 0.2}
        return tuple(split_plainly(unequal(300), bonds, wanted, seed).tolist())

    assert chosen(0) == chosen(0)
    assert len({chosen(seed) for seed in range(10)}) == 10


def test_every_photo_and_every_person_has_its_turn_in_validation() -> None:
    bonds = np.concatenate([np.repeat(np.arange(8), 5), 100 + np.arange(20)])
    seen: set[int] = set()
    for seed in range(60):
        parts = split_plainly(one_face_each([3] * 60), bonds, {"train": None, "val": 0.25}, seed)
        seen |= set(np.flatnonzero(parts).tolist())
    assert len(seen) == 60


# --- what is refused


def refused(error: type[Exception], counts: Ints, bonds: Ints, wanted: dict[str, Any]) -> str:
    with pytest.raises(error) as caught:
        split_plainly(counts, bonds, wanted)
    return str(caught.value)


def test_counts_that_do_not_add_up_are_refused_with_the_way_out() -> None:
    message = refused(DataError, unequal(1600), alone(1600), {"train": 1300, "val": 388})
    assert message == (
        "faces: data.train=1300 and data.val=388 ask for 1688 photos, but there are 1600;"
        " set data.train=null, and data.val to a share such as 0.2"
    )


def test_more_than_there_is_is_refused() -> None:
    wanted = {"train": None, "val": 8, "test": 3}
    message = refused(DataError, unequal(10), alone(10), wanted)
    assert message.startswith("faces: data.val=8 and data.test=3 ask for 11 photos, but there are")
    message = refused(DataError, unequal(10), alone(10), {"train": 9})
    assert message.startswith("faces: data.train=9 asks for 9 photos, but there are 10;")


AMOUNTS = [True, False, 0, -1, 0.0, -0.2, 1.0, 1.5, "abc", float("nan")]


@pytest.mark.parametrize("part", ["train", "val", "test"])
@pytest.mark.parametrize("amount", AMOUNTS)
def test_what_is_neither_a_count_nor_a_share_is_refused(part: str, amount: Any) -> None:
    message = refused(ConfigError, unequal(10), alone(10), {part: amount})
    assert message == f"data.{part}: expected a count, or a share between 0 and 1, got {amount}"


def test_shares_must_leave_something() -> None:
    wanted = {"train": None, "val": 0.5, "test": 0.5}
    assert refused(ConfigError, unequal(10), alone(10), wanted) == (
        "data.val=0.5 and data.test=0.5 are shares of 1 in all; expected less than 1, so that"
        " photos are left for the other part"
    )


def test_all_others_can_go_to_one_part_only() -> None:
    wanted = {"train": None, "val": None, "test": 0.5}
    assert refused(ConfigError, unequal(10), alone(10), wanted) == (
        "data.train and data.val: expected a count or a share for all but one, got null"
    )


@pytest.mark.parametrize(("val", "made"), [(10, "train 0, val 10"), (0.01, "train 10, val 0")])
def test_a_part_without_photos_is_refused(val: int | float, made: str) -> None:
    wanted = {"train": None, "val": val}
    assert refused(DataError, unequal(10), alone(10), wanted) == (
        f"faces: data.train=null and data.val={val} would make {made} of 10 photos; expected at"
        " least one in each"
    )


def test_no_photos_at_all_are_refused() -> None:
    empty = np.zeros((0, 5), np.int64)
    message = refused(DataError, empty, alone(0), {"train": None, "val": 0.2})
    assert "would make train 0, val 0 of 0 photos" in message
    with pytest.raises(DataError, match=r"^faces: 0 photos for data\.folds=2, each of which"):
        fold_plainly(empty, alone(0), 2)


def test_a_class_with_fewer_photos_than_parts_is_refused_and_one_without_any_is_not() -> None:
    counts = one_face_each([0] * 10 + [4] * 2 + [1])
    wanted = {"train": None, "val": 0.3, "test": 0.3}
    way_out = "add photos of it, ask for fewer parts, or leave the class out with data.label_map"
    needs = "for 3 parts (train, val, test), each of which needs at least one"
    assert refused(DataError, counts, alone(13), wanted).splitlines() == [
        f"faces: class anger: 1 photo {needs}; {way_out}",
        f"faces: class sad: 2 photos {needs}; {way_out}",
    ]


def test_of_photos_that_stay_together_the_groups_are_counted() -> None:
    counts = one_face_each([0] * 10 + [4] * 4)
    bonds = np.array([*range(10), 10, 10, 11, 11])
    message = refused(DataError, counts, bonds, {"train": None, "val": 0.3, "test": 0.3})
    assert message.startswith("faces: class sad: 2 groups for 3 parts")
    assert refused(DataError, counts, np.zeros(14, np.int64), {"train": None, "val": 0.3}) == (
        "faces: 1 group for 2 parts (train, val), each of which needs at least one; ask for fewer"
        " parts"
    )


@pytest.mark.parametrize("k", [1, 0, -3, True, 2.0, "5"])
def test_fewer_than_two_folds_are_refused(k: Any) -> None:
    with pytest.raises(ConfigError, match=rf"^data\.folds: expected 2 or more, got {k}$"):
        fold_plainly(unequal(10), alone(10), k)


def test_more_folds_than_a_class_has_photos_are_refused() -> None:
    counts = one_face_each([0] * 10 + [4] * 3)
    expected = (
        r"^faces: class sad: 3 photos for data\.folds=5, each of which needs at least one; add"
        r" photos of it, ask for fewer folds, or leave the class out with data\.label_map$"
    )
    with pytest.raises(DataError, match=expected):
        fold_plainly(counts, alone(13), 5)


# --- real photos


@pytest.fixture(scope="module")
def persons(shared: Path) -> tuple[Ints, Ints, list[str]]:
    """Faces, persons and names of the 1,688 photos of faces5."""
    root = shared / "data/faces5/train"
    with (root / "groups.csv").open(encoding="utf-8", newline="") as stream:
        person = {row["filename"]: row["person"] for row in csv.DictReader(stream)}
    photos = read_folder(root).photos
    labels = [EMOTIONS.index(photo.faces[0].label) for photo in photos]
    bonds = np.unique([person[photo.image.name] for photo in photos], return_inverse=True)[1]
    return one_face_each(labels), bonds, [f"annotations/{p.annotation.name}" for p in photos]


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True])
def test_real_photos_split_into_the_originals_counts(
    persons: tuple[Ints, Ints, list[str]], grouped: bool
) -> None:
    counts, bonds, paths = persons
    bonds = bonds if grouped else alone(len(counts))
    for seed in range(5):
        wanted = {"train": 1300, "val": 388}
        parts = split(counts, bonds, paths, wanted, EMOTIONS, seed, "faces5")
        assert sizes(parts, 2) == [1300, 388]
        assert not set(bonds[parts == 0].tolist()) & set(bonds[parts == 1].tolist())
        off = counts[parts == 1].sum(0) - counts.sum(0) * 388 / len(counts)
        assert np.abs(off).max() < (3 if grouped else 1)


@pytest.mark.slow
@pytest.mark.parametrize("k", [3, 5, 10])
def test_folds_of_real_persons_are_as_even_as_those_of_scikit_learn(
    persons: tuple[Ints, Ints, list[str]], k: int
) -> None:
    counts, bonds, paths = persons
    labels = counts.argmax(1)
    ours, theirs = [], []
    for seed in range(5):
        numbers = folds(counts, bonds, paths, k, EMOTIONS, seed, "faces5") - 1
        ours.append(distance(counts, bonds, numbers, k))
        reference = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
        for fold, (_, chosen) in enumerate(reference.split(labels, labels, bonds)):
            numbers[chosen] = fold
        theirs.append(distance(counts, bonds, numbers, k))
    assert np.mean(ours) <= np.mean(theirs)
