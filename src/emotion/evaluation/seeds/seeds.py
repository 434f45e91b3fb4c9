"""The runs of a sweep, evaluated: mean and spread over seeds beside what the photos leave open."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from scipy.stats import chi2, norm

from emotion.evaluation.intervals import LEVEL, Interval

FORMAT = 1  # of summary.json
SEED = "seed"

Value = str | int | float | bool | None
Larger = Literal["seeds", "photos"]

_MISSING = object()  # a setting that a run does not have


@dataclass(frozen=True)
class RunScores:
    """One evaluated run.

    Attributes:
        name: its folder, seen from the sweep's.
        settings: by dotted name; one called "seed" tells the seed.
        scores: of the annotated boxes, by name.
        recalls: of each class; None where that has no meaning.
        end_to_end: scores from the whole photo, by name; None where no detector was run.
        data: hash of the faces that it was measured on.
    """

    name: str
    settings: Mapping[str, Value]
    scores: Mapping[str, Interval]
    recalls: Mapping[str, Interval | None] = field(default_factory=dict)
    end_to_end: Mapping[str, Interval | None] | None = None
    data: str = ""

    def named(self) -> dict[str, Interval]:
        """Gives all scores that have a meaning, by a name that is theirs alone."""
        recalls = {f"recall of {label}": score for label, score in self.recalls.items()}
        whole = {f"end to end: {name}": score for name, score in (self.end_to_end or {}).items()}
        everything = {**self.scores, **recalls, **whole}
        return {name: score for name, score in everything.items() if score is not None}


@dataclass(frozen=True)
class Spread:
    """One score of runs that differ in the seed alone.

    Attributes:
        values: of each run, in the order of the sweep.
        mean: of the runs.
        deviation: standard deviation over the runs, divided by n - 1; None for one run.
        lowest: smallest value.
        highest: largest value.
        width: mean width of the runs' own 95 % intervals, which tell what other photos would do.
    """

    values: tuple[float, ...]
    mean: float
    deviation: float | None
    lowest: float
    highest: float
    width: float

    @property
    def photos(self) -> float:
        """Standard deviation by other photos: of the normal distribution with so wide intervals."""
        return self.width / (2 * float(norm.ppf((1 + LEVEL) / 2)))

    @property
    def deviation_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the standard deviation over seeds, if they are normally distributed.

        By the chi-squared distribution; few seeds tell little about their own spread.
        """
        if self.deviation is None:
            return None
        free, tail = len(self.values) - 1, (1 - LEVEL) / 2
        ends = (chi2.ppf(1 - tail, free), chi2.ppf(tail, free))
        low, high = (self.deviation * (free / float(end)) ** 0.5 for end in ends)
        return low, high

    @property
    def larger(self) -> Larger | None:
        """What makes the score more uncertain; None where the seeds are too few to tell."""
        if self.deviation_interval is None:
            return None
        low, high = self.deviation_interval
        if high < self.photos:
            return "photos"
        return "seeds" if low > self.photos else None


@dataclass(frozen=True)
class Group:
    """Runs that differ in the seed alone, in the order of the sweep.

    Attributes:
        settings: those that differ between the groups.
        runs: their names.
        seeds: of each run; None where it has none.
        scores: by name.
        same_faces: whether all were measured on the same faces.
    """

    settings: dict[str, Value]
    runs: tuple[str, ...]
    seeds: tuple[Value, ...]
    scores: dict[str, Spread]
    same_faces: bool

    @property
    def name(self) -> str:
        """The settings in which it differs from the others."""
        return ", ".join(f"{key}={_text(value)}" for key, value in self.settings.items())


@dataclass(frozen=True)
class Summary:
    """The evaluated runs of a sweep.

    Attributes:
        groups: in the order in which the sweep has them; they are not ranked.
        left_out: runs that could not be evaluated, and why.
    """

    groups: tuple[Group, ...]
    left_out: dict[str, str]

    @property
    def score_names(self) -> list[str]:
        """The scores that there are."""
        return list(dict.fromkeys(name for group in self.groups for name in group.scores))

    @property
    def several_seeds(self) -> bool:
        """Whether there are runs that differ in the seed alone."""
        return any(len(group.runs) > 1 for group in self.groups)

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `summary.json`."""
        groups = [
            {
                "settings": group.settings,
                "runs": list(group.runs),
                "seeds": list(group.seeds),
                "same_faces": group.same_faces,
                "scores": {
                    name: asdict(score) | {"photos": score.photos, "larger": score.larger}
                    for name, score in group.scores.items()
                },
            }
            for group in self.groups
        ]
        return {"format": FORMAT, "level": LEVEL, "groups": groups, "left_out": self.left_out}


def summarise(runs: Sequence[RunScores], left_out: Mapping[str, str] | None = None) -> Summary:
    """Gathers the runs that differ in the seed alone.

    Args:
        runs: in the order of the sweep; there may be none.
        left_out: runs that could not be evaluated, and why.
    """
    gathered: dict[str, list[RunScores]] = {}
    for run in runs:
        gathered.setdefault(_key(run.settings), []).append(run)
    varied = _varied(runs)
    groups = tuple(_group(members, varied) for members in gathered.values())
    return Summary(groups, dict(left_out or {}))


def _key(settings: Mapping[str, Value]) -> str:
    """Gives a text that is the same for the same settings, the seed aside."""
    others = {name: value for name, value in settings.items() if not _is_seed(name, settings)}
    return json.dumps(others, sort_keys=True, default=repr)


def _is_seed(name: str, settings: Mapping[str, Value]) -> bool:
    """Tells whether a setting is the seed, or repeats it, as `data.seed` does."""
    repeats = name.rpartition(".")[2] == SEED and settings[name] == settings.get(SEED)
    return name == SEED or repeats


def _varied(runs: Sequence[RunScores]) -> list[str]:
    """Gives the settings that differ, without those that only repeat one with a shorter name."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    columns = {name: [repr(run.settings.get(name, _MISSING)) for run in runs] for name in names}
    found: dict[tuple[str, ...], str] = {}  # last word and values -> name
    for name in sorted(names, key=len):
        seed = all(_is_seed(name, run.settings) for run in runs if name in run.settings)
        if not seed and len(set(columns[name])) > 1:
            found.setdefault((name.rpartition(".")[2], *columns[name]), name)
    return [name for name in names if name in found.values()]


def _group(runs: Sequence[RunScores], varied: Sequence[str]) -> Group:
    first = runs[0].settings
    named = [run.named() for run in runs]
    return Group(
        settings={name: first[name] for name in varied if name in first},
        runs=tuple(run.name for run in runs),
        seeds=tuple(run.settings.get(SEED) for run in runs),
        scores={
            # A class may have no recall in one of them: then it has no mean over seeds.
            name: _spread([scores[name] for scores in named])
            for name in named[0]
            if all(name in scores for scores in named)
        },
        same_faces=len({run.data for run in runs}) == 1,
    )


def _spread(scores: Sequence[Interval]) -> Spread:
    values = tuple(score.value for score in scores)
    return Spread(
        values=values,
        mean=statistics.fmean(values),
        deviation=statistics.stdev(values) if len(values) > 1 else None,
        lowest=min(values),
        highest=max(values),
        width=statistics.fmean(score.high - score.low for score in scores),
    )


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)
