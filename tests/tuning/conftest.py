from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.tuning.quick_training import StepJob
from tests.tuning.toy_search import Tuner


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
