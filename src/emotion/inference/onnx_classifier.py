"""A classifier from an exported ONNX file, run by onnxruntime: no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emotion.errors import CheckpointError, ConfigError
from emotion.faces.inputs import InputSpec
from emotion.inference.model_info import ModelInfo
from emotion.inference.sealing import read_sealed
from emotion.threads import cores

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

INPUT, OUTPUT = "pixels", "probabilities"  # names in the graph
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
ERRORS_ONLY = 3  # of onnxruntime's levels of severity
# Pixels that a CPU takes at once: 4 faces of 128 a side, 1 of 256. More are hardly faster, and
# onnxruntime keeps the memory: 387 MiB after 16 faces of 256 at once, 61 after one at a time.
PIECE = 4 * 128**2


class OnnxClassifier:
    """Names the emotion of face crops; may be asked by several threads at once.

    Args:
        path: a file that `emotion export` wrote.
        device: "cpu" or "cuda", also "cuda:1"; None for the CPU.

    Attributes:
        info: what the file says of itself.

    Raises:
        CheckpointError: the file is damaged, was changed, or is not one of this project.
        ConfigError: there is no such device for this onnxruntime.
    """

    def __init__(self, path: Path, device: str | None = None) -> None:
        self.path = path
        self.info: ModelInfo = read_sealed(path, "onnx")  # before other code meets the file
        self._session = _open(path, device)
        _check_graph(self._session, self.info.input, path)
        on_cpu = self._session.get_providers()[0] == CPU
        self._piece = max(1, PIECE // self.info.input.size**2) if on_cpu else None

    @property
    def input(self) -> InputSpec:
        """How a face becomes an input, and the labels; from the file."""
        return self.info.input

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Gives B x classes, float32, rows summing to 1, for B x size x size x 3, uint8, RGB."""
        if not len(pixels):
            return np.zeros((0, len(self.input.labels)), np.float32)
        step = self._piece or len(pixels)
        pieces = [
            self._session.run([OUTPUT], {INPUT: np.ascontiguousarray(pixels[start : start + step])})
            for start in range(0, len(pixels), step)
        ]
        answer: NDArray[np.float32] = np.concatenate([outputs[0] for outputs in pieces])
        if not np.isfinite(answer).all():
            raise CheckpointError(f"{self.path}: gives no numbers; its weights are damaged")
        return answer


def _open(path: Path, device: str | None) -> "InferenceSession":
    import onnxruntime

    onnxruntime.set_default_logger_severity(ERRORS_ONLY)
    providers = _providers(device, onnxruntime.get_available_providers())
    try:
        session = onnxruntime.InferenceSession(str(path), _options(), providers=providers)
    # onnxruntime's exceptions have no class of their own below Exception.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(f"{path}: onnxruntime cannot open it ({reason})") from error
    if providers[0] != CPU and len(session.get_providers()) < 2:
        raise ConfigError(f"--device {device}: not on this machine; cpu always is")
    return session


def _options() -> "SessionOptions":
    from onnxruntime import GraphOptimizationLevel, SessionOptions

    options = SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    # Twice as fast as the level below, for 30 ms more to open: convolutions on blocks of channels.
    options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
    # It plans one block of memory for each size of batch, and keeps them: 8 MiB, and no faster.
    options.enable_mem_pattern = False
    options.intra_op_num_threads = cores()
    # Threads that wait in a busy loop would keep the cores from the search for faces.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _providers(device: str | None, available: Sequence[str]) -> list[Any]:
    name, _, number = (device or "cpu").partition(":")
    if name == "cpu" and not number:
        return [CPU]
    if name == "cuda" and CUDA in available and (number or "0").isdecimal():
        chosen = (CUDA, {"device_id": number or "0"})
        return [chosen, CPU]
    hint = " (an .onnx file needs onnxruntime-gpu for it)" if name == "cuda" else ""
    raise ConfigError(f"--device {device}: not on this machine{hint}; cpu always is")


def _check_graph(session: "InferenceSession", spec: InputSpec, path: Path) -> None:
    """Checks that the graph takes and gives what the metadata say."""
    ends = [
        [(end.name, end.type, list(end.shape)[1:]) for end in side]
        for side in (session.get_inputs(), session.get_outputs())
    ]
    expected = [
        [(INPUT, "tensor(uint8)", [spec.size, spec.size, 3])],
        [(OUTPUT, "tensor(float)", [len(spec.labels)])],
    ]
    if ends != expected:
        raise CheckpointError(
            f"{path}: its graph takes {_told(ends[0])} and gives {_told(ends[1])}; expected"
            f" {_told(expected[0])} and {_told(expected[1])}, as its metadata say"
        )


def _told(ends: Sequence[tuple[str, str, list[Any]]]) -> str:
    texts = [f"{name} {kind} B x {' x '.join(map(str, shape))}" for name, kind, shape in ends]
    return ", ".join(texts) or "nothing"
