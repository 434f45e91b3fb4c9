"""Writing the drawn copy of a video: MP4 with H.264, at the times of its frames, with its sound."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

import numpy as np
from numpy.typing import NDArray

from emotion.errors import ConfigError, EmotionError
from emotion.files import replacing
from emotion.inference.videos.containers import load_av, told
from emotion.inference.videos.decoding import USUAL_FPS
from emotion.inference.videos.frames import Video
from emotion.inference.videos.sound import Sound

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import OutputContainer

TICKS = 60_000  # a second: holds 24, 25, 30, 50 and 60 frames, and fits into MPEG-4's 16 bits
# Text stays sharp at 20; "veryfast" leaves the cores to detection.
_ENCODERS = (
    ("libx264", {"crf": "20", "preset": "veryfast"}),
    ("mpeg4", {"qscale": "3", "flags": "+qscale"}),
)
_BT709, _LIMITED = 1, 1  # FFmpeg's numbers for how colours are stored in HD video


class _Dropped(Exception):  # noqa: N818
    """Ends `replacing` without a file."""


class VideoWriter:
    """Writes a copy of a video, as a context manager.

    Frames stand at their own times, so that a variable frame rate stays one and the sound fits also
    where frames were left out. Sound is copied unchanged, or encoded as AAC where MP4 cannot hold
    it. Sides are made even by repeating the last row or column, since H.264 wants that; frames of
    another size than the first are scaled to it.

    The file appears when the block ends well; without any frame there is none. Where the block ends
    by an exception, Ctrl-C among them, what was written is finished as `NAME.partial.mp4` beside
    it, sound up to the last frame.

    Args:
        path: of the copy, which ends in .mp4; a file there is replaced.
        video: the source, for its sound and frame rate.

    Attributes:
        note: after the block, what became of the sound where it was not copied; None else.

    Raises:
        ConfigError: the path does not end in .mp4.
        EmotionError: the file cannot be written.
    """

    def __init__(self, path: Path, video: Video) -> None:
        if path.suffix.lower() != ".mp4":
            raise ConfigError(f"{path}: drawn videos are MP4 files; name one that ends in .mp4")
        self.note: str | None = None
        self._path, self._video = path, video
        self._file = replacing(path)
        self._output: OutputContainer | None = None
        self._last = -1  # time of the last frame, in ticks

    @property
    def partial(self) -> Path:
        """Where the part is that was written before an exception."""
        return self._path.with_name(f"{self._path.stem}.partial{self._path.suffix}")

    def __enter__(self) -> Self:
        self._temporary = self._file.__enter__()
        return self

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Adds a frame.

        Args:
            image: H x W x 3, uint8, RGB, upright.
            time: in seconds from the first frame of the source, later than the frame before.

        Raises:
            EmotionError: it cannot be written.
        """
        av = load_av()
        try:
            if self._output is None:
                self._begin(image)
            self._write(image, max(round(time * TICKS), self._last + 1))
        except (av.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._finish(whole=error is None)
        except BaseException as failure:
            self._drop()
            if error is not None:
                return  # which says more than that the rest could not be written either
            if isinstance(failure, Exception):
                raise self._failure(failure) from failure
            raise
        if error is None and self._last >= 0:
            self._file.__exit__(None, None, None)
            return
        if self._last >= 0:
            self._temporary.chmod(0o644)
            self._temporary.replace(self.partial)
        self._drop()

    def _begin(self, image: NDArray[np.uint8]) -> None:
        av = load_av()
        height, width = image.shape[:2]
        self._size = (width + width % 2, height + height % 2)
        try:
            self._open(with_sound=True)
        except (av.error.ArgumentError, av.error.InvalidDataError) as error:
            self._open(with_sound=False)  # a kind of sound that MP4 refuses
            self.note = f"the sound is missing: {told(error)}"

    def _open(self, with_sound: bool) -> None:
        av = load_av()
        if self._output is not None:
            self._output.close()
        self._output = av.open(f"file:{self._temporary}", "w", format="mp4")
        self._stream = self._add_stream(self._output)
        self._sound = Sound(self._video if with_sound else None, self._output)
        self._output.start_encoding()

    def _add_stream(self, output: "OutputContainer") -> "VideoStream":
        av = load_av()
        name, options = next(pair for pair in _ENCODERS if pair[0] in av.codecs_available)
        rate = Fraction(self._video.fps or USUAL_FPS).limit_denominator(1001)
        stream = cast("VideoStream", output.add_stream(name, rate=rate, options=options))
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        for key in ("colorspace", "color_primaries", "color_trc"):
            setattr(stream.codec_context, key, _BT709)
        stream.codec_context.color_range = _LIMITED
        return stream

    def _write(self, image: NDArray[np.uint8], ticks: int) -> None:
        av = load_av()
        assert self._output is not None
        height, width = image.shape[:2]
        even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
            *self._size, format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED
        )
        frame.pts, frame.time_base = ticks, Fraction(1, TICKS)
        self._output.mux(self._stream.encode(frame))
        self._last = ticks
        self._sound.write_until(ticks / TICKS)

    def _finish(self, whole: bool) -> None:
        if self._output is None:
            return
        try:
            self._output.mux(self._stream.encode(None))
            self._sound.write_until(None if whole else self._last / TICKS)
            self.note = self.note or self._sound.note
        finally:
            self._sound.close()
            self._output.close()

    def _drop(self) -> None:
        dropped = _Dropped()
        self._file.__exit__(_Dropped, dropped, None)

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, EmotionError):
            return error
        return EmotionError(f"{self._path}: cannot be written ({told(error)})")
