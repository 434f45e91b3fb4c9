"""From a checkpoint to one file that has passed the gate, or to none."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion.evaluation.results import Asking, Results
from emotion.evaluation.subjects import Subject
from emotion.exporting import half_file, int8_file, onnx_file, pt2_file, safetensors_file
from emotion.exporting.faces import read_calibration, read_faces
from emotion.exporting.formats import FORMATS, HALF, INT8
from emotion.exporting.gate import (
    MOST_LOSS,
    Agreement,
    Weight,
    require_gain,
    require_little_loss,
    require_same,
    weigh,
)
from emotion.exporting.graph import ExportedGraph
from emotion.exporting.information import NOT_STATED, gather_information
from emotion.exporting.memory import measure_memory
from emotion.exporting.timing import BATCHES, time_classifiers
from emotion.faces.pixels import read_crops
from emotion.files import replacing
from emotion.inference.classifiers import Classifier
from emotion.inference.model_info import ModelInfo
from emotion.models import open_model
from emotion.terminal import tracked
from emotion.training.checkpoints import Checkpoint, CheckpointClassifier


@dataclass(frozen=True)
class Options:
    """How a checkpoint is exported.

    Attributes:
        format: one of `FORMATS`.
        most_loss: accuracy that a file of 8 or 16 bits may lose.
        licence: of the weights, in words.
        data: annotated photos for the gate; None for the run's own validation photos.
        device: on which both are asked.
    """

    format: str
    most_loss: float = MOST_LOSS
    licence: str = NOT_STATED
    data: Path | None = None
    device: str = "cpu"


@dataclass(frozen=True)
class Export:
    """A file that passed the gate.

    Attributes:
        agreement: of checkpoint and file.
        weights: "checkpoint", and the files by their format: what each costs.
    """

    agreement: Agreement
    weights: dict[str, Weight]


def export(checkpoint: Checkpoint, out: Path, options: Options) -> Export:
    """Writes a file and lets it through the gate; else an older one in its place stays.

    Args:
        checkpoint: what is exported.
        out: the file.
        options: how.

    Raises:
        GateError: the file gives other answers than the checkpoint.
        NotWorthItError: a file of 8 bits is larger or slower than the float one.
        EmotionError: there are no faces to compare on, or the file cannot be written.
    """
    subject = read_faces(checkpoint, options.data)
    info = gather_information(checkpoint, options.licence, FORMATS[options.format][1])
    write = _writer(checkpoint, info, options.format)
    with tempfile.TemporaryDirectory() as folder, replacing(out) as temporary:
        plain = Path(folder) / "model.onnx"
        _say(f"writing {out} …")
        write(temporary, plain)
        files = {options.format: temporary}
        if options.format == INT8:
            files = {"onnx": plain} | files
        return _pass(checkpoint, files, subject, out, options)


def _pass(
    checkpoint: Checkpoint, files: dict[str, Path], subject: Subject, out: Path, options: Options
) -> Export:
    """Lets the last of the files through the gate."""
    classifiers: dict[str, Classifier] = {
        "checkpoint": CheckpointClassifier(checkpoint, options.device)
    }
    for name, file in files.items():
        classifiers[name] = open_model(file, options.device).classifier
    results, crops = _ask(subject, classifiers)
    before, after = results["checkpoint"], results[options.format]
    agreement = Agreement.between(before, after, subject.units())
    if options.format in (HALF, INT8):
        require_little_loss(agreement, str(out), options.most_loss)
    else:
        require_same(agreement, str(out))
    weights = _weigh(classifiers, {"checkpoint": checkpoint.path} | files, crops)
    if options.format == INT8:
        require_gain(weights[INT8], weights["onnx"], str(out))
    return Export(agreement, weights)


def _writer(checkpoint: Checkpoint, info: ModelInfo, kind: str) -> Callable[[Path, Path], None]:
    """Gives a function that writes a file and, where one of 8 bits is wanted, the float one too."""

    def write(path: Path, plain: Path) -> None:
        if kind == "safetensors":
            safetensors_file.write_safetensors(path, checkpoint, info)
            return
        # Read first: without them there is no need to write anything.
        crops = read_calibration(checkpoint, int8_file.CALIBRATION) if kind == INT8 else None
        graph = ExportedGraph(checkpoint)
        if kind == "pt2":
            pt2_file.write_pt2(path, graph, info)
        elif kind == HALF:
            half_file.write_half(path, graph, checkpoint, info)
        elif crops is None:
            onnx_file.write_onnx(path, graph, info)
        else:
            onnx_file.write_onnx(plain, graph, info)
            _say(f"calibrating on {len(crops)} training faces …")
            int8_file.write_int8(path, plain, crops, info)

    return write


def _ask(
    subject: Subject, classifiers: dict[str, Classifier]
) -> tuple[dict[str, Results], NDArray[np.uint8]]:
    """Asks all classifiers about the faces, each photo read once; gives some of the crops too."""
    spec = classifiers["checkpoint"].input
    asking = {name: Asking(classifier) for name, classifier in classifiers.items()}
    some: list[NDArray[np.uint8]] = []
    photos = len({sample.image for sample in subject.samples})
    for (crops,) in tracked(read_crops(subject.samples, spec, [spec.size]), "comparing", photos):
        some += list(crops[: max(BATCHES) - len(some)])
        for each in asking.values():
            each.add(crops)
    answered = {
        name: Results(subject.samples, each.finish(), spec.labels) for name, each in asking.items()
    }
    return answered, np.stack(some)


def _weigh(
    classifiers: dict[str, Classifier], files: dict[str, Path], crops: NDArray[np.uint8]
) -> dict[str, Weight]:
    _say("measuring time and memory …")
    latencies = time_classifiers(classifiers, crops)
    return {
        name: weigh(file, latencies[name], measure_memory(file)) for name, file in files.items()
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr)
