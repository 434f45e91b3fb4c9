"""The model in the box: one ONNX file that comes with the package, see `docs/model.md`."""

from pathlib import Path

NAME = "bundled"  # what stands for it in settings


def bundled_model() -> Path:
    """Gives the file; it is sealed and carries its labels, data hash and licence."""
    return Path(__file__).with_name("model.onnx")
