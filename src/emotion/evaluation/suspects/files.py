"""What is left of likely wrong labels: a CSV for the annotators, a contact sheet, a page's part."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion.errors import EmotionError, PictureError
from emotion.evaluation.gallery.pictures import FacePicture, name_within, not_shown, photo_with_box
from emotion.evaluation.results import Results
from emotion.evaluation.suspects.folds import CrossValidated
from emotion.evaluation.suspects.suspects import (
    ConfidentJoint,
    Suspect,
    confident_joint,
    find_suspects,
)
from emotion.faces.crops import crop_face
from emotion.faces.images import read_image
from emotion.figures.canvas import save_figure
from emotion.figures.grids import LONGEST, draw_grid
from emotion.files import harmless_cell, write_text
from emotion.terminal import tracked
from emotion.threads import map_in_order

ON_SHEET, ON_PAGE, PAIRS = 40, 24, 10  # shown at most
MARGIN = 0.25  # around a face on the sheet: an annotator wants to see the hair and the chin
NO_PICTURE = np.full((8, 8, 3), 200, np.uint8)
COLUMNS = (
    *("rank", "file", "xml", "line", "object", "xmin", "ymin", "xmax", "ymax"),
    *("given", "suggested", "p_given", "p_suggested", "margin", "verdict"),
)


@dataclass(frozen=True)
class SuspectEntry:
    """A likely wrong label on the page.

    Attributes:
        rank: from 1, the most suspicious.
        file: the photo.
        given: its label.
        suggested: the class that it is rather counted in.
        p_given: probability of its label.
        p_suggested: probability of the suggested class.
        photo: with the box drawn.
    """

    rank: int
    file: str
    given: str
    suggested: str
    p_given: float
    p_suggested: float
    photo: FacePicture


@dataclass(frozen=True)
class SuspectsPart:
    """The part of the report about likely wrong labels.

    Attributes:
        faces: number of faces that were judged.
        folds: number of networks that judged them, each those that it had not learnt from.
        agreement: share of labels that are the network's answer too.
        suspects: number of suspect labels.
        share_wrong: estimated share of wrong labels.
        pairs: label, suggested class and number of suspects, the most frequent first.
        labels: class names.
        joint: how labels and likely true classes go together.
        entries: the most suspicious first.
    """

    faces: int
    folds: int
    agreement: float
    suspects: int
    share_wrong: float
    pairs: tuple[tuple[str, str, int], ...]
    labels: tuple[str, ...]
    joint: ConfidentJoint
    entries: tuple[SuspectEntry, ...]

    def to_dict(self) -> dict[str, Any]:
        """Gives plain values, without pictures; all suspects are in `suspects.csv`."""
        names = ("faces", "folds", "agreement", "suspects", "share_wrong", "labels")
        thresholds = [float(t) if np.isfinite(t) else None for t in self.joint.thresholds]
        return {name: getattr(self, name) for name in names} | {
            "labels": list(self.labels),
            "thresholds": thresholds,
            "confident_joint": self.joint.counts.tolist(),
            "joint": self.joint.joint.tolist(),
        }


def write_suspects(found: CrossValidated, folder: Path) -> SuspectsPart:
    """Finds likely wrong labels and writes `suspects.csv` and `suspects.png`.

    Args:
        found: answers about faces that were not learnt from.
        folder: made where it is not there.

    Returns:
        The part of the page.

    Raises:
        EmotionError: a file cannot be written.
    """
    results = found.results
    targets = results.targets
    suspects = find_suspects(results.probabilities, targets)
    joint = confident_joint(results.probabilities, targets)
    verdicts = _verdicts(folder / "suspects.csv")
    rows = suspects_csv(suspects, results, found.root, verdicts)
    if not set(verdicts.items()) <= set(_verdicts_in(rows).items()):
        (folder / "suspects.csv").replace(folder / "suspects-before.csv")
    write_text(folder / "suspects.csv", rows)
    shown = _open(suspects[:ON_SHEET], results)
    _write_sheet(folder / "suspects.png", suspects, results, [crop for _, crop in shown])
    named = [(results.labels[s.given], results.labels[s.suggested]) for s in suspects]
    pairs = tuple((*pair, count) for pair, count in Counter(named).most_common(PAIRS))
    entries = tuple(
        _entry(rank, suspect, found, photo)
        for rank, (suspect, (photo, _)) in enumerate(
            zip(suspects[:ON_PAGE], shown[:ON_PAGE], strict=True), 1
        )
    )
    return SuspectsPart(
        len(targets),
        found.folds,
        float((results.answers == targets).mean()),
        len(suspects),
        joint.share_wrong,
        pairs,
        results.labels,
        joint,
        entries,
    )


def _entry(rank: int, suspect: Suspect, found: CrossValidated, photo: FacePicture) -> SuspectEntry:
    labels = found.results.labels
    return SuspectEntry(
        rank,
        name_within(found.results.samples[suspect.index].image, found.root),
        labels[suspect.given],
        labels[suspect.suggested],
        suspect.p_given,
        suspect.p_suggested,
        photo,
    )


Key = tuple[str, str]  # XML file and number of the object, as in the table


def _verdicts(path: Path) -> dict[Key, str]:
    """Reads what annotators have written into an earlier table: hours of work are not lost."""
    try:
        return _verdicts_in(path.read_text(encoding="utf-8-sig"))
    except OSError:
        return {}
    except (UnicodeDecodeError, csv.Error) as error:
        raise EmotionError(
            f"{path}: cannot be read as CSV in UTF-8 ({error}), and may hold verdicts; move it away"
        ) from error


def clear_suspects(folder: Path) -> None:
    """Removes what an earlier evaluation left here, but no table with verdicts."""
    (folder / "suspects.png").unlink(missing_ok=True)
    if not _verdicts(folder / "suspects.csv"):
        (folder / "suspects.csv").unlink(missing_ok=True)


def _verdicts_in(text: str) -> dict[Key, str]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)  # as spreadsheets save it
    return {
        (row.get("xml") or "", row.get("object") or ""): row["verdict"]
        for row in csv.DictReader(io.StringIO(text), delimiter=delimiter)
        if row.get("verdict")
    }


def suspects_csv(
    suspects: Sequence[Suspect],
    results: Results,
    root: Path,
    verdicts: Mapping[Key, str] | None = None,
) -> str:
    """Gives one row a suspect label, the most suspicious first, with a column for the verdict.

    Boxes are first and last pixels, counted from 0; paths are relative to the data set. Verdicts
    of an earlier table are taken over.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for rank, suspect in enumerate(suspects, 1):
        sample = results.samples[suspect.index]
        files = (name_within(path, root) for path in (sample.image, sample.annotation))
        names = (results.labels[suspect.given], results.labels[suspect.suggested])
        values = (suspect.p_given, suspect.p_suggested, suspect.margin)
        places = (sample.line, sample.number, *sample.box.to_inclusive())
        row = [rank, *files, *places, *names, *(f"{value:.6f}" for value in values)]
        cells = [harmless_cell(str(cell)) for cell in row]
        verdict = (verdicts or {}).get((cells[2], str(sample.number)), "")
        writer.writerow([*cells, verdict])
    return text.getvalue()


def _open(
    suspects: Sequence[Suspect], results: Results
) -> list[tuple[FacePicture, NDArray[np.uint8]]]:
    """Opens the photos of suspects: each with its box drawn, and its face cut out."""

    def opened(suspect: Suspect) -> tuple[FacePicture, NDArray[np.uint8]]:
        sample = results.samples[suspect.index]
        try:
            image = read_image(sample.image)
        except (PictureError, OSError) as error:
            return not_shown(error), NO_PICTURE
        photo = photo_with_box(image, sample.box)
        if not photo.uri:
            return photo, NO_PICTURE
        return photo, crop_face(image, sample.box, MARGIN, square=True).copy()

    return list(tracked(map_in_order(opened, suspects), "drawing suspects", len(suspects)))


def _write_sheet(
    path: Path, suspects: Sequence[Suspect], results: Results, crops: Sequence[NDArray[np.uint8]]
) -> None:
    captions = [
        f"{rank} {results.labels[suspect.given]}→{results.labels[suspect.suggested]}\n"
        + _end(results.samples[suspect.index].image.stem)
        for rank, suspect in enumerate(suspects[: len(crops)], 1)
    ]
    title = f"likely wrong labels: {len(crops)} of {len(suspects):,}, label→suggestion"
    save_figure(draw_grid(crops, captions, title), path)


def _end(name: str) -> str:
    """Gives the end of a name, which tells photos of one person or film apart."""
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
