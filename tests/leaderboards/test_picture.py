from pathlib import Path

import pytest
from tests.leaderboards.run_writer import write_run

from emotion.figures.leaderboard import Panel
from emotion.leaderboards.leaderboard import read_leaderboard
from emotion.leaderboards.picture import LONGEST, draw


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Panel]:
    """The panels that would be drawn."""
    panels: list[Panel] = []
    monkeypatch.setattr("emotion.leaderboards.picture.draw_leaderboard", panels.extend)
    return panels


def test_what_the_picture_shows(tmp_path: Path, shown: list[Panel]) -> None:
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


def test_a_description_that_does_not_fit_gives_way_to_the_name(
    tmp_path: Path, shown: list[Panel]
) -> None:
    settings = {"data.root": "/long" * 20, "model.weights": "x"}
    for seed in range(3):
        write_run(tmp_path / "runs" / str(seed), 0.5 + seed, settings | {"seed": seed})
    write_run(tmp_path / ("deep/" * 20) / "0", 0.1, {"data.root": "/other" * 20})
    draw(read_leaderboard(tmp_path))
    first, second = (mark.name for mark in shown[0].marks)
    assert first == "…" + "deep/" * 10 + "0"
    assert len(first) == LONGEST
    assert second == "runs/0 and 2 more"


@pytest.mark.parametrize(
    ("setting", "values", "axis"),
    [
        ("model.dropout", (1, 2.5), "model.dropout"),
        ("model.frozen", (True, False), None),
        ("model.dropout", (0.5, None), None),
        ("model.weights", ("a", "b"), None),
    ],
)
def test_only_numbers_are_an_axis(
    tmp_path: Path, shown: list[Panel], setting: str, values: tuple[object, object], axis: str
) -> None:
    for number, value in enumerate(values):
        write_run(tmp_path / str(number), number / 10, {setting: value})
    draw(read_leaderboard(tmp_path))
    assert shown[0].axis == axis
    expected = list(values) if axis else [None, None]
    assert [mark.place for mark in shown[0].marks] == expected


def test_scores_of_two_names_are_two_panels_and_nothing_unfinished_is_one(
    tmp_path: Path, shown: list[Panel]
) -> None:
    write_run(tmp_path / "a", 0.5)
    write_run(tmp_path / "b", 0.5, monitor="val/accuracy", mode="max")
    write_run(tmp_path / "c", None, monitor="val/macro_f1", mode="max", status="failed")
    draw(read_leaderboard(tmp_path))
    assert [(panel.score, panel.mode) for panel in shown] == [
        ("val/accuracy", "max"),
        ("val/loss", "min"),
    ]


def test_where_seeds_alone_differ_they_are_one_mark(tmp_path: Path, shown: list[Panel]) -> None:
    for seed in range(2):
        write_run(tmp_path / str(seed), 0.5, {"seed": seed})
    draw(read_leaderboard(tmp_path))
    assert [mark.name for mark in shown[0].marks] == ["all seeds"]
