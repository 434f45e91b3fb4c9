"""Opening video files through PyAV, or saying in one line why not.

PyAV is FFmpeg as a library. It is an extra of this package and is imported when the first video is
opened. It passes on nothing that FFmpeg prints.
"""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from emotion.errors import EmotionError, VideoError
from emotion.faces.images import MAX_PIXELS

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

# Files that hold their pictures themselves. FFmpeg also reads play lists, which a downloaded file
# may turn out to be, and would then fetch whatever they name.
FORMATS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "asf", "flv", "ogg", "mxf"),
    *("dv", "h264", "hevc", "ivf", "m4v", "nut", "rm", "wtv"),
)
_OPTIONS = {
    "format_whitelist": ",".join(FORMATS),
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_PIXELS),
}


def load_av() -> ModuleType:
    """Imports PyAV.

    Raises:
        EmotionError: it is not installed.
    """
    try:
        import av
        import av.logging
    except ImportError as error:
        raise EmotionError(
            f"videos and cameras need PyAV ({error}): pip install 'emotion[video]'"
        ) from error
    return av


@contextmanager
def opened(path: Path) -> Iterator["InputContainer"]:
    """Opens a video file for reading.

    Raises:
        VideoError: the file is missing, empty, or no video.
        EmotionError: PyAV is not installed.
    """
    av = load_av()
    _check_file(path)
    try:
        # The prefix keeps a colon in the name from being taken for a protocol.
        container = av.open(f"file:{path}", options=_OPTIONS, metadata_errors="replace")
    except av.FFmpegError as error:
        raise VideoError(path, _refusal(path, error)) from error
    with container:
        yield container


def picture_stream(container: "InputContainer", source: str) -> "VideoStream":
    """Gives the stream of moving pictures, set to be decoded on one thread.

    Detection takes ten times as long as decoding, and keeps the other cores.

    Raises:
        VideoError: there is none, as in a sound file with a cover, or its pictures are too large.
    """
    from av.stream import Disposition

    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        what = "sound only" if container.streams.audio else "nothing that can be seen"
        raise VideoError(source, f"no video stream: the file holds {what}")
    stream = next((s for s in moving if s.disposition & Disposition.default), moving[0])
    if stream.codec_context is None:
        raise VideoError(source, "its pictures are of a kind that FFmpeg cannot decode here")
    check_size(stream.width, stream.height, source)
    stream.codec_context.thread_count = 1
    return stream


def check_size(width: int, height: int, source: str) -> None:
    """Refuses pictures that are too large, as among photos.

    Raises:
        VideoError: there are more than `MAX_PIXELS` pixels.
    """
    if width * height > MAX_PIXELS:
        size = f"{width} x {height} pixels"
        raise VideoError(source, f"{size}; at most {MAX_PIXELS:,} in all are read")


def told(error: Exception) -> str:
    """Gives what FFmpeg says of an error, in one short line."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split())[:200] or type(error).__name__


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise VideoError(path, "no such file") from None
    except OSError as error:
        raise VideoError(path, f"cannot be opened ({error.strerror})") from error
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for without end
        found = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise VideoError(path, f"expected a video, got {found}")
    if status.st_size == 0:
        raise VideoError(path, "empty file")


def _refusal(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"cannot be opened ({told(error)})"
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":  # MP4 and MOV keep the table of their frames at the end
        return "cut off, or its recording was never finished: the table of its frames is missing"
    return f"not a video, or of a kind that is not read ({told(error)})"
