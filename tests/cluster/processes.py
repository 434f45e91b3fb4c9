"""Processes found by a variable in their environment, which whatever they start inherits."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 10.0  # seconds for killed processes to be gone


def processes_with(variable: str) -> dict[int, str]:
    """Gives the processes, other than this one, that have a variable: id, and command line.

    Args:
        variable: as NAME=value.
    """
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            held = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:  # it has ended, or is not ours
            continue
        if variable.encode() in held and int(folder.name) != os.getpid():
            found[int(folder.name)] = command
    return found


def kill_all(variable: str) -> None:
    """Kills the processes that have a variable, until there are none."""
    last = time.monotonic() + PATIENCE
    while left := processes_with(variable):
        for number in left:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        assert time.monotonic() < last, f"still there after SIGKILL: {left}"
        time.sleep(0.05)


def wait_for(condition: Callable[[], object], what: str, seconds: float) -> None:
    """Waits until a condition is true."""
    last = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < last, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


@contextmanager
def tidied_on_sigterm() -> Iterator[None]:
    """Takes SIGTERM as Ctrl-C while the block runs, so that whoever is asked to end cleans up."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
