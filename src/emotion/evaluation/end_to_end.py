"""From the photo to the name: what is lost because a detector draws the boxes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.intervals import Draws, Interval, Score, Units, draw
from emotion.evaluation.metrics import balanced_accuracy, divide
from emotion.evaluation.observation import Find
from emotion.evaluation.results import Results
from emotion.evaluation.subjects import Subject

# What is summed up for each unit; the table of truth by answer follows them.
FACES, FOUND, RIGHT, RIGHT_FOUND, RIGHT_THERE, FALSE, PHOTOS = range(7)


@dataclass(frozen=True)
class EndToEnd:
    """How a detector and the classifier do together.

    Attributes:
        detector: its name.
        least_iou: overlap with an annotated box that counts as finding it.
        faces: annotated faces that are used.
        photos: annotated photos.
        found: faces that were found.
        false_finds: found boxes where no face is annotated.
        ignored: finds of faces that are annotated but not used.
        failures: photos in which the detector broke down.
        iou: quartiles of the overlap of the faces that were found; None where none was.
        recall: share of the faces that was found.
        false_per_photo: false finds a photo.
        annotated: accuracy on the annotated boxes, of all faces.
        annotated_found: the same, of the faces that were found.
        detected: accuracy on the detector's boxes, of the faces that were found.
        framing: `detected` minus `annotated_found`, on the same faces.
        changed: share of the found faces whose answer is another on the detector's box.
        joint: share of all faces that were found and named rightly.
        joint_balanced: the same as a mean over the classes.
    """

    detector: str
    least_iou: float
    faces: int
    photos: int
    found: int
    false_finds: int
    ignored: int
    failures: int
    iou: tuple[float, float, float] | None
    recall: Interval | None
    false_per_photo: Interval | None
    annotated: Interval | None
    annotated_found: Interval | None
    detected: Interval | None
    framing: Interval | None
    changed: float | None
    joint: Interval | None
    joint_balanced: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, for `metrics.json`."""
        return asdict(self)


def score_end_to_end(
    subject: Subject,
    results: Results,
    finds: Sequence[Find],
    units: Units,
    detector: str,
    least_iou: float,
    failures: int = 0,
) -> EndToEnd:
    """Computes the scores of one detector together with the classifier.

    Args:
        subject: the photos and faces.
        results: the answers on the annotated boxes.
        finds: what the detector found, each with its answer.
        units: what intervals draw anew; photos without a face included.
        detector: its name.
        least_iou: overlap by which finds were matched.
        failures: photos in which the detector broke down.
    """
    answers = np.full(len(results.samples), -1)  # of the faces that were found
    for find in finds:
        if find.face is not None:
            answers[find.face] = find.probabilities.argmax()
    drawn = draw(_sums(subject, results, answers, finds, units), units.strata)
    overlaps = [find.iou for find in finds if find.face is not None]
    found, iou = answers >= 0, None
    if overlaps:
        low, middle, high = np.quantile(overlaps, [0.25, 0.5, 0.75]).tolist()
        iou = (low, middle, high)
    return EndToEnd(
        detector=detector,
        least_iou=least_iou,
        faces=len(answers),
        photos=len(subject.photos),
        found=int(found.sum()),
        false_finds=sum(find.is_false for find in finds),
        ignored=sum(find.ignored for find in finds),
        failures=failures,
        iou=iou,
        changed=float((answers != results.answers)[found].mean()) if found.any() else None,
        joint_balanced=drawn.interval(_joint_balanced(len(results.labels))),
        **_shares(drawn, units, found),
    )


def _sums(
    subject: Subject,
    results: Results,
    answers: NDArray[np.int64],
    finds: Sequence[Find],
    units: Units,
) -> NDArray[np.float64]:
    """Counts for each unit what the scores are made of, and truth by answer on found boxes."""
    classes, faces = len(results.labels), len(answers)
    found = answers >= 0
    right, right_there = results.answers == results.targets, answers == results.targets
    columns = [np.ones(faces), found, right, right & found, right_there]
    # The last answer of the table is "not found".
    cells = results.targets * (classes + 1) + np.where(found, answers, classes)
    table = np.eye(classes * (classes + 1))[cells]
    counts = units.sums(np.column_stack([*columns, np.zeros((faces, 2)), table]))
    for find in finds:
        counts[units.numbers[subject.unit_of(find.image)], FALSE] += find.is_false
    for photo in subject.photos:
        counts[units.numbers[subject.unit_of(photo.image)], PHOTOS] += 1
    return counts


def _shares(drawn: Draws, units: Units, found: NDArray[np.bool_]) -> dict[str, Interval | None]:
    with_face = len(np.unique(units.of_face))
    with_find = len(np.unique(units.of_face[found]))

    def share(above: int, below: int, support: int) -> Interval | None:
        return drawn.interval(lambda s: divide(s[..., above], s[..., below]), support)

    return {
        "recall": share(FOUND, FACES, with_face),
        "false_per_photo": share(FALSE, PHOTOS, len(units)),
        "annotated": share(RIGHT, FACES, with_face),
        "annotated_found": share(RIGHT_FOUND, FOUND, with_find),
        "detected": share(RIGHT_THERE, FOUND, with_find),
        "framing": drawn.interval(
            lambda s: divide(s[..., RIGHT_THERE] - s[..., RIGHT_FOUND], s[..., FOUND]),
            with_find,
            signed=True,
        ),
        "joint": share(RIGHT_THERE, FACES, with_face),
    }


def _joint_balanced(classes: int) -> Score:
    def score(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        tables = sums[..., PHOTOS + 1 :].reshape(*sums.shape[:-1], classes, classes + 1)
        return balanced_accuracy(tables)  # "not found" is one more wrong answer

    return score
