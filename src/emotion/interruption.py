"""Signals that ask us to end while jobs run: noted, so that the jobs can be ended first."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

# Ctrl-C, a plain `kill` or a cluster's warning, and the terminal that is closed.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Notes the signals that ask us to end, for as long as its block lasts.

    A signal that is ignored when the block begins (`nohup`) stays ignored. Only the main thread can
    note signals; in another nothing is.

    Attributes:
        count: how often we were asked.
        number: of the first signal; None as long as there was none.
    """

    def __init__(self) -> None:
        self.count = 0
        self.number: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    @property
    def code(self) -> int | None:
        """The exit code that says so: 128 and the signal's number, as shells have it."""
        return None if self.number is None else 128 + self.number

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.count += 1
        self.number = self.number or number
