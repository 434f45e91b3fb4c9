"""Pictures that are nearly the same: copies that were scaled, encoded again or touched up.

A picture is described by a perceptual hash of 256 bits: of its grey version at 64 x 64 pixels, the
16 x 16 lowest frequencies of a cosine transform, each above the median or not (ImageHash's
`phash`). How unlike two pictures are is the number of bits in which their hashes differ.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

# Bits in which copies of one picture may differ; with ImageHash they always differ in an even
# number. Measured on FER+ (30,314 grey faces of 48 x 48) and on 1,872 photos of one face each (most
# 350 x 350):
# - Different pictures. FER+ has 577 pairs within 30, and each of them, judged by eye, shows one
#   photo twice; so do 200 samples of those from 32 to 62; strangers begin at 64. The photos have
#   two pairs within 30 and two more within 40, all shots of one scene; strangers begin at 68.
#   Drawn scenes are 64 apart or more.
# - Copies of 400 of the photos, at most: JPEG at quality 30 to 90, 14; half to double size, 8 (20
#   without smoothing); half size and quality 50, 20; brightness 0.8 to 1.25, 26; contrast 1.2, 16.
#   Of those cropped by 1 % at each side 94 % are within 30, by 2 % 14 %.
# - Copies of 1,500 of FER+, at most: JPEG 32 (99.9 % within 30); half to double size, 28;
#   brightness 46 (99 %); contrast 16. Half size, 24 pixels, with quality 50: 55 % are within 30.
# So all common copies are found, and no strangers are bound together. Mirrored ones are not found.
SIMILAR = 30
# Standard deviation in grey levels (of 255) below which a picture counts as of one colour. Faces
# whose contrast was lowered to 0.5 were still 60 bits apart; at 0.2 many had the same hash.
FLAT = 1.0
CHUNKS, BITS = 16, 16  # of a hash
MOST = 2 * CHUNKS - 1  # bits, in which some chunk still differs in one bit at most
BLOCK = 1 << 18  # pairs that are compared at a time, some 30 MB
LOOK_UP = 10  # times the work of comparing two pictures that are not looked up


def perceptual_hash(image: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Describes what a picture looks like.

    A picture of one colour has no frequencies. It is given bits of the SHA-256 of its pixels, so
    that only an identical one is similar to it.

    Args:
        image: H x W x 3, uint8, RGB.

    Returns:
        4 numbers of 64 bits.
    """
    import imagehash

    picture = Image.fromarray(image)
    grey = picture.convert("L").resize((64, 64), Image.Resampling.LANCZOS)
    if np.asarray(grey).std() < FLAT:
        content = f"{image.shape}".encode() + np.ascontiguousarray(image).tobytes()
        packed = hashlib.sha256(content).digest()
    else:
        packed = np.packbits(imagehash.phash(picture, hash_size=16).hash).tobytes()
    return _numbers(packed).reshape(4)


def fingerprint(image: NDArray[np.uint8]) -> bytes:
    """Gives the perceptual hash of a picture (H x W x 3, uint8, RGB) as 32 bytes, to be kept."""
    return perceptual_hash(image).astype(">u8").tobytes()


def read_fingerprints(fingerprints: Sequence[bytes]) -> NDArray[np.uint64]:
    """Gives fingerprints as the n x 4 numbers that `similar_pairs` compares."""
    return _numbers(b"".join(fingerprints))


def _numbers(content: bytes) -> NDArray[np.uint64]:
    numbers: NDArray[np.uint64] = np.frombuffer(content, ">u8").astype(np.uint64).reshape(-1, 4)
    return numbers


def similar_pairs(hashes: NDArray[np.uint64], limit: int = SIMILAR) -> NDArray[np.int64]:
    """Finds the pictures that look nearly the same.

    Args:
        hashes: n x 4, as `perceptual_hash` gives them.
        limit: bits in which two may differ, 0 to 31.

    Returns:
        m x 2 indices, the smaller first, sorted. Each pair is within the limit, and they connect
        all pictures that a chain of pairs within the limit connects. More than that is not
        listed: a thousand pictures that are all alike make 999 pairs.
    """
    if not 0 <= limit <= MOST:
        raise ValueError(f"Expected argument `limit` to be from 0 to {MOST}, but got {limit}")
    if len(hashes) == 0:
        return np.zeros((0, 2), np.int64)
    distinct, first, which = np.unique(hashes, axis=0, return_index=True, return_inverse=True)
    leaders = first[which.reshape(-1)]  # the first picture with the same hash
    followers = np.flatnonzero(leaders != np.arange(len(hashes)))
    pairs = [np.stack([leaders[followers], followers], axis=1)]
    names = np.arange(len(distinct))  # of what is connected so far
    for near in _near_pairs(distinct, limit):
        bridges = near[_bridges(names, near)]
        if len(bridges):
            pairs.append(first[bridges])
            names = clusters(len(distinct), names[bridges])[names]
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0).astype(np.int64)


def _bridges(names: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Chooses as few of the pairs as connect what all of them would connect."""
    ends = names[pairs]
    rows = np.flatnonzero(ends[:, 0] != ends[:, 1])
    if not len(rows):
        return rows
    ends, first = np.unique(np.sort(ends[rows], axis=1), axis=0, return_index=True)
    graph = coo_array((rows[first] + 1, (ends[:, 0], ends[:, 1])), shape=(len(names), len(names)))
    return np.asarray(minimum_spanning_tree(graph).data, np.int64) - 1


def _near_pairs(hashes: NDArray[np.uint64], limit: int) -> Iterator[NDArray[np.int64]]:
    """Yields blocks of pairs within the limit, m x 2, of hashes that are all different.

    Of 16 chunks of 16 bits, one at least differs in `limit // 16` bits or less. So it is enough to
    compare pictures that have a chunk alike, some 140 each among 30,000. Where thousands are alike
    in many chunks, all pairs are less work, since each comes once and needs no looking up.
    """
    radius = limit // CHUNKS
    chunks = np.ascontiguousarray(hashes).view(np.uint16).reshape(-1, CHUNKS).T
    found = sum(int(alike.counts.sum()) for chunk in chunks for alike in _look_up(chunk, radius))
    if LOOK_UP * found > len(hashes) ** 2 / 2:
        yield from _near_of_all(hashes, limit)
        return
    for chunk in chunks:
        for alike in _look_up(chunk, radius):
            for pairs in alike.expand():
                unlike = np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]])
                yield pairs[unlike.sum(axis=1) <= limit]


def _near_of_all(hashes: NDArray[np.uint64], limit: int) -> Iterator[NDArray[np.int64]]:
    words = [np.ascontiguousarray(word) for word in hashes.T]
    rows = max(1, BLOCK // len(hashes))
    for begin in range(0, len(hashes), rows):
        unlike = sum(
            np.bitwise_count(word[begin : begin + rows, None] ^ word[begin:]).astype(np.uint16)
            for word in words
        )
        left, right = np.nonzero(unlike <= limit)
        yield begin + np.stack([left, right], axis=1)[left < right]


class _Alike(NamedTuple):
    """Pictures with a chunk alike: the one at each place with those from a start on.

    Attributes:
        order: index of the picture at each place.
        places: first of the pairs.
        starts: place of the first partner of each.
        counts: number of partners of each.
    """

    order: NDArray[np.int64]
    places: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    def expand(self) -> Iterator[NDArray[np.int64]]:
        """Yields the pairs, m x 2, in blocks, so that memory does not grow with their number."""
        before = np.concatenate([[0], np.cumsum(self.counts)])
        total = int(before[-1])
        for begin in range(0, total, BLOCK):
            numbers = np.arange(begin, min(begin + BLOCK, total))
            rows = np.searchsorted(before, numbers, side="right") - 1
            partners = self.starts[rows] + numbers - before[rows]
            yield np.stack([self.order[self.places[rows]], self.order[partners]], axis=1)


def _look_up(chunk: NDArray[np.uint16], radius: int) -> Iterator[_Alike]:
    """Finds all pairs whose chunk differs in `radius` bits or less (0 or 1), each once."""
    order = np.argsort(chunk, kind="stable")
    values = chunk[order].astype(np.int64)
    bounds = np.searchsorted(values, np.arange((1 << BITS) + 1))
    places = np.arange(len(chunk))
    yield _Alike(order, places, places + 1, bounds[values + 1] - places - 1)
    for flipped in (1 << bit for bit in range(BITS * radius)):
        places = np.flatnonzero(values & flipped == 0)
        others = values[places] | flipped
        yield _Alike(order, places, bounds[others], bounds[others + 1] - bounds[others])


def clusters(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Gives each of `count` items the smallest index that pairs connect it to.

    Args:
        count: number of items.
        pairs: m x 2 indices.
    """
    links = (np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1]))
    graph = coo_array(links, shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    return np.asarray(first[labels], np.int64)
