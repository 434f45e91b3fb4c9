"""A checkpoint as one ONNX file with weights and activations of 8 bits."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotion.exporting.onnx_file import save_onnx
from emotion.exporting.silence import silenced
from emotion.inference.model_info import ModelInfo
from emotion.inference.onnx_classifier import INPUT

if TYPE_CHECKING:
    from onnx import ModelProto

CALIBRATION = 320  # training crops whose activations are looked at
BATCH = 16  # crops at a time
QUANTIZED = ["Conv", "Clip", "Add"]  # the last layer, temperature and softmax stay as they are
# The first convolutions stay float: in 8 bits they cost more answers than all others together, and
# save hardly any time (faces5 at 128 px: 95 % of the answers stay, against 88 with two).
EXACT = 8


def write_int8(path: Path, plain: Path, crops: NDArray[np.uint8], info: ModelInfo) -> None:
    """Writes an ONNX file with convolutions in 8 bits, sealed.

    Weights have 7 bits, a scale for each channel: with 8, processors without VNNI instructions
    (AVX2 alone) overflow, and give other answers than those with them.

    Args:
        path: gets the file.
        plain: the float ONNX file.
        crops: of training faces, n x size x size x 3, uint8, RGB; tell how large activations get.
        info: what the file says of itself.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Crops(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._starts = iter(range(0, len(crops), BATCH))

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            start = next(self._starts, None)
            return None if start is None else {INPUT: crops[start : start + BATCH]}

    with tempfile.TemporaryDirectory() as folder, silenced():
        quantized = Path(folder) / "int8.onnx"
        quantize_static(
            plain,
            quantized,
            Crops(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTIZED,
            nodes_to_exclude=_left_float(onnx.load(plain)),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        save_onnx(path, onnx.load(quantized), info)


def _left_float(model: "ModelProto") -> list[str]:
    """Names what comes before the first convolution of 8 bits, normalisation too."""
    convolutions = 0
    names = []
    for node in model.graph.node:
        convolutions += node.op_type == "Conv"
        if convolutions > EXACT:
            break
        names.append(node.name)
    return names
