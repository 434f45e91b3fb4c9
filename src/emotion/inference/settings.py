"""How is predicted, whatever finds and names the faces."""

from dataclasses import dataclass

from emotion.errors import ConfigError
from emotion.inference.pipeline import BATCH
from emotion.inference.videos.frames import ALL, FrameChoice
from emotion.inference.videos.smoothing import TIME_CONSTANT


@dataclass(frozen=True)
class Settings:
    """What the user may choose.

    Attributes:
        threshold: least probability of an answer; None for always answering.
        batch_size: faces that are classified together.
        jobs: threads that read and search; None for one a core.
        choice: which frames of a video.
        smoothing: time constant in seconds of the average over frames; 0 for none.
        seconds: how much of a video or camera; None for all.

    Raises:
        ConfigError: a value is out of range.
    """

    threshold: float | None = None
    batch_size: int = BATCH
    jobs: int | None = None
    choice: FrameChoice = ALL
    smoothing: float = TIME_CONSTANT
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"batch-size: expected 1 face or more, got {self.batch_size}")
        if self.jobs is not None and self.jobs < 1:
            raise ConfigError(f"jobs: expected 1 thread or more, got {self.jobs}")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigError(f"unsure-below: expected 0 to 1, got {self.threshold}")
        if not 0 <= self.smoothing < float("inf"):
            raise ConfigError(f"smoothing: expected 0 seconds or more, got {self.smoothing}")
        if self.seconds is not None and not self.seconds > 0:
            raise ConfigError(f"seconds: expected more than 0, got {self.seconds}")
