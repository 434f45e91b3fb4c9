"""The Python API: paths, arrays and lists give what the command gives, also in several threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.exports import Exported
from tests.films import film

from emotion.errors import CheckpointError, ConfigError
from emotion.experiments.outcome import RunResult
from emotion.predictor import Predictor
from emotion.training.checkpoints import store_calibration


@pytest.fixture(scope="module")
def predictor(run_result: RunResult) -> Predictor:
    return Predictor.load(run_result.folder, device="cpu")


@pytest.fixture(scope="module")
def photos(sample_root: Path) -> list[Path]:
    return sorted((sample_root / "test" / "img").iterdir())


def test_a_path_an_array_and_a_list_give_the_same(predictor: Predictor, photos: list[Path]) -> None:
    one = predictor(photos[0])
    assert one.source == str(photos[0])
    assert one.faces
    assert predictor(str(photos[0])) == one
    assert predictor(np.asarray(Image.open(photos[0]).convert("RGB"))).faces == one.faces
    many = predictor(photos)
    assert [prediction.source for prediction in many] == [str(path) for path in photos]
    alone = [predictor(path) for path in photos]
    for ours, theirs in zip(many, alone, strict=True):
        assert [f.detection for f in ours.faces] == [f.detection for f in theirs.faces]
        for face, other in zip(ours.faces, theirs.faces, strict=True):
            assert face.probabilities == pytest.approx(other.probabilities, abs=1e-5)


def test_what_is_no_picture_is_a_prediction_with_the_reason(
    predictor: Predictor, tmp_path: Path
) -> None:
    missing = predictor(tmp_path / "gone.jpg")
    assert not missing.readable
    assert "no such file" in str(missing)
    wrong = predictor(np.zeros((4, 4, 4), np.uint8))
    assert "expected H x W x 3 or H x W of uint8 (RGB, 0 to 255), got 4 x 4 x 4" in str(wrong)
    floats = predictor(np.zeros((4, 4, 3), np.float32))
    assert "got 4 x 4 x 3 of float32" in str(floats)
    assert "no pixels in 0 x 4 x 3" in str(predictor(np.zeros((0, 4, 3), np.uint8)))
    assert predictor(np.zeros((90, 90), np.uint8)).reason == "no face found"
    assert predictor([]) == []


def test_threads_get_their_own_answers(predictor: Predictor, photos: list[Path]) -> None:
    wanted = [predictor(path) for path in photos]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(predictor, photos * 4)) == wanted * 4


def test_the_threshold_is_the_models_unless_one_is_given(
    run_result: RunResult, photos: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "a.ckpt"
    path.write_bytes(run_result.checkpoint.read_bytes())
    store_calibration(path, 1.0, 0.99)
    assert {face.answer for face in Predictor.load(path)(photos[0]).faces} == {"unsure"}
    for threshold in (None, 0.0):
        faces = Predictor.load(path, threshold=threshold)(photos[0]).faces
        assert "unsure" not in {face.answer for face in faces}


def test_an_exported_file_gives_the_checkpoints_answers(
    exported: Exported, run_result: RunResult, photos: list[Path]
) -> None:
    ours = Predictor.load(exported.onnx)(photos[0])
    theirs = Predictor.load(exported.checkpoint)(photos[0])
    for face, other in zip(ours.faces, theirs.faces, strict=True):
        assert face.detection == other.detection
        assert face.probabilities == pytest.approx(other.probabilities, abs=1e-4)


def test_a_video_gives_a_prediction_a_frame(
    predictor: Predictor, photos: list[Path], tmp_path: Path
) -> None:
    image = np.asarray(Image.open(photos[0]).convert("RGB"))
    image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    path = film(tmp_path / "a.mp4", [image] * 6, fps=5)
    found = list(predictor.video(path, every=3, smoothing=0))
    assert [(p.frame, p.time) for p in found] == [(0, 0.0), (3, pytest.approx(0.6))]
    assert all(face.raw == face.probabilities for p in found for face in p.faces)
    assert found[0].faces


def test_wrong_settings_and_models_are_told(run_result: RunResult, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="upsample: expected 0, 1, 2 or 3, got 7"):
        Predictor.load(run_result.folder, upsample=7)
    with pytest.raises(CheckpointError, match="no such file"):
        Predictor.load(tmp_path / "gone.onnx")
