from pathlib import Path

import pytest
from tests.leaderboards.run_writer import write_run

from emotion.commands.runs import main
from emotion.leaderboards.leaderboard import read_leaderboard

FILES = ["leaderboard.csv", "leaderboard.md", "leaderboard.png"]


def test_the_table_of_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(Path("outputs/train/a"), 0.5)
    write_run(Path("outputs/train/b"), 0.25)
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[-2:]] == ["train/b", "train/a"]
    assert not list(Path("outputs").glob("leaderboard.*"))


def test_csv_is_all_that_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "a", 0.5)
    assert main([str(tmp_path), "--csv"]) == 0
    assert capsys.readouterr().out == read_leaderboard(tmp_path).csv()
    assert main([str(tmp_path), "--csv", "--write"]) == 0
    assert capsys.readouterr().out == (tmp_path / "leaderboard.csv").read_text()


def test_files_are_written_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "a", 0.5)
    for _ in range(2):  # the same again
        assert main([str(tmp_path), "--write"]) == 0
        assert capsys.readouterr().out.splitlines()[-3:] == [str(tmp_path / n) for n in FILES]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", *FILES]


def test_a_run_that_cannot_be_read_gives_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "a", 0.5)
    (write_run(tmp_path / "b", 0.5) / "config.yaml").unlink()
    assert main([str(tmp_path)]) == 1
    assert "b    unreadable  –       config.yaml is missing" in capsys.readouterr().out
    write_run(tmp_path / "c", None, status="failed")  # can be read
    (tmp_path / "b" / "run.json").unlink()
    (tmp_path / "b" / "selection.json").unlink()
    assert main([str(tmp_path)]) == 0


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "never of the test" in text
    assert "1 a run folder could not be read" in text
