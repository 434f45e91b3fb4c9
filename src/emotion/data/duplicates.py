"""Pictures that are nearly the same: copies that were scaled, encoded again or touched up.

A picture is described by a perceptual hash of 256 bits: of its grey version at 64 x 64 pixels, the
16 x 16 lowest frequencies of a cosine transform, each above the median or not (ImageHash's
`phash`). How unlike two pictures are is the number of bits in which their hashes differ.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Bits in which copies of one picture may differ. Measured in November 2026 on FER+ (30,314 grey
# faces of 48 x 48) and 1,872 colour faces of 110 to 400 pixels:
# - Of 460 million pairs of FER+, 577 differ in up to 30 bits, and all of them, looked at one by
#   one, show one photo twice. Samples up to 62 bits do, too; strangers begin at 64. In the colour
#   faces the nearest pairs are frames of one scene (18 to 54) and strangers begin at 68. Drawn
#   scenes of one style are 64 apart at least.
# - Copies of the colour faces: JPEG at quality 30 to 90 differs in up to 14 bits, half to double
#   size in 8 (by nearest neighbour in 20), brightness 0.8 to 1.25 and contrast 1.2 in 26, half
#   size and quality 50 in 20. Of those cropped by 1 % a side, 94 % are within 30, by 2 % 14 %.
# - Copies of FER+: JPEG 32 (99.9 % within 30), size 28, brightness and contrast 46 (99 %); half
#   size (24 pixels) and quality 50 together are found in 55 %.
# So it is chosen for no false pair, which would bind strangers, with every common copy within.
SIMILAR = 30
FLAT = 1.0  # grey levels of deviation below which a picture has no frequencies worth hashing
CHUNKS, BITS = 16, 16  # of a hash
MOST = 2 * CHUNKS - 1  # bits, in which some chunk still differs in one bit at most
BLOCK = 1 << 18  # candidates that are compared at a time, about 30 MB


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
        return _numbers(hashlib.sha256(content).digest())[0]
    return _numbers(np.packbits(imagehash.phash(picture, hash_size=16).hash).tobytes())[0]


def fingerprint(image: NDArray[np.uint8]) -> bytes:
    """Gives the perceptual hash of a picture (H x W x 3, uint8, RGB) as 32 bytes, to be kept."""
    return perceptual_hash(image).astype(">u8").tobytes()


def read_fingerprints(fingerprints: Sequence[bytes]) -> NDArray[np.uint64]:
    """Gives fingerprints as the n x 4 numbers that `similar_pairs` compares."""
    return _numbers(b"".join(fingerprints))


def _numbers(content: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(content, ">u8").astype(np.uint64).reshape(-1, 4)


def similar_pairs(hashes: NDArray[np.uint64], limit: int = SIMILAR) -> NDArray[np.int64]:
    """Finds the pictures that look nearly the same.

    Of 16 chunks of 16 bits, at least one differs in `limit // 16` bits or less. So only pictures
    that have a chunk alike are compared, some 140 each among 30,000 instead of all.

    Args:
        hashes: n x 4, as `perceptual_hash` gives them.
        limit: bits in which two may differ, 0 to 31.

    Returns:
        m x 2 indices, the smaller first, sorted; each pair is within the limit. All pairs of
        different hashes are there; of pictures with one hash, each is paired with the first of
        them, which stands for them all. So 10,000 black pictures make 9,999 pairs, and whatever is
        similar is connected.
    """
    if not 0 <= limit <= MOST:
        raise ValueError(f"Expected argument `limit` to be from 0 to {MOST}, but got {limit}")
    distinct, first, which = np.unique(hashes, axis=0, return_index=True, return_inverse=True)
    leaders = first[which.reshape(-1)]
    followers = np.flatnonzero(leaders != np.arange(len(hashes)))
    same = np.stack([leaders[followers], followers], axis=1)
    near = np.sort(first[_near(distinct, limit)], axis=1)
    return np.unique(np.concatenate([same, near]), axis=0).astype(np.int64)


def _near(hashes: NDArray[np.uint64], limit: int) -> NDArray[np.int64]:
    """Finds all pairs within the limit among hashes that are all different."""
    total = len(hashes)
    codes = np.zeros(0, np.int64)  # of pairs, first * total + second
    for chunk in np.ascontiguousarray(hashes).view(np.uint16).reshape(total, CHUNKS).T:
        found = [codes]
        for left, right in _candidates(chunk, limit // CHUNKS):
            distance = np.bitwise_count(hashes[left] ^ hashes[right]).sum(axis=1)
            close = distance <= limit
            found.append(left[close] * total + right[close])
        codes = np.unique(np.concatenate(found))
    return np.stack(np.divmod(codes, total), axis=1)


def _candidates(
    chunk: NDArray[np.uint16], radius: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yields blocks of pairs whose chunk differs in `radius` bits or less (0 or 1), each once."""
    order = np.argsort(chunk, kind="stable")
    values = chunk[order].astype(np.int64)
    bounds = np.searchsorted(values, np.arange((1 << BITS) + 1))
    places = np.arange(len(chunk))
    yield from _expand(order, places, places + 1, bounds[values + 1])
    for flipped in (1 << bit for bit in range(BITS * radius)):
        places = np.flatnonzero(values & flipped == 0)
        others = values[places] | flipped
        yield from _expand(order, places, bounds[others], bounds[others + 1])


def _expand(
    order: NDArray[np.int64],
    places: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs the item at each place with those from its start to its end, smaller index first."""
    counts = ends - starts
    upto = np.concatenate([[0], np.cumsum(counts)])
    for begin in range(0, int(upto[-1]), BLOCK):
        numbers = np.arange(begin, min(begin + BLOCK, int(upto[-1])))
        rows = np.searchsorted(upto, numbers, side="right") - 1
        left, right = order[places[rows]], order[starts[rows] + numbers - upto[rows]]
        yield np.minimum(left, right), np.maximum(left, right)


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
