"""What is dear is made once for all processes of a test session."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

T = TypeVar("T")

# One cache for all trainings of a session, which mostly see the same drawn faces.
CACHE = "data.cache=${oc.env:EMOTION_TESTS_CACHE}"


def set_cache(factory: pytest.TempPathFactory) -> None:
    """Says where `CACHE` is, to this process and those that it starts."""
    os.environ["EMOTION_TESTS_CACHE"] = str(session_folder(factory) / "once-cache")


def session_folder(factory: pytest.TempPathFactory) -> Path:
    """Finds the folder of all processes of the session."""
    base = factory.getbasetemp()
    # Each process of pytest-xdist has a folder of its own within it.
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """Makes something in a folder; the first process does it, and the others wait for that one.

    Args:
        factory: knows the session's folder.
        name: of the folder.
        make: fills the folder, which is empty, and gives what can be pickled.
    """
    session = session_folder(factory)
    folder, kept = session / f"once-{name}", session / f"once-{name}.pickle"
    with FileLock(session / f"once-{name}.lock"):
        if not kept.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed
            folder.mkdir()
            kept.write_bytes(pickle.dumps(make(folder)))
        made: T = pickle.loads(kept.read_bytes())
        return made
