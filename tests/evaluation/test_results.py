"""Measuring: each face once, in its place, with the classifier's own preprocessing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion.errors import DataError
from emotion.evaluation.results import Asking, Results, measure
from emotion.faces.boxes import Box
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import FaceSample, gather_samples


class Judge:
    """A classifier that goes by the mean brightness of parts of the crop."""

    def __init__(self, spec: InputSpec) -> None:
        self.input = spec
        self.asked: list[NDArray[np.uint8]] = []

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked.append(pixels)
        parts = np.array_split(pixels.astype(np.float64), len(self.input.labels), axis=1)
        scores = np.stack([part.mean(axis=(1, 2, 3)) for part in parts], axis=1)
        shares: NDArray[np.float32] = (scores / scores.sum(axis=1, keepdims=True)).astype(
            np.float32
        )
        return shares


SPEC = InputSpec(size=96, margin=0.1, square=True)


@pytest.fixture(scope="module")
def samples(sample_root: Path) -> Sequence[FaceSample]:
    photos = [p for part in ("test", "train") for p in read_folder(sample_root / part).photos]
    return gather_samples(photos, LabelScheme(), "sample")


def test_every_face_is_asked_about_once_in_order(samples: Sequence[FaceSample]) -> None:
    judge = Judge(SPEC)
    results = measure(samples, judge)
    asked = np.concatenate(judge.asked)
    assert len(asked) == len(samples)
    for sample, pixels in zip(samples, asked, strict=True):
        np.testing.assert_array_equal(pixels, SPEC.pixels(read_image(sample.image), sample.box))
    assert results.samples == samples
    assert results.labels == SPEC.labels


def test_answers_stand_beside_their_faces(samples: Sequence[FaceSample]) -> None:
    results = measure(samples, Judge(SPEC))
    expected = [
        Judge(SPEC).probabilities(SPEC.pixels(read_image(s.image), s.box)[None])[0] for s in samples
    ]
    np.testing.assert_array_equal(results.probabilities, expected)
    assert results.targets.tolist() == [sample.target for sample in samples]
    assert results.answers.tolist() == np.argmax(expected, axis=1).tolist()


def test_batches_do_not_change_the_answers(samples: Sequence[FaceSample]) -> None:
    once = measure(samples, Judge(SPEC))
    judge = Judge(SPEC)
    many = measure([*samples] * 4, judge)
    assert len(judge.asked) > 2
    assert {len(batch) for batch in judge.asked[:-1]} == {16}
    np.testing.assert_array_equal(many.probabilities, np.tile(once.probabilities, (4, 1)))


def test_one_face_alone_is_measured(samples: Sequence[FaceSample]) -> None:
    assert measure(samples[:1], Judge(SPEC)).probabilities.shape == (1, 5)


def test_a_classifier_that_loses_a_face_is_caught(samples: Sequence[FaceSample]) -> None:
    class Loser(Judge):
        def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            return super().probabilities(pixels)[1:]

    with pytest.raises(AssertionError, match="every sample is counted exactly once"):
        measure(samples, Loser(SPEC))


def test_the_table_counts_truth_by_answer() -> None:
    samples = [
        FaceSample(Path(f"{name}.jpg"), Path(f"{name}.xml"), 1, number, Box(0, 0, 9, 9), target)
        for name, number, target in (("a", 1, 0), ("a", 2, 1), ("b", 1, 1))
    ]
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], dtype=np.float32)
    results = Results(samples, probabilities, ("neutral", "smile"))
    assert results.table().tolist() == [[1, 0], [1, 1]]


def test_what_watches_sees_every_batch_before_the_classifier() -> None:
    seen: list[int] = []
    judge = Judge(SPEC)
    asking = Asking(judge, lambda batch: seen.append(len(batch)))
    crop = np.full((96, 96, 3), 7, np.uint8)
    asking.add([crop] * 50)
    assert seen == [16] * 3
    assert asking.finish().shape == (50, 5)
    assert seen == [16, 16, 16, 2]


def test_nothing_asked_is_no_rows() -> None:
    assert Asking(Judge(SPEC)).finish().shape == (0, 5)


def test_a_box_that_leaves_its_picture_is_cut_off_as_at_use(sample_root: Path) -> None:
    photo = read_folder(sample_root / "test").photos[0]
    image = read_image(photo.image)
    height, width = image.shape[:2]
    plain = InputSpec(size=96)
    inside, beyond = (Box(width - 50, height - 50, width + n, height + n) for n in (0, 50))
    both = [
        FaceSample(photo.image, photo.annotation, 9, n, box, 0)
        for n, box in enumerate((inside, beyond), 1)
    ]
    judge = Judge(plain)
    measure(both, judge)
    expected = plain.pixels(image, inside)
    np.testing.assert_array_equal(np.concatenate(judge.asked), [expected, expected])


def test_a_box_outside_its_picture_is_named_by_file_and_line(
    samples: Sequence[FaceSample], sample_root: Path
) -> None:
    photo = read_folder(sample_root / "test").photos[0]
    height, width = read_image(photo.image).shape[:2]
    outside = FaceSample(photo.image, photo.annotation, 9, 1, Box(width, 0, width + 50, 50), 0)
    expected = (
        rf"^{photo.annotation}:9: the box {width},0,{width + 49},49 lies outside its picture of"
        rf" {width} x {height}; draw it again, or remove it$"
    )
    with pytest.raises(DataError, match=expected):
        measure([*samples[-1:], outside], Judge(SPEC))


def test_a_picture_that_is_gone_is_named(samples: Sequence[FaceSample], tmp_path: Path) -> None:
    lost = FaceSample(tmp_path / "gone.jpg", tmp_path / "gone.xml", 1, 1, Box(0, 0, 9, 9), 0)
    with pytest.raises(DataError, match=rf"^{tmp_path}/gone\.jpg: no such file$"):
        measure([*samples, lost], Judge(SPEC))
