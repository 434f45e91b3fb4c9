"""Small videos made for tests: what is in them is known from how they were made."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

BITS = 8
SIZE = (96, 64)
TICKS = 90_000  # a second
RATE = 44_100


def numbered(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Draws a number as eight columns, black or white, that survive any compression."""
    width, height = size
    bits = [number >> place & 1 for place in range(BITS)]
    columns = np.array(bits)[np.arange(width) * BITS // width] * 255
    return np.tile(columns[None, :, None].astype(np.uint8), (height, 1, 3))


def number_in(image: NDArray[np.uint8]) -> int:
    """Reads the number from the middles of the columns."""
    width = image.shape[1]
    middles = [(2 * place + 1) * width // (2 * BITS) for place in range(BITS)]
    return sum(int(image[:, x].mean() > 127) << place for place, x in enumerate(middles))


def numbers(count: int, size: tuple[int, int] = SIZE) -> list[NDArray[np.uint8]]:
    """Draws 0, 1, 2 and so on."""
    return [numbered(number, size) for number in range(count)]


def film(
    path: Path,
    images: Iterable[NDArray[np.uint8]],
    times: Sequence[float] | None = None,
    *,
    fps: int = 25,
    codec: str = "libx264",
    format_name: str | None = None,
    options: dict[str, str] | None = None,
    encoding: dict[str, str] | None = None,
    sound: float = 0.0,
    sound_codec: str = "aac",
    sound_begins: float = 0.0,
    aspect: Fraction | None = None,
) -> Path:
    """Makes a video.

    Args:
        path: the suffix chooses the container.
        images: H x W x 3, uint8, RGB, even sides.
        times: of the frames in seconds; None for `fps` a second.
        fps: frames a second.
        codec: of the pictures.
        format_name: container; None for that of the suffix.
        options: of the container.
        encoding: options of the pictures' codec.
        sound: seconds of a tone of 440 Hz; 0 for none.
        sound_codec: of the sound.
        sound_begins: when the tone begins, in seconds.
        aspect: width of a pixel in heights.
    """
    ticks = TICKS if codec == "libx264" else fps
    with av.open(str(path), "w", format=format_name, options=options or {}) as output:
        stream = output.add_stream(codec, rate=fps, options=encoding)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, ticks)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        tone: av.AudioStream | None = None
        parts: Iterator[av.AudioFrame] = iter(())
        if sound:
            added = output.add_stream(sound_codec, rate=RATE, layout="mono")
            assert isinstance(added, av.AudioStream)
            tone, parts = added, _tone(added, sound, sound_begins)
        for number, image in enumerate(images):
            if number == 0:
                stream.width, stream.height = image.shape[1], image.shape[0]
            time = number / fps if times is None else times[number]
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(time * ticks), Fraction(1, ticks)
            output.mux(stream.encode(frame))
            if tone is not None:
                # In turns, as a camera writes them.
                for part in parts:
                    output.mux(tone.encode(part))
                    if (part.time or 0.0) > time:
                        break
        if tone is not None:
            for part in parts:
                output.mux(tone.encode(part))
            output.mux(tone.encode(None))
        output.mux(stream.encode(None))
    return path


def _tone(stream: av.AudioStream, seconds: float, begins: float) -> Iterator[av.AudioFrame]:
    wave = np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.format, "mono", RATE)
    for start in range(0, len(wave) - size + 1, size):
        samples = (wave[start : start + size] * 0.5 * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts, frame.time_base = round(begins * RATE) + start, Fraction(1, RATE)
        for converted in resampler.resample(frame):
            converted.pts, converted.time_base = frame.pts, Fraction(1, RATE)
            yield converted


def turn(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Writes a display matrix (a, b, c, d) into the track of an MP4, as phones do."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 44  # ISO 14496-12, 8.3.2, version 0
    a, b, c, d = (value * 65536 for value in matrix)
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def cut(path: Path, share: float = 0.6) -> Path:
    """Cuts a file off."""
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])
    return path


def heard(path: Path) -> tuple[NDArray[np.float32], int, float]:
    """Decodes the sound of a video with PyAV: samples of the first channel, rate, begin."""
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams.audio[0]))
    rate = frames[0].sample_rate
    resampler = av.AudioResampler("fltp", "mono", rate)
    parts = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    return np.concatenate(parts), rate, float(frames[0].time or 0.0)


def pitch(samples: NDArray[np.float32], rate: int) -> float:
    """Gives the strongest frequency in Hz."""
    strengths = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[strengths.argmax()])
