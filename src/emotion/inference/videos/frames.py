"""Reading a video: chosen frames, upright, with their times, one after the other.

A video file is opened anew each time its frames are asked for, and nothing of it is kept between
frames: an hour takes as much memory as a second.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from emotion.errors import ConfigError, VideoError
from emotion.inference.videos.containers import opened, picture_stream
from emotion.inference.videos.decoding import (
    USUAL_FPS,
    Clock,
    Damage,
    Upright,
    decode,
    frames_per_second,
)
from emotion.inference.videos.endings import container_duration, shortage, told_duration

# A GIF is a picture here: it is read by its first frame, as Pillow does.
SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".divx", ".mpg", ".mpeg", ".vob"),
    *(".ts", ".m2ts", ".mts", ".wmv", ".asf", ".flv", ".3gp", ".3g2", ".ogv", ".ogm", ".mxf"),
    *(".dv", ".rm", ".rmvb", ".wtv"),
)
MILLISECOND = 0.001  # Matroska rounds times to it


def is_video(path: Path | str) -> bool:
    """Tells by the suffix, in any case, whether a file is a video: one of `SUFFIXES`."""
    return Path(path).suffix.lower() in SUFFIXES


@dataclass(frozen=True)
class FrameChoice:
    """Which frames of a video are looked at; all where nothing is said.

    Attributes:
        every: 2 is every second frame, from the first one on.
        per_second: so many a second by their times, whatever the frame rate: for each tick the
            first frame at or after it. Where frames are rarer, all of them.

    Raises:
        ConfigError: a value is out of range, or both are given.
    """

    every: int = 1
    per_second: float | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ConfigError(f"every: expected 1 or more frames, got {self.every}")
        if self.per_second is None:
            return
        if not (math.isfinite(self.per_second) and self.per_second > 0):
            raise ConfigError(f"per_second: expected a number above 0, got {self.per_second}")
        if self.every != 1:
            raise ConfigError("every and per_second: give one of them")

    def turn(self, number: int, time: float) -> int:
        """Gives the turn that a frame falls into; the first frame of each turn is chosen."""
        if self.per_second is None:
            return number // self.every
        return math.floor((time + MILLISECOND / 2) * self.per_second)

    def expected(self, frames: int | None, duration: float | None) -> int | None:
        """Estimates how many frames are chosen of so many, or of so many seconds."""
        ticks = None
        if self.per_second is not None and duration is not None:
            ticks = math.ceil(duration * self.per_second)
        if frames is None:
            return ticks
        least = math.ceil(frames / self.every)
        return least if ticks is None else min(ticks, least)


class Chooser:
    """Tells frame by frame whether it is chosen."""

    def __init__(self, choice: FrameChoice) -> None:
        self._choice, self._last = choice, -1

    def wants(self, number: int, time: float) -> bool:
        """Tells whether the next frame is chosen."""
        turn = self._choice.turn(number, time)
        chosen = turn > self._last
        self._last = max(turn, self._last)
        return chosen


@dataclass(frozen=True)
class Frame:
    """One frame of a video.

    Attributes:
        number: from 0, frames that were not chosen counted.
        time: seconds from the first frame.
        image: H x W x 3, uint8, RGB, upright.
    """

    number: int
    time: float
    image: NDArray[np.uint8]


ALL = FrameChoice()


@dataclass
class Video:
    """A video file, or what a camera shows; as a context manager it is closed at the end.

    Attributes:
        source: the file as it was named, or "camera 0".
        path: the file; None for a camera.
        size: width and height in pixels of an upright frame.
        fps: usual frames a second; None where the file does not tell.
        rotation: degrees, clockwise, by which stored frames are turned: 0, 90, 180 or 270.
        has_sound: whether there is sound.
        duration: seconds; None where the file does not tell, and for a camera.
        count: frames as the file tells; None where it does not.
        start: of the first frame, in seconds of the file's own clock, which the sound shares.
        live: whether frames that nobody takes are lost.
    """

    source: str
    path: Path | None
    size: tuple[int, int]
    fps: float | None
    rotation: int = 0
    has_sound: bool = False
    duration: float | None = None
    count: int | None = None
    start: float = 0.0
    live: bool = False

    def frames(self, choice: FrameChoice = ALL) -> Iterator[Frame]:
        """Decodes the chosen frames; may be asked for again, from the beginning.

        Raises:
            VideoError: after the last good frame, where the video is cut off or damaged.
        """
        if self.path is None:
            raise ValueError(f"{self.source} has no file")
        with opened(self.path) as container:
            stream = picture_stream(container, self.source)
            chooser, clock, damage = Chooser(choice), Clock(self.fps), Damage()
            number, time, shown = -1, 0.0, 0.0
            for number, raw in enumerate(decode(container, stream, damage)):
                time = clock.time(raw)
                if number == 0:
                    damage.forgive()
                    upright = Upright(stream, raw, self.source)
                shown = float((raw.duration or 0) * (raw.time_base or 0))
                if chooser.wants(number, time):
                    yield Frame(number, time, upright.image(raw))
            place = f"{time:.2f} s (frame {number})"
            reason = shortage(container, stream, damage, time + shown, place)
        whole = self.count is not None and number + 1 >= self.count and not damage.parts
        if reason and not whole:
            raise VideoError(self.source, reason)

    def frames_expected(self, choice: FrameChoice = ALL) -> int | None:
        """Estimates how many frames are chosen, for showing progress."""
        count = self.count
        if count is None and self.duration is not None:
            count = round(self.duration * (self.fps or USUAL_FPS))
        return choice.expected(count, self.duration)

    def close(self) -> None:
        """Lets a camera go; does nothing for a file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_video(path: Path) -> Video:
    """Opens a video file and decodes its first frame.

    Raises:
        VideoError: the file is missing, empty, no video, holds no frame, or frames that are too
            large.
        EmotionError: PyAV is not installed.
    """
    source = str(path)
    with opened(path) as container:
        stream = picture_stream(container, source)
        damage = Damage()
        first = next(decode(container, stream, damage), None)
        if first is None:
            why = f" ({damage.reason})" if damage.reason else ""
            raise VideoError(source, f"a video without frames that can be decoded{why}")
        clock = Clock(None)
        clock.time(first)
        upright = Upright(stream, first, source)
        image = upright.image(first)
        return Video(
            source,
            path,
            (image.shape[1], image.shape[0]),
            frames_per_second(stream),
            upright.rotation,
            bool(container.streams.audio),
            told_duration(stream) or container_duration(container),
            stream.frames or None,
            clock.start or 0.0,
        )
