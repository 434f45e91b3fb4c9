"""Any model that was trained here, opened by its file: a checkpoint or an exported one.

An .onnx file is opened without torch, which the others need.
"""

from dataclasses import dataclass
from pathlib import Path

from emotion.bundled import NAME, bundled_model
from emotion.errors import CheckpointError
from emotion.inference.checkpoint_files import find_checkpoint
from emotion.inference.classifiers import Classifier
from emotion.inference.model_files import FileKind, kind_of
from emotion.inference.model_info import ModelInfo


@dataclass(frozen=True)
class Model:
    """A model that is ready to answer.

    Attributes:
        path: the file.
        classifier: names emotions; its probabilities have the temperature in them.
        threshold: probability below which an answer is "unsure"; None for always answering.
        temperature: what logits were divided by; 1 where none was fitted.
        info: what an exported file says of itself; None for a checkpoint.
    """

    path: Path
    classifier: Classifier
    threshold: float | None
    temperature: float
    info: ModelInfo | None


def open_model(path: Path | None = None, device: str | None = None) -> Model:
    """Opens the model in the box, a checkpoint, the one of a run's folder, or an exported file.

    Args:
        path: what it is, is told by its content; None, or "bundled" where nothing is called so, for
            the model in the box.
        device: "cpu", "cuda", …; None for a GPU where there is one and the format uses it.

    Raises:
        CheckpointError: it is none of these, is damaged, was changed, or needs a package that is
            not installed.
        ConfigError: there is no such device.
    """
    if path is None or (path == Path(NAME) and not path.exists()):
        path = bundled_model()
    file = find_checkpoint(path)
    kind = kind_of(file)
    try:
        return _open_checkpoint(file, device) if kind == "checkpoint" else _open(file, kind, device)
    except ModuleNotFoundError as error:
        raise CheckpointError(_missing(file, kind, error.name or "")) from error


def _open_checkpoint(path: Path, device: str | None) -> Model:
    from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint

    checkpoint = read_checkpoint(path)
    classifier = CheckpointClassifier(checkpoint, device)
    return Model(path, classifier, checkpoint.threshold, checkpoint.temperature, None)


def _open(path: Path, kind: FileKind, device: str | None) -> Model:
    classifier: Classifier
    info: ModelInfo
    if kind == "onnx":
        from emotion.inference.onnx_classifier import OnnxClassifier

        classifier = onnx = OnnxClassifier(path, device)
        info = onnx.info
    elif kind == "pt2":
        from emotion.exported.classifiers import ProgramClassifier

        classifier = program = ProgramClassifier(path, device)
        info = program.info
    else:
        from emotion.exported.classifiers import SafetensorsClassifier

        classifier = weights = SafetensorsClassifier(path, device)
        info = weights.info
    return Model(path, classifier, info.threshold, info.temperature, info)


def _missing(path: Path, kind: FileKind, package: str) -> str:
    name = package.partition(".")[0]
    if kind == "onnx":
        return f"{path}: needs {name}, which is not installed: pip install {name}"
    told = "a checkpoint" if kind == "checkpoint" else f"a .{kind} file"
    return (
        f"{path}: {told} needs {name}, which is not installed; an .onnx file needs neither torch"
        " nor safetensors: emotion export CKPT --format onnx, where torch is"
    )
