"""The benchmark scripts run, and print what they say; how fast anything is, is not tested."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "benchmarks" / "data.py"
TINY = ["--size=64", "--batch=4", "--faces=12", "--rounds=1", "--seconds=0.02", "--steps=1"]
ROW = re.compile(r"^  (\S.*?) +(\d+) +(\d+\.\d\d) \[(\d+\.\d\d), (\d+\.\d\d)\]$", re.MULTILINE)


def benchmark(*arguments: str) -> str:
    command = [sys.executable, str(DATA), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_data_benchmark_draws_its_faces_and_prints_every_table() -> None:
    output = benchmark(*TINY)
    header, *tables = output.split("\n\n")
    for word in ("cores", "Python", "torch", "albumentations", "12 faces of", "1 rounds"):
        assert word in header
    ways = ["original", "composed", "fused"]
    expected = {
        "bare, one core, 64 px": ways,
        "loader, 0 workers, 64 px": [*ways, "fused, normalised"],
        "loader, 1 workers, 64 px": [*ways, "fused, normalised"],
        "loader, 2 workers, 64 px": [*ways, "fused, normalised"],
        "training, 64 px": ["memory", "0 workers", "1 workers", "2 workers"],
    }
    found = {}
    for table in tables:
        rows = ROW.findall(table)
        if rows:
            found[table.strip().split("  ")[0]] = [row[0] for row in rows]
            assert rows[0][2:] == ("1.00", "1.00", "1.00")  # the first against itself
        for _, rate, ratio, least, most in rows:
            assert int(rate) > 0
            assert float(least) <= float(ratio) <= float(most)
    assert found == expected
    assert "share of the time waiting for batches: memory 0.0%" in output
