"""From packets to upright RGB pictures with their times, and what was damaged on the way."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from emotion.inference.videos.containers import check_size, load_av, told

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

USUAL_FPS = 25.0  # where a file does not tell
WIDEST = 8  # pixels that are wider or higher than that come from a broken head


@dataclass
class Damage:
    """What could not be read of a video.

    Attributes:
        parts: packets that could not be decoded.
        reason: what was wrong with the first of them.
        at_end: whether the last packet was one of them.
        reached: end of the latest packet of any stream, in seconds of the file's own clock.
    """

    parts: int = 0
    reason: str = ""
    at_end: bool = False
    reached: float = -math.inf

    def note(self, error: Exception) -> None:
        """Counts a packet that could not be decoded."""
        self.parts += 1
        self.reason = self.reason or told(error)
        self.at_end = True

    def forgive(self) -> None:
        """Forgets what came before the first frame: recordings of a broadcast begin anywhere."""
        self.parts, self.reason = 0, ""


class Clock:
    """Gives each frame its time in seconds: from the first frame on, ever later.

    Stamps that are missing, or run backwards as in files that were joined, are replaced by the
    usual step from frame to frame.

    Args:
        fps: usual frames a second.

    Attributes:
        start: of the first frame, in seconds of the file's own clock.
    """

    def __init__(self, fps: float | None) -> None:
        self.start: float | None = None
        self._step = 1 / (fps or USUAL_FPS)
        self._last = -math.inf

    def time(self, frame: "VideoFrame") -> float:
        """Gives the time of the next frame."""
        stamp = frame.dts if frame.pts is None else frame.pts
        known = stamp is not None and frame.time_base is not None
        seconds = float(stamp * frame.time_base) if known else None  # type: ignore[operator]
        if self.start is None:
            self.start, self._last = seconds or 0.0, 0.0
            return 0.0
        time = -math.inf if seconds is None else seconds - self.start
        self._last = time if time > self._last else self._last + self._step
        return self._last


def frames_per_second(stream: "VideoStream") -> float | None:
    """Gives the usual frames a second, where the file tells them and they can be true."""
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate and 0 < rate <= 1000 else None


def decode(
    container: "InputContainer", stream: "VideoStream", damage: Damage
) -> Iterator["VideoFrame"]:
    """Decodes whatever can be decoded, and notes the rest in `damage`."""
    av = load_av()
    try:
        # All streams: how far the file reaches can be told only by reading all of it.
        for packet in container.demux():
            if packet.dts is not None or packet.pts is not None:
                damage.reached = max(damage.reached, _end(packet))
            if packet.stream_index == stream.index:
                yield from _decode_packet(packet, damage)
    except av.FFmpegError as error:
        damage.note(error)
        yield from _left_over(stream)


def _end(packet: "Packet[Stream]") -> float:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return float(((stamp or 0) + (packet.duration or 0)) * packet.time_base)


def _decode_packet(packet: "Packet[Stream]", damage: Damage) -> Iterator["VideoFrame"]:
    av = load_av()
    if packet.size:  # not the empty one that ends a stream
        damage.at_end = bool(packet.is_corrupt)
    try:
        frames = cast("list[VideoFrame]", packet.decode())
    except av.FFmpegError as error:
        damage.note(error)
        return
    yield from frames


def _left_over(stream: "VideoStream") -> Iterator["VideoFrame"]:
    """Gives the frames that the decoder still holds back to put them in order."""
    av = load_av()
    try:
        frames = stream.codec_context.decode(None)
    except av.FFmpegError:
        return
    yield from frames


class Upright:
    """Turns frames into pictures that are upright and have square pixels.

    How is read from the first frame, since it is the same for all of a stream: PyAV ties a frame
    to its side data in a circle, so that each frame that was asked would stay until the garbage
    collector comes by.

    Args:
        stream: that the frames are from.
        first: one of them.
        source: named in errors.

    Attributes:
        rotation: degrees, clockwise, by which frames are turned: 0, 90, 180 or 270.
    """

    def __init__(self, stream: "VideoStream", first: "VideoFrame", source: str) -> None:
        self.rotation = round(-first.rotation / 90) * 90 % 360
        self._matrix, self._source = _matrix(first), source
        aspect = float(stream.sample_aspect_ratio or 1)
        self._aspect = aspect if 1 / WIDEST <= aspect <= WIDEST else 1.0

    def image(self, frame: "VideoFrame") -> NDArray[np.uint8]:
        """Gives H x W x 3, uint8, RGB.

        Raises:
            VideoError: the frame is too large.
        """
        width = max(round(frame.width * self._aspect), 1)
        check_size(max(width, frame.width), frame.height, self._source)
        rgb = frame.to_ndarray(format="rgb24", width=width, height=frame.height)
        return np.ascontiguousarray(_turned(cast("NDArray[np.uint8]", rgb), self._matrix))


def _matrix(frame: "VideoFrame") -> tuple[int, int, int, int]:
    """Gives (a, b, c, d): a stored pixel at x, y is shown at ax + cy, bx + dy."""
    content = frame.side_data.get("DISPLAYMATRIX")
    if content is None:
        return 1, 0, 0, 1
    matrix = np.frombuffer(bytes(content), np.int32)  # type: ignore[call-overload]
    return int(matrix[0]), int(matrix[1]), int(matrix[3]), int(matrix[4])


def _turned(pixels: NDArray[np.uint8], matrix: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    return pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
