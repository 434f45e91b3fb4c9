"""The files of an evaluated sweep, read back; what the sentences claim."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from emotion.evaluation.intervals import Interval
from emotion.evaluation.seeds.files import group_sentences, summary_text, write_summary
from emotion.evaluation.seeds.seeds import RunScores, summarise


def run(name: str, value: float, width: float = 0.2, **settings: Any) -> RunScores:
    interval = Interval(value, value - width / 2, value + width / 2)
    return RunScores(name, settings, {"balanced_accuracy": interval}, {"<b>sad": interval})


def sentences(*runs: RunScores) -> str:
    (group,) = summarise(runs).groups
    return " ".join(group_sentences(group))


def test_the_files_say_the_same(tmp_path: Path) -> None:
    runs = [
        run(str(i), 0.6 + seed / 50, lr=lr, seed=seed)
        for i, (lr, seed) in enumerate([("=1+1", 0), ("=1+1", 1), ("<i>", 0), ("<i>", 1)])
    ]
    paths = write_summary(summarise(runs, {"4": "<u>failed"}), tmp_path / "new", "<s>sweep")
    assert [path.name for path in paths] == ["summary.json", "summary.csv", "summary.html"]
    content = json.loads(paths[0].read_text())
    with paths[1].open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["lr"], row["score"], row["runs"]) for row in rows] == [
        ("'=1+1", "balanced_accuracy", "2"),
        ("'=1+1", "recall of <b>sad", "2"),
        ("<i>", "balanced_accuracy", "2"),
        ("<i>", "recall of <b>sad", "2"),
    ]
    score = content["groups"][0]["scores"]["balanced_accuracy"]
    assert float(rows[0]["mean"]) == pytest.approx(score["mean"])
    assert float(rows[0]["standard_deviation"]) == pytest.approx(score["deviation"], rel=1e-5)
    page = paths[2].read_text()
    assert not re.search("<(b>sad|i>|u>|s>)", page)
    assert "<b>0.610</b>" in page
    assert "± 0.014" in page
    assert page.count("<circle") == 8
    assert "not ranked" in page
    text = summary_text(summarise(runs, {"4": "failed"}))
    assert "2 runs lr==1+1" in text
    assert re.search(r"balanced_accuracy +0\.610 +0\.014 +0\.600 +0\.620", text)
    assert "left out: 4: failed" in text
    assert "has chosen by the test" in text


def test_a_sweep_without_a_run_has_files_too(tmp_path: Path) -> None:
    paths = write_summary(summarise([], {"0": "failed"}), tmp_path)
    assert "No run could be evaluated" in paths[2].read_text()
    assert paths[1].read_text().count("\n") == 1


def test_one_seed_is_called_one_seed(tmp_path: Path) -> None:
    assert sentences(run("0", 0.5, seed=1)) == (
        "One seed only: nothing is known of what another seed would give."
    )
    page = write_summary(summarise([run("0", 0.5, seed=1)]), tmp_path)[2].read_text()
    assert "No two runs differ in the seed alone" in page


def test_the_larger_uncertainty_is_said() -> None:
    close = [run(str(i), 0.6 + i / 1000, seed=i) for i in range(5)]
    assert "more seeds make it no surer, more photos do" in sentences(*close)
    far = [run(str(i), 0.1 + i / 10, 0.01, seed=i) for i in range(5)]
    assert "a single run tells little" in sentences(*far)
    two = [run("0", 0.60, seed=0), run("1", 0.65, seed=1)]
    assert "2 seeds are too few to tell" in sentences(*two)


def test_what_is_no_fair_repetition_is_said() -> None:
    some = Interval(0.5, 0.4, 0.6)
    runs = [RunScores(str(i), {"seed": 1}, {"accuracy": some}, data=str(i)) for i in range(2)]
    assert "measured on different faces" in sentences(*runs)
    assert "Some runs have the same seed" in sentences(*runs)
