"""Cameras: the newest frame and no queue, ends, and cameras that are not there.

FFmpeg's `lavfi` stands in for a camera; its filter `realtime` makes it one that waits for nobody.
"""

import sys
import threading
import time

import av
import pytest
from tests.stand_ins import BlockDetector, BrightnessClassifier

from emotion.errors import VideoError
from emotion.inference.videos.cameras import Camera, Newest, open_camera, open_device
from emotion.inference.videos.frames import FrameChoice
from emotion.inference.videos.prediction import predict_video

pytestmark = pytest.mark.skipif("lavfi" not in av.formats_available, reason="no stand-in")

LIVE = "testsrc=size=64x48:rate=50,realtime"


def camera(source: str) -> Camera:
    return open_device("camera 0", source, "lavfi", {})


def test_a_camera_tells_what_it_is() -> None:
    with camera(LIVE) as shown:
        assert (shown.source, shown.path, shown.size, shown.fps) == ("camera 0", None, (64, 48), 50)
        assert shown.live
        assert not shown.has_sound
        assert shown.frames_expected() is None


def test_who_is_slower_than_the_camera_gets_its_newest_frames() -> None:
    with camera(LIVE) as shown:
        taken = []
        for frame in shown.frames():
            taken.append(frame)
            time.sleep(0.2)  # ten frames of the camera
            if len(taken) == 5:
                break
    numbers = [frame.number for frame in taken]
    # Lost, not queued: four naps are some forty frames, on a busy machine as many as it made.
    assert numbers[-1] - numbers[0] > 15
    assert [frame.time for frame in taken] == pytest.approx([n / 50 for n in numbers], abs=0.02)
    assert taken[0].image.shape == (48, 64, 3)


def test_only_the_newest_is_kept() -> None:
    newest = Newest()
    for number in range(3):
        newest.put((number, 0.0, None))  # type: ignore[arg-type]
    newest.end()
    taken = newest.take()
    assert taken is not None
    assert taken[0] == 2
    assert newest.take() is None


def test_letting_a_camera_go_ends_its_thread() -> None:
    before = threading.active_count()
    with camera(LIVE) as shown:
        frames = shown.frames()
        next(frames)
        assert threading.active_count() == before + 1
        frames.close()  # type: ignore[attr-defined]
        assert threading.active_count() == before
        next(shown.frames())
    assert threading.active_count() == before


def test_a_choice_holds_for_cameras_too() -> None:
    with camera(LIVE + ",trim=end_frame=40") as shown:
        numbers = [frame.number for frame in shown.frames(FrameChoice(every=10))]
    assert numbers
    assert all(number % 10 == 0 for number in numbers)


def test_a_camera_that_ends_ends_the_frames() -> None:
    with camera(LIVE + ",trim=end_frame=20") as shown:
        numbers = [frame.number for frame in shown.frames()]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 18  # the first one was taken when it was opened


def test_a_camera_that_is_taken_away_is_told_after_its_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with camera(LIVE) as shown:
        taken = []

        def broken(*_: object) -> object:
            raise OSError(19, "No such device")

        frames = shown.frames()
        taken.append(next(frames))
        monkeypatch.setattr("emotion.inference.videos.cameras.Chooser.wants", broken)
        with pytest.raises(
            VideoError, match=r"camera 0: stopped after .* s \(frame \d+\): No such"
        ):
            taken.extend(frames)


def test_predictions_of_a_camera_come_as_it_goes_on() -> None:
    with camera(LIVE) as shown:
        predictions = predict_video(shown, BlockDetector(), BrightnessClassifier())
        first = [next(predictions) for _ in range(3)]
        predictions.close()  # type: ignore[attr-defined]
    assert {prediction.source for prediction in first} == {"camera 0"}
    assert first[0].frame is not None
    assert first[0].time is not None


@pytest.mark.skipif(sys.platform != "linux", reason="cameras are files on Linux only")
def test_a_camera_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VideoError, match=r"camera 97: no such camera \(/dev/video97\); ") as caught:
        open_camera(97)
    assert "\n" not in str(caught.value)

    class Device:
        name, media_types = "/dev/video2", ("video",)

    monkeypatch.setattr("emotion.inference.videos.cameras._devices", lambda _: [Device])
    with pytest.raises(VideoError, match="found /dev/video2"):
        open_camera(97)
