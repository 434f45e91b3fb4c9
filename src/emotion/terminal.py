"""A progress bar with the time left, on standard error, where that is a terminal."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


FEW = 4  # items that need no bar


def tracked(items: Iterable[T], what: str, total: int | None, hidden: bool = False) -> Iterator[T]:
    """Yields the items and shows how far they are.

    Args:
        items: taken one by one.
        what: stands before the bar.
        total: how many there will be; None where nobody knows.
        hidden: show nothing, on a terminal either.
    """
    if hidden or not sys.stderr.isatty() or (total is not None and total <= FEW):
        yield from items
        return
    from rich.console import Console
    from rich.progress import track  # takes longer to load than a photo to predict

    console = Console(stderr=True)
    yield from track(items, what, total, console=console, transient=True)
