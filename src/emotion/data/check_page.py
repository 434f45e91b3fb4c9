"""The page of an audit: what is wrong with a data set, with pictures, for people.

The work and the page's size are bounded, however many problems there are: a few pictures and lines
stand for each kind, and only the pictures that are shown are opened.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median_low
from typing import Any

from emotion.data.check_samples import Picture, Sample, choose_samples, draw_sample
from emotion.faces.problems import KINDS
from emotion.pages.charts import Bar, bars, histograms, largest_share
from emotion.pages.rendering import write_page
from emotion.pages.texts import counted
from emotion.terminal import tracked
from emotion.threads import map_in_order

LINES = 20  # shown of each kind at most
ROWS = 30  # of a chart at most
PARTS = 12  # shown at most
# No picture that is read holds a larger square (`emotion.faces.images.MAX_PIXELS`).
LARGEST_SIDE = 10_000

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """The charts of one part of the data set.

    Attributes:
        name: of the part.
        photos: number of photos.
        faces: number of faces.
        difficult: how many of them the annotators marked so.
        classes: faces by class, then by labels that are no class.
        sides: histogram of the shorter sides of the boxes.
        smallest: of these sides, in pixels; 0 where there are none.
        median: likewise.
    """

    name: str
    photos: int
    faces: int
    difficult: int
    classes: list[Bar]
    sides: list[Bar]
    smallest: int
    median: int


@dataclass(frozen=True)
class Section:
    """All that is shown of one kind of problem.

    Attributes:
        kind: its entry in the report.
        drops: "faces" or "photos" that can be left out by the config, or "".
        samples: each with its pictures.
        lines: the first problems.
        left: number of further problems.
    """

    kind: Json
    drops: str
    samples: list[tuple[Sample, tuple[Picture, ...]]]
    lines: Sequence[Json]
    left: int


def write_check_page(path: Path, report: Json, root: Path) -> None:
    """Writes the page of an audit.

    Args:
        path: of the page.
        report: what `check.json` holds; its texts may be anything, they are only shown.
        root: folder of the data set, which the report's paths are relative to.

    Raises:
        EmotionError: the page cannot be written.
    """
    parts = _parts(dict(islice(report["parts"].items(), PARTS)))
    write_page(
        path,
        "check.html",
        report=report,
        verdict=_verdict(report["kinds"], report["problems"]),
        parts=parts,
        parts_left=len(report["parts"]) - len(parts),
        rows=ROWS,
        longest={
            "classes": largest_share(part.classes for part in parts),
            "sides": largest_share(part.sides for part in parts),
        },
        sections=_sections(report["kinds"], report["problems"], root),
    )


def _verdict(kinds: Iterable[Json], problems: Iterable[Json]) -> str:
    counts: Counter[str] = Counter()
    for kind in kinds:
        counts["accepted" if kind["accepted"] else kind["severity"]] += kind["count"]
    if not counts.total():
        return "no problem was found."
    told = {
        "error": f"{counted(counts['error'], 'error')}, which training refuses",
        "warning": f"{counted(counts['warning'], 'warning')}, which training only mentions",
        "accepted": f"{counts['accepted']:,} accepted",
    }
    files = len({problem["file"] for problem in problems})
    total = f"{counted(counts.total(), 'problem')} in {counted(files, 'file')}"
    return f"{total}: {'; '.join(told[name] for name in told if counts[name])}."


def _parts(parts: Mapping[str, Json]) -> list[Part]:
    sides = {name: [_side(side) for side in part["box_sides"]] for name, part in parts.items()}
    charts = histograms(sides)
    return [
        Part(
            name,
            part["photos"],
            part["faces"],
            part["difficult"],
            _classes(part),
            charts[name],
            min(sides[name], default=0),
            median_low(sides[name] or [0]),
        )
        for name, part in parts.items()
    ]


def _side(side: int) -> int:
    return min(max(side, 1), LARGEST_SIDE)


def _classes(part: Json) -> list[Bar]:
    others: dict[str, int] = dict(Counter(part["other_labels"]).most_common())
    total = sum(part["classes"].values()) + sum(others.values())
    return bars(part["classes"], total) + bars(others, total, outlined=True)


def _sections(kinds: Sequence[Json], problems: Iterable[Json], root: Path) -> list[Section]:
    by_kind: dict[str, list[Json]] = {kind["kind"]: [] for kind in kinds}
    for problem in problems:
        by_kind[problem["kind"]].append(problem)
    samples = {name: choose_samples(listed) for name, listed in by_kind.items()}
    every = [sample for of_kind in samples.values() for sample in of_kind]
    drawn = map_in_order(partial(draw_sample, root), every)
    pictures = iter(list(tracked(drawn, "drawing the page", len(every))))
    return [
        Section(
            kind,
            _drops(kind),
            [(sample, next(pictures)) for sample in samples[kind["kind"]]],
            by_kind[kind["kind"]][:LINES],
            kind["count"] - len(by_kind[kind["kind"]][:LINES]),
        )
        for kind in kinds
    ]


def _drops(kind: Json) -> str:
    known = KINDS.get(kind["kind"])
    if known is None or known.severity != "error" or known.scope == "data":
        return ""
    return f"{known.scope}s"
