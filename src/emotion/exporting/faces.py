"""The faces that an export is compared on, and those that it is calibrated with."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.subjects import Subject, read_own_part, read_subject
from emotion.faces.pixels import read_crops
from emotion.terminal import tracked
from emotion.training.checkpoints import Checkpoint


def read_faces(checkpoint: Checkpoint, data: Path | None = None) -> Subject:
    """Reads the faces that a file and its checkpoint are asked about.

    Args:
        checkpoint: whose run's validation photos are taken.
        data: other annotated photos.

    Raises:
        CheckpointError: the checkpoint lies in no run's folder, and no data are named.
        DataError: the photos are gone, or cannot be used.
    """
    if data is not None:
        return read_subject(checkpoint.path, checkpoint.input.labels, data=data)
    return read_own_part(
        checkpoint.path,
        checkpoint.input.labels,
        "val",
        "A file is compared with its checkpoint on the run's validation photos",
        "a file is compared with its checkpoint on the run's validation photos. Name the checkpoint"
        " within its run, or annotated photos: --data DIR",
        " Other annotated photos do too: emotion export … --data DIR",
    )


def read_calibration(checkpoint: Checkpoint, count: int) -> NDArray[np.uint8]:
    """Reads crops of training faces, spread evenly over all: n x size x size x 3, uint8, RGB.

    Args:
        checkpoint: whose run's training photos are taken.
        count: how many crops at most.

    Raises:
        CheckpointError: the checkpoint lies in no run's folder.
        DataError: the photos are gone, or cannot be used.
    """
    spec = checkpoint.input
    subject = read_own_part(
        checkpoint.path,
        spec.labels,
        "train",
        "8 bits are calibrated on the run's own training photos",
        "8 bits are calibrated on the run's own training photos, so name the checkpoint within its"
        " run, or choose --format onnx",
    )
    samples = [subject.samples[i] for i in spread(len(subject.samples), count)]
    photos = len({sample.image for sample in samples})
    crops = tracked(read_crops(samples, spec, [spec.size]), "reading faces", photos)
    return np.concatenate([of_photo for (of_photo,) in crops])


def spread(total: int, count: int) -> list[int]:
    """Chooses at most `count` of 0 … total - 1, evenly, in their order."""
    return [i * total // min(total, count) for i in range(min(total, count))]
