"""The split: complete, alike in its labels, and the same wherever the photos come from."""

import hashlib
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.data.splits import describe_split, split_photos
from emotion.errors import ConfigError, DataError
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.boxes import Box
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.labels import EMOTIONS
from emotion.faces.samples import FaceSample


def photo(number: int, *labels: str) -> AnnotatedPhoto:
    faces = tuple(AnnotatedFace(label, Box(0, 0, 9, 9), False, 5) for label in labels)
    return AnnotatedPhoto(Path(f"img/{number:05d}.jpg"), Path(f"ann/{number:05d}.xml"), faces)


def photos(total: int, seed: int = 0) -> list[AnnotatedPhoto]:
    """Photos whose labels are as unequal as those of a found data set."""
    drawn = np.random.default_rng(seed).choice(len(EMOTIONS), total, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    return [photo(number, EMOTIONS[label]) for number, label in enumerate(drawn)]


def first_labels(part: list[AnnotatedPhoto]) -> Counter[str]:
    return Counter(p.faces[0].label if p.faces else "" for p in part)


LABEL_LISTS = st.lists(st.lists(st.sampled_from(EMOTIONS), max_size=2), min_size=2, max_size=60)


def test_the_originals_counts_come_out() -> None:
    train, val = split_photos(photos(1688), 388, 1300, 0, "data")
    assert (len(train), len(val)) == (1300, 388)


@pytest.mark.parametrize(("share", "count"), [(0.2, 20), (0.5, 50), (0.01, 1), (0.99, 99)])
def test_a_share_counts_photos(share: float, count: int) -> None:
    train, val = split_photos(photos(100), share, None, 0, "data")
    assert (len(train), len(val)) == (100 - count, count)


@given(labels=LABEL_LISTS, seed=st.integers(0, 2**32), data=st.data())
def test_each_photo_is_on_one_side_and_sorted_there(
    labels: list[list[str]], seed: int, data: st.DataObject
) -> None:
    everything = [photo(number, *names) for number, names in enumerate(labels)]
    count = data.draw(st.integers(1, len(everything) - 1))
    train, val = split_photos(everything, count, None, seed, "data")
    assert len(val) == count
    assert sorted(train + val, key=lambda p: p.annotation) == everything
    for part in (train, val):
        assert part == sorted(part, key=lambda p: p.annotation)


@given(labels=LABEL_LISTS, seed=st.integers(0, 2**32), data=st.data())
def test_each_label_has_its_share_of_validation_to_within_one_photo(
    labels: list[list[str]], seed: int, data: st.DataObject
) -> None:
    everything = [photo(number, *names) for number, names in enumerate(labels)]
    count = data.draw(st.integers(1, len(everything) - 1))
    _, val = split_photos(everything, count, None, seed, "data")
    chosen = first_labels(val)
    for label, total in first_labels(everything).items():
        assert abs(chosen[label] - total * count / len(everything)) < 1


@given(shuffle=st.randoms(use_true_random=False), seed=st.integers(0, 9))
def test_the_order_in_which_photos_come_does_not_matter(shuffle: random.Random, seed: int) -> None:
    everything = photos(40)
    expected = split_photos(everything, 0.25, None, seed, "data")
    shuffle.shuffle(everything)
    assert split_photos(everything, 0.25, None, seed, "data") == expected


def test_where_the_data_set_lies_does_not_matter() -> None:
    def moved(p: AnnotatedPhoto) -> AnnotatedPhoto:
        return AnnotatedPhoto("/elsewhere" / p.image, "/elsewhere" / p.annotation, p.faces)

    here = split_photos(photos(40), 0.25, None, 5, "data")
    there = split_photos([moved(p) for p in photos(40)], 0.25, None, 5, "data")
    assert [p.annotation.name for p in here[1]] == [p.annotation.name for p in there[1]]


def test_each_seed_is_another_split_and_zero_is_a_seed() -> None:
    def chosen(seed: int) -> tuple[Path, ...]:
        return tuple(p.image for p in split_photos(photos(100), 20, None, seed, "data")[1])

    assert chosen(0) == chosen(0)
    assert len({chosen(seed) for seed in range(10)}) == 10


def test_every_photo_of_a_label_has_its_turn_in_validation() -> None:
    alike = [photo(number, "smile") for number in range(40)]
    seen: set[Path] = set()
    for seed in range(60):
        seen |= {p.image for p in split_photos(alike, 10, None, seed, "data")[1]}
    assert len(seen) == 40


def test_a_photo_without_faces_is_split_like_the_others() -> None:
    everything = [photo(number) for number in range(10)]
    train, val = split_photos(everything, 3, None, 0, "data")
    assert len(train) == 7
    assert len(val) == 3


def test_counts_that_do_not_add_up_are_refused_with_the_way_out() -> None:
    expected = (
        r"^faces/train: data\.train=1300 and data\.val=388 ask for 1688 photos, but there are 1600;"
        r" set data\.train=null, and data\.val to a share such as 0\.2$"
    )
    with pytest.raises(DataError, match=expected):
        split_photos(photos(1600), 388, 1300, 0, "faces/train")


@pytest.mark.parametrize("val", [True, False, 0, -1, 0.0, -0.2, 1.0, 1.5])
def test_what_is_neither_a_count_nor_a_share_is_refused(val: Any) -> None:
    expected = rf"^data\.val: expected a count, or a share between 0 and 1, got {val}$"
    with pytest.raises(ConfigError, match=expected):
        split_photos(photos(10), val, None, 0, "data")


@pytest.mark.parametrize(
    ("val", "counts"), [(10, "10 of 10 photos for validation and 0 for"), (0.01, "0 of 10 photos")]
)
def test_a_part_without_photos_is_refused(val: int | float, counts: str) -> None:
    with pytest.raises(DataError, match=f"^faces/train: data.val={val} leaves {counts}") as caught:
        split_photos(photos(10), val, None, 0, "faces/train")
    assert str(caught.value).endswith("expected at least one in each")


def sample(folder: Path, name: str, left: int = 0) -> FaceSample:
    image, annotation = folder / f"{name}.jpg", folder / f"{name}.xml"
    if not image.exists():
        image.write_bytes(f"picture {name}".encode())
        annotation.write_bytes(f"<xml {name}>".encode())
    return FaceSample(image, annotation, 1, Box(left, 0, left + 9, 9), 0)


def test_a_split_is_described_by_files_and_their_hashes(tmp_path: Path) -> None:
    samples = [sample(tmp_path, "b"), sample(tmp_path, "b", left=20), sample(tmp_path, "a")]
    described = describe_split({"train": samples, "val": []}, tmp_path)
    expected = {
        f"{name}.xml": hashlib.sha256(f"<xml {name}>picture {name}".encode()).hexdigest()
        for name in ("a", "b")
    }
    assert described["root"] == str(tmp_path)
    assert described["parts"]["train"] == {"faces": 3, "files": expected}
    assert described["parts"]["val"] == {"faces": 0, "files": {}}


@pytest.mark.parametrize("suffix", ["jpg", "xml"])
def test_a_hash_changes_with_either_file_and_the_others_stay(tmp_path: Path, suffix: str) -> None:
    samples = [sample(tmp_path, "a"), sample(tmp_path, "b")]
    before = describe_split({"train": samples}, tmp_path)["parts"]["train"]["files"]
    (tmp_path / f"a.{suffix}").write_bytes(b"something else")
    after = describe_split({"train": samples}, tmp_path)["parts"]["train"]["files"]
    assert before["a.xml"] != after["a.xml"]
    assert before["b.xml"] == after["b.xml"]


@pytest.mark.parametrize("val", ["abc", float("nan"), None])
def test_a_share_of_another_type_is_refused(val: Any) -> None:
    with pytest.raises(ConfigError, match=r"data\.val: expected a count, or a share between 0 and"):
        split_photos([], val, None, 0, "faces")
