"""Augmentation: random, repeatable sample by sample, and free of hidden ties."""

import pickle
from collections.abc import Iterable
from typing import Any

import albumentations
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest

from emotion.data.augment import Augmentation
from emotion.data.warp import FaceWarp
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


class Recorder(albumentations.ImageOnlyTransform):  # type: ignore[misc]
    """Draws from both generators and keeps what it drew; the crop stays as it is."""

    def __init__(self) -> None:
        super().__init__(p=1.0)
        self.drawn: list[tuple[float, ...]] = []
        self.stretches: list[NDArray[np.float64]] = []

    def apply(self, img: NDArray[np.uint8], **params: Any) -> NDArray[np.uint8]:
        numbers = (self.random_generator.random(), self.py_random.random())
        # These two make two numbers at a time and keep one for the next call.
        short = self.random_generator.integers(2**31, dtype=np.int32) / 2**31
        self.drawn.append((*numbers, short, self.py_random.gauss(0, 1)))
        self.stretches.append(self.random_generator.random(20))
        return img


def drawn(keys: Iterable[tuple[int, int, int]]) -> NDArray[np.float64]:
    """Gives what is drawn for each (seed, epoch, index): n x 4."""
    recorder, crop = Recorder(), np.zeros((1, 1, 3), np.uint8)
    augmentations = [Augmentation([recorder], 1, seed) for seed in range(3)]
    for seed, epoch, index in keys:
        augmentations[seed](crop, epoch, index)
    return np.array(recorder.drawn)


def test_draws_are_uniform_and_independent_over_samples_epochs_and_seeds() -> None:
    keys = [(s, e, i) for s in range(3) for e in range(4) for i in range(250)]
    numbers = drawn(keys)
    assert len(np.unique(numbers[:, :2])) == 2 * len(keys)
    for column, distribution in zip(numbers.T, ["uniform"] * 3 + ["norm"], strict=True):
        assert kstest(column, distribution).pvalue > 0.001
    # The two generators, and each sample and the next of its epoch, of its seed, of the next.
    columns = [*numbers.T]
    for step in (1, 250, 1000):
        columns += [*np.roll(numbers, step, axis=0).T]
    off_diagonal = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(len(keys))


def test_the_draws_of_one_sample_do_not_run_into_those_of_another() -> None:
    recorder = Recorder()
    augmentation = Augmentation([recorder], 1, 0)
    for epoch in range(5):
        for index in range(5):
            augmentation(np.zeros((1, 1, 3), np.uint8), epoch, index)
    assert len(np.unique(recorder.stretches)) == 25 * 20


def test_nothing_is_carried_from_one_sample_to_the_next() -> None:
    keys = [(0, 0, 0), (1, 2, 3), (0, 0, 1), (2, 0, 0)]
    forwards, backwards = drawn(keys), drawn(keys[::-1])
    np.testing.assert_array_equal(forwards, backwards[::-1])


def test_two_augmentations_may_share_their_transforms(crop: NDArray[np.uint8]) -> None:
    transforms = [FaceWarp(SIZE, rotate=(-10, 10), flip=0.5)]
    first, second = (Augmentation(transforms, SIZE, seed) for seed in (1, 2))
    assert not np.array_equal(first(crop, 0, 0), second(crop, 0, 0))
    alone = Augmentation([FaceWarp(SIZE, rotate=(-10, 10), flip=0.5)], SIZE, 1)
    np.testing.assert_array_equal(first(crop, 0, 0), alone(crop, 0, 0))


@pytest.mark.parametrize("seed", [0, 2**32, 2**64 + 1, 2**200])
def test_seeds_and_epochs_may_be_large(crop: NDArray[np.uint8], seed: int) -> None:
    augmentation = original(seed)
    assert not np.array_equal(augmentation(crop, 2**40, 2**40), original(seed + 1)(crop, 2**40, 0))


def test_a_copy_in_another_process_draws_the_same(crop: NDArray[np.uint8]) -> None:
    augmentation = original(5)
    augmentation(crop, 0, 1)
    copy = pickle.loads(pickle.dumps(augmentation))
    np.testing.assert_array_equal(copy(crop, 2, 3), augmentation(crop, 2, 3))


def test_any_transforms_can_follow_one_another(crop: NDArray[np.uint8]) -> None:
    transforms = [
        FaceWarp(SIZE, rotate=(-10, 10), flip=0.5, jitter=0.05, border="reflect"),
        albumentations.OneOf([albumentations.ToGray(p=1.0), albumentations.CLAHE(p=1.0)], p=0.5),
        albumentations.CoarseDropout(p=0.5),
    ]
    first, second = Augmentation(transforms, SIZE, 3), Augmentation(transforms, SIZE, 3)
    results = [first(crop, 1, index) for index in range(20)]
    for index in reversed(range(20)):
        np.testing.assert_array_equal(second(crop, 1, index), results[index])
    grey = sum(np.ptp(result.astype(int), axis=-1).max() == 0 for result in results)
    assert 0 < grey < 20


def test_where_a_crop_turns_to_does_not_tell_whether_it_turns_grey() -> None:
    warp = FaceWarp(SIZE, rotate=(-10, 10))
    augmentation = Augmentation([warp, albumentations.ToGray(p=0.5)], SIZE, 0)
    crop = np.full((KEPT, KEPT, 3), (250, 5, 5), np.uint8)
    turns, grey = [], []
    for index in range(400):
        result = augmentation(crop, 0, index)[SIZE // 2, SIZE // 2]
        turns.append(warp.params["placement"].degrees)
        grey.append(result[0] == result[1])
    assert abs(np.corrcoef(turns, grey)[0, 1]) < 5 / np.sqrt(400)
