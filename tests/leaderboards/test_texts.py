import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.leaderboards.reading import csv_rows
from tests.leaderboards.run_writer import write_run

from emotion.leaderboards.leaderboard import make_board, read_leaderboard
from emotion.leaderboards.run_folders import RunFolder
from emotion.leaderboards.texts import clean, clipped, describe, run_table, short_names


def test_names_are_shortened_until_two_would_be_the_same() -> None:
    given_names = ["seed", "model.seed", "model.optimizer.lr", "model._target_", "a.0._target_"]
    assert short_names(given_names) == {
        "seed": "seed",
        "model.seed": "model.seed",
        "model.optimizer.lr": "lr",
        "model._target_": "model._target_",
        "a.0._target_": "a.0._target_",
    }


def test_csv_and_markdown_hold_whole_commands(tmp_path: Path) -> None:
    command = ["emotion", "train", "data.root=/a|b c", "experiment=faces"]
    for number, score in enumerate((0.5, 0.25)):
        settings = {"model.optimizer.lr": 10.0**-number, "data.root": "/a|b_c"}
        write_run(tmp_path / str(number), score, settings, command=command)
    write_run(tmp_path / "2", None, {"data.root": "<x>"}, status="failed", reason="a | b")
    board = read_leaderboard(tmp_path)
    lines = board.csv().splitlines()
    assert lines[0] == (
        "rank,run,status,monitor,mode,score,epoch,epochs,seconds,data.root,model.optimizer.lr,"
        "mean,deviation,lowest,highest,seeds,command,checkpoint,reason"
    )
    assert lines[1] == (
        "1,1,finished,val/loss,min,0.25,2,4,12.5,/a|b_c,0.1,,,,,,"
        "emotion train 'data.root=/a|b c' experiment=faces,1/checkpoints/epoch_002.ckpt,"
    )
    text = board.markdown()
    assert r"emotion train 'data.root=/a\|b c' experiment=faces" in text
    assert r"a \| b" in text
    assert r"\<x\>" in text
    for table in text.split("\n\n"):  # every row has as many cells as its head
        cells = [len(re.split(r"(?<!\\)\|", row)) for row in table.splitlines() if row[0] == "|"]
        assert len(set(cells)) <= 1


@given(st.text(max_size=30), st.integers(1, 20), st.booleans())
def test_a_clipped_text_fits_and_is_its_beginning_or_end(
    text: str, width: int, keep_end: bool
) -> None:
    found = clipped(text, width, keep_end)
    assert cell_len(found) <= max(width, 1)
    if cell_len(text) <= width:
        assert found == text
    elif keep_end:
        assert found[0] == "…"
        assert text.endswith(found[1:])
    else:
        assert found[-1] == "…"
        assert text.startswith(found[:-1])


@given(st.text(max_size=30))
def test_a_clean_text_is_one_line_of_as_many_letters(text: str) -> None:
    found = clean(text)
    assert found.isprintable()
    assert len(found) == len(text)
    assert clean(found) == found


def test_settings_are_described_in_a_line() -> None:
    run = RunFolder("0", "finished", settings={"model.optimizer.lr": 1e-3, "model.weights": None})
    assert describe(run, ["model.optimizer.lr", "model.weights", "model.dropout"]) == (
        "lr=0.001, weights=null"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.04, "0.0 s"),
        (99.94, "99.9 s"),
        (100, "2 min"),
        (5969, "99 min"),
        (5971, "1 h 40 min"),
        (36000, "10 h 00 min"),
    ],
)
def test_times_are_told_as_people_do(seconds: float | None, text: str) -> None:
    run = RunFolder(
        "0", "finished", monitor="val/loss", mode="min", score=0.5, epoch=1, epochs=3,
        seconds=seconds,
    )  # fmt: skip
    head, rows = run_table(make_board([run]), [])
    assert head == ["rank", "score", "epoch", "time", "run"]
    assert rows == [["1", "0.5000", "1 of 3", text, "0"]]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("=cmd|calc", "'=cmd|calc"),
        ("+1+2", "'+1+2"),
        ("@x", "'@x"),
        ("-1e-3", "-1e-3"),  # a number
        ("a\x1b[31m", "a [31m"),
    ],
)
def test_csv_has_neither_formulas_nor_what_steers_a_terminal(
    tmp_path: Path, name: str, told: str
) -> None:
    write_run(tmp_path / name, 0.5, {"seed": 1})
    (row,) = csv_rows(read_leaderboard(tmp_path))
    assert row["run"] == told
