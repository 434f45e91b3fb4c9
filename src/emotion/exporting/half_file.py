"""A checkpoint as one ONNX file whose weights are stored in 16 bits: half the size."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotion.exporting.graph import ExportedGraph
from emotion.exporting.onnx_file import save_onnx, to_onnx
from emotion.inference.model_info import ModelInfo
from emotion.onnx_tensors import BATCH_NORM, STORED, as_text
from emotion.training.checkpoints import Checkpoint

if TYPE_CHECKING:
    from onnx import ModelProto


def write_half(path: Path, graph: ExportedGraph, checkpoint: Checkpoint, info: ModelInfo) -> None:
    """Writes an ONNX file with weights of 16 bits, sealed; it is computed in 32.

    A runtime casts the weights once, when it opens the file, so that it answers as fast as from the
    float file, on every processor. What batch norm was before it became part of the convolutions
    stands in the metadata, 0.3 MB: training starts from it, see `emotion.training.bundled_weights`.

    Args:
        path: gets the file.
        graph: what is written.
        checkpoint: that it was made from; gives batch norm.
        info: what the file says of itself.
    """
    model = to_onnx(graph, info.input.size)
    _halve(model)
    save_onnx(path, model, info, {BATCH_NORM: as_text(batch_norm(checkpoint))})


def _halve(model: "ModelProto") -> None:
    """Stores weights in 16 bits; vectors, such as offsets, mean and std, stay in 32."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        name, values = tensor.name, numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size == max(values.shape, default=1):
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + STORED))
        casts.append(helper.make_node("Cast", [name + STORED], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def batch_norm(checkpoint: Checkpoint) -> dict[str, NDArray[np.float32]]:
    """Gives the factors, offsets and statistics of all batch norms, by their names."""
    norms = {name.rpartition(".")[0] for name in checkpoint.state if name.endswith(".running_mean")}
    return {
        name: tensor.float().numpy()
        for name, tensor in checkpoint.state.items()
        if name.rpartition(".")[0] in norms and tensor.is_floating_point()
    }
