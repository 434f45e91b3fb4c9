"""Reading videos: which frames, when, upright, and what is said of those that are broken."""

import gc
import itertools
import os
import subprocess
import sys
import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.films import SIZE, cut, film, number_in, numbers, turn

import emotion.inference.videos.containers as containers_module
from emotion.errors import ConfigError, EmotionError, VideoError
from emotion.inference.videos.containers import FORMATS
from emotion.inference.videos.decoding import Clock
from emotion.inference.videos.frames import (
    SUFFIXES,
    Chooser,
    Frame,
    FrameChoice,
    is_video,
    open_video,
)

FASTSTART = {"movflags": "faststart"}  # the table of the frames comes first


def read(path: Path, choice: FrameChoice | None = None) -> list[Frame]:
    with open_video(path) as video:
        return list(video.frames(choice or FrameChoice()))


def read_up_to_the_error(path: Path) -> tuple[list[Frame], str]:
    frames: list[Frame] = []
    with pytest.raises(VideoError) as caught:
        frames.extend(open_video(path).frames())
    assert "\n" not in str(caught.value)
    return frames, str(caught.value)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".mov", ".flv"])
def test_every_frame_comes_once_with_its_number_and_time(tmp_path: Path, suffix: str) -> None:
    path = film(tmp_path / f"a{suffix}", numbers(40), fps=20)
    frames = read(path)
    assert [frame.number for frame in frames] == list(range(40))
    assert [number_in(frame.image) for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == pytest.approx([k / 20 for k in range(40)], abs=1e-3)
    assert {frame.image.shape for frame in frames} == {(SIZE[1], SIZE[0], 3)}
    assert frames[0].image.dtype == np.uint8
    assert frames[0].image.flags.c_contiguous


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "mpeg4"), ("a.mpg", "mpeg2video"), ("a.webm", "libvpx")]
)
def test_other_kinds_of_files_are_read(tmp_path: Path, name: str, codec: str) -> None:
    path = film(tmp_path / name, numbers(30), codec=codec)
    assert [number_in(frame.image) for frame in read(path)] == list(range(30))


def test_frames_may_be_asked_for_again(tmp_path: Path) -> None:
    video = open_video(film(tmp_path / "a.mp4", numbers(5)))
    for _ in range(2):
        assert [number_in(frame.image) for frame in video.frames()] == list(range(5))


def test_a_video_tells_what_it_is(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", numbers(50), sound=2.0)
    video = open_video(path)
    assert (video.source, video.path, video.size) == (str(path), path, SIZE)
    assert (video.fps, video.rotation, video.has_sound, video.live) == (25, 0, True, False)
    assert video.duration == pytest.approx(2)
    assert not open_video(film(tmp_path / "b.mp4", numbers(5))).has_sound


def test_names_may_hold_any_sign(tmp_path: Path) -> None:
    for name in ("웃음 ü.mp4", "http:a.mp4", "100%d.mp4", "-i.mp4"):
        path = film(tmp_path / "a.mp4", numbers(3)).rename(tmp_path / name)
        assert len(read(path)) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode elsewhere")
def test_names_may_be_no_unicode(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.mp4")
    film(tmp_path / "a.mp4", numbers(3)).rename(path)
    assert len(read(path)) == 3


# Which frames.


def test_every_third_frame(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", numbers(20))
    frames = read(path, FrameChoice(every=3))
    assert [frame.number for frame in frames] == [0, 3, 6, 9, 12, 15, 18]
    assert [number_in(frame.image) for frame in frames] == [0, 3, 6, 9, 12, 15, 18]


def test_so_many_a_second_follow_the_times_of_a_variable_frame_rate(tmp_path: Path) -> None:
    times = [0, 0.1, 0.2, 0.9, 1.05, 1.1, 1.3, 3.2, 3.3, 4.0, 4.9]
    path = film(tmp_path / "a.mp4", numbers(len(times)), times)
    assert [frame.time for frame in read(path)] == pytest.approx(times, abs=1e-4)
    frames = read(path, FrameChoice(per_second=1))
    # Ticks at 0, 1, 2, 3, 4 s: there is no frame between the second and the third.
    assert [frame.number for frame in frames] == [0, 4, 7, 9]
    assert [number_in(frame.image) for frame in frames] == [0, 4, 7, 9]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])  # the latter rounds times to milliseconds
def test_ten_of_thirty_a_second_are_every_third(tmp_path: Path, suffix: str) -> None:
    path = film(tmp_path / f"a{suffix}", numbers(90), fps=30)
    frames = read(path, FrameChoice(per_second=10))
    assert [frame.number for frame in frames] == list(range(0, 90, 3))


@given(
    steps=st.lists(st.integers(1, 3000), min_size=1, max_size=50),
    rate=st.sampled_from([0.5, 1, 3, 7.5, 30, 1000]),
)
def test_each_tick_chooses_the_first_frame_at_or_after_it(steps: list[int], rate: float) -> None:
    stamps = list(np.cumsum([0, *steps]) / 100)
    chooser = Chooser(FrameChoice(per_second=rate))
    chosen = [time for number, time in enumerate(stamps) if chooser.wants(number, time)]
    ticks = np.arange(0, stamps[-1] + 1 / rate, 1 / rate)
    after = {next((t for t in stamps if t >= tick - 1e-6), None) for tick in ticks} - {None}
    assert chosen == sorted(t for t in after if t is not None)


@pytest.mark.parametrize("choice", [FrameChoice(), FrameChoice(3), FrameChoice(1, 5.0)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_the_number_of_frames_is_estimated(
    tmp_path: Path, choice: FrameChoice, suffix: str
) -> None:
    path = film(tmp_path / f"a{suffix}", numbers(50))
    expected = open_video(path).frames_expected(choice)
    assert expected == pytest.approx(len(read(path, choice)), abs=1)


def test_a_choice_that_makes_no_sense_is_refused() -> None:
    for every, per_second in ((0, None), (-1, None), (1, 0.0), (1, float("nan")), (2, 5.0)):
        with pytest.raises(ConfigError):
            FrameChoice(every, per_second)


def test_videos_are_known_by_their_suffix() -> None:
    assert is_video("a/b.MP4")
    assert is_video(Path("웃음.mkv"))
    assert not any(is_video(name) for name in ("a.gif", "a.jpg", "mp4", "a.mp4.txt", ".mp4"))
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)


# Times.


class Stamped:
    """A frame, as far as a clock looks at it."""

    time_base = Fraction(1, 1000)

    def __init__(self, pts: int | None, dts: int | None = None) -> None:
        self.pts, self.dts = pts, dts


def times_of(*stamps: int | None, fps: float | None = 10.0) -> list[float]:
    clock = Clock(fps)
    return [clock.time(Stamped(stamp)) for stamp in stamps]  # type: ignore[arg-type]


def test_times_count_from_the_first_frame() -> None:
    assert times_of(1400, 1500, 1650) == pytest.approx([0, 0.1, 0.25])
    assert times_of(-80, 0) == pytest.approx([0, 0.08])


def test_missing_times_follow_the_usual_step() -> None:
    assert times_of(500, None, None, 900) == pytest.approx([0, 0.1, 0.2, 0.4])
    assert times_of(None, None, fps=None) == pytest.approx([0, 1 / 25])
    clock = Clock(10.0)
    stamped = [Stamped(None, 0), Stamped(None, 300)]
    assert [clock.time(frame) for frame in stamped] == [0, 0.3]  # type: ignore[arg-type]


@given(st.lists(st.none() | st.integers(-(2**40), 2**40), min_size=1, max_size=30))
def test_times_always_advance(stamps: list[int | None]) -> None:
    times = times_of(*stamps)
    assert times[0] == 0
    assert all(a < b for a, b in itertools.pairwise(times))


# Upright, with square pixels.


def corners() -> NDArray[np.uint8]:
    """Draws a picture whose quarters differ: black, red, green, blue."""
    image = np.zeros((32, 64, 3), np.uint8)
    image[:16, 32:], image[16:, :32], image[16:, 32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return image


def shown(image: NDArray[np.uint8], matrix: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Moves each pixel as QuickTime's matrix says: x' = ax + cy, y' = bx + dy."""
    a, b, c, d = matrix
    moved = {
        (a * x + c * y, b * x + d * y): image[y, x]
        for y in range(image.shape[0])
        for x in range(image.shape[1])
    }
    left, top = min(x for x, _ in moved), min(y for _, y in moved)
    width, height = max(x for x, _ in moved) - left + 1, max(y for _, y in moved) - top + 1
    result = np.zeros((height, width, 3), np.uint8)
    for (x, y), colour in moved.items():
        result[y - top, x - left] = colour
    return result


@pytest.mark.parametrize(
    ("matrix", "degrees"),
    [
        ((1, 0, 0, 1), 0),
        ((0, 1, -1, 0), 90),  # a telephone held upright
        ((-1, 0, 0, -1), 180),
        ((0, -1, 1, 0), 270),
        ((-1, 0, 0, 1), None),  # mirrored, as some front cameras write
        ((0, 1, 1, 0), None),
    ],
)
def test_frames_are_shown_as_the_display_matrix_says(
    tmp_path: Path, matrix: tuple[int, int, int, int], degrees: int | None
) -> None:
    path = turn(film(tmp_path / "a.mp4", [corners()] * 3), matrix)
    expected = shown(corners(), matrix)
    video = open_video(path)
    assert video.size == (expected.shape[1], expected.shape[0])
    if degrees is not None:
        assert video.rotation == degrees
    for frame in video.frames():
        assert frame.image.shape == expected.shape
        assert np.abs(frame.image.astype(int) - expected).mean() < 20


def test_the_picture_of_a_turned_video_is_turned_clockwise(tmp_path: Path) -> None:
    path = turn(film(tmp_path / "a.mp4", [corners()]), (0, 1, -1, 0))
    (frame,) = read(path)
    assert np.abs(frame.image.astype(int) - np.rot90(corners(), -1)).mean() < 20


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [corners()] * 2, aspect=Fraction(3, 2))
    assert open_video(path).size == (96, 32)
    assert read(path)[0].image.shape == (32, 96, 3)


def test_colours_are_those_of_the_picture(tmp_path: Path) -> None:
    image = np.full((64, 64, 3), (200, 60, 90), np.uint8)
    (frame,) = read(film(tmp_path / "a.mp4", [image]))
    assert np.abs(frame.image.astype(int) - image).max() <= 6


# What is broken.


@pytest.mark.parametrize(
    ("name", "options", "codec"),
    [
        ("a.mp4", FASTSTART, "libx264"),
        ("b.mp4", {"movflags": "frag_keyframe+empty_moov"}, "libx264"),
        ("a.mkv", {}, "libx264"),
        ("a.avi", {}, "mpeg4"),
        ("a.flv", {}, "libx264"),
    ],
)
def test_a_video_that_is_cut_off_gives_its_frames_and_then_the_place(
    tmp_path: Path, name: str, options: dict[str, str], codec: str
) -> None:
    path = cut(film(tmp_path / name, numbers(100), options=options, codec=codec))
    frames, message = read_up_to_the_error(path)
    assert 15 < len(frames) < 80
    assert [number_in(frame.image) for frame in frames[:15]] == list(range(15))
    last = frames[-1]
    assert message.startswith(f"{path}: cut off after {last.time:.2f} s (frame {last.number}): ")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_sound_hides_no_cut(tmp_path: Path, name: str) -> None:
    path = cut(film(tmp_path / name, numbers(100), sound=4.0, options=FASTSTART))
    frames, message = read_up_to_the_error(path)
    assert len(frames) < 80
    assert "cut off after" in message


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_sound_that_goes_on_is_no_cut(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name, numbers(25), sound=4.0)
    assert len(read(path)) == 25


def test_a_broadcast_that_was_cut_is_only_shorter(tmp_path: Path) -> None:
    path = cut(film(tmp_path / "a.ts", numbers(100)))
    assert 30 < len(read(path)) < 80


def test_damage_in_the_middle_is_told_at_the_end(tmp_path: Path) -> None:
    # Each frame stands for itself, so that the damage does not spread.
    path = film(tmp_path / "a.mp4", numbers(50), encoding={"g": "1"})
    with av.open(str(path)) as container:
        lost = [packet for packet in container.demux() if packet.size][20]
    assert lost.pos is not None
    content = bytearray(path.read_bytes())
    content[lost.pos : lost.pos + 4] = b"\xff" * 4  # the length of its first part
    path.write_bytes(content)
    frames, message = read_up_to_the_error(path)
    assert [number_in(frame.image) for frame in frames] == [k for k in range(50) if k != 20]
    assert message.startswith(f"{path}: damaged: 1 part could not be decoded (Invalid data")
    assert message.endswith("read up to 1.96 s (frame 48)")


def test_an_mp4_without_its_table_says_so(tmp_path: Path) -> None:
    path = cut(film(tmp_path / "a.mp4", numbers(100)))
    with pytest.raises(VideoError, match="cut off, or its recording was never finished"):
        open_video(path)


def audio_only(path: Path) -> Path:
    film(path.with_suffix(".mkv"), numbers(3), sound=1.0)
    with av.open(str(path.with_suffix(".mkv"))) as source, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    return path


def without_frames(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        output.start_encoding()
    return path


def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    (tmp_path / "folder.mp4").mkdir()
    reasons = {
        tmp_path / "gone.mp4": "no such file",
        tmp_path / "empty.mp4": "empty file",
        tmp_path / "folder.mp4": "expected a video, got a folder",
        tmp_path / "text.mp4": "not a video, or of a kind that is not read",
        audio_only(tmp_path / "sound.mp4"): "no video stream: the file holds sound only",
        without_frames(tmp_path / "none.mp4"): "without frames|no video stream",
    }
    for path, reason in reasons.items():
        with pytest.raises(VideoError, match=reason) as caught:
            open_video(path)
        assert str(caught.value) == f"{path}: {caught.value.reason}"
        assert "\n" not in str(caught.value)


def test_a_play_list_fetches_nothing(tmp_path: Path) -> None:
    other = film(tmp_path / "other.ts", numbers(5))
    lists = {
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{other}\n#EXT-X-ENDLIST\n",
        "concat.mp4": f"ffconcat version 1.0\nfile {other.name}\n",
    }
    for name, content in lists.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(VideoError, match="not a video"):
            open_video(tmp_path / name)


def test_frames_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path / "a.mp4", numbers(3))
    monkeypatch.setattr(containers_module, "MAX_PIXELS", 96 * 64 - 1)
    with pytest.raises(VideoError, match="96 x 64 pixels; at most 6,143"):
        open_video(path)


def test_ffmpeg_knows_all_the_formats() -> None:
    known = {part for name in av.formats_available for part in name.split(",")}
    assert set(FORMATS) <= known


def test_without_pyav_the_error_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['av'] = None\n"
        "from pathlib import Path\n"
        "from emotion.errors import EmotionError, VideoError\n"
        "from emotion.inference.videos.frames import open_video, is_video\n"
        "assert is_video('a.mp4')\n"
        "try: open_video(Path(sys.argv[1]))\n"
        "except EmotionError as error: print(type(error).__name__, error)\n"
    )
    path = film(tmp_path / "a.mp4", numbers(2))
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert done.stdout.startswith("EmotionError ")
    assert "pip install 'emotion[video]'" in done.stdout
    assert done.stderr == ""


def test_nothing_of_ffmpeg_reaches_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = cut(film(tmp_path / "a.mp4", numbers(60), options=FASTSTART))
    read_up_to_the_error(path)
    (tmp_path / "text.mp4").write_text("x" * 1000)
    with pytest.raises(EmotionError):
        open_video(tmp_path / "text.mp4")
    assert capfd.readouterr() == ("", "")


def test_reading_keeps_no_frames(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", numbers(50))
    alive: list[weakref.ref[NDArray[np.uint8]]] = []
    for frame in open_video(path).frames():
        alive.append(weakref.ref(frame.image))
        # The one that was just decoded, and at most the one before it.
        assert sum(reference() is not None for reference in alive) <= 2
    assert len(alive) == 50


def test_reading_leaves_no_work_for_the_garbage_collector(tmp_path: Path) -> None:
    # Frames in a circle of references would pile up until it comes by: gigabytes of large ones.
    video = open_video(film(tmp_path / "a.mp4", numbers(100)))
    gc.collect()
    gc.disable()
    try:
        assert sum(1 for _ in video.frames()) == 100
        assert gc.collect() < 50
    finally:
        gc.enable()
