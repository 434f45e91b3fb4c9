"""Mapping on threads: order, bounds, and failures in their turn."""

import itertools
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.threads import cores, map_in_order


def test_cores_are_at_least_one_and_at_most_those_of_the_machine() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds to cores")
def test_cores_are_those_that_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@settings(max_examples=30)
@given(st.lists(st.integers()), st.integers(1, 5))
def test_results_are_those_of_the_builtin_map_in_its_order(items: list[int], jobs: int) -> None:
    assert list(map_in_order(lambda item: item * 2, items, jobs)) == [item * 2 for item in items]


def test_a_late_first_result_still_comes_first() -> None:
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_done.wait(60)
        if item == 1:
            second_done.set()
        return item

    assert list(map_in_order(work, range(4), jobs=2)) == [0, 1, 2, 3]


def test_items_are_worked_on_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=60)  # breaks where fewer than three threads meet
    ranks = list(map_in_order(lambda _: meeting.wait(), range(3), jobs=3))
    assert sorted(ranks) == [0, 1, 2]


def test_without_jobs_there_is_a_thread_a_core() -> None:
    meeting = threading.Barrier(cores(), timeout=60)
    ranks = list(map_in_order(lambda _: meeting.wait(), range(cores())))
    assert sorted(ranks) == list(range(cores()))


@pytest.mark.parametrize("jobs", [1, 3])
def test_items_are_taken_as_the_work_advances(jobs: int) -> None:
    taken = itertools.count()
    items = (next(taken) for _ in itertools.count())  # endless
    results = map_in_order(lambda item: item, items, jobs)
    assert list(itertools.islice(results, 50)) == list(range(50))
    assert next(taken) <= 50 + 2 * jobs


def test_a_failure_is_raised_in_its_turn() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise KeyError("third")
        return item

    results = map_in_order(work, range(10), jobs=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(KeyError, match="third"):
        next(results)


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    results = map_in_order(lambda item: item, itertools.count(), jobs=3)
    assert next(results) == 0
    assert isinstance(results, Iterator)
    results.close()  # type: ignore[attr-defined]  # a generator
    assert threading.active_count() == before


def test_after_an_early_stop_waiting_items_are_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    both_busy = threading.Barrier(3)
    go_on = threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *args: Any, **options: Any) -> None:
            go_on.set()  # the waiting items have been cancelled by now
            super().shutdown(*args, **options)

    monkeypatch.setattr("emotion.threads.ThreadPoolExecutor", Pool)

    def work(item: int) -> int:
        begun.append(item)
        if item > 0:
            both_busy.wait(60)
            go_on.wait(60)
        return item

    results = map_in_order(work, range(100), jobs=2)
    assert next(results) == 0  # 1 and 2 hold both threads, 3 waits for one
    both_busy.wait(60)
    results.close()  # type: ignore[attr-defined]
    assert sorted(begun) == [0, 1, 2]
