"""One pass over the photos: every annotated face, and every face that a detector finds."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.errors import DataError, PictureError, summarise
from emotion.evaluation.matching import LEAST_IOU, Matching, match
from emotion.evaluation.results import Asking, Results
from emotion.evaluation.subjects import Subject
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection, Detector
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.pixels import require_inside
from emotion.faces.qualities import Qualities, measure_qualities
from emotion.faces.samples import FaceSample
from emotion.inference.classifiers import Classifier
from emotion.terminal import tracked
from emotion.threads import map_in_order


@dataclass(frozen=True)
class Find:
    """A face that the detector found.

    Attributes:
        image: the photo.
        detection: where, how sure, and by which of its views.
        probabilities: of the classes, float32, in their order.
        face: index of the annotated face that it is, or None.
        iou: intersection over union with that one's box; 0 where there is none.
        ignored: it is an annotated face that is not used.
    """

    image: Path
    detection: Detection
    probabilities: NDArray[np.float32]
    face: int | None
    iou: float
    ignored: bool

    @property
    def is_false(self) -> bool:
        """Whether no face is annotated here."""
        return self.face is None and not self.ignored


@dataclass(frozen=True)
class Observation:
    """What was seen of the photos.

    Attributes:
        results: the answers on the annotated boxes.
        qualities: of each annotated face, in the order of the samples.
        finds: what each detector found, by its name.
        failures: how many photos each detector broke down in; nothing was found there.
    """

    results: Results
    qualities: list[Qualities]
    finds: dict[str, list[Find]]
    failures: dict[str, int]


@dataclass(frozen=True)
class _Photo:
    """What comes of one photo before the classifier is asked."""

    crops: list[NDArray[np.uint8]]
    qualities: list[Qualities]
    found: dict[str, tuple[tuple[Detection, ...], Matching]]
    found_crops: list[NDArray[np.uint8]]
    failures: list[str]


def observe(
    subject: Subject,
    classifier: Classifier,
    detectors: Mapping[str, Detector],
    least_iou: float = LEAST_IOU,
    watch: Callable[[NDArray[np.uint8]], None] | None = None,
) -> Observation:
    """Looks at each photo once: decodes it, cuts out annotated faces, finds faces, asks for names.

    Photos are looked at on all cores; at most two a core are in memory.

    Args:
        subject: the photos and their annotated faces.
        classifier: brings its input settings along.
        detectors: by name; there may be none.
        least_iou: overlap with an annotated box that makes a find that face.
        watch: sees the crops of the annotated faces batch by batch, if given.

    Raises:
        DataError: lists up to ten pictures that cannot be read and faces outside theirs.
    """
    faces: dict[Path, list[FaceSample]] = {photo.image: [] for photo in subject.photos}
    for sample in subject.samples:
        faces[sample.image].append(sample)
    assert [sample for samples in faces.values() for sample in samples] == subject.samples
    looking = _Looking(classifier.input, detectors, subject.ignored, least_iou)
    annotated, found = Asking(classifier, watch), Asking(classifier)
    numbers = {sample: i for i, sample in enumerate(subject.samples)}
    seen: list[tuple[list[FaceSample], _Photo]] = []
    problems: list[str] = []
    looked = map_in_order(looking.look, faces.items())
    for samples, photo in zip(faces.values(), tracked(looked, "looking", len(faces)), strict=True):
        if isinstance(photo, str):
            problems.append(photo)
            continue
        annotated.add(photo.crops)
        found.add(photo.found_crops)
        photo.crops.clear()
        photo.found_crops.clear()
        seen.append((samples, photo))
    if problems:
        raise DataError(summarise(problems))
    probabilities = annotated.finish()
    assert len(probabilities) == len(subject.samples), "every face is counted exactly once"
    return Observation(
        Results(subject.samples, probabilities, classifier.input.labels),
        [quality for _, photo in seen for quality in photo.qualities],
        _finds(list(faces), seen, numbers, found.finish(), list(detectors)),
        dict(Counter(name for _, photo in seen for name in photo.failures)),
    )


@dataclass(frozen=True)
class _Looking:
    spec: InputSpec
    detectors: Mapping[str, Detector]
    ignored: Mapping[Path, Sequence[Box]]
    least_iou: float

    def look(self, item: tuple[Path, list[FaceSample]]) -> _Photo | str:
        path, samples = item
        try:
            image = read_image(path)
            for sample in samples:
                require_inside(sample, image)
        except (PictureError, DataError) as error:
            return str(error)
        height, width = image.shape[:2]
        seen = _Photo([], [], {}, [], [])
        for sample in samples:
            seen.crops.append(self.spec.pixels(image, sample.box))
            seen.qualities.append(measure_qualities(image, sample.box))
        # A box may leave the picture, a find never does.
        boxes = [sample.box.clipped(width, height) or sample.box for sample in samples]
        for name, detector in self.detectors.items():
            try:
                detections = tuple(detector.detect(image))
            except (RuntimeError, MemoryError):  # one odd photo must not end it all
                seen.failures.append(name)
                detections = ()
            found = [detection.box for detection in detections]
            ignored = self.ignored.get(path, ())
            seen.found[name] = (detections, match(boxes, found, ignored, self.least_iou))
            seen.found_crops.extend(self.spec.pixels(image, box) for box in found)
        return seen


def _finds(
    images: Sequence[Path],
    seen: Sequence[tuple[list[FaceSample], _Photo]],
    numbers: Mapping[FaceSample, int],
    probabilities: NDArray[np.float32],
    names: Sequence[str],
) -> dict[str, list[Find]]:
    rows = iter(probabilities)
    finds: dict[str, list[Find]] = {name: [] for name in names}
    for image, (samples, photo) in zip(images, seen, strict=True):
        for name, (detections, matching) in photo.found.items():
            faces = {find: (face, iou) for face, (find, iou) in matching.pairs.items()}
            for place, detection in enumerate(detections):
                face, iou = faces.get(place, (None, 0.0))
                number = None if face is None else numbers[samples[face]]
                ignored = place in matching.ignored
                finds[name].append(Find(image, detection, next(rows), number, iou, ignored))
    return finds
