"""The model in the box: what it says of itself; used where none is named, and trained on."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import train_tiny

from emotion.__main__ import main
from emotion.bundled import bundled_model
from emotion.faces.crops import resize_crop
from emotion.faces.labels import EMOTIONS
from emotion.models import open_model
from emotion.predictor import Predictor
from emotion.sketches.scenes import draw_scene
from emotion.training.bundled_weights import bundled_weights
from emotion.training.checkpoints import read_checkpoint


def test_it_is_small_sealed_calibrated_and_says_what_it_is() -> None:
    assert bundled_model().stat().st_size < 5_000_000
    model = open_model()
    assert model.path == bundled_model()
    assert model.info is not None
    assert model.classifier.input.labels == EMOTIONS
    assert model.temperature != 1
    assert model.threshold is not None
    assert 0.2 < model.threshold < 1
    assert "FER2013" in model.info.licence
    assert model.info.data_sha256 is not None


def test_a_face_and_its_mirror_image_get_the_same_answer() -> None:
    classifier = open_model().classifier
    side = classifier.input.size
    faces = [draw_scene(np.random.default_rng(k), ("smile",)).image for k in range(3)]
    pixels = np.stack([resize_crop(face, side) for face in faces])
    answers = classifier.probabilities(pixels)
    turned = classifier.probabilities(np.ascontiguousarray(pixels[:, :, ::-1]))
    assert answers.std(axis=0).max() > 0.01, "faces that are told apart"
    np.testing.assert_allclose(answers, turned, atol=1e-5)


def test_it_holds_no_path_of_the_machine_that_made_it() -> None:
    content = bundled_model().read_bytes()
    assert not any(word in content for word in (b"/home/", b"/tmp/", b"/work/", b"/root/"))


def test_predict_uses_it_where_no_other_is_named_and_says_so_once(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = sorted((sample_root / "test" / "img").iterdir())[:2]
    out = tmp_path / "faces.jsonl"
    assert main(["predict", *map(str, photos), "--out", str(out)]) == 0
    assert capsys.readouterr().err.count("using the model in the box") == 1
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert {record["source"] for record in records} == {str(photo) for photo in photos}
    assert main(["predict", str(photos[0]), "--model", str(bundled_model())]) == 0
    assert "in the box" not in capsys.readouterr().err


def test_the_python_api_uses_it_too(sample_root: Path) -> None:
    photo = next((sample_root / "test" / "img").iterdir())
    named = Predictor.load(bundled_model())(photo)
    for prediction in (Predictor.load()(photo), Predictor.load("bundled")(photo)):
        assert prediction.to_dict() == named.to_dict()


def test_training_starts_from_its_weights(sample_root: Path, tmp_path: Path) -> None:
    still = ("model.optimizer.lr=1e-12", "trainer.max_epochs=1")
    result = train_tiny(sample_root, tmp_path / "run", "model.weights=bundled", *still)
    state = read_checkpoint(result.checkpoint).state
    for name, tensor in bundled_weights().items():
        if name.endswith("weight"):
            torch.testing.assert_close(state[f"backbone.{name}"], tensor, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_its_figures_on_photos_that_it_never_saw(shared: Path) -> None:
    """A bound far above guessing: 28 faces, from another source than what it was trained on."""
    model = open_model()
    from emotion.evaluation.subjects import read_subject
    from emotion.faces.pixels import read_crops

    subject = read_subject(bundled_model(), EMOTIONS, data=shared / "data" / "nota24")
    spec = model.classifier.input
    crops = np.concatenate([c for (c,) in read_crops(subject.samples, spec, [spec.size])])
    right = model.classifier.probabilities(crops).argmax(axis=1) == subject.targets
    assert right.mean() > 0.5
