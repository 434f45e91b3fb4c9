"""Node.js with onnxruntime, where they are installed."""

import os
import shutil
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[1] / "outputs" / "node" / "node_modules"
HOW = (
    "npm install --prefix outputs/node --ignore-scripts onnxruntime-node (Debian and Ubuntu: apt"
    " install nodejs npm)"
)


def find_node(folder: Path) -> str:
    """Gives Node's program, and lends its packages to a folder; skips where one is missing."""
    node = shutil.which("node")
    if node is None or not (PACKAGES / "onnxruntime-node").is_dir():
        message = f"no Node.js with onnxruntime-node found: {HOW}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    (folder / "node_modules").symlink_to(PACKAGES)
    return node
