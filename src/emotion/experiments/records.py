"""`run.json`: by which command a run came about, how long it took and how it ended."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from emotion.errors import EmotionError
from emotion.files import write_json

FORMAT = 1
NAME = "run.json"
Status = Literal["running", "finished", "stopped", "failed"]


@dataclass(frozen=True)
class RunRecord:
    """How a run came about and ended.

    Attributes:
        command: what was typed first, as an argument list that begins with "emotion".
        status: "running" also of a run that was killed and could not say so; "stopped" by a signal,
            "failed" by an error.
        started: when it first began, ISO 8601, UTC.
        seconds: of training so far, over all the times that it was continued.
        resumed: how often it was continued.
        reason: why it stopped or failed, or None.
    """

    command: list[str]
    status: Status
    started: str
    seconds: float = 0.0
    resumed: int = 0
    reason: str | None = None


def now() -> str:
    """Gives the time, ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_record(folder: Path, record: RunRecord) -> None:
    """Writes `run.json` into a run folder.

    Raises:
        EmotionError: it cannot be written.
    """
    write_json(folder / NAME, {"format": FORMAT} | asdict(record))


def read_record(folder: Path) -> RunRecord | None:
    """Reads the `run.json` of a run folder; None where there is none.

    Raises:
        EmotionError: it is not one of ours; says what is wrong.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise TypeError("expected names and values")
        if content.pop("format") != FORMAT:
            raise ValueError(f"expected format {FORMAT}")
        record = RunRecord(**content)
        if not isinstance(record.command, list) or not isinstance(record.seconds, float | int):
            raise TypeError("a value of another type than expected")
        return record
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EmotionError(f"{path}: not a run's record ({error}); remove it") from error


def close_record(
    folder: Path, status: Status, reason: str, instead: Collection[str] = ("running",)
) -> None:
    """Notes how a run ended that could not say so itself, such as one that was killed.

    Args:
        folder: of the run.
        status: how it ended.
        reason: why.
        instead: of which status; a run of another has said it better.
    """
    record = read_record(folder)
    if record is not None and record.status in instead:
        write_record(folder, replace(record, status=status, reason=reason))
