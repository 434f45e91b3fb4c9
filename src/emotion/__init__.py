"""Facial-emotion classification: from Pascal VOC XML to a classifier, and how far to trust it."""

import os

# onnxruntime 1.29 and later would tell its makers of each use, and keep a number for this machine;
# it is asked once, when it is imported. Who wants that sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
