"""FaceWarp: the map it states, the draws it replaces, the borders it shows."""

import math
import pickle
import random
from collections.abc import Callable, Sequence
from typing import Any

import albumentations
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from emotion.data.warp import BORDERS, FaceWarp, Placement
from emotion.errors import ConfigError

KEPT, SIZE = 144, 128
DRAWS = 3000

Floats = NDArray[np.float64]


def original() -> albumentations.Compose:
    """The original's recipe, one transform after another."""
    return albumentations.Compose(
        [
            albumentations.Rotate(limit=(-10, 10), p=1.0),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.RandomCrop(height=SIZE, width=SIZE),
        ]
    )


def faces() -> albumentations.Compose:
    """The geometric part of experiment=faces, one transform after another."""
    return albumentations.Compose(
        [
            albumentations.HorizontalFlip(p=0.5),
            albumentations.Affine(
                rotate=(-15, 15),
                scale=(0.85, 1.15),
                translate_percent=(-0.06, 0.06),
                border_mode=cv2.BORDER_REFLECT_101,
                p=1.0,
            ),
            albumentations.RandomCrop(height=SIZE, width=SIZE),
        ]
    )


def fused_original(**changes: Any) -> FaceWarp:
    recipe: dict[str, Any] = {"size": SIZE, "rotate": (-10, 10), "flip": 0.5}
    return FaceWarp(**(recipe | changes))


def fused_faces(**changes: Any) -> FaceWarp:
    recipe = {"rotate": (-15, 15), "scale": (0.85, 1.15), "shift": (-0.06, 0.06)}
    return fused_original(**({"border": "reflect"} | recipe | changes))


def seeded(transform: Any, seed: int) -> Any:
    transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
    return transform


@pytest.fixture(scope="module")
def crop() -> NDArray[np.uint8]:
    """Noise as smooth as a photo."""
    noise = np.random.default_rng(0).integers(0, 256, (KEPT // 8, KEPT // 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (KEPT, KEPT), interpolation=cv2.INTER_CUBIC), np.uint8)


# The map once more, step by step, as 3 x 3 matrices.


def move(x: float, y: float) -> Floats:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def about_centre(linear: Floats, height: int = KEPT, width: int = KEPT) -> Floats:
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    x, y = (width - 1) / 2, (height - 1) / 2
    return move(x, y) @ matrix @ move(-x, -y)


def mirror(flip: bool) -> Floats:
    return np.diag([-1.0 if flip else 1.0, 1.0])


def rotation(degrees: float) -> Floats:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cosine, sine], [-sine, cosine]])


def steps(placement: Placement, height: int, width: int) -> Floats:
    """Gives crop -> result, the product of a placement's steps."""
    return (
        move(-placement.corner[0], -placement.corner[1])
        @ about_centre(mirror(placement.flip), height, width)
        @ move(*placement.shift)
        @ about_centre(rotation(placement.degrees), height, width)
        @ about_centre(np.diag(placement.scale), height, width)
        @ about_centre(np.diag(1 / np.array(placement.box_scale)), height, width)
        @ move(-placement.box_shift[0], -placement.box_shift[1])
    )


factors = st.floats(0.5, 2.0)
pixels = st.floats(-20.0, 20.0)
placements = st.builds(
    Placement,
    box_scale=st.tuples(factors, factors),
    box_shift=st.tuples(pixels, pixels),
    scale=st.tuples(factors, factors),
    degrees=st.floats(-180, 180),
    shift=st.tuples(pixels, pixels),
    flip=st.booleans(),
    corner=st.tuples(st.integers(0, 30), st.integers(0, 30)),
)


@given(placements, st.integers(1, 400), st.integers(1, 400))
def test_the_map_is_the_inverse_of_its_steps(placement: Placement, height: int, width: int) -> None:
    source = np.vstack([placement.source(height, width), [0, 0, 1]])
    both = steps(placement, height, width) @ source
    np.testing.assert_allclose(both, np.eye(3), rtol=0, atol=1e-9)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("corner", [(0, 0), (16, 0), (2, 5)])
def test_a_placement_that_only_cuts_and_flips_gives_those_very_pixels(
    crop: NDArray[np.uint8], flip: bool, corner: tuple[int, int]
) -> None:
    matrix = Placement(flip=flip, corner=corner).source(KEPT, KEPT)
    left, top = corner
    flipped = crop[:, ::-1] if flip else crop
    result = FaceWarp(SIZE).apply(crop, matrix)
    np.testing.assert_array_equal(result, flipped[top : top + SIZE, left : left + SIZE])
    assert result.flags.c_contiguous


def test_a_jittered_box_is_stretched_to_the_whole(crop: NDArray[np.uint8]) -> None:
    # The box from (36, 18) to (108, 90), half of each side, 18 pixels above the middle.
    placement = Placement(box_scale=(0.5, 0.5), box_shift=(0, -18))
    result = FaceWarp(KEPT).apply(crop, placement.source(KEPT, KEPT))
    expected = cv2.resize(crop[18:90, 36:108], (KEPT, KEPT), interpolation=cv2.INTER_LINEAR)
    inner = np.s_[2:-2, 2:-2]  # resize sees nothing beyond the box
    assert np.abs(result[inner].astype(int) - expected[inner]).max() <= 2


@pytest.mark.parametrize("border", BORDERS)
def test_four_channels_give_what_three_give(crop: NDArray[np.uint8], border: str) -> None:
    warp = seeded(fused_faces(jitter=0.1, border=border), 1)
    for _ in range(30):
        matrix = warp.draw(KEPT, KEPT).source(KEPT, KEPT)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        expected = cv2.warpAffine(
            crop, matrix, (SIZE, SIZE), flags=flags, borderMode=BORDERS[border]
        )
        np.testing.assert_array_equal(warp.apply(crop, matrix), expected)


# The same parameters forced upon both.


def composed_map(compose: albumentations.Compose) -> Floats:
    """Gives crop -> result, 3 x 3, of what a composition has just done."""
    matrix = np.eye(3)
    for transform in compose:
        step = np.eye(3)
        if isinstance(transform, albumentations.HorizontalFlip):
            step = about_centre(mirror(bool(transform.params)))  # empty where it did nothing
        elif isinstance(transform, albumentations.RandomCrop):
            left, top = transform.params["crop_coords"][:2]
            step = move(-left, -top)
        else:
            step = transform.params["matrix"]
        matrix = step @ matrix
    return matrix


def placement_of_original(compose: albumentations.Compose) -> Placement:
    rotate, flip, cut = compose
    matrix = rotate.params["matrix"]
    return Placement(
        degrees=math.degrees(math.atan2(matrix[0, 1], matrix[0, 0])),
        flip=bool(flip.params),
        corner=cut.params["crop_coords"][:2],
    )


def placement_of_faces(compose: albumentations.Compose) -> Placement:
    flip, affine, cut = compose
    scale, matrix = affine.params["scale"], affine.params["matrix"]
    middle = np.array([(KEPT - 1) / 2, (KEPT - 1) / 2, 1])
    shift = (matrix @ middle - middle)[:2]
    # It flips first. The other way round, what follows is its own mirror image.
    sign = -1 if flip.params else 1
    return Placement(
        scale=(scale["x"], scale["y"]),
        degrees=sign * affine.params["rotate"],
        shift=(sign * shift[0], shift[1]),
        flip=bool(flip.params),
        corner=cut.params["crop_coords"][:2],
    )


@pytest.mark.parametrize(
    ("compose", "placement_of", "border"),
    [(original, placement_of_original, "black"), (faces, placement_of_faces, "reflect")],
)
def test_the_same_parameters_give_the_map_and_the_pixels_of_the_composition(
    crop: NDArray[np.uint8],
    compose: Callable[[], Any],
    placement_of: Callable[[Any], Placement],
    border: str,
) -> None:
    composed, warp = seeded(compose(), 2), FaceWarp(SIZE, border=border)
    bright = np.maximum(crop, 60)  # so that black is the border's alone
    black: int = 0
    for _ in range(100):
        expected = composed(image=bright)["image"].astype(int)
        matrix = placement_of(composed).source(KEPT, KEPT)
        np.testing.assert_allclose(
            matrix, np.linalg.inv(composed_map(composed))[:2], rtol=0, atol=1e-9
        )
        difference = np.abs(warp.apply(bright, matrix).astype(int) - expected)
        # The same points; they are rounded a little differently.
        assert difference.mean() < 0.02
        assert difference.max() <= 3
        black += bool(np.any(expected == 0))
    assert (black > 50) == (border == "black")  # the corners that a rotation leaves


# The same distribution, without forcing anything.


def composed_corners(compose: albumentations.Compose) -> Floats:
    picture = np.zeros((KEPT, KEPT, 1), np.uint8)
    sources = []
    for _ in range(DRAWS):
        compose(image=picture)
        sources.append(np.linalg.inv(composed_map(compose))[:2])
    return corners(sources)


def fused_corners(warp: FaceWarp) -> Floats:
    compose = seeded(albumentations.Compose([warp]), 4)
    picture = np.zeros((KEPT, KEPT, 3), np.uint8)
    sources = []
    for _ in range(DRAWS):
        compose(image=picture)
        sources.append(warp.params["matrix"])
    return corners(sources)


def corners(sources: Sequence[NDArray[Any]]) -> Floats:
    """Gives where the result's four corners lie in the crop: draws x 8, first all x, then all y."""
    last = SIZE - 1
    ends = np.array([[0, 0, 1], [last, 0, 1], [0, last, 1], [last, last, 1]])
    return np.asarray((np.array(sources) @ ends.T).reshape(len(sources), 8), np.float64)


def smallest_p(first: Floats, second: Floats) -> float:
    """Gives the smallest p of Kolmogorov-Smirnov tests times their number (Bonferroni).

    Two distributions are the same if all their projections are (Cramer and Wold): tested are the
    coordinates, the upper and the left edge, the centre, and random sums of all, each among the
    flipped and among the others.
    """
    one = np.eye(8)
    edges = [one[end] - one[start] for start, end in ((0, 1), (0, 2), (4, 5), (4, 6))]
    centre = [one[:4].sum(axis=0), one[4:].sum(axis=0)]
    chance = np.random.default_rng(5).normal(size=(12, 8))
    sums = np.vstack([one, edges, centre, chance]).T
    flipped = [points[:, 0] > points[:, 1] for points in (first, second)]
    found = [
        ks_2samp((first @ sums)[flipped[0] == side, k], (second @ sums)[flipped[1] == side, k])
        for side in (False, True)
        for k in range(sums.shape[1])
    ]
    return float(min(test.pvalue for test in found) * len(found))


@pytest.fixture(scope="module")
def drawn() -> dict[str, Floats]:
    """Corners drawn by the compositions, one transform after another."""
    return {
        "original": composed_corners(seeded(original(), 3)),
        "faces": composed_corners(seeded(faces(), 3)),
    }


@pytest.mark.parametrize(("name", "warp"), [("original", fused_original), ("faces", fused_faces)])
def test_the_corners_are_distributed_as_those_of_the_composition(
    drawn: dict[str, Floats], name: str, warp: Callable[[], FaceWarp]
) -> None:
    ours = fused_corners(warp())
    assert smallest_p(drawn[name], ours) > 0.01
    for points in (drawn[name], ours):
        # Five standard deviations of a fair coin.
        assert abs((points[:, 0] > points[:, 1]).mean() - 0.5) < 2.5 / math.sqrt(DRAWS)


@pytest.mark.parametrize(
    "warp",
    [
        fused_original(rotate=(-12, 12)),
        pytest.param(fused_original(scale=(0.98, 1.02)), marks=pytest.mark.slow),
        pytest.param(fused_original(shift=(-0.05, 0.05)), marks=pytest.mark.slow),
    ],
)
def test_that_comparison_tells_other_distributions_apart(
    drawn: dict[str, Floats], warp: FaceWarp
) -> None:
    assert smallest_p(drawn["original"], fused_corners(warp)) < 1e-4


# Jitter.


def test_jitter_has_the_strength_that_it_states() -> None:
    warp, draws = seeded(FaceWarp(60, jitter=0.08), 6), 3000
    height, width = 60, 90
    size = np.array([width, height])
    boxes = []
    for _ in range(draws):
        source = warp.draw(height, width)._replace(corner=(0, 0)).source(height, width)
        # The outer edges of the result's first and last pixel, in the crop.
        boxes.append([source @ [-0.5, -0.5, 1], source @ [width - 0.5, height - 0.5, 1]])
    first, last = np.moveaxis(np.array(boxes), 1, 0)
    shifts = ((first + last) / 2 - (size - 1) / 2) / size
    logarithms = np.log((last - first) / size)
    measured = np.hstack([shifts, logarithms])  # draws x 4
    # Five standard deviations of a standard deviation, of a mean and of a correlation.
    np.testing.assert_allclose(measured.std(axis=0), 0.08, rtol=5 / math.sqrt(2 * draws))
    np.testing.assert_allclose(measured.mean(axis=0), 0, atol=0.08 * 5 / math.sqrt(draws))
    np.testing.assert_allclose(np.corrcoef(measured.T), np.eye(4), atol=5 / math.sqrt(draws))


def test_without_jitter_the_box_stays_where_it_is() -> None:
    warp = seeded(fused_faces(), 7)
    for _ in range(20):
        placement = warp.draw(KEPT, KEPT)
        assert (placement.box_scale, placement.box_shift) == ((1, 1), (0, 0))


# Borders, draws, and the rest of albumentations' interface.


@pytest.mark.parametrize(
    ("border", "expected"),
    [
        ("black", [0, 0, 10, 20, 30]),
        ("replicate", [10, 10, 10, 20, 30]),
        ("reflect", [30, 20, 10, 20, 30]),
    ],
)
def test_outside_the_crop_one_sees_the_border(border: str, expected: list[int]) -> None:
    row = np.array([10, 20, 30, 40, 50], np.uint8)
    picture = np.broadcast_to(row[:, None], (5, 5, 3)).copy()
    matrix = Placement(shift=(2, 0)).source(5, 5)
    result = FaceWarp(5, border=border).apply(picture, matrix)
    np.testing.assert_array_equal(result[2, :, 0], expected)


def test_every_cut_is_drawn_up_to_both_ends() -> None:
    warp = seeded(FaceWarp(60), 8)
    drawn = {warp.draw(62, 63).corner for _ in range(400)}
    assert drawn == {(left, top) for left in range(4) for top in range(3)}


def test_a_shift_is_a_share_of_its_own_side() -> None:
    warp = seeded(FaceWarp(60, shift=(-0.1, 0.1)), 12)
    right, down = np.abs([warp.draw(60, 120).shift for _ in range(400)]).max(axis=0)
    assert 11.5 < right <= 12
    assert 5.75 < down <= 6


def test_draws_come_from_the_generator_that_was_set_and_from_no_other(
    crop: NDArray[np.uint8],
) -> None:
    results = set()
    for seed in range(3):
        np.random.seed(seed)
        random.seed(seed)
        warp = fused_faces(jitter=0.1)
        warp.set_random_state(np.random.default_rng(seed), random.Random(9))
        results.add(warp(image=crop)["image"].tobytes())
    assert len(results) == 1
    assert seeded(warp, 10)(image=crop)["image"].tobytes() not in results


def test_it_survives_being_sent_to_another_process(crop: NDArray[np.uint8]) -> None:
    warp = seeded(fused_faces(), 11)
    copy = pickle.loads(pickle.dumps(warp))
    np.testing.assert_array_equal(copy(image=crop)["image"], warp(image=crop)["image"])


def test_it_shows_its_settings() -> None:
    shown = repr(FaceWarp(64, rotate=[-10, 10], flip=0.5))
    for setting in ("size=64", "rotate=(-10.0, 10.0)", "flip=0.5", "jitter=0", "border='black'"):
        assert setting in shown


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"size": 0}, "size: expected pixels, 1 or more, got 0"),
        ({"size": 64.0}, "size: expected pixels, 1 or more, got 64.0"),
        ({"rotate": 10}, "rotate: expected [lowest, highest] from -180 to 180, got 10"),
        (
            {"rotate": [10, -10]},
            "rotate: expected [lowest, highest] from -180 to 180, got [10, -10",
        ),
        (
            {"rotate": [math.nan, 1]},
            "rotate: expected [lowest, highest] from -180 to 180, got [nan",
        ),
        ({"scale": [0, 1]}, "scale: expected [lowest, highest] from 0.1 to 10, got [0, 1]"),
        ({"shift": [-6, 6]}, "shift: expected [lowest, highest] from -1 to 1, got [-6, 6]"),
        ({"shift": "ab"}, "shift: expected [lowest, highest] from -1 to 1, got 'ab'"),
        ({"flip": 1.5}, "flip: expected a number from 0 to 1, got 1.5"),
        ({"jitter": -0.1}, "jitter: expected a number from 0 to 0.5, got -0.1"),
        ({"jitter": None}, "jitter: expected a number from 0 to 0.5, got None"),
        ({"border": 4}, "border: expected black, reflect, replicate, got 4"),
    ],
)
def test_a_wrong_setting_is_named(arguments: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        FaceWarp(**({"size": SIZE} | arguments))
    assert str(caught.value).startswith(f"data.augmentation: FaceWarp.{expected}")


@pytest.mark.parametrize("shape", [(60, 70), (70, 60)])
def test_a_crop_that_is_too_small_is_refused_with_the_way_out(shape: tuple[int, int]) -> None:
    expected = (
        rf"^data\.augmentation: FaceWarp cuts 64 x 64 pixels, but crops are kept at"
        rf" {shape[1]} x {shape[0]}; set data\.oversize to 1 or more$"
    )
    with pytest.raises(ConfigError, match=expected):
        FaceWarp(64)(image=np.zeros((*shape, 3), np.uint8))
