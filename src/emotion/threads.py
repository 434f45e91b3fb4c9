"""Running a function over many items on all cores, in order, with a bounded number in flight."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """Counts the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def wait_asleep() -> None:
    """Lets threads of torch sleep while they wait for one another; to be called before its import.

    They would keep the cores from the threads that find faces, or from another program: an
    evaluation then took five times as long (two cores, three busy threads). Where the user has
    said how they wait, that is left.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def map_in_order(
    function: Callable[[T], R], items: Iterable[T], jobs: int | None = None
) -> Iterator[R]:
    """Applies a function on several threads and yields the results in the order of the items.

    At most two items a thread are in flight, so that memory does not grow with their number.

    Args:
        function: called from several threads at once; what it raises is raised here, in its turn.
        items: taken one by one as the work advances.
        jobs: threads; None for one a core; 1 for none but the one that asks.
    """
    jobs = jobs or cores()
    if jobs == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(jobs) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
