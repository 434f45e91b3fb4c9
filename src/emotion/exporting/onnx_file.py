"""A checkpoint as one ONNX file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.exporting.graph import ExportedGraph
from emotion.exporting.silence import silenced
from emotion.inference.model_info import KEY, ModelInfo
from emotion.inference.onnx_classifier import INPUT, OUTPUT
from emotion.inference.sealing import seal

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18  # of the operators: old enough for runtimes of 2023
BATCH = "batch"  # name of the dimension that is free


def write_onnx(path: Path, graph: ExportedGraph, info: ModelInfo) -> None:
    """Writes an ONNX file with its metadata, sealed.

    Input "pixels": B x size x size x 3, uint8, RGB. Output "probabilities": B x classes, float32.

    Args:
        path: gets the file; there is no second one with weights.
        graph: what is written.
        info: what the file says of itself.
    """
    save_onnx(path, to_onnx(graph, info.input.size), info)


def to_onnx(graph: ExportedGraph, size: int) -> "ModelProto":
    """Gives the graph as an ONNX model without metadata."""
    import torch

    with silenced():
        program = torch.onnx.export(
            graph,
            graph.examples(size),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim(BATCH, min=1)},),
        )
    assert program is not None, "as documented for dynamo=True"
    model: ModelProto = program.model_proto
    return _stripped(model)


def save_onnx(
    path: Path, model: "ModelProto", info: ModelInfo, texts: Mapping[str, str] | None = None
) -> None:
    """Writes an ONNX model with metadata, sealed.

    Args:
        path: gets the file.
        model: what is written.
        info: what the file says of itself.
        texts: more metadata by key.
    """
    import onnx

    # What a reader of other make is likely to look for stands there a second time, in plain words.
    plain = {"labels": ",".join(info.input.labels), "licence": info.licence}
    onnx.helper.set_model_props(model, {KEY: info.to_json(), **plain, **(texts or {})})
    model.producer_name, model.producer_version = "emotion", info.version
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    seal(path, "onnx")


def _stripped(model: "ModelProto") -> "ModelProto":
    """Leaves out what tells of the machine that exported: stack traces, with names of folders."""
    graph = model.graph
    del graph.value_info[:]
    described: list[Any] = [
        *(graph, *graph.node, *graph.input, *graph.output, *graph.initializer),
    ]
    for part in described:
        del part.metadata_props[:]
        part.doc_string = ""
    return model
