import csv
from pathlib import Path

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


def test_rows_survive_a_checkpoint_and_their_seconds_the_table(tmp_path: Path) -> None:
    path = tmp_path / "epochs.csv"
    first = History(str(path))
    first.rows = [{"epoch": 1.0, "seconds": 2.5, "val/loss": 0.5}]
    path.write_text(first.to_csv())
    assert "seconds" not in str(first.state_dict())  # the same run gives the same checkpoint
    second, elsewhere = History(str(path)), History(str(tmp_path / "other.csv"))
    for history in (second, elsewhere):
        history.load_state_dict(first.state_dict())
    assert second.rows == first.rows
    assert elsewhere.rows == [{"epoch": 1.0, "val/loss": 0.5}]
    path.write_text("epoch,seconds\nnone,2\n")
    second.load_state_dict(first.state_dict())
    assert second.rows == elsewhere.rows
    assert second.column("val/loss") == [0.5]
    assert second.column("val/other") == []
