"""Keeping libraries from sending anything anywhere, and from what others set for them."""

import os

# Gradio and Hugging Face report how they are used; since 1.29 onnxruntime does so on Linux too.
SILENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}


def be_silent() -> None:
    """Sets what the libraries read when they are imported, so it is to be called before.

    What the user has set for Gradio in general does not count for this page: `GRADIO_SHARE` would
    open it to the world, `GRADIO_ALLOWED_PATHS` give out files.
    """
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]
    os.environ.pop("SPACE_ID", None)
    os.environ.update(SILENT)
