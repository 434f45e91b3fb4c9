import csv
import io
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.cells import cell_len
from tests.leaderboards.run_writer import write_json, write_run

from emotion.errors import ConfigError, EmotionError
from emotion.experiments.jobs import LOG
from emotion.experiments.outcome import RunResult
from emotion.figures.leaderboard import Panel
from emotion.leaderboards.leaderboard import (
    Leaderboard,
    make_board,
    natural,
    read_leaderboard,
    write_leaderboard,
)
from emotion.leaderboards.picture import draw
from emotion.leaderboards.run_folders import RunFolder
from emotion.leaderboards.texts import short_names


def csv_rows(leaderboard: Leaderboard) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(leaderboard.csv())))


def names(leaderboard: Leaderboard) -> list[str]:
    return [run.name for board in leaderboard.boards for g in board.groups for run in g.runs]


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


@pytest.mark.parametrize(
    ("log", "status", "reason"),
    [
        ("emotion: seed: expected a whole number\n", "failed", "seed: expected a whole number"),
        ("Traceback (most recent…\n  File\nKeyError: 'x'\n\n", "failed", "KeyError: 'x'"),
        ("", "running", "has not begun yet, or was killed"),
    ],
)
def test_a_job_that_came_to_no_run_is_listed(
    tmp_path: Path, log: str, status: str, reason: str
) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / LOG).write_text(log)
    (write_run(tmp_path / "1", 0.5) / "job.log").write_text(
        "emotion: of a run that goes by run.json"
    )
    leaderboard = read_leaderboard(tmp_path)
    assert names(leaderboard) == ["1"]
    (record,) = leaderboard.early
    assert (record.name, record.status, record.reason) == ("0", status, reason)


def test_a_run_without_a_record_is_of_an_older_version(tmp_path: Path) -> None:
    write_run(tmp_path / "a", 0.5)
    (tmp_path / "a" / "run.json").unlink()
    (row,) = csv_rows(read_leaderboard(tmp_path))
    assert (row["status"], row["seconds"], row["command"]) == ("finished", "3.75", "")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda f: (f / "config.yaml").unlink(), "config.yaml is missing"),
        (lambda f: (f / "config.yaml").write_text("a: [1"), "config.yaml: not YAML"),
        (lambda f: (f / "config.yaml").write_text("- 1"), "config.yaml: expected the settings"),
        (lambda f: cut(f / "selection.json"), "selection.json: not JSON"),
        (lambda f: write_json(f / "selection.json", []), "selection.json: expected names"),
        (lambda f: cut(f / "run.json"), "run.json: not a run's record"),
        (lambda f: write_json(f / "metrics.json", {"epoch": 1}), "metrics.json is of epoch 1, "),
        (lambda f: (f / "epochs.csv").write_text("epoch\n1\n"), "epochs.csv: expected a table"),
        (lambda f: (f / "epochs.csv").write_bytes(b"seconds\n\xff\n"), "epochs.csv: expected"),
        (lambda f: change(f, score=math.nan), "selection.json: score: expected a number, got nan"),
        (lambda f: change(f, epoch=9), "selection.json: expected an epoch from 1 to 4, got 9"),
        (lambda f: change(f, mode="up"), "selection.json: mode: expected min or max, got up"),
        (lambda f: change(f, checkpoint=None), "selection.json: expected the name of a check"),
        (lambda f: change(f, "run.json", status="odd"), "run.json: status: expected running,"),
        (lambda f: change(f, "run.json", command=[1]), "run.json: command: expected words"),
    ],
)
def test_a_damaged_run_is_a_record(
    tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    write_run(tmp_path / "whole", 0.5)
    damage(write_run(tmp_path / "damaged", 0.4))
    leaderboard = read_leaderboard(tmp_path)
    assert names(leaderboard) == ["whole"]
    (record,) = leaderboard.unreadable
    assert record.name == "damaged"
    assert record.reason.startswith(reason)
    assert csv_rows(leaderboard)[-1]["status"] == "unreadable"
    assert "could not be read" in leaderboard.table()
    assert "Could not be read" in leaderboard.markdown()


def change(folder: Path, name: str = "selection.json", **values: Any) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_no_runs_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such folder; expected one with runs"):
        read_leaderboard(tmp_path / "nowhere")
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"expected run folders in it or below.*found none"):
        write_leaderboard(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".hydra"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a", 0.5)
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "a" / "more").symlink_to(tmp_path)
    assert names(read_leaderboard(tmp_path)) == ["runs/a"]


def test_a_folder_that_cannot_be_listed_is_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "a", 0.5)
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refusing(path: str) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    (record,) = read_leaderboard(tmp_path).unreadable
    assert record.name == "closed"
    assert record.reason == "the folder cannot be listed (Permission denied)"


def test_what_the_picture_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Panel] = []
    monkeypatch.setattr(
        "emotion.leaderboards.picture.draw_leaderboard",
        lambda panels: shown.extend(panels),
    )
    for number, score in enumerate((0.5, 0.75, 0.2, 0.3)):
        settings = {"model.dropout": 0.1 * (number // 2), "seed": number % 2}
        write_run(tmp_path / str(number), score, settings)
    # A setting that only an unfinished run has differently is no axis.
    write_run(tmp_path / "4", None, {"model.optimizer.lr": 1.0}, status="failed")
    draw(read_leaderboard(tmp_path))
    write_run(tmp_path / "5", 0.1, {"model.weights": "x", "seed": 1, "model.dropout": 0.1})
    draw(read_leaderboard(tmp_path))
    (best, worst), several = shown[0].marks, shown[1].marks
    assert (shown[0].score, shown[0].mode, shown[0].axis) == ("val/loss", "min", "model.dropout")
    assert (best.place, list(best.scores), best.mean) == (0.1, [0.2, 0.3], 0.25)
    assert (worst.place, list(worst.scores), worst.mean) == (0.0, [0.5, 0.75], 0.625)
    assert shown[1].axis is None
    assert [mark.name for mark in several] == [
        "dropout=0.1, weights=x",
        "dropout=0.1, weights=null",
        "dropout=0.0, weights=null",
    ]


def test_the_three_files(tmp_path: Path) -> None:
    command = ["emotion", "train", "data.root=/a|b c", "experiment=faces"]
    for number, score in enumerate((0.5, 0.25)):
        settings = {"model.optimizer.lr": 10.0**-number, "data.root": "/a|b_c"}
        write_run(tmp_path / str(number), score, settings, command=command)
    write_run(tmp_path / "2", None, {"data.root": "<x>"}, status="failed", reason="a | b")
    assert write_leaderboard(tmp_path) == read_leaderboard(tmp_path)
    lines = (tmp_path / "leaderboard.csv").read_text().splitlines()
    assert lines[0] == (
        "rank,run,status,monitor,mode,score,epoch,epochs,seconds,data.root,model.optimizer.lr,"
        "mean,deviation,lowest,highest,seeds,command,checkpoint,reason"
    )
    assert lines[1] == (
        "1,1,finished,val/loss,min,0.25,2,4,12.5,/a|b_c,0.1,,,,,,"
        "emotion train 'data.root=/a|b c' experiment=faces,1/checkpoints/epoch_002.ckpt,"
    )
    text = (tmp_path / "leaderboard.md").read_text()
    assert r"emotion train 'data.root=/a\|b c' experiment=faces" in text
    assert r"a \| b" in text
    assert r"\<x\>" in text
    for table in text.split("\n\n"):  # every row has as many cells as its head
        cells = [len(re.split(r"(?<!\\)\|", row)) for row in table.splitlines() if row[0] == "|"]
        assert len(set(cells)) <= 1
    with Image.open(tmp_path / "leaderboard.png") as picture:
        assert picture.size[0] == 1080


def test_only_unfinished_runs_have_files_too(tmp_path: Path) -> None:
    write_run(tmp_path / "0", None, status="failed")
    assert not write_leaderboard(tmp_path).boards[0].groups
    assert (tmp_path / "leaderboard.png").stat().st_size > 0


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
    assert max(cell_len(line) for line in text.splitlines()) <= 100
    assert "more settings differ (see --csv): " in text
    assert "\x1b" not in text
    assert " seed " in text.splitlines()[2]


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


def test_names_are_shortened_until_two_would_be_the_same() -> None:
    given_names = ["seed", "model.seed", "model.optimizer.lr", "model._target_", "a.0._target_"]
    assert short_names(given_names) == {
        "seed": "seed",
        "model.seed": "model.seed",
        "model.optimizer.lr": "lr",
        "model._target_": "model._target_",
        "a.0._target_": "a.0._target_",
    }


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
