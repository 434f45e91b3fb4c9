"""The real command `emotion demo`, running."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 120  # seconds; a busy machine is no failure


@dataclass
class Served:
    """A page that is being served.

    Attributes:
        process: the command.
        address: of the page, without a slash at the end.
        temporary: where the command's temporary files are.
        output: where its standard output and error go.
    """

    process: subprocess.Popen[bytes]
    address: str
    temporary: Path
    output: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def files(self) -> list[Path]:
        """Gives what lies in the folder for temporary files."""
        return [path for path in self.temporary.rglob("*") if path.is_file()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def serve(folder: Path, models: Sequence[Path], *arguments: str) -> Served:
    """Starts the command and waits until the page can be opened.

    Args:
        folder: for temporary files and output.
        models: for --model.
        arguments: the rest.
    """
    temporary = folder / "temporary"
    temporary.mkdir()
    (folder / "home").mkdir()
    output = folder / "output.txt"
    own = {"TMPDIR": str(temporary), "HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    given = [text for model in models for text in ("--model", str(model))]
    command = [sys.executable, "-m", "emotion", "demo", "--no-open", *given, *arguments]
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, **own},
        )
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+", output.read_text())
        if found:
            return Served(process, found[0], temporary, output)
        time.sleep(0.1)
    process.kill()
    process.wait()
    raise AssertionError(output.read_text())
