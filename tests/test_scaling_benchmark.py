"""The script behind docs/scaling.md runs and prints what it says; its figures are not tested."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCALING = Path(__file__).parents[1] / "benchmarks" / "scaling.py"
TINY = [
    "--images=6", "--epochs=1", "--runs=3", "--rows=8", "--faces=5000", "--entries=50",
    "--pictures=40",
]  # fmt: skip
ROW = re.compile(r"^  (\S.*?) +([\d,]+\.\d{3}) (s|kB|MB|MB/s)$", re.MULTILINE)


@pytest.mark.slow
def test_every_table_is_printed_and_its_bytes_are_those_that_follow_from_the_format() -> None:
    command = [sys.executable, str(SCALING), *TINY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    titles = [table.strip().split("\n")[0] for table in done.stdout.split("\n\n")]
    assert titles == [
        "start-up", "photos", "runs", "crops", "order of an epoch",
        "what is kept of photos and faces", "pictures that are nearly the same",
    ]  # fmt: skip
    rows = {what: float(value.replace(",", "")) for what, value, _ in ROW.findall(done.stdout)}
    assert len(rows) == len([line for line in done.stdout.split("\n") if line.startswith("  ")])
    assert all(value >= 0 for value in rows.values())
    assert rows["crops of a face"] == (3 * 280**2 + 3 * 256**2) / 1000
    # MobileNet-v2 with five classes: 2,230,277 weights, and Adam's two moments, of 4 bytes each.
    for name in ("best checkpoint", "last.ckpt"):
        assert 1 < rows[name] / (2_230_277 * 3 * 4 / 1e6) < 1.05
    # One permutation of 64-bit numbers, at the least.
    assert rows["shuffled, 5,000 faces: memory"] > 5000 * 8 / 1e6
