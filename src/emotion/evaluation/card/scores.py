"""What a model card tells of an evaluation, read from its `metrics.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from emotion.errors import DataError

METRICS = "metrics.json"
FORMAT = 1


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval; the interval is missing where it cannot be told."""

    name: str
    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class ClassRow:
    """The scores of a class; None where one has no meaning."""

    label: str
    faces: int
    precision: Score | None
    recall: Score | None
    f1: Score | None


@dataclass(frozen=True)
class Slice:
    """Accuracy of some of the faces: too few to be judged, or clearly worse than the rest."""

    name: str
    faces: int
    accuracy: Score | None
    small: bool
    worse: bool


@dataclass(frozen=True)
class CardEvaluation:
    """An evaluation as a card tells it; parts that it does not have are empty.

    Attributes:
        data: name of the data, without the folders above them.
        part: "test" or "val" of the run's own data, else None.
        data_sha256: of the faces.
        checkpoint_sha256: of the checkpoint that was evaluated.
        date: of the evaluation.
        faces: how many there were.
        photos: on how many photos.
        unit: what intervals draw anew: "photo" or "person".
        warnings: why the scores may be too good.
        looks: how often these faces had been looked at before with this run.
        scores: accuracy and the like, on annotated boxes.
        guess: the best constant guess: its class and its accuracy.
        classes: scores by class.
        end_to_end: by detector, its scores.
        calibration: by name.
        temperature: what the logits were divided by; None where it is not known.
        slices: by what faces are grouped by.
    """

    data: str
    part: str | None
    data_sha256: str
    checkpoint_sha256: str
    date: str
    faces: int
    photos: int
    unit: str
    warnings: tuple[str, ...]
    looks: int
    scores: tuple[Score, ...]
    guess: tuple[str, float] | None
    classes: tuple[ClassRow, ...]
    end_to_end: dict[str, tuple[Score, ...]]
    calibration: tuple[Score, ...]
    temperature: float | None
    slices: dict[str, tuple[Slice, ...]]


def read_evaluation(folder: Path) -> CardEvaluation:
    """Reads the evaluation in a folder.

    Raises:
        DataError: there is none, or it is not one of this version.
    """
    path = folder / METRICS
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        return _evaluation(content)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); expected a folder that `emotion evaluate`"
            " wrote"
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: expected what this version's `emotion evaluate` writes ({error}); evaluate"
            " the checkpoint again"
        ) from error


def place_name(path: str) -> str:
    """Gives a data folder's own name, of any system's path, and nothing of where it lies."""
    whole = PureWindowsPath(path)  # knows both kinds of slash
    parts = [part for part in whole.parts if part not in ("..", whole.anchor)]
    if not parts:
        return "data"
    inside = parts[-1] in ("train", "val", "test") and len(parts) > 1
    return "/".join(parts[-2:]) if inside else parts[-1]


def _evaluation(content: Mapping[str, Any]) -> CardEvaluation:
    about, guess = content.get("about") or {}, content.get("best_constant_guess")
    classes = content.get("classes") or []
    calibration = content.get("calibration") or {}
    return CardEvaluation(
        data=place_name(str(about.get("data") or "")),
        part=about.get("part"),
        data_sha256=str(about.get("data_sha256") or ""),
        checkpoint_sha256=str(about.get("checkpoint_sha256") or ""),
        date=str(about.get("date") or "")[:10],
        faces=int(content.get("faces") or sum(int(one["faces"]) for one in classes)),
        photos=int(content.get("photos") or 0),
        unit=str(content.get("unit") or "photo"),
        warnings=tuple(str(text) for key in ("warnings", "notes") for text in about.get(key) or ()),
        looks=len(about.get("earlier_looks") or ()),
        scores=_scores((content.get("scores") or {}).items()),
        guess=(str(guess["label"]), float(guess["accuracy"])) if guess else None,
        classes=tuple(_class(one) for one in classes),
        end_to_end=_end_to_end(content.get("end_to_end") or []),
        calibration=_calibration(calibration),
        temperature=calibration.get("temperature"),
        slices={str(one["name"]): _slices(one) for one in content.get("slices") or []},
    )


def _score(name: str, found: Any) -> Score | None:
    if found is None:
        return None
    if isinstance(found, int | float):
        return Score(name, float(found), None, None)
    return Score(name, float(found["value"]), float(found["low"]), float(found["high"]))


def _scores(found: Any) -> tuple[Score, ...]:
    scores = (_score(str(name), value) for name, value in found)
    return tuple(score for score in scores if score is not None)


def _class(one: Mapping[str, Any]) -> ClassRow:
    names = ("precision", "recall", "f1")
    scores = [_score(name, one.get(name)) for name in names]
    return ClassRow(str(one["label"]), int(one["faces"]), *scores)


_END_TO_END = {
    "recall": "faces found",
    "annotated": "named rightly on the annotated box, all faces",
    "annotated_found": "named rightly on the annotated box, faces that were found",
    "detected": "named rightly on the detector's box, faces that were found",
    "joint": "found and named rightly, all faces",
    "joint_balanced": "found and named rightly, mean over the classes",
    "false_per_photo": "boxes without an annotated face, a photo",
}


def _end_to_end(parts: Any) -> dict[str, tuple[Score, ...]]:
    return {
        str(part["detector"]): _scores((text, part.get(key)) for key, text in _END_TO_END.items())
        for part in parts
    }


def _calibration(found: Mapping[str, Any]) -> tuple[Score, ...]:
    if not found:
        return ()
    rows = {
        "mean confidence": found.get("confidence"),
        "accuracy": found.get("accuracy"),
        "log loss (nats)": found.get("log_loss_interval") or found.get("log_loss"),
        "Brier score (0 to 2)": found.get("brier_interval") or found.get("brier"),
    }
    for key, name in (("equal_mass", "equal-mass bins"), ("equal_width", "equal-width bins")):
        binned = found.get(key) or {}
        rows[f"ECE, {name}"] = binned.get("ece")
        rows[f"ECE, {name}, of a perfect classifier by chance"] = binned.get("ece_by_chance")
    return _scores(rows.items())


def _slices(one: Mapping[str, Any]) -> tuple[Slice, ...]:
    return tuple(
        Slice(
            str(group["name"]),
            int(group["faces"]),
            _score("accuracy", group.get("accuracy")),
            bool(group.get("small")),
            bool(group.get("worse")),
        )
        for group in one["groups"]
    )
