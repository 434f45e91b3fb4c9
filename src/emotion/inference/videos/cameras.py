"""Watching a camera: always its newest frame, never a queue of old ones."""

import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from emotion.errors import VideoError
from emotion.inference.videos.containers import load_av, picture_stream, told
from emotion.inference.videos.decoding import Clock, Upright, frames_per_second
from emotion.inference.videos.frames import ALL, Chooser, Frame, FrameChoice, Video

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer

PATIENCE = 2.0  # seconds to wait for the reading thread when a camera is let go
SILENCE = 10.0  # seconds without a good frame until a camera is given up
NAP = 0.005  # seconds until a camera that has no frame yet is asked again


class Newest:
    """Hands the newest frame from the thread that reads to the one that works.

    A frame that was not taken is replaced by the next.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._item: tuple[int, float, VideoFrame] | None = None
        self.ended = False
        self.error: Exception | None = None

    def put(self, item: "tuple[int, float, VideoFrame]") -> None:
        """Replaces what was not taken."""
        with self._change:
            self._item = item
            self._change.notify()

    def end(self, error: Exception | None = None) -> None:
        """Says that nothing follows."""
        with self._change:
            self.ended, self.error = True, error
            self._change.notify()

    def take(self) -> "tuple[int, float, VideoFrame] | None":
        """Waits for a frame; None once nothing follows."""
        with self._change:
            self._change.wait_for(lambda: self._item is not None or self.ended)
            item, self._item = self._item, None
            return item


class Camera(Video):
    """What a camera shows, see `open_camera`; its frames may be asked for once at a time."""

    _container: "InputContainer"
    _stream: "VideoStream"
    _upright: Upright
    _newest: Newest | None = None
    _thread: threading.Thread | None = None

    @classmethod
    def of_container(cls, container: "InputContainer", source: str) -> "Camera":
        """Takes over an opened device and decodes its first frame.

        Raises:
            VideoError: it shows nothing.
        """
        stream = picture_stream(container, source)
        first = next(_endless(container, stream), None)
        if first is None:
            raise VideoError(source, "shows nothing")
        upright = Upright(stream, first, source)
        height, width = upright.image(first).shape[:2]
        fps, turned = frames_per_second(stream), upright.rotation
        camera = cls(source, None, (width, height), fps, turned, live=True)
        camera._container, camera._stream, camera._upright = container, stream, upright
        return camera

    def frames(self, choice: FrameChoice = ALL) -> Iterator[Frame]:
        """Gives the newest chosen frame whenever one is asked for; others are lost.

        Numbers count all frames that the camera made, times are seconds from the first one.

        Raises:
            VideoError: the camera was taken away.
        """
        newest = Newest()
        thread = threading.Thread(target=self._read, args=(newest, choice), daemon=True)
        self._newest, self._thread = newest, thread
        thread.start()
        number, seconds = -1, 0.0
        try:
            while (taken := newest.take()) is not None:
                number, seconds, raw = taken
                yield Frame(number, seconds, self._upright.image(raw))
        finally:
            self._stop()
        if newest.error is not None:
            place = f"{seconds:.2f} s (frame {number})"
            raise VideoError(self.source, f"stopped after {place}: {told(newest.error)}")

    def frames_expected(self, choice: FrameChoice = ALL) -> int | None:
        """Gives None: nobody knows how long a camera is watched."""
        return None

    def close(self) -> None:
        """Ends the reading and lets the camera go."""
        if self._stop():  # a device that still waits inside FFmpeg must not be closed under it
            self._container.close()

    def _stop(self) -> bool:
        if self._newest is None or self._thread is None:
            return True
        self._newest.end(self._newest.error)
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    def _read(self, newest: Newest, choice: FrameChoice) -> None:
        chooser, clock = Chooser(choice), Clock(self.fps)
        try:
            for number, raw in enumerate(_endless(self._container, self._stream)):
                if newest.ended:
                    return
                seconds = clock.time(raw)
                if chooser.wants(number, seconds):
                    newest.put((number, seconds, raw))
            newest.end()
        except Exception as error:  # told in the other thread
            newest.end(error)


def open_camera(number: int) -> Camera:
    """Opens a camera of this machine: 0 is the first.

    Raises:
        VideoError: there is none of that number, or it cannot be used.
        EmotionError: PyAV is not installed.
    """
    source = f"camera {number}"
    return open_device(source, *_device(number, source))


def open_device(source: str, file: str, format_name: str, options: dict[str, str]) -> Camera:
    """Opens an input device of FFmpeg.

    Args:
        source: how it is named in records and errors.
        file: its name for FFmpeg.
        format_name: of the input device, such as "v4l2".
        options: for FFmpeg.

    Raises:
        VideoError: it cannot be opened or shows nothing.
    """
    av = load_av()
    try:
        container = av.open(file, format=format_name, options=options)
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(source, _refusal(error, file)) from error
    try:
        return Camera.of_container(container, source)
    except BaseException:
        container.close()
        raise


def _endless(container: "InputContainer", stream: "VideoStream") -> "Iterator[VideoFrame]":
    av = load_av()
    last = time.monotonic()
    while True:
        try:
            for frame in container.decode(stream):
                last = time.monotonic()
                yield frame
            return
        except (av.error.BlockingIOError, av.error.InvalidDataError):
            # No frame yet, as macOS says it, or one that was broken on the cable.
            if time.monotonic() - last > SILENCE:
                raise
            time.sleep(NAP)


def _device(number: int, source: str) -> tuple[str, str, dict[str, str]]:
    """Gives file, format and options of a camera, by system."""
    if sys.platform == "darwin":
        return str(number), "avfoundation", {"framerate": "30"}
    if sys.platform == "win32":
        names = [device.name for device in _devices("dshow")]
        if not 0 <= number < len(names):
            raise VideoError(source, f"no such camera; {_found(names)}")
        return f"video={names[number]}", "dshow", {}
    return f"/dev/video{number}", "v4l2", {}


def _devices(format_name: str) -> list[Any]:
    """Lists the cameras that FFmpeg knows of, as far as it can."""
    av = load_av()
    try:
        import av.device

        found = av.device.enumerate_input_devices(format_name)
    except (ImportError, av.FFmpegError, ValueError):
        return []
    return [device for device in found if "video" in device.media_types or not device.media_types]


def _found(names: list[str]) -> str:
    return f"found {', '.join(names)}" if names else "this machine shows none"


def _refusal(error: Exception, file: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no such camera ({file}); {_found([device.name for device in _devices('v4l2')])}"
    if isinstance(error, PermissionError):
        return f"cannot be opened ({told(error)}); may you use {file}?"
    return f"cannot be opened ({told(error)}); does another program use it?"
