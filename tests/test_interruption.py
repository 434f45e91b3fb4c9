import os
import signal
import threading

import pytest

from emotion.interruption import Interruption


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_are_noted_and_given_back(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    with Interruption() as interruption:
        assert (interruption.count, interruption.number, interruption.code) == (0, None, None)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
    assert (interruption.count, interruption.number, interruption.code) == (2, number, code)
    assert signal.getsignal(number) is before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGHUP)
        assert interruption.count == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_notes_nothing_and_does_not_fail() -> None:
    counts = []

    def note() -> None:
        with Interruption() as interruption:
            counts.append(interruption.count)

    thread = threading.Thread(target=note)
    thread.start()
    thread.join()
    assert counts == [0]
