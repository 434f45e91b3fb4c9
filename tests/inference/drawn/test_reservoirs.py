"""A fair choice: each has the same chance, asking changes nothing, memory is bounded."""

import numpy as np

from emotion.inference.drawn.reservoirs import Reservoir


def test_few_are_all_kept_in_their_order() -> None:
    reservoir = Reservoir[int](5, "a")
    for number in range(5):
        assert reservoir.wants()
        reservoir.add(lambda number=number: number)  # type: ignore[misc]
    assert reservoir.kept() == [0, 1, 2, 3, 4]


def test_only_those_that_are_kept_are_made_as_was_foretold() -> None:
    reservoir, made, foretold = Reservoir[int](5, "a"), [], []

    def make(number: int) -> int:
        made.append(number)
        return number

    for number in range(300):
        ahead = number % 3
        foretold += [number + ahead] if ahead == 0 and reservoir.wants(ahead) else []
        reservoir.add(lambda number=number: make(number))  # type: ignore[misc]
    assert reservoir.passed == 300
    assert [number for number in made if number % 3 == 0] == foretold
    assert len(made) < 60
    assert len(reservoir.kept()) == 5
    assert reservoir.kept() == sorted(reservoir.kept())


def test_each_has_the_same_chance() -> None:
    counts = np.zeros(40)
    for seed in range(500):
        reservoir = Reservoir[int](10, str(seed))
        for number in range(40):
            reservoir.add(lambda number=number: number)  # type: ignore[misc]
        counts[reservoir.kept()] += 1
    # 500 draws with a chance of a quarter: 125 each, with a standard deviation of 9.7.
    assert abs(counts - 125).max() < 4 * 9.7
