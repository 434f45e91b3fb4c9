"""What a model adds to a process: `python -m emotion.exporting.memory FILE` in a fresh one."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from emotion.models import open_model

STATUS = Path("/proc/self/status")  # Linux; elsewhere nothing is measured
PATIENCE = 300  # seconds
BATCH = 16  # faces that are asked about at once


def measure_memory(model: Path) -> float | None:
    """Measures the memory that opening a model and asking it about 16 faces adds, in MiB.

    It is the peak in a fresh process, with onnxruntime or torch, above what Python and numpy take.

    Returns:
        None where the system does not tell.
    """
    if not STATUS.exists():
        return None
    command = [sys.executable, "-m", "emotion.exporting.memory", str(model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)  # noqa: S603
    try:
        return float(done.stdout)
    except ValueError:
        return None


def _kib(name: str) -> int:
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ValueError(f"{STATUS} has no {name}")


def main(path: Path) -> None:
    """Prints the MiB that a model adds to this process."""
    before = _kib("VmRSS")
    classifier = open_model(path, "cpu").classifier
    size = classifier.input.size
    classifier.probabilities(np.zeros((1, size, size, 3), np.uint8))
    classifier.probabilities(np.zeros((BATCH, size, size, 3), np.uint8))
    print((_kib("VmHWM") - before) / 1024)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
