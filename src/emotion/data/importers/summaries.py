"""What became of a source: the counts that are printed and kept in import.json."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from emotion import __version__
from emotion.data.importers.photos import Refusal
from emotion.data.label_registry import LabelTable

PARTS = ("train", "val", "test", "")
KEPT = 1000  # records of what could not be used; more are only counted


@dataclass
class ImportSummary:
    """What became of a source.

    Attributes:
        labels: for each label of the source, by its authors' name: its class, or None.
        faces: number of faces by label and part: those written, or, of a label that is dropped,
            those found.
        photos: number of photos written, by part.
        without_faces: number of pictures in which the source has no face, by part.
        refusals: what could not be used, the first thousand.
        refused: number of all that.
    """

    labels: dict[str, str | None] = field(default_factory=dict)
    faces: Counter[tuple[str, str]] = field(default_factory=Counter)
    photos: Counter[str] = field(default_factory=Counter)
    without_faces: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    refused: int = 0

    @property
    def parts(self) -> list[str]:
        """The parts that have a face, in the order train, val, test."""
        found = {part for _, part in self.faces}
        return [part for part in PARTS if part in found]

    @property
    def classes(self) -> dict[str, Counter[str]]:
        """Number of faces written, by part and class."""
        counts: dict[str, Counter[str]] = {part: Counter() for part in self.parts}
        for (name, part), count in self.faces.items():
            label = self.labels[name]
            if label is not None:
                counts[part][label] += count
        return counts

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        """Takes down what could not be used."""
        for refusal in refusals:
            self.refused += 1
            if len(self.refusals) < KEPT:
                self.refusals.append(refusal)


def import_record(table: LabelTable, summary: ImportSummary) -> dict[str, Any]:
    """Gives the content of import.json beside format, source and settings."""
    labels = sorted(summary.labels, key=table.order)
    return {
        "emotion": __version__,
        "map": table.overrides,
        "keep_others": table.keep_others,
        "parts": {
            part or "all": {
                "photos": summary.photos[part],
                "pictures_without_faces": summary.without_faces[part],
                "faces": summary.classes[part].total(),
                "classes": dict(sorted(summary.classes[part].items())),
            }
            for part in summary.parts
        },
        "labels": [
            {
                "label": name,
                "becomes": summary.labels[name],
                "faces": {part or "all": summary.faces[name, part] for part in summary.parts},
            }
            for name in labels
        ],
        "not_used": {
            "count": summary.refused,
            "records": [
                {"place": refusal.place, "reason": refusal.reason} for refusal in summary.refusals
            ],
        },
    }
