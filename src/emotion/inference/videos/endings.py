"""How long a video should be by its own words, and whether it ended too early."""

from typing import TYPE_CHECKING

from emotion.inference.videos.decoding import Damage

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

MISSING = 0.5  # seconds by which a file may end before its own announcement and still be whole


def told_duration(stream: "VideoStream") -> float | None:
    """Gives the seconds of the pictures alone, where the file tells them."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    try:  # Matroska: "00:00:04.000000000"
        hours, minutes, seconds = stream.metadata.get("DURATION", "").split(":")
        return float(hours) * 3600 + float(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def container_duration(container: "InputContainer") -> float | None:
    """Gives the seconds of the longest stream, where the file tells them."""
    return None if not container.duration else container.duration / 1_000_000


def shortage(
    container: "InputContainer", stream: "VideoStream", damage: Damage, end: float, place: str
) -> str | None:
    """Says why a video ended too early, or that it had damaged parts; None where all is well.

    Streams of a broadcast (.ts, .mpg) announce no end: where one was cut cannot be seen.
    """
    announced = told_duration(stream)
    if announced is None:
        # The longest stream: sound may go on when the pictures have ended.
        announced = container_duration(container)
        end = damage.reached - (container.start_time or 0) / 1_000_000
    if announced is not None and end < announced - MISSING:
        why = f" ({damage.reason})" if damage.reason else ""
        return f"cut off after {place}: the file announces {announced:.2f} s{why}"
    if damage.at_end:
        return f"cut off after {place}: {damage.reason or 'its last part is incomplete'}"
    if damage.parts:
        parts = "1 part" if damage.parts == 1 else f"{damage.parts} parts"
        return f"damaged: {parts} could not be decoded ({damage.reason}); read up to {place}"
    return None
