"""Batches over devices: nothing twice, nothing lost, every device in step."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from emotion.data.sampling import BatchSampler

Batch = list[tuple[int, int]]

TOTALS = st.integers(1, 300)
WORLDS = st.integers(1, 9)
SEEDS = st.integers(0, 2**32)


def epoch_of(
    total: int, batch_size: int, world: int, shuffle: bool, seed: int = 0, epoch: int = 0
) -> list[list[Batch]]:
    """Gives each device's batches of an epoch."""
    ranks = []
    for rank in range(world):
        sampler = BatchSampler(total, batch_size, rank, world, shuffle, seed)
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
def test_training_repeats_no_sample_and_leaves_fewer_out_than_there_are_devices(
    size: tuple[int, int, int], seed: int
) -> None:
    total, _, world = size
    taken = list(chain.from_iterable(indices(b) for b in epoch_of(*size, shuffle=True, seed=seed)))
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(range(total))
    assert total - len(taken) < world


@given(size=sizes(), seed=SEEDS)
def test_in_training_no_device_gets_an_empty_batch(size: tuple[int, int, int], seed: int) -> None:
    ranks = epoch_of(*size, shuffle=True, seed=seed)
    assert all(batch for batches in ranks for batch in batches)


@given(size=sizes(), seed=SEEDS, epoch=st.integers(0, 5))
def test_training_batches_are_the_same_on_one_device_and_on_many(
    size: tuple[int, int, int], seed: int, epoch: int
) -> None:
    total, batch_size, world = size
    one = global_batches(epoch_of(total, batch_size, 1, True, seed, epoch))
    many = global_batches(epoch_of(total, batch_size, world, True, seed, epoch))
    # Only a last batch that is too small for all devices may be missing.
    assert many == one[: len(many)]
    assert all(len(batch) < world for batch in one[len(many) :])


@given(total=TOTALS, steps=st.integers(1, 40))
def test_two_devices_see_the_global_batches_of_one(total: int, steps: int) -> None:
    for shuffle in (False, True):
        one = global_batches(epoch_of(total, 2 * steps, 1, shuffle))
        two = global_batches(epoch_of(total, 2 * steps, 2, shuffle))
        assert two == one[: len(two)]
        assert len(one) - len(two) in ((0, 1) if shuffle else (0,))


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


def test_too_few_training_samples_for_the_devices_are_no_batch_at_all() -> None:
    assert epoch_of(3, 8, 4, True) == [[], [], [], []]
