"""The errors that a user can mend; each message names the place, what was expected and the way out.

A command prints the message of an `EmotionError` without a traceback and ends with exit code 2.
Anything else that escapes is a defect of this project.
"""

from collections.abc import Sequence
from pathlib import Path

SHOWN = 10  # problems listed in one message before the rest is only counted


class EmotionError(ValueError):
    """A mistake in what the user gave: a file, an option, a config."""


class PictureError(EmotionError):
    """A picture that is missing, unreadable, or not a picture.

    Attributes:
        kind: name of the kind of problem, see `emotion.faces.problems`.
        reason: the message without the path.
    """

    def __init__(self, path: Path, kind: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.kind, self.reason = kind, reason


class VideoError(EmotionError):
    """A video or camera that is missing, unreadable, no video, or ends too early.

    Attributes:
        reason: the message without the source.
    """

    def __init__(self, source: Path | str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.reason = reason


class DataError(EmotionError):
    """A data set that cannot be trained on or evaluated as it is."""


class ConfigError(EmotionError):
    """A setting that does not exist, or does not fit the others."""


class CheckpointError(EmotionError):
    """A file that is not a checkpoint of this project, or does not fit what it is asked for."""


def summarise(problems: Sequence[str]) -> str:
    """Joins problems into one message: the first ten, a line each, and how many more there are."""
    lines = list(problems[:SHOWN])
    if len(problems) > SHOWN:
        lines.append(f"… and {len(problems) - SHOWN} more")
    return "\n".join(lines)
