import csv

import pytest

from emotion.experiments.outcome import RunResult
from emotion.training.history import History


def test_epochs_csv_has_one_row_an_epoch_with_that_epochs_metrics(run_result: RunResult) -> None:
    with (run_result.folder / "epochs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for row in rows:
        assert float(row["train/samples_seen"]) == 8  # two batches of four
        assert float(row["seconds"]) > 0
        assert 0 <= float(row["val/accuracy"]) <= 1
    kept = rows[run_result.selection.epoch - 1]
    assert float(kept["val/loss"]) == pytest.approx(run_result.selection.score, rel=1e-5)


def test_rows_survive_a_checkpoint(tmp_path: object) -> None:
    first = History("unused.csv")
    first.rows = [{"epoch": 1.0, "val/loss": 0.5}]
    second = History("unused.csv")
    second.load_state_dict(first.state_dict())
    assert second.rows == first.rows
    assert second.column("val/loss") == [0.5]
    assert second.column("val/other") == []
