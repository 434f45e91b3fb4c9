"""Near-duplicates: hashes of pictures, pairs within a limit, and what pairs connect."""

import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

import emotion.data.duplicates
from emotion.data.duplicates import (
    SIMILAR,
    clusters,
    fingerprint,
    perceptual_hash,
    read_fingerprints,
    similar_pairs,
)
from emotion.faces.images import read_image
from emotion.sketches.scenes import draw_scene

Hashes = NDArray[np.uint64]
Pixels = NDArray[np.uint8]


def distance(first: Hashes, second: Hashes) -> int:
    """Bits in which two hashes differ, by way of Python's own numbers."""
    return sum((int(a) ^ int(b)).bit_count() for a, b in zip(first, second, strict=True))


@pytest.fixture(scope="module")
def scenes() -> list[Pixels]:
    return [draw_scene(np.random.default_rng([5, number])).image for number in range(4)]


# --- the hash of a picture


def test_the_hash_is_that_of_imagehash(scenes: list[Pixels]) -> None:
    for scene in scenes:
        bits = imagehash.phash(Image.fromarray(scene), hash_size=16).hash
        expected = int("".join("01"[int(bit)] for bit in bits.flatten()), 2)
        assert int.from_bytes(fingerprint(scene), "big") == expected
        hashed = perceptual_hash(scene)
        assert hashed.dtype == np.uint64
        assert hashed.astype(">u8").tobytes() == expected.to_bytes(32, "big")


def test_fingerprints_are_read_as_the_hashes_that_they_keep(scenes: list[Pixels]) -> None:
    prints = [fingerprint(scene) for scene in scenes]
    assert {len(content) for content in prints} == {32}
    expected = np.stack([perceptual_hash(scene) for scene in scenes])
    np.testing.assert_array_equal(read_fingerprints(prints), expected)
    assert read_fingerprints([]).shape == (0, 4)


def encoded(image: Image.Image, quality: int) -> Image.Image:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    return Image.open(content).convert("RGB")


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG 30": lambda image: encoded(image, 30),
    "JPEG 90": lambda image: encoded(image, 90),
    "half size": lambda image: scaled(image, 0.5),
    "double size": lambda image: scaled(image, 2),
    "half size, JPEG 50": lambda image: encoded(scaled(image, 0.5), 50),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.2),
    "grey": lambda image: image.convert("L").convert("RGB"),
}


@pytest.mark.parametrize("change", list(COPIES.values()), ids=list(COPIES))
def test_copies_are_similar_and_other_scenes_are_not(
    scenes: list[Pixels], change: Callable[[Image.Image], Image.Image]
) -> None:
    copies = [np.asarray(change(Image.fromarray(scene))) for scene in scenes]
    hashes = np.stack([perceptual_hash(picture) for picture in (*scenes, *copies)])
    assert similar_pairs(hashes).tolist() == [[0, 4], [1, 5], [2, 6], [3, 7]]


def flat(level: int, size: int = 32) -> Pixels:
    return np.full((size, size, 3), level, np.uint8)


def test_pictures_of_one_colour_are_similar_only_if_they_are_identical() -> None:
    nearly = flat(0)
    nearly[3, 4] = 3
    turned = np.zeros((16, 64, 3), np.uint8)  # the same bytes in another shape
    pictures = [flat(0), flat(255), flat(1), flat(0, size=33), nearly, turned, flat(0)]
    hashes = np.stack([perceptual_hash(picture) for picture in pictures])
    assert similar_pairs(hashes).tolist() == [[0, 6]]


def test_faint_pictures_are_told_apart(scenes: list[Pixels]) -> None:
    faint = [(scene // 16).astype(np.uint8) for scene in scenes]
    hashes = np.stack([perceptual_hash(picture) for picture in faint])
    assert len(similar_pairs(hashes)) == 0
    again = [np.asarray(scaled(Image.fromarray(picture), 0.5)) for picture in faint]
    hashes = np.stack([perceptual_hash(picture) for picture in (*faint, *again)])
    assert similar_pairs(hashes).tolist() == [[0, 4], [1, 5], [2, 6], [3, 7]]


# --- pairs


def flipped(base: Hashes, bits: int, rng: np.random.Generator) -> Hashes:
    """The hash with so many other bits."""
    changed = base.copy()
    for bit in rng.choice(256, bits, replace=False):
        changed[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return changed


def families(seed: int, sizes: list[int], most: int) -> Hashes:
    """Hashes that differ from those of their family's head in up to so many bits."""
    rng = np.random.default_rng(seed)
    hashes = []
    for size in sizes:
        head = rng.integers(0, 2**64, 4, dtype=np.uint64)
        hashes += [flipped(head, int(rng.integers(0, most + 1)), rng) for _ in range(size)]
    rng.shuffle(hashes)
    return np.array(hashes, np.uint64).reshape(-1, 4)


def all_pairs(hashes: Hashes, limit: int) -> set[tuple[int, int]]:
    return {
        (i, j)
        for j in range(len(hashes))
        for i in range(j)
        if distance(hashes[i], hashes[j]) <= limit
    }


def connected(count: int, pairs: set[tuple[int, int]]) -> list[int]:
    """The smallest index that each is connected to, by following pairs until nothing changes."""
    names = list(range(count))
    changed = True
    while changed:
        changed = False
        for i, j in pairs:
            least = min(names[i], names[j])
            changed |= names[i] != names[j]
            names[i] = names[j] = least
    return names


@pytest.fixture(params=["looked up", "all compared"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to the pairs; few hashes would always be compared one with another."""
    work = 0 if request.param == "looked up" else 10**9
    monkeypatch.setattr(emotion.data.duplicates, "LOOK_UP", work)
    monkeypatch.setattr(emotion.data.duplicates, "BLOCK", 7)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("limit", [0, 1, 15, 16, 30, 31])
def test_pairs_are_within_the_limit_and_connect_what_all_such_pairs_connect(limit: int) -> None:
    for seed in range(6):
        hashes = families(seed, [1, 1, 2, 3, 9], most=limit // 2 + seed)
        pairs = [(int(i), int(j)) for i, j in similar_pairs(hashes, limit)]
        expected = all_pairs(hashes, limit)
        assert set(pairs) <= expected
        assert pairs == sorted(pairs)
        names = connected(len(hashes), expected)
        assert connected(len(hashes), set(pairs)) == names
        assert len(pairs) == len(hashes) - len(set(names))  # as few as can be


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("bits", [0, 1, 15, 16, 29, 30, 31, 32, 33])
def test_wherever_two_hashes_differ_the_limit_alone_decides(bits: int) -> None:
    rng = np.random.default_rng(bits)
    for _ in range(5):
        head = rng.integers(0, 2**64, 4, dtype=np.uint64)
        pairs = similar_pairs(np.stack([head, flipped(head, bits, rng)]), 31)
        assert len(pairs) == (bits <= 31)


@pytest.mark.usefixtures("way")
def test_bits_spread_evenly_over_all_chunks_are_the_hardest_case() -> None:
    # Two bits in fifteen chunks and one in the last: it alone gives the pair away.
    head = np.random.default_rng(0).integers(0, 2**64, 4, dtype=np.uint64)
    other = head.view(np.uint16) ^ np.array([0b11] * 15 + [0b1], np.uint16)
    hashes = np.stack([head, other.view(np.uint64)])
    assert similar_pairs(hashes, 31).tolist() == [[0, 1]]
    assert similar_pairs(hashes, 30).tolist() == []


def test_real_sizes_are_looked_up_and_miss_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = families(1, [1] * 5000 + [2] * 300, most=20)
    monkeypatch.setattr(emotion.data.duplicates, "_near_of_all", None)  # not called
    pairs = similar_pairs(hashes)
    monkeypatch.undo()
    monkeypatch.setattr(emotion.data.duplicates, "LOOK_UP", 10**9)
    np.testing.assert_array_equal(pairs, similar_pairs(hashes))
    assert 250 < len(pairs) <= 300


def test_thousands_of_pictures_alike_take_little_memory() -> None:
    rng = np.random.default_rng(0)
    head = rng.integers(0, 2**64, 4, dtype=np.uint64)
    identical = np.tile(head, (20_000, 1))
    alike = np.stack([flipped(head, 6, rng) for _ in range(1000)])
    tracemalloc.start()
    pairs = similar_pairs(np.concatenate([identical, alike]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pairs) == 20_999
    assert peak < 100e6  # all pairs would be 3.5 GB


@settings(max_examples=20)
@given(seed=st.integers(0, 99), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_pictures_does_not_change_what_is_connected(
    seed: int, shuffle: random.Random
) -> None:
    hashes = families(seed, [1, 2, 4], most=16)
    order = list(range(len(hashes)))
    shuffle.shuffle(order)

    def sets(hashes: Hashes, numbers: list[int]) -> set[frozenset[int]]:
        names = clusters(len(hashes), similar_pairs(hashes))
        groups = [np.flatnonzero(names == name) for name in np.unique(names)]
        return {frozenset(numbers[i] for i in group) for group in groups}

    assert sets(hashes[order], order) == sets(hashes, list(range(len(hashes))))


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures_make_no_pair(count: int) -> None:
    pairs = similar_pairs(np.zeros((count, 4), np.uint64))
    assert pairs.shape == (0, 2)
    assert pairs.dtype == np.int64
    assert clusters(count, pairs).tolist() == list(range(count))


@pytest.mark.parametrize("limit", [-1, 32])
def test_a_limit_that_chunks_cannot_vouch_for_is_refused(limit: int) -> None:
    expected = rf"^Expected argument `limit` to be from 0 to 31, but got {limit}$"
    with pytest.raises(ValueError, match=expected):
        similar_pairs(np.zeros((2, 4), np.uint64), limit)


# --- clusters


@settings(max_examples=40)
@given(st.data())
def test_clusters_are_named_by_their_smallest_index(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 20))
    index = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(index, index), max_size=20))
    names = clusters(count, np.array(pairs, np.int64).reshape(-1, 2))
    assert names.tolist() == connected(count, set(pairs))


# --- real photos


@pytest.mark.slow
def test_of_photos_of_many_persons_only_shots_of_one_scene_are_similar(shared: Path) -> None:
    paths = sorted((shared / "data/faces5").glob("*/img/*"))
    pairs = similar_pairs(np.stack([perceptual_hash(read_image(path)) for path in paths]))
    assert len(pairs) == 2
    for first, second in pairs:
        persons = {paths[i].stem.rsplit("_", 1)[0] for i in (first, second)}
        assert len(persons) == 1


@pytest.mark.slow
def test_copies_of_small_grey_faces_are_found_and_strangers_are_not(shared: Path) -> None:
    with zipfile.ZipFile(shared / "data/ferplus.zip") as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".png"))[::100]
        faces = [Image.open(archive.open(name)).convert("RGB") for name in names]
    hashes = np.stack([perceptual_hash(np.asarray(face)) for face in faces])
    assert len(similar_pairs(hashes)) == 0
    again = np.stack([perceptual_hash(np.asarray(encoded(face, 50))) for face in faces])
    found = [distance(a, b) <= SIMILAR for a, b in zip(hashes, again, strict=True)]
    assert np.mean(found) > 0.99
