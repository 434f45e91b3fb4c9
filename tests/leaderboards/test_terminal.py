import random
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from tests.leaderboards.run_writer import write_run

from emotion.leaderboards.leaderboard import Leaderboard, read_leaderboard
from emotion.leaderboards.run_folders import RunFolder
from emotion.leaderboards.terminal import WIDTH


def test_the_table_fits_the_terminal(tmp_path: Path) -> None:
    draw = random.Random(1)
    for number in range(30):
        settings: dict[str, Any] = {f"model.setting_number_{n}": draw.random() for n in range(9)}
        settings |= {"seed": number % 3, "data.root": f"/얼굴/{'long' * 30}/{number}"}
        folder = tmp_path / f"{'deep/' * 12}{number}\x1b[2J"
        score = None if number < 3 else draw.random()
        write_run(
            folder, score, settings, status="finished" if score else "failed", reason="no " * 60
        )
    text = read_leaderboard(tmp_path).table()
    assert max(cell_len(line) for line in text.splitlines()) <= WIDTH == 100
    assert "more settings differ (see --csv): " in text
    assert "\x1b" not in text
    assert " seed " in text.splitlines()[2]


def test_a_swept_table_has_groups_before_runs(tmp_path: Path) -> None:
    for number in range(4):
        settings = {"model.dropout": number // 2 / 10, "seed": number % 2}
        write_run(tmp_path / str(number), 0.5 + number / 100, settings)
    text = read_leaderboard(tmp_path).table()
    assert text.splitlines()[:6] == [
        "val/loss of the kept epoch, on validation; the lowest is best",
        "",
        "rank  mean    deviation  seeds  dropout  range",
        "1     0.5050  0.0071     2      0.0      0.5000 to 0.5100",
        "2     0.5250  0.0071     2      0.1      0.5200 to 0.5300",
        "",
    ]
    assert text.splitlines()[6].split() == [
        "rank",
        "score",
        "epoch",
        "time",
        "seed",
        "dropout",
        "run",
    ]


def test_a_long_reason_has_three_lines_below_each_other() -> None:
    early = (RunFolder("0", "failed", " ".join(f"word{n}" for n in range(99))),)
    text = Leaderboard(Path(), boards=(), early=early, unreadable=()).table()
    title, head, *lines = text.splitlines()
    assert title == "came to no run:"
    column = head.index("reason")
    assert len(lines) == 3
    assert [line[column:].split()[0] for line in lines[:1]] == ["word0"]
    assert all(not line[:column].strip() for line in lines[1:])
    assert lines[-1].endswith(" …")
    words = [word for line in lines for word in line[column:].split() if word != "…"]
    assert words == [f"word{n}" for n in range(len(words))]


def test_each_kind_of_run_has_its_part() -> None:
    early, bad = RunFolder("a", "running", "not yet"), RunFolder("b", "unreadable", "no JSON")
    text = Leaderboard(Path(), boards=(), early=(early,), unreadable=(bad,)).table()
    assert text == (
        "came to no run:\n"
        "run  status   epochs  reason\n"
        "a    running  –       not yet\n\n"
        "could not be read:\n"
        "run  status      epochs  reason\n"
        "b    unreadable  –       no JSON"
    )
