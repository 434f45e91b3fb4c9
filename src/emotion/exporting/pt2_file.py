"""A checkpoint as one .pt2 file: torch's own exported program."""

from pathlib import Path

import torch

from emotion.exporting.graph import ExportedGraph
from emotion.inference.model_info import KEY, ModelInfo
from emotion.inference.sealing import seal

# What torch keeps of the machine that exported: source lines, with names of folders.
TRACES = ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node")


def write_pt2(path: Path, graph: ExportedGraph, info: ModelInfo) -> None:
    """Writes an exported program with its metadata, sealed; it gives probabilities of pixels.

    Args:
        path: gets the file.
        graph: what is written.
        info: what the file says of itself.
    """
    free = ({0: torch.export.Dim("batch", min=1)},)
    program = torch.export.export(graph, graph.examples(info.input.size), dynamic_shapes=free)
    for node in program.graph.nodes:
        for trace in TRACES:
            node.meta.pop(trace, None)
    program.example_inputs = None  # would be a pickle
    with path.open("wb") as stream:
        torch.export.save(program, stream, extra_files={f"{KEY}.json": info.to_json()})
    seal(path, "pt2")
