"""The same checkpoint in all float formats, for tests of what reads and writes them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TEMPERATURE, THRESHOLD, LICENCE = 2.5, 0.4, "for tests only"


@dataclass(frozen=True)
class Exported:
    """A checkpoint with a temperature and a threshold, and what was exported from it."""

    checkpoint: Path
    onnx: Path
    pt2: Path
    safetensors: Path

    def of(self, kind: str) -> Path:
        """Gives the file of a format."""
        path: Path = getattr(self, kind)
        return path


def export_all(checkpoint: Path, folder: Path) -> Exported:
    """Copies a checkpoint, calibrates the copy, and exports that; no gate."""
    from emotion.exporting.graph import ExportedGraph
    from emotion.exporting.information import gather_information
    from emotion.exporting.onnx_file import write_onnx
    from emotion.exporting.pt2_file import write_pt2
    from emotion.exporting.safetensors_file import write_safetensors
    from emotion.training.checkpoints import read_checkpoint, store_calibration

    made = Exported(*(folder / f"model.{end}" for end in ("ckpt", "onnx", "pt2", "safetensors")))
    shutil.copy(checkpoint, made.checkpoint)
    store_calibration(made.checkpoint, TEMPERATURE, THRESHOLD)
    content = read_checkpoint(made.checkpoint)
    info, graph = gather_information(content, LICENCE), ExportedGraph(content)
    write_onnx(made.onnx, graph, info)
    write_pt2(made.pt2, graph, info)
    write_safetensors(made.safetensors, content, info)
    return made


def faces(count: int, size: int = 64) -> NDArray[np.uint8]:
    """Draws noise that stands for faces: count x size x size x 3, uint8."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
