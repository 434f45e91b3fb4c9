import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tests.tuning.quick_training import StepJob
from tests.tuning.toy_search import Tuner


@pytest.fixture(autouse=True, scope="session")
def unflushed() -> Iterator[None]:
    """Lets SQLite leave it to the system when to write to the disk: no test cuts the power."""

    def leave(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(Engine, "connect", leave)
    yield
    event.remove(Engine, "connect", leave)


@pytest.fixture
def tuner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Tuner]]:
    monkeypatch.setattr("emotion.tuning.running_trial.RunningJob", StepJob)
    monkeypatch.setattr(StepJob, "most", 0)
    monkeypatch.setattr("emotion.tuning.search.PAUSE", 0)
    made: list[Tuner] = []

    def make(*arguments: str, **behaviour: float) -> Tuner:
        made.append(Tuner(tmp_path, *arguments, **behaviour))
        return made[-1]

    yield make
    for item in made:
        item.store.close()
