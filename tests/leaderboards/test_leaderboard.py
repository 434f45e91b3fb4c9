import os
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.leaderboards.reading import csv_rows, names
from tests.leaderboards.run_writer import write_run

from emotion.errors import ConfigError, EmotionError
from emotion.experiments.outcome import RunResult
from emotion.leaderboards.leaderboard import (
    make_board,
    natural,
    read_leaderboard,
    write_leaderboard,
)
from emotion.leaderboards.run_folders import RunFolder


def test_a_real_run_is_read(run_result: RunResult) -> None:
    leaderboard = read_leaderboard(run_result.folder.parent)
    assert not leaderboard.unreadable
    (row,) = csv_rows(leaderboard)
    assert row["run"] == run_result.folder.name
    assert (row["rank"], row["status"], row["monitor"]) == ("1", "finished", "val/loss")
    assert float(row["score"]) == run_result.selection.score
    assert int(row["epoch"]) == run_result.selection.epoch
    assert float(row["seconds"]) > 0
    assert run_result.folder.parent / row["checkpoint"] == run_result.checkpoint
    inside = read_leaderboard(run_result.folder)
    assert run_result.folder / csv_rows(inside)[0]["checkpoint"] == run_result.checkpoint


@pytest.mark.parametrize(("mode", "order"), [("min", ["2", "10", "1"]), ("max", ["1", "2", "10"])])
def test_the_best_comes_first_and_equal_ones_share_a_rank(
    tmp_path: Path, mode: str, order: list[str]
) -> None:
    for name, score in (("1", 0.9), ("10", 0.5), ("2", 0.5)):
        write_run(tmp_path / name, score, {"model.dropout": int(name) / 10}, mode=mode)
    rows = csv_rows(read_leaderboard(tmp_path))
    assert [row["run"] for row in rows] == order
    ranks = {"min": ["1", "1", "3"], "max": ["1", "2", "2"]}
    assert [row["rank"] for row in rows] == ranks[mode]


def test_only_settings_that_differ_are_shown_and_each_once(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {"seed": 1, "input.size": 64, "data.augmentation.0.flip": 0.5},
        {"seed": 2, "input.size": 128, "data.augmentation.0.flip": 0.0},
    ]
    for number, settings in enumerate(changes):
        write_run(tmp_path / str(number), 0.5, settings | {"data.cache": f"/cache{number}"})
    leaderboard = read_leaderboard(tmp_path)
    # Neither data.seed and data.input.size, which repeat others, nor run_dir and data.cache.
    assert leaderboard.boards[0].varied == ("data.augmentation.0.flip", "input.size", "seed")
    assert [row["input.size"] for row in csv_rows(leaderboard)] == ["64", "128"]


def test_what_repeats_a_setting_is_shown_where_it_does_not(tmp_path: Path) -> None:
    for name, seed, model_seed in (("0", 1, 1), ("1", 2, 2), ("2", 2, 1)):
        write_run(tmp_path / name, 0.5, {"seed": seed, "model.seed": model_seed})
    assert read_leaderboard(tmp_path).boards[0].varied == ("model.seed", "seed")


def test_a_setting_that_some_runs_lack_differs(tmp_path: Path) -> None:
    write_run(tmp_path / "0", 0.5, {"input.labels": ["anger"]})
    write_run(tmp_path / "1", 0.4, {"model.optimizer.momentum": 0.9})
    leaderboard = read_leaderboard(tmp_path)
    assert leaderboard.boards[0].varied == ("input.labels", "model.optimizer.momentum")
    best, worst = csv_rows(leaderboard)
    assert (best["model.optimizer.momentum"], best["input.labels"]) == ("0.9", "[anger, smile]")
    assert (worst["model.optimizer.momentum"], worst["input.labels"]) == ("", "[anger]")


def test_seeds_are_grouped_with_mean_and_deviation(tmp_path: Path) -> None:
    scores = {0.1: [0.5, 0.7, 0.6], 0.2: [0.4, 0.6, 0.2], 0.3: [0.1]}
    number = 0
    for dropout, of_seeds in scores.items():
        for seed, score in enumerate(of_seeds):
            settings = {"model.dropout": dropout, "seed": seed}
            write_run(tmp_path / str(number), score, settings)
            number += 1
    write_run(tmp_path / "again", 0.5, {"model.dropout": 0.1, "seed": 0})  # counts once
    (board,) = read_leaderboard(tmp_path).boards
    assert board.seeds_swept
    assert board.common == ("model.dropout",)
    assert [g.setting("model.dropout") for g in board.groups] == [0.3, 0.2, 0.1]
    one, worse, worst = board.groups
    assert (one.deviation, one.seeds, one.rank) == (None, 1, 1)
    assert worse.mean == pytest.approx(0.4)
    assert worse.deviation == pytest.approx(0.2)  # sqrt((0 + 0.04 + 0.04) / 2)
    assert worst.mean == pytest.approx(0.6)
    assert worst.deviation == pytest.approx(0.1)
    assert (worst.seeds, len(worst.runs)) == (3, 4)
    rows = csv_rows(read_leaderboard(tmp_path))
    assert [row["rank"] for row in rows] == list("1222") + list("3333")[:3] + ["3"]
    assert (rows[1]["lowest"], rows[1]["highest"], rows[1]["seeds"]) == ("0.2", "0.6", "3")
    assert rows[0]["deviation"] == ""


def test_scores_of_other_names_are_never_mixed(tmp_path: Path) -> None:
    for name, score in (("a", 0.5), ("b", 0.4)):
        write_run(tmp_path / name, score)
    write_run(tmp_path / "c", 0.99, monitor="val/accuracy", mode="max")
    leaderboard = read_leaderboard(tmp_path)
    assert [board.monitor for board in leaderboard.boards] == ["val/loss", "val/accuracy"]
    assert [(row["run"], row["rank"]) for row in csv_rows(leaderboard)] == [
        ("b", "1"),
        ("a", "2"),
        ("c", "1"),
    ]
    assert leaderboard.table().count("on validation") == 2


def test_nothing_of_the_test_part_is_taken(tmp_path: Path) -> None:
    write_run(tmp_path / "a", 0.8371)  # its metrics.json holds a test/loss of -0.8371
    leaderboard = read_leaderboard(tmp_path)
    for text in (leaderboard.csv(), leaderboard.markdown(), leaderboard.table()):
        assert "0.8371" in text
        assert "-0.8371" not in text
        assert "test/" not in text
    write_run(tmp_path / "b", 0.1, monitor="test/loss")
    (record,) = read_leaderboard(tmp_path).unreadable
    assert record.reason == (
        "selection.json: monitor: expected a score of validation, val/…, got test/loss"
    )


def test_unfinished_runs_come_last_with_a_reason(tmp_path: Path) -> None:
    write_run(tmp_path / "done", 0.5)
    write_run(tmp_path / "broken", None, status="failed", reason="model.optimizer: lr\nis -1")
    write_run(tmp_path / "running", None, status="running")
    write_run(tmp_path / "ended", 0.1, status="stopped")
    rows = csv_rows(read_leaderboard(tmp_path))
    assert [(r["run"], r["rank"], r["status"], r["reason"]) for r in rows] == [
        ("done", "1", "finished", ""),
        ("broken", "", "failed", "model.optimizer: lr is -1"),
        ("ended", "", "stopped", "stopped before its last epoch"),
        ("running", "", "running", "still runs, or was killed"),
    ]
    assert rows[1]["epochs"] == "2"  # from epochs.csv


def test_a_run_that_failed_before_it_had_a_config_keeps_its_reason(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "a", None, status="failed", reason="data.root: no such folder")
    (folder / "config.yaml").unlink()
    leaderboard = write_leaderboard(tmp_path)
    assert not leaderboard.boards
    assert not leaderboard.unreadable
    (row,) = csv_rows(leaderboard)
    assert (row["status"], row["reason"]) == ("failed", "data.root: no such folder")
    assert "came to no run:\nrun  status" in leaderboard.table()
    assert "data.root: no such folder" in (tmp_path / "leaderboard.md").read_text()


def test_the_three_files(tmp_path: Path) -> None:
    for number, score in enumerate((0.5, 0.25)):
        write_run(tmp_path / str(number), score, {"model.optimizer.lr": 10.0**-number})
    board = write_leaderboard(tmp_path)
    assert board == read_leaderboard(tmp_path)
    assert (tmp_path / "leaderboard.csv").read_text() == board.csv()
    assert (tmp_path / "leaderboard.md").read_text() == board.markdown()
    with Image.open(tmp_path / "leaderboard.png") as picture:
        assert picture.size[0] == 1080


def test_nothing_is_written_where_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected run folders in it or below.*found none"):
        write_leaderboard(tmp_path)
    assert not list(tmp_path.iterdir())


def test_only_unfinished_runs_have_files_too(tmp_path: Path) -> None:
    write_run(tmp_path / "0", None, status="failed")
    assert not write_leaderboard(tmp_path).boards[0].groups
    assert (tmp_path / "leaderboard.png").stat().st_size > 0


def test_unusual_names_of_folders_are_no_trouble(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("얼굴 $x$", "a|b\nc", os.fsdecode(b"\xff")):
        write_run(tmp_path / name, 0.5, {"data.root": f"/{name!r}" * 9})
    leaderboard = write_leaderboard(tmp_path)
    assert names(leaderboard) == ["a|b\nc", "얼굴 $x$"]
    assert [run.name for run in leaderboard.unreadable] == ["\ufffd"]  # YAML cannot hold it
    print(leaderboard.csv(), leaderboard.table())
    assert capfd.readouterr().err == ""


def test_runs_are_sorted_as_people_count() -> None:
    assert sorted(["10", "9", "a2", "a10", "a", "٣", ""], key=natural) == [
        *("", "9", "10", "a", "a2", "a10", "٣")
    ]


finished = st.builds(
    lambda name, score, seed, dropout: RunFolder(
        str(name),
        "finished",
        settings={"seed": seed, "model.dropout": dropout},
        monitor="val/accuracy",
        mode="max",
        score=score,
    ),
    st.integers(0, 99),
    st.floats(0, 1),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.5, None]),
)


@given(st.lists(finished, min_size=1, unique_by=lambda run: run.name), st.randoms())
def test_every_run_is_ranked_once_and_whatever_the_order(
    runs: list[RunFolder], shuffle: random.Random
) -> None:
    ordered = sorted(runs, key=lambda run: natural(run.name))
    board = make_board(ordered)
    ranked = [run for group in board.groups for run in group.runs]
    assert sorted(run.name for run in ranked) == sorted(run.name for run in runs)
    means = [group.mean for group in board.groups]
    assert means == sorted(means, reverse=True)
    for group in board.groups:
        assert group.scores == sorted(group.scores, reverse=True)
        assert group.rank == 1 + sum(mean > group.mean for mean in means)
        if group.seeds == len(group.runs):
            assert group.mean == pytest.approx(statistics.mean(group.scores))
    shuffle.shuffle(runs)
    assert make_board(sorted(runs, key=lambda run: natural(run.name))) == board


def calls_for(count: int, folder: Path) -> int:
    """Counts the calls of functions for reading and showing so many runs."""
    for number in range(count):
        settings = {"model.dropout": number // 3 / 1000, "seed": number % 3}
        write_run(folder / str(number), number / 1000, settings)
    calls = 0

    def counting(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(counting)
    try:
        leaderboard = read_leaderboard(folder)
        leaderboard.csv(), leaderboard.markdown(), leaderboard.table()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.slow
def test_the_cost_grows_with_the_number_of_runs_and_no_faster(tmp_path: Path) -> None:
    few, many = calls_for(30, tmp_path / "few"), calls_for(300, tmp_path / "many")
    assert many < 11 * few


def test_listing_runs_imports_no_torch(tmp_path: Path) -> None:
    write_run(tmp_path / "0", 0.5)
    code = (
        "import sys; from emotion.commands.runs import main;"
        f" code = main([{str(tmp_path)!r}]);"
        " heavy = {'torch', 'matplotlib', 'omegaconf', 'tensorboard'} & set(sys.modules);"
        " print(heavy, file=sys.stderr); sys.exit(code or len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "set()\n")


def test_an_unwritable_folder_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "0", 0.5)
    (tmp_path / "leaderboard.csv").mkdir()
    with pytest.raises(EmotionError, match=r"leaderboard\.csv: cannot be written"):
        write_leaderboard(tmp_path)
