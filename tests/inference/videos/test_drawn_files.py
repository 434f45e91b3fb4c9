"""Drawn copies: their frames, times and sound, and what is left after an exception."""

import multiprocessing
import resource
import signal
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.films import film, heard, number_in, numbered, numbers, pitch, turn

from emotion.errors import ConfigError, EmotionError
from emotion.inference.videos.drawn_files import VideoWriter
from emotion.inference.videos.frames import Frame, FrameChoice, open_video


def copy(source: Path, target: Path, choice: FrameChoice | None = None) -> str | None:
    """Copies a video frame by frame; gives the note."""
    video = open_video(source)
    with VideoWriter(target, video) as writer:
        for frame in video.frames(choice or FrameChoice()):
            writer.write(frame.image, frame.time)
    return writer.note


def read(path: Path) -> list[Frame]:
    return list(open_video(path).frames())


def packets_of_sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def test_a_copy_has_the_frames_at_their_times(tmp_path: Path) -> None:
    times = [0, 0.04, 0.1, 0.5, 0.51, 2.0, 2.0333]
    source = film(tmp_path / "a.mp4", numbers(7), times)
    assert copy(source, tmp_path / "b.mp4") is None
    frames = read(tmp_path / "b.mp4")
    assert [number_in(frame.image) for frame in frames] == list(range(7))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-4)


def test_a_copy_is_an_mp4_that_players_play(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mkv", numbers(5))
    copy(source, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        stream = container.streams.video[0]
        assert "mp4" in container.format.name
        assert stream.codec_context.name == "h264"
        assert stream.pix_fmt == "yuv420p"
        assert stream.average_rate == 25
        assert stream.duration is not None
        assert float(stream.duration * (stream.time_base or 0)) == pytest.approx(0.2, abs=1e-3)


def test_colours_stay(tmp_path: Path) -> None:
    image = np.zeros((64, 96, 3), np.uint8)
    image[:, :32], image[:, 32:64], image[:, 64:] = (220, 60, 40), (30, 200, 90), (40, 80, 230)
    source = film(tmp_path / "a.mp4", numbers(3))
    with VideoWriter(tmp_path / "b.mp4", open_video(source)) as writer:
        writer.write(image, 0.0)
    (frame,) = read(tmp_path / "b.mp4")
    for column in (16, 48, 80):
        assert np.abs(frame.image[32, column].astype(int) - image[32, column]).max() <= 8


def test_a_turned_video_has_an_upright_copy(tmp_path: Path) -> None:
    source = turn(film(tmp_path / "a.mp4", numbers(5)), (0, 1, -1, 0))
    copy(source, tmp_path / "b.mp4")
    video = open_video(tmp_path / "b.mp4")
    assert (video.size, video.rotation) == ((64, 96), 0)
    for before, after in zip(read(source), video.frames(), strict=True):
        assert np.abs(before.image.astype(int) - after.image).mean() < 8


def test_odd_sides_are_made_even(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", numbers(2))
    with VideoWriter(tmp_path / "b.mp4", open_video(source)) as writer:
        writer.write(numbered(90, (97, 63)), 0.0)
        writer.write(numbered(165, (97, 63)), 0.04)
    frames = read(tmp_path / "b.mp4")
    assert [frame.image.shape for frame in frames] == [(64, 98, 3)] * 2
    assert [number_in(frame.image[:63, :97]) for frame in frames] == [90, 165]


def test_frames_of_another_size_are_scaled_to_the_first(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", numbers(2))
    with VideoWriter(tmp_path / "b.mp4", open_video(source)) as writer:
        writer.write(numbered(90), 0.0)
        writer.write(numbered(165, (200, 150)), 0.04)
    frames = read(tmp_path / "b.mp4")
    assert [frame.image.shape for frame in frames] == [(64, 96, 3)] * 2
    assert number_in(frames[1].image) == 165


# Sound.


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "aac"),
        ("a.mkv", "aac"),
        ("a.mkv", "libmp3lame"),
        ("a.mkv", "flac"),
        ("a.mkv", "ac3"),
        ("a.avi", "libmp3lame"),
    ],
)
def test_sound_is_copied_unchanged(tmp_path: Path, name: str, codec: str) -> None:
    pictures = "mpeg4" if name.endswith("avi") else "libx264"
    source = film(tmp_path / name, numbers(50), codec=pictures, sound=2.0, sound_codec=codec)
    assert copy(source, tmp_path / "b.mp4") is None
    assert packets_of_sound(tmp_path / "b.mp4") == packets_of_sound(source)
    samples, rate, begin = heard(tmp_path / "b.mp4")
    assert len(samples) / rate == pytest.approx(2, abs=0.1)
    assert begin == pytest.approx(heard(source)[2], abs=0.03)
    assert pitch(samples[rate // 2 : -rate // 2], rate) == pytest.approx(440, abs=2)


def test_sound_of_a_broadcast_is_copied_too(tmp_path: Path) -> None:
    source = film(tmp_path / "a.ts", numbers(50), sound=2.0)
    assert copy(source, tmp_path / "b.mp4") is None
    samples, rate, _ = heard(tmp_path / "b.mp4")
    assert len(samples) / rate == pytest.approx(2, abs=0.1)
    assert pitch(samples[rate // 2 : -rate // 2], rate) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("codec", ["pcm_s16le", "mp2"])
def test_sound_that_mp4_cannot_hold_is_encoded_anew(tmp_path: Path, codec: str) -> None:
    source = film(tmp_path / "a.mkv", numbers(50), sound=2.0, sound_codec=codec)
    assert copy(source, tmp_path / "b.mp4") == f"the sound was encoded anew: {codec} has become AAC"
    samples, rate, begin = heard(tmp_path / "b.mp4")
    assert len(samples) / rate == pytest.approx(2, abs=0.1)
    assert begin == pytest.approx(0, abs=0.03)
    assert pitch(samples[rate // 2 : -rate // 2], rate) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.ts", "aac"), ("a.mkv", "mp2"), ("a.ts", "mp2")],
)
def test_sound_begins_when_it_did(tmp_path: Path, name: str, codec: str) -> None:
    source = film(tmp_path / name, numbers(50), sound=1.0, sound_codec=codec, sound_begins=0.8)
    copy(source, tmp_path / "b.mp4")
    with av.open(str(source)) as container:
        begin = next(container.decode(video=0)).time
    assert heard(tmp_path / "b.mp4")[2] == pytest.approx(heard(source)[2] - begin, abs=0.03)
    assert heard(tmp_path / "b.mp4")[2] == pytest.approx(0.8, abs=0.06)


def test_where_frames_are_left_out_the_sound_still_fits(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", numbers(100), sound=4.0)
    copy(source, tmp_path / "b.mp4", FrameChoice(per_second=2))
    frames = read(tmp_path / "b.mp4")
    times = [0, 0.52, 1, 1.52, 2, 2.52, 3, 3.52]
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-4)
    assert [number_in(frame.image) for frame in frames] == [round(25 * t) for t in times]
    assert packets_of_sound(tmp_path / "b.mp4") == packets_of_sound(source)


def test_a_video_without_sound_has_a_copy_without(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", numbers(5))
    assert copy(source, tmp_path / "b.mp4") is None
    assert not open_video(tmp_path / "b.mp4").has_sound


# Files.


def test_the_file_appears_when_all_is_written(tmp_path: Path) -> None:
    video = open_video(film(tmp_path / "a.mp4", numbers(3)))
    out = tmp_path / "drawn" / "웃음.mp4"
    with VideoWriter(out, video) as writer:
        for frame in video.frames():
            writer.write(frame.image, frame.time)
            assert not out.exists()
    assert [path.name for path in out.parent.iterdir()] == ["웃음.mp4"]


def test_without_frames_there_is_no_file(tmp_path: Path) -> None:
    video = open_video(film(tmp_path / "a.mp4", numbers(3)))
    with VideoWriter(tmp_path / "out" / "b.mp4", video):
        pass
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ValueError, GeneratorExit])
def test_after_an_exception_the_part_is_kept_under_its_own_name(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    video = open_video(film(tmp_path / "a.mp4", numbers(100), sound=4.0))
    out = tmp_path / "out" / "b.mp4"
    writer = VideoWriter(out, video)

    def work() -> None:
        with writer:
            for frame in video.frames():
                if frame.number == 50:
                    raise kind
                writer.write(frame.image, frame.time)

    with pytest.raises(kind):
        work()
    assert [path.name for path in out.parent.iterdir()] == ["b.partial.mp4"]
    assert writer.partial == out.parent / "b.partial.mp4"
    assert [number_in(frame.image) for frame in read(writer.partial)] == list(range(50))
    samples, rate, _ = heard(writer.partial)
    assert len(samples) / rate == pytest.approx(2, abs=0.1)


def test_an_exception_before_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    video = open_video(film(tmp_path / "a.mp4", numbers(3)))
    with pytest.raises(ZeroDivisionError), VideoWriter(tmp_path / "out" / "b.mp4", video):
        raise ZeroDivisionError
    assert list((tmp_path / "out").iterdir()) == []


def test_only_mp4_is_written(tmp_path: Path) -> None:
    video = open_video(film(tmp_path / "a.mp4", numbers(3)))
    with pytest.raises(ConfigError, match=r"one that ends in \.mp4"):
        VideoWriter(tmp_path / "b.avi", video)


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path) -> None:
    video = open_video(film(tmp_path / "a.mp4", numbers(3)))
    (tmp_path / "file").touch()
    with (
        pytest.raises(EmotionError, match="cannot be written"),
        VideoWriter(tmp_path / "file" / "b.mp4", video),
    ):
        pass


def _fill_the_disk(source: Path, target: Path) -> None:
    """Copies where a file may have no more than 20 kB, which looks like a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        video = open_video(source)
        rng = np.random.default_rng(1)
        with VideoWriter(target, video) as writer:
            for frame in video.frames():
                writer.write(rng.integers(0, 255, frame.image.shape, np.uint8), frame.time)
    except EmotionError as error:
        sys.exit(0 if str(error).startswith(f"{target}: cannot be written (") else 3)
    sys.exit(4)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit stands in for a full disk")
def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", numbers(100))
    target = tmp_path / "out" / "b.mp4"
    process = multiprocessing.get_context("spawn").Process(
        target=_fill_the_disk, args=(source, target)
    )
    process.start()
    process.join()
    assert process.exitcode == 0
    assert list(target.parent.iterdir()) == []


def test_without_h264_the_copy_is_mpeg4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = film(tmp_path / "a.mp4", numbers(20))
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    copy(source, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    frames = read(tmp_path / "b.mp4")
    assert [number_in(frame.image) for frame in frames] == list(range(20))
    assert [frame.time for frame in frames] == pytest.approx([k / 25 for k in range(20)], abs=1e-4)


def test_an_odd_frame_rate_is_kept(tmp_path: Path) -> None:
    times = [float(Fraction(1001, 30000) * k) for k in range(60)]
    source = film(tmp_path / "a.mp4", numbers(60), times, fps=30)
    copy(source, tmp_path / "b.mp4")
    assert [frame.time for frame in read(tmp_path / "b.mp4")] == pytest.approx(times, abs=2e-5)
