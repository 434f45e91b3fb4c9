"""A search over toy trainings, as tests have it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emotion.interruption import Interruption
from emotion.tuning.running_trial import TrialEnd
from emotion.tuning.search import Search
from emotion.tuning.settings import SearchSettings, Training, read_settings
from emotion.tuning.trials import TrialStore


class Tuner:
    """A search over toy trainings in a folder of its own."""

    def __init__(self, folder: Path, *arguments: str, **behaviour: float) -> None:
        self.folder = folder / "search"
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        (self.data / "behaviour.json").write_text(json.dumps(behaviour))
        self.settings: SearchSettings = read_settings(["tune=small", *arguments])
        self.training = Training((f"data.root={self.data}",), {}, "val/loss", "min")
        self.store = TrialStore(self.folder, self.settings, "min")
        self.broken: str | None = None

    def run(self, interruption: Interruption | None = None) -> list[TrialEnd]:
        return list(self.ends(interruption or Interruption()))

    def ends(self, interruption: Interruption) -> Iterator[TrialEnd]:
        places: list[dict[str, str]] = [{} for _ in range(self.settings.jobs)]
        search = Search(self.store, self.settings, self.training, places)
        yield from search.run(interruption)
        self.broken = search.broken

    def starts(self, number: int) -> list[int]:
        """Lists the epochs with which a trial was begun, and gone on with."""
        lines = (self.folder / str(number) / "starts.txt").read_text().split()
        return [int(line) for line in lines]

    def record(self, number: int) -> Any:
        return json.loads((self.folder / str(number) / "run.json").read_text())
