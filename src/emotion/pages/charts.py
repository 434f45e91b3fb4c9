"""Bars and histograms as rows of a table: each row has its number and a bar as long as it says."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

BINS = 12  # rows of a histogram at most, where the values lie close together
WIDE = 8  # values that differ by a larger factor get bins that grow with them


@dataclass(frozen=True)
class Bar:
    """One row of a chart.

    Attributes:
        name: what was counted.
        count: how often it was there.
        share: count of all that was counted in its chart, 0 to 1.
        mark: a remark on this row, or "".
        outlined: drawn as an outline, since it does not belong to the others.
    """

    name: str
    count: int
    share: float
    mark: str = ""
    outlined: bool = False


def bars(counts: Mapping[str, int], total: int, outlined: bool = False) -> list[Bar]:
    """Makes a row of each count.

    Args:
        counts: by name.
        total: what a share is of.
        outlined: see `Bar`.
    """
    return [
        Bar(name, count, count / max(total, 1), outlined=outlined) for name, count in counts.items()
    ]


def largest_share(charts: Iterable[Sequence[Bar]]) -> float:
    """Gives the share whose bar has the full length, where charts are to be compared; above 0."""
    return max((bar.share for chart in charts for bar in chart if bar.count), default=1.0)


def histograms(values: Mapping[str, Sequence[int]]) -> dict[str, list[Bar]]:
    """Makes a histogram of each list of values, all with the same bins.

    Args:
        values: whole numbers of at least 1, by name; a list may be empty.

    Returns:
        The rows by name; the row with a list's smallest value is marked.
    """
    together = [value for column in values.values() for value in column]
    if not together:
        return {name: [] for name in values}
    edges = bin_edges(min(together), max(together))
    return {name: _histogram(column, edges) for name, column in values.items()}


def _histogram(values: Sequence[int], edges: Sequence[int]) -> list[Bar]:
    counts = dict.fromkeys((_bin(edge, edges) for edge in edges[:-1]), 0)
    for value, count in Counter(values).items():
        counts[_bin(value, edges)] += count
    rows = bars(counts, len(values))
    if not values:
        return rows
    marked = _bin(min(values), edges)
    return [replace(row, mark="smallest") if row.name == marked else row for row in rows]


def _bin(value: int, edges: Sequence[int]) -> str:
    place = bisect_right(edges, value)
    start, end = edges[place - 1], edges[place]
    return f"{start}" if end == start + 1 else f"{start}–{end - 1}"


def bin_edges(lowest: int, highest: int) -> list[int]:
    """Chooses the limits of a histogram's bins: round numbers, not many.

    Values that lie close together get at most 12 bins of one width: 1, 2 or 5 times a power of
    ten. Others get two bins for each doubling (…, 64, 96, 128, …), or one where two would be many.

    Args:
        lowest: smallest value, at least 1.
        highest: largest value.

    Returns:
        Rising limits; each bin holds the values from one limit up to the next, that one left out.
        The lowest value is in the first bin and the highest in the last.
    """
    if highest <= WIDE * lowest:
        steps = (factor * 10**power for power in range(20) for factor in (1, 2, 5))
        step = next(step for step in steps if highest // step - lowest // step < BINS)
        return list(range(lowest // step * step, (highest // step + 1) * step + 1, step))
    doublings = highest.bit_length() - lowest.bit_length() + 1
    edges = [1 << power for power in range(highest.bit_length() + 1)]
    if 2 * doublings <= BINS:
        edges = sorted(edges + [3 * edge // 2 for edge in edges[1:]])
    first = bisect_right(edges, lowest) - 1
    return edges[first : bisect_right(edges, highest) + 1]
