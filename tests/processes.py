"""What tests know of the processes of this machine, and processes that are cheap to start."""

import os
import socket
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

# Of all tests, since Python has one such server, which imports them when it is started.
IMPORTED = ["cv2", "rich.progress", "emotion.data.cache", "tests.training.fitting"]


def copies() -> ForkServerContext:
    """Gives a context whose processes are copies of one that has imported the libraries."""
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def free_port() -> int:
    """Gives a port of this machine that nobody listens at; those of namespaces are all free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_session(session: int) -> list[int]:
    """Gives the processes of a session that are not yet dead."""
    return [
        pid
        for pid, state, of_session in _all()
        if of_session == session and state not in ("Z", "X")
    ]


def naming(text: str) -> list[int]:
    """Gives the living processes whose command line holds the text, without this one."""
    found = []
    for pid, state, _ in _all():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if text in line and state not in ("Z", "X") and pid != os.getpid():
            found.append(pid)
    return found


def _all() -> list[tuple[int, str, int]]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            # pid (name) state parent group session; the name may hold blanks and brackets
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            found.append((int(folder.name), fields[0], int(fields[3])))
        except (OSError, ValueError, IndexError):
            continue
    return found


def wait_until(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Waits so long for something to become true, and tells whether it did."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
