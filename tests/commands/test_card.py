"""`emotion card` on a trained run."""

import shutil
from pathlib import Path

import pytest
import yaml
from tests.evaluation.card.card_content import content, write_evaluation

from emotion.__main__ import main
from emotion.evaluation.card.card import hash_file
from emotion.experiments.outcome import RunResult


@pytest.fixture
def run(run_result: RunResult, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run_result.folder, tmp_path / "run"))


def test_a_run_that_was_not_evaluated_has_a_card(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", str(run)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{run / 'model-card.md'}\n"
    assert "not evaluated, and the card says so" in printed.err
    card = (run / "model-card.md").read_text(encoding="utf-8")
    assert "**Not evaluated.**" in card
    assert "one of neutral, anger, surprise, smile, sad." in card
    assert "| training |" in card
    assert str(run.parent) not in card


def test_its_evaluations_are_found_or_named(
    run: Path, run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sha256 = hash_file(run_result.checkpoint)
    write_evaluation(run / "evaluation-x", content(sha256))
    write_evaluation(run / "evaluation-old", content())
    arguments = ["card", str(run), "--licence-of-weights", "MIT", "--data-licence", "ours"]
    assert main([*arguments, "--name", "Mine"]) == 0
    assert "left out: " in capsys.readouterr().err
    card = (run / "model-card.md").read_text(encoding="utf-8")
    found = yaml.safe_load(card.split("---\n")[1])
    assert found["license"] == "mit"
    assert found["model-index"][0]["name"] == "Mine"
    assert len(found["model-index"][0]["results"]) == 1
    other = tmp_path / "new" / "card.md"
    named = ["--evaluation", str(run / "evaluation-x"), "--out", str(other)]
    assert main([*arguments, "--name", "Mine", *named]) == 0
    assert other.read_text(encoding="utf-8") == card


def test_mistakes_are_one_clear_error(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_evaluation(run / "evaluation-old", content())
    for options, message in (
        (["--evaluation", str(run / "evaluation-old")], "another checkpoint"),
        (["--evaluation", str(tmp_path)], "metrics.json: cannot be read"),
        (["--out", str(tmp_path)], "is a folder; name a file"),
    ):
        assert main(["card", str(run), *options]) == 2
        assert message in capsys.readouterr().err
    checkpoint = next((run / "checkpoints").glob("epoch*"))
    assert main(["card", str(checkpoint), "--out", str(checkpoint)]) == 2
    assert "is there and no card; name a file that ends with .md" in capsys.readouterr().err
    assert main(["card", str(tmp_path / "none.ckpt")]) == 2
