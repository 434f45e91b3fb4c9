"""The floor of `benchmarks/predict.py`: the least that answers, as one writes it first.

    python benchmarks/predict_floor.py MODEL.onnx PHOTO...

Pillow, dlib, onnxruntime and numpy, nothing of ours: one thread searches, the network takes faces
in batches, and each face is a JSON line. It checks nothing: a photo that cannot be read ends it.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import dlib
import numpy as np
import onnxruntime
from PIL import Image, ImageOps

BATCH = 16


class Floor:
    """A model and a detector.

    Args:
        model: what `emotion export --format onnx` wrote.
    """

    def __init__(self, model: str) -> None:
        self.session = onnxruntime.InferenceSession(model)
        settings = json.loads(self.session.get_modelmeta().custom_metadata_map["emotion"])["input"]
        self.labels, self.size = settings["labels"], settings["size"]
        if settings["margin"] or settings["square"]:
            sys.exit(f"{model}: its crops are not the boxes; the floor cuts no others")
        self.detector = dlib.get_frontal_face_detector()

    def faces(self, path: str) -> Iterator[tuple[dict[str, Any], Any]]:
        """Finds the faces of a photo; gives what is known of each, and its pixels."""
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        boxes, scores, _ = self.detector.run(np.asarray(image), 0, 0.0)
        for found, score in zip(boxes, scores, strict=True):
            box = (
                *(max(found.left(), 0), max(found.top(), 0)),
                *(min(found.right() + 1, image.width), min(found.bottom() + 1, image.height)),
            )
            small = image.resize((self.size, self.size), Image.Resampling.BILINEAR, box)
            yield {"source": path, "box": box, "score": score}, np.asarray(small)

    def predict(self, paths: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Names the emotions of photos, a batch of faces at a time."""
        waiting: list[tuple[dict[str, Any], Any]] = []
        for path in paths:
            waiting += self.faces(path)
            if len(waiting) >= BATCH:
                yield from self._named(waiting)
                waiting = []
        if waiting:
            yield from self._named(waiting)

    def _named(self, faces: list[tuple[dict[str, Any], Any]]) -> Iterator[dict[str, Any]]:
        pixels = np.stack([small for _, small in faces])
        (rows,) = self.session.run(None, {"pixels": pixels})
        for (known, _), row in zip(faces, rows, strict=True):
            yield known | {"probabilities": dict(zip(self.labels, map(float, row), strict=True))}


if __name__ == "__main__":
    for record in Floor(sys.argv[1]).predict(sys.argv[2:]):
        print(json.dumps(record))
