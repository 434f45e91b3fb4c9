"""Augmentation: random, repeatable sample by sample, and free of hidden ties."""

import albumentations
import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.data.augment import Augmentation
from emotion.errors import ConfigError

KEPT, SIZE = 70, 64


def original(seed: int = 0) -> Augmentation:
    """The original's recipe at a quarter of its size."""
    return Augmentation(
        [
            albumentations.Rotate(limit=(-10, 10), p=1.0),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.RandomCrop(height=SIZE, width=SIZE),
        ],
        SIZE,
        seed,
    )


@pytest.fixture
def crop() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (KEPT, KEPT, 3), dtype=np.uint8)


def test_the_result_is_contiguous_uint8_of_the_asked_size(crop: NDArray[np.uint8]) -> None:
    result = original()(crop, 0, 0)
    assert result.shape == (SIZE, SIZE, 3)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous


def test_the_same_seed_epoch_and_index_give_the_same_pixels(crop: NDArray[np.uint8]) -> None:
    first, second = original(7), original(7)
    expected = first(crop, 3, 11)
    for index in (5, 12, 0):  # what was drawn before must not matter
        second(crop, 1, index)
    np.testing.assert_array_equal(second(crop, 3, 11), expected)


def test_seed_epoch_and_index_each_change_the_pixels(crop: NDArray[np.uint8]) -> None:
    keys = [(seed, epoch, index) for seed in (0, 1) for epoch in range(4) for index in range(4)]
    results = {original(seed)(crop, epoch, index).tobytes() for seed, epoch, index in keys}
    assert len(results) == len(keys)


def test_epoch_and_index_are_not_interchangeable(crop: NDArray[np.uint8]) -> None:
    assert not np.array_equal(original()(crop, 1, 2), original()(crop, 2, 1))


def test_numpys_global_generator_has_no_part_in_it(crop: NDArray[np.uint8]) -> None:
    augmentation, results = original(), set()
    for seed in range(3):
        np.random.seed(seed)
        results.add(augmentation(crop, 0, 0).tobytes())
    assert len(results) == 1


def test_the_input_is_not_written_to(crop: NDArray[np.uint8]) -> None:
    before = crop.copy()
    crop.flags.writeable = False
    for index in range(20):
        original()(crop, 0, index)
    np.testing.assert_array_equal(crop, before)


def test_without_transforms_the_crop_comes_back_unchanged(crop: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(Augmentation([], KEPT, 0)(crop, 0, 0), crop)


def signs_and_flips(draws: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tells for each draw whether the rotation went one way, and whether it was flipped.

    The picture is red on its left and green on its upper half. After a flip the red is on the
    right; once that is undone, the green reaches lower on one side than on the other.
    """
    augmentation = Augmentation(
        [albumentations.Rotate(limit=(-10, 10), p=1.0), albumentations.HorizontalFlip(p=0.5)], 64, 0
    )
    picture = np.zeros((64, 64, 3), dtype=np.uint8)
    picture[:, :32, 0] = picture[:32, :, 1] = 255
    signs, flips = [], []
    for index in range(draws):
        red, green, _ = np.moveaxis(augmentation(picture, 0, index).astype(float), -1, 0)
        flipped = red[:, 32:].sum() > red[:, :32].sum()
        upright = green[16:48, ::-1] if flipped else green[16:48]
        signs.append(upright[:, :32].sum() > upright[:, 32:].sum())
        flips.append(flipped)
    return np.array(signs), np.array(flips)


def test_flips_do_not_depend_on_the_rotation() -> None:
    signs, flips = signs_and_flips(draws=600)
    # Five standard deviations of a fair coin, in each half and in all.
    for side in (signs, ~signs, np.ones_like(signs)):
        assert abs(flips[side].mean() - 0.5) < 2.5 / np.sqrt(side.sum())
    assert abs(signs.mean() - 0.5) < 2.5 / np.sqrt(len(signs))


@pytest.mark.parametrize("size", [60, 80])
def test_another_size_than_the_input_is_refused_with_the_way_out(
    crop: NDArray[np.uint8], size: int
) -> None:
    augmentation = Augmentation([albumentations.Resize(size, size)], SIZE, 0)
    expected = (
        rf"^data\.augmentation: leaves uint8 crops of \({size}, {size}, 3\), expected uint8 of"
        rf" \(64, 64, 3\); end it with RandomCrop or Resize to input\.size$"
    )
    with pytest.raises(ConfigError, match=expected):
        augmentation(crop, 0, 0)


def test_floats_are_refused(crop: NDArray[np.uint8]) -> None:
    augmentation = Augmentation([albumentations.Normalize()], KEPT, 0)
    with pytest.raises(ConfigError, match=r"^data\.augmentation: leaves float32 crops of"):
        augmentation(crop, 0, 0)
