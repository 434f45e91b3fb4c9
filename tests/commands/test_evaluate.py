import csv
import json
import re
from pathlib import Path

import pytest
import torch
from tests.conftest import train_tiny

from emotion.__main__ import main
from emotion.experiments.outcome import RunResult


def test_a_run_folder_is_evaluated_on_its_own_test_part(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(run_result.folder), "--out", str(tmp_path)]) == 0
    faces = sum(p.read_text().count("<object>") for p in (sample_root / "test").rglob("*.xml"))
    printed = capsys.readouterr().out
    assert f"{faces} faces in 4 photos, each counted once" in printed
    assert f"{run_result.checkpoint} (epoch {run_result.selection.epoch}) on" in printed
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["faces"] == faces
    assert content["checkpoint"] == str(run_result.checkpoint)
    with (tmp_path / "predictions.csv").open() as file:
        assert len(list(csv.DictReader(file))) == faces
    assert {"confusion.png", "classes.png", "report.txt"} <= {p.name for p in tmp_path.iterdir()}


def test_the_run_and_the_evaluation_agree_on_validation(
    run_result: RunResult, sample_root: Path, tmp_path: Path
) -> None:
    # The same faces through the other road: crops, network and metrics must give the same numbers.
    split = json.loads((run_result.folder / "split.json").read_text())["parts"]["val"]["files"]
    for name in split:
        for kind, folder in (("annotations", name), ("img", name.replace(".xml", ".jpg"))):
            target = tmp_path / "val" / kind / folder
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((sample_root / "train" / kind / folder).read_bytes())
    out = tmp_path / "out"
    checkpoint = str(run_result.checkpoint)
    assert main(["evaluate", checkpoint, str(tmp_path / "val"), "--out", str(out)]) == 0
    scores = json.loads((out / "metrics.json").read_text())["scores"]
    for name in ("accuracy", "balanced_accuracy"):
        assert scores[name]["value"] == pytest.approx(run_result.metrics[f"val/{name}"], abs=1e-6)


def test_other_labels_are_refused_and_can_be_mapped(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    for path in sorted((sample_root / "test").rglob("*.*")):
        target = data / path.relative_to(sample_root / "test")
        target.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        for name in (b"neutral", b"anger", b"surprise", b"smile", b"sad"):
            content = (
                content.replace(b"<name>" + name, b"<name>joy")
                if path.suffix == ".xml"
                else content
            )
        target.write_bytes(content)
    arguments = ["evaluate", str(run_result.folder), str(data), "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    text = capsys.readouterr().err
    assert "unknown label 'joy'; expected neutral, anger, surprise, smile, sad" in text
    assert "evaluate --map 'joy=neutral'" in text
    assert main([*arguments, "--map", "joy=smile"]) == 0


def test_what_is_no_checkpoint_is_one_clear_error(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.ckpt"
    path.write_bytes(b"hello")
    assert main(["evaluate", str(path), str(sample_root)]) == 2
    assert (
        "x.ckpt: not a checkpoint, damaged, or one that would run code" in capsys.readouterr().err
    )
    torch.save({"state_dict": {}, "epoch": 0}, path)
    assert main(["evaluate", str(path), str(sample_root)]) == 2
    assert "x.ckpt: a checkpoint, but of another project" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "without a readable selection.json" in capsys.readouterr().err


def test_a_checkpoint_alone_needs_a_data_set(
    run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a" / "b" / "alone.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes(run_result.checkpoint.read_bytes())
    assert main(["evaluate", str(path)]) == 2
    assert "no config.yaml that names a data set; name one: emotion evaluate" in (
        capsys.readouterr().err
    )


def test_a_wrong_map_is_refused(run_result: RunResult, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run_result.folder), "--map", "joy"]) == 2
    assert "--map joy: expected NAME=CLASS" in capsys.readouterr().err


def test_the_data_of_the_run_is_read_as_the_run_read_it(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A run that dropped a class must not fail on its own test part, typed from anywhere.
    texts = [path.read_text() for path in (sample_root / "test").rglob("*.xml")]
    label = re.findall("<name>(.*?)</name>", texts[0])[0]
    result = train_tiny(sample_root, tmp_path / "run", f"data.label_map={{{label}: null}}")
    assert main(["evaluate", str(result.folder)]) == 0
    kept = sum(text.count("<object>") - text.count(f"<name>{label}<") for text in texts)
    assert f"{kept} faces in" in capsys.readouterr().out
    assert (result.folder / f"evaluation-{sample_root.name}-test" / "metrics.json").is_file()


def test_a_selection_that_points_elsewhere_is_refused(
    run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in (
        f'{{"checkpoint": "{run_result.checkpoint}"}}',
        "[1]",
        '{"checkpoint": "../x"}',
    ):
        (tmp_path / "selection.json").write_text(content)
        assert main(["evaluate", str(tmp_path)]) == 2
        assert "without a readable selection.json" in capsys.readouterr().err


def test_weights_that_are_no_numbers_are_refused(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = torch.load(run_result.checkpoint, weights_only=True)
    content["state_dict"]["network.backbone.classifier.1.bias"].fill_(float("nan"))
    torch.save(content, tmp_path / "nan.ckpt")
    assert main(["evaluate", str(tmp_path / "nan.ckpt"), str(sample_root)]) == 2
    assert "gives no numbers; its weights are damaged" in capsys.readouterr().err
