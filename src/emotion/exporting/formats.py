"""The formats that a checkpoint can be exported in."""

from collections.abc import Sequence

INT8, HALF = "onnx-int8", "onnx-half"
_ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
# Format -> name of the file in the run's folder, and packages that write it beside torch.
FORMATS: dict[str, tuple[str, tuple[str, ...]]] = {
    "onnx": ("model.onnx", _ONNX_PACKAGES),
    HALF: ("model-half.onnx", _ONNX_PACKAGES),
    INT8: ("model-int8.onnx", _ONNX_PACKAGES),
    "pt2": ("model.pt2", ()),
    "safetensors": ("model.safetensors", ("safetensors",)),
}


def missing_packages(kind: str) -> Sequence[str]:
    """Names what is not installed of the packages that a format needs."""
    from importlib.util import find_spec

    return [name for name in FORMATS[kind][1] if find_spec(name) is None]
