"""`evaluations.json`: how often a run has been looked at on which faces.

Whoever measures until the figures please has chosen by the test, so each evaluation is noted in
the run folder.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion.errors import EmotionError
from emotion.evaluation.subjects import SPLIT
from emotion.files import alone, write_json
from emotion.inference.checkpoint_files import run_folder

LOOKS = "evaluations.json"
LOCK = "evaluations.lock"
DAMAGED = "evaluations-damaged.json"  # what could not be read is set aside, never thrown away
FORMAT = 1
PATIENCE = 30.0  # seconds: another evaluation writes a line


@dataclass(frozen=True)
class Looks:
    """The evaluations of a run.

    Attributes:
        known: oldest first; each has `date` and `data`, the hash of its faces.
        damaged: the file is there but cannot be read, or one was set aside that could not.
    """

    known: list[dict[str, Any]]
    damaged: bool

    def dates(self, data: str) -> list[str]:
        """Gives when these faces were looked at."""
        return [look["date"] for look in self.known if look["data"] == data]


def read_looks(checkpoint: Path) -> Looks:
    """Reads the earlier evaluations that the run folder tells of."""
    folder = run_folder(checkpoint)
    try:
        content = json.loads((folder / LOOKS).read_text(encoding="utf-8"))
        looks = [dict(look) for look in content["looks"]]
        if not all(isinstance(look["date"], str) and look["data"] for look in looks):
            raise ValueError("looks without a date or faces")
    except FileNotFoundError:
        return Looks([], (folder / DAMAGED).exists())
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return Looks([], damaged=True)
    return Looks(looks, (folder / DAMAGED).exists())


def note_look(look: dict[str, Any], checkpoint: Path) -> None:
    """Notes that faces have been looked at; a lone checkpoint has nowhere to note it.

    Args:
        look: plain values, among them `date` and `data`.
        checkpoint: in the run folder; where that may only be read, it is said on standard error.
    """
    folder = run_folder(checkpoint)
    if not ((folder / SPLIT).is_file() or (folder / "config.yaml").is_file()):
        return
    try:
        with alone(folder / LOCK, f"{folder}: another evaluation is noted there", PATIENCE):
            before = read_looks(checkpoint)
            if before.damaged and not before.known and (folder / LOOKS).exists():
                (folder / LOOKS).replace(folder / DAMAGED)
            write_json(folder / LOOKS, {"format": FORMAT, "looks": [*before.known, look]})
    except EmotionError as error:
        print(f"not noted in the run folder: {error}", file=sys.stderr)
