"""A progress bar with the time left, on standard error, where that is a terminal."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def tracked(items: Iterable[T], what: str, total: int, hidden: bool = False) -> Iterator[T]:
    """Yields the items and shows how far they are.

    Args:
        items: taken one by one.
        what: stands before the bar.
        total: how many there will be.
        hidden: show nothing, on a terminal either.
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    hidden = hidden or not console.is_terminal
    yield from track(items, what, total, console=console, transient=True, disable=hidden)
