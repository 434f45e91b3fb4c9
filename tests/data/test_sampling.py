"""Batches over devices: nothing twice, nothing lost, every device in step; and classes alike."""

from collections import Counter
from itertools import chain, pairwise

import albumentations
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_sample_weight

from emotion.data.augment import Augmentation
from emotion.data.sampling import BalancedDraws, BatchSampler

Batch = list[tuple[int, int]]

TOTALS = st.integers(1, 300)
WORLDS = st.integers(1, 9)
SEEDS = st.integers(0, 2**32)


def epoch_of(
    total: int,
    batch_size: int,
    world: int,
    shuffle: bool,
    seed: int = 0,
    epoch: int = 0,
    classes: NDArray[np.int64] | None = None,
) -> list[list[Batch]]:
    """Gives each device's batches of an epoch."""
    ranks = []
    for rank in range(world):
        sampler = BatchSampler(total, batch_size, rank, world, shuffle, seed, classes)
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        ranks.append(batches)
    return ranks


def indices(batches: list[Batch]) -> list[int]:
    return [index for _, index in chain.from_iterable(batches)]


def global_batches(ranks: list[list[Batch]]) -> list[list[int]]:
    """Gives what all devices together take in each step."""
    return [sorted(indices(list(step))) for step in zip(*ranks, strict=True)]


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int, int]:
    """Total, batch size and devices as a `FaceCropDataModule` allows them."""
    world = draw(WORLDS)
    return draw(TOTALS), world * draw(st.integers(1, 40)), world


@given(size=sizes())
def test_evaluation_takes_every_sample_exactly_once_over_all_devices(
    size: tuple[int, int, int],
) -> None:
    ranks = epoch_of(*size, shuffle=False)
    assert sorted(chain.from_iterable(indices(batches) for batches in ranks)) == [*range(size[0])]


@given(total=st.integers(1, 8), missing=st.integers(1, 8))
def test_evaluation_is_complete_with_fewer_samples_than_devices(total: int, missing: int) -> None:
    world = total + missing
    ranks = epoch_of(total, 2 * world, world, shuffle=False)
    assert sorted(chain.from_iterable(indices(batches) for batches in ranks)) == [*range(total)]


@given(total=TOTALS, batch_size=st.integers(1, 60))
def test_evaluation_on_one_device_keeps_the_order_in_batches_alike(
    total: int, batch_size: int
) -> None:
    (batches,) = epoch_of(total, batch_size, 1, shuffle=False)
    lengths = [len(batch) for batch in batches]
    assert indices(batches) == [*range(total)]
    assert 0 < max(lengths) <= batch_size
    assert max(lengths) - min(lengths) <= 1


@given(size=sizes(), shuffle=st.booleans(), seed=SEEDS)
def test_every_device_takes_the_same_number_of_steps(
    size: tuple[int, int, int], shuffle: bool, seed: int
) -> None:
    ranks = epoch_of(*size, shuffle, seed)
    assert len({len(batches) for batches in ranks}) == 1


@given(size=sizes(), seed=SEEDS)
def test_training_takes_every_sample_exactly_once_over_all_devices(
    size: tuple[int, int, int], seed: int
) -> None:
    ranks = epoch_of(*size, shuffle=True, seed=seed)
    assert sorted(chain.from_iterable(indices(b) for b in ranks)) == [*range(size[0])]


@given(size=sizes(), seed=SEEDS)
def test_only_a_last_share_is_empty_and_never_that_of_the_first_device(
    size: tuple[int, int, int], seed: int
) -> None:
    ranks = epoch_of(*size, shuffle=True, seed=seed)
    assert all(batch for batches in ranks for batch in batches[:-1])
    assert ranks[0][-1]


@given(size=sizes(), shuffle=st.booleans(), seed=SEEDS, epoch=st.integers(0, 5))
def test_batches_and_their_sizes_are_the_same_on_one_device_and_on_many(
    size: tuple[int, int, int], shuffle: bool, seed: int, epoch: int
) -> None:
    total, batch_size, world = size
    one = global_batches(epoch_of(total, batch_size, 1, shuffle, seed, epoch))
    many = global_batches(epoch_of(total, batch_size, world, shuffle, seed, epoch))
    assert many == one
    sampler = BatchSampler(total, batch_size, world - 1, world, shuffle, seed)
    assert sampler.sizes() == [len(batch) for batch in one]


@given(size=sizes(), seed=SEEDS, epoch=st.integers(0, 5), skipped=st.integers(0, 300))
def test_an_epoch_that_is_continued_goes_on_where_it_was_and_the_next_is_whole(
    size: tuple[int, int, int], seed: int, epoch: int, skipped: int
) -> None:
    sampler = BatchSampler(size[0], size[1], 0, size[2], True, seed)
    whole, continued = {}, {}
    for number in (epoch, epoch + 1):
        sampler.set_epoch(number)
        whole[number] = list(sampler)
    sampler.skip(epoch, min(skipped, len(sampler)))
    for number in (epoch, epoch + 1):
        sampler.set_epoch(number)
        continued[number] = list(sampler)
        assert len(sampler) == len(whole[number])
    assert continued[epoch] == whole[epoch][skipped:]
    assert continued[epoch + 1] == whole[epoch + 1]


@given(size=sizes(), seed=SEEDS)
def test_all_training_batches_but_the_last_are_full(size: tuple[int, int, int], seed: int) -> None:
    steps = global_batches(epoch_of(*size, shuffle=True, seed=seed))
    assert all(len(step) == size[1] for step in steps[:-1])
    assert all(len(step) <= size[1] for step in steps[-1:])


@given(seed=SEEDS, epoch=st.integers(0, 1000))
def test_the_same_seed_and_epoch_give_the_same_order(seed: int, epoch: int) -> None:
    assert epoch_of(50, 8, 2, True, seed, epoch) == epoch_of(50, 8, 2, True, seed, epoch)


def test_orders_differ_from_epoch_to_epoch_and_from_seed_to_seed() -> None:
    orders = {
        tuple(indices(epoch_of(50, 8, 1, True, seed, epoch)[0]))
        for seed in range(4)
        for epoch in range(4)
    }
    assert len(orders) == 16


def test_a_training_order_is_not_the_data_sets_order() -> None:
    assert indices(epoch_of(50, 8, 1, True)[0]) != [*range(50)]


@given(size=sizes(), shuffle=st.booleans(), epoch=st.integers(0, 1000))
def test_the_epoch_travels_with_every_index(
    size: tuple[int, int, int], shuffle: bool, epoch: int
) -> None:
    ranks = epoch_of(*size, shuffle, epoch=epoch)
    keys = chain.from_iterable(chain.from_iterable(ranks))
    assert all(key[0] == epoch for key in keys)


def test_lightning_reaches_set_epoch_through_the_samplers_sampler() -> None:
    sampler = BatchSampler(50, 8, 0, 1, True, 0)
    sampler.sampler.set_epoch(3)
    assert next(iter(sampler))[0][0] == 3


def test_fewer_training_samples_than_devices_are_one_batch() -> None:
    ranks = epoch_of(3, 8, 4, True)
    assert [len(batches[0]) for batches in ranks] == [1, 1, 1, 0]
    assert all(len(batches) == 1 for batches in ranks)


@given(size=sizes(), seed=SEEDS, epoch=st.integers(0, 5))
def test_without_classes_the_order_is_one_permutation_of_numpys(
    size: tuple[int, int, int], seed: int, epoch: int
) -> None:
    total, batch_size, world = size
    order = np.random.default_rng([seed, epoch]).permutation(total).tolist()
    batches = [order[i : i + batch_size] for i in range(0, total, batch_size)]
    expected = [
        [[(epoch, index) for index in batch[rank::world]] for batch in batches]
        for rank in range(world)
    ]
    assert epoch_of(*size, True, seed, epoch) == expected


# Balanced draws.

UNEVEN = [50, 20, 0, 7, 1]  # the third class has no samples
# How many samples each class has.
SUPPORTS = st.lists(st.integers(0, 60), min_size=1, max_size=7).filter(any)


def classes_of(support: list[int], seed: int = 0) -> NDArray[np.int64]:
    """Gives so many samples of each class, in any order."""
    classes = np.repeat(np.arange(len(support)), support)
    return np.random.default_rng(seed).permutation(classes)


def balanced(
    classes: NDArray[np.int64], batch_size: int, world: int, epoch: int = 0, seed: int = 0
) -> list[list[Batch]]:
    return epoch_of(len(classes), batch_size, world, True, seed, epoch, classes)


def spread(counts: dict[int, int], members: NDArray[np.int64]) -> int:
    """Gives the difference between the most and the least that any member was drawn."""
    drawn = [counts.get(int(member), 0) for member in members]
    return max(drawn) - min(drawn)


@given(support=SUPPORTS, seed=SEEDS, batch_size=st.integers(1, 60))
def test_a_balanced_epoch_is_as_long_and_has_all_classes_that_occur_alike(
    support: list[int], seed: int, batch_size: int
) -> None:
    classes = classes_of(support)
    (batches,) = balanced(classes, batch_size, 1, seed=seed)
    drawn = Counter(classes[indices(batches)].tolist())
    assert sum(drawn.values()) == len(classes)
    assert set(drawn) <= set(np.flatnonzero(support).tolist())
    numbers = [drawn[c] for c in np.flatnonzero(support).tolist()]
    assert max(numbers) - min(numbers) <= 1


@given(support=SUPPORTS, seed=SEEDS, epochs=st.integers(1, 6))
def test_after_any_epochs_classes_and_faces_of_a_class_differ_by_one_draw_at_most(
    support: list[int], seed: int, epochs: int
) -> None:
    classes = classes_of(support)
    drawn: Counter[int] = Counter()
    for epoch in range(epochs):
        drawn.update(indices(balanced(classes, 16, 1, epoch, seed)[0]))
    totals = [sum(drawn[int(i)] for i in np.flatnonzero(classes == c)) for c in np.unique(classes)]
    assert max(totals) - min(totals) <= 1
    for c in np.unique(classes):
        assert spread(drawn, np.flatnonzero(classes == c)) <= 1


@given(support=SUPPORTS, seed=SEEDS, first=st.integers(0, 500), number=st.integers(0, 200))
def test_any_stretch_of_draws_follows_from_the_seed_alone(
    support: list[int], seed: int, first: int, number: int
) -> None:
    classes = classes_of(support)
    middle, last = first + number // 2, first + number
    parts = [
        BalancedDraws(classes, seed).between(*ends) for ends in pairwise([first, middle, last])
    ]
    whole = BalancedDraws(classes, seed).between(first, last)
    assert len(whole) == number
    assert sorted(np.concatenate(parts).tolist()) == sorted(whole.tolist())


def test_each_pile_is_shuffled_in_its_own_way() -> None:
    piles = BalancedDraws(classes_of([30, 30]), 0).between(0, 300)[:, 1].reshape(2, 5, 30)
    places = piles.argsort(axis=2)  # of a class's samples in each of its piles
    assert len({tuple(pile) for pile in places.reshape(10, 30).tolist()}) == 10


def test_each_face_is_drawn_as_often_as_sklearns_balanced_weight_says() -> None:
    classes = classes_of(UNEVEN)
    epochs = 200
    drawn: Counter[int] = Counter()
    for epoch in range(epochs):
        drawn.update(indices(balanced(classes, 16, 1, epoch)[0]))
    expected = epochs * compute_sample_weight("balanced", classes)
    given = [drawn[i] for i in range(len(classes))]
    np.testing.assert_allclose(given, expected, rtol=0, atol=2)


@given(support=SUPPORTS, seed=SEEDS, epochs=st.integers(1, 6))
def test_no_two_draws_of_a_run_are_alike_and_rounds_count_up(
    support: list[int], seed: int, epochs: int
) -> None:
    classes = classes_of(support)
    rounds: dict[int, list[int]] = {}
    for epoch in range(epochs):
        for turn, index in chain.from_iterable(balanced(classes, 16, 1, epoch, seed)[0]):
            rounds.setdefault(index, []).append(turn)
    assert all(sorted(turns) == [*range(len(turns))] for turns in rounds.values())


def test_a_face_that_comes_often_in_an_epoch_is_augmented_anew_each_time() -> None:
    classes = classes_of(UNEVEN)
    rare = int(np.flatnonzero(classes == 4)[0])
    augmentation = Augmentation([albumentations.RandomCrop(height=24, width=24)], 24, 0)
    crop = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    keys = [
        key
        for epoch in range(3)
        for key in chain.from_iterable(balanced(classes, 16, 1, epoch)[0])
        if key[1] == rare
    ]
    assert len(keys) > 50
    assert len({augmentation(crop, *key).tobytes() for key in keys}) == len(keys)


@st.composite
def supports_and_devices(draw: st.DrawFn) -> tuple[NDArray[np.int64], int, int]:
    world = draw(st.integers(1, 5))
    return classes_of(draw(SUPPORTS)), world * draw(st.integers(1, 12)), world


@given(case=supports_and_devices(), seed=SEEDS, epoch=st.integers(0, 5))
def test_balanced_batches_are_the_same_on_one_device_and_on_many(
    case: tuple[NDArray[np.int64], int, int], seed: int, epoch: int
) -> None:
    classes, batch_size, world = case
    one = balanced(classes, batch_size, 1, epoch, seed)[0]
    ranks = balanced(classes, batch_size, world, epoch, seed)
    many = [sorted(chain.from_iterable(step)) for step in zip(*ranks, strict=True)]
    assert many == [sorted(batch) for batch in one]


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_every_device_gets_all_classes_alike(world: int, extra: int) -> None:
    classes = classes_of([60 + extra, 25, 9, 4])  # totals that 3 or 2 do and do not divide
    drawn = [Counter[int]() for _ in range(world)]
    epochs = 60
    for epoch in range(epochs):
        for rank, batches in enumerate(balanced(classes, 12, world, epoch)):
            drawn[rank].update(classes[indices(batches)].tolist())
    for counts in drawn:
        n = sum(counts.values())
        assert n >= epochs * (len(classes) // world)
        # Five standard deviations of n independent draws; these are steadier.
        assert all(abs(counts[c] - n / 4) < 5 * np.sqrt(n * 3 / 16) for c in range(4))


def test_a_single_class_is_drawn_as_if_shuffled() -> None:
    classes = np.zeros(30, dtype=np.int64)
    for epoch in range(4):
        (batches,) = balanced(classes, 8, 1, epoch)
        assert sorted(chain.from_iterable(batches)) == [(epoch, index) for index in range(30)]


def test_balanced_orders_differ_from_epoch_to_epoch_and_from_seed_to_seed() -> None:
    classes = classes_of(UNEVEN)
    orders = [
        tuple(indices(balanced(classes, 8, 1, epoch, seed)[0]))
        for seed in range(4)
        for epoch in range(4)
    ]
    assert len(set(orders)) == 16
    assert indices(balanced(classes, 8, 1, 3, 3)[0]) == list(orders[-1])


def test_classes_are_mixed_within_an_epoch() -> None:
    classes = classes_of([50, 20, 9, 5])
    (batches,) = balanced(classes, 21, 1)
    # Sorted by class, a quarter of the epoch would be of one class.
    assert all(len(set(classes[indices([batch])].tolist())) == 4 for batch in batches)


@pytest.mark.parametrize(("shuffle", "number"), [(False, 10), (True, 9), (True, 11)])
def test_classes_that_do_not_fit_are_refused(shuffle: bool, number: int) -> None:
    with pytest.raises(ValueError, match="expected one for each of the samples of a training"):
        BatchSampler(10, 4, 0, 1, shuffle, 0, np.zeros(number, dtype=np.int64))
