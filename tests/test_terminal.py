import io

import pytest

from emotion.terminal import tracked


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_items_pass_in_order_and_silently_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(tracked(iter("abc"), "reading", 3)) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("hidden", [False, True])
def test_a_terminal_shows_the_bar_unless_it_is_hidden(
    monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    letters = "abcdefghi"
    assert list(tracked(iter(letters), "reading", 9, hidden=hidden)) == list(letters)
    assert ("reading" in terminal.getvalue()) is not hidden


@pytest.mark.parametrize(("total", "shown"), [(1, False), (None, True)])
def test_few_items_need_no_bar(
    monkeypatch: pytest.MonkeyPatch, total: int | None, shown: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert list(tracked(iter("a"), "reading", total)) == ["a"]
    assert ("reading" in terminal.getvalue()) is shown
