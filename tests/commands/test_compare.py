import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from tests.conftest import train_tiny

from emotion.__main__ import main
from emotion.commands.compare import default_folder
from emotion.experiments.outcome import RunResult

FILES = {"comparison.json", "comparison.csv", "comparison.png", "comparison.html"}
HEAD = ("network.backbone.classifier.1.weight", "network.backbone.classifier.1.bias")


@pytest.fixture
def run(run_result: RunResult, tmp_path: Path) -> Path:
    """A copy of a finished run: comparing notes there that its test part was looked at."""
    return shutil.copytree(run_result.folder, tmp_path / "run")


def changed(
    checkpoint: Path, target: Path, labels: Sequence[str], order: Sequence[int] | None = None
) -> Path:
    """Writes a checkpoint with other names, and its outputs in another order."""
    content = torch.load(checkpoint, weights_only=True)
    content["emotion"]["input"]["labels"] = list(labels)
    for name in HEAD if order is not None else ():
        content["state_dict"][name] = content["state_dict"][name][list(order or ())]
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, target)
    return target


def best(run: Path) -> Path:
    return run / str(json.loads((run / "selection.json").read_text())["checkpoint"])


def test_two_epochs_of_a_run_are_compared_on_its_test_part(
    run: Path, sample_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = run / "checkpoints" / "last.ckpt"
    assert main(["compare", str(run), str(last)]) == 0
    out = run / f"comparison-with-{best(run).stem}-on-data-test"
    assert {path.name for path in out.iterdir()} == FILES
    content = json.loads((out / "comparison.json").read_text())
    faces = sum(p.read_text().count("<object>") for p in (sample_root / "test").rglob("*.xml"))
    assert content["faces"] == faces
    assert content["a"]["checkpoint"] == str(best(run))
    assert content["a"]["warnings"] == content["b"]["warnings"] == []
    assert content["data"]["notes"] == []
    printed = capsys.readouterr().out
    assert content["verdict"] in printed
    assert all(str(out / name) in printed for name in FILES)
    looks = json.loads((run / "evaluations.json").read_text())["looks"]
    assert {look["checkpoint"] for look in looks} == {best(run).name, "last.ckpt"}


@pytest.mark.slow
def test_the_same_bytes_twice(run: Path, tmp_path: Path) -> None:
    for name in "xy":
        last = run / "checkpoints" / "last.ckpt"
        assert main(["compare", str(run), str(last), "--out", str(tmp_path / name)]) == 0
    for name in FILES:
        assert (tmp_path / "x" / name).read_bytes() == (tmp_path / "y" / name).read_bytes()


@pytest.mark.usefixtures("blank")
def test_a_checkpoint_is_not_compared_with_itself(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copy(best(run), tmp_path / "copy.ckpt")
    out = ["--out", str(tmp_path / "out")]
    assert main(["compare", str(run), str(copy), *out]) == 0
    assert "\nA and B are the same file; there is nothing to compare.\n" in capsys.readouterr().out
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert content["identical"]
    assert content["scores"]["log_loss"]["difference"] == {"value": 0, "low": 0, "high": 0}


@pytest.mark.usefixtures("blank")
def test_classes_in_another_order_are_put_in_order(run: Path, tmp_path: Path) -> None:
    labels = torch.load(best(run), weights_only=True)["emotion"]["input"]["labels"]
    order = [3, 0, 4, 1, 2]
    other = changed(best(run), tmp_path / "b.ckpt", [labels[i] for i in order], order)
    assert main(["compare", str(run), str(other), "--out", str(tmp_path / "out")]) == 0
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert content["labels"] == labels
    assert content["same_answers"] == content["faces"]
    assert content["scores"]["log_loss"]["difference"]["value"] == pytest.approx(0, abs=1e-6)
    assert content["b"]["sha256"] != content["a"]["sha256"]


def test_other_classes_are_refused_before_anything_is_measured(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = changed(best(run), tmp_path / "b.ckpt", ["neutral", "anger", "surprise", "joy", "sad"])
    assert main(["compare", str(run), str(other), "--out", str(tmp_path / "out")]) == 2
    text = capsys.readouterr().err
    assert f"{best(run)} knows neutral, anger, surprise, smile, sad, but {other} knows " in text
    assert "neutral, anger, surprise, joy, sad; expected two checkpoints" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("blank")
@pytest.mark.slow
def test_faces_that_were_trained_on_are_warned_of(
    run: Path, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = str(run / "checkpoints" / "last.ckpt")
    out = tmp_path / "out"
    assert main(["compare", str(run), last, str(sample_root / "train"), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "warning, A: " in printed
    assert "warning, B: " in printed
    assert "Do not trust this comparison" in (out / "comparison.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("blank")
def test_each_checkpoint_sees_its_own_crop_and_another_test_part_is_told(
    run: Path, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Runs on other photos, with another size; what was A's test part B was trained on.
    root = tmp_path / "all"
    for part in ("train", "test"):
        shutil.copytree(sample_root / part, root, dirs_exist_ok=True)
    other = train_tiny(
        root, tmp_path / "other", "input.size=96", "trainer.max_epochs=1", "data.val=4"
    )
    assert main(["compare", str(run), str(other.folder)]) == 0
    printed = capsys.readouterr().out
    assert (
        "note: The faces are the test part of A's run; B's run kept others: 0 of A's 4" in printed
    )
    assert "warning, B: " in printed
    assert "warning, A: " not in printed
    out = other.folder / "comparison-with-run-on-data-test"
    assert {path.name for path in out.iterdir()} == FILES


def test_a_lone_checkpoint_is_named_by_its_file(run: Path, tmp_path: Path) -> None:
    lone = tmp_path / "models" / "mine.ckpt"
    one, two = tmp_path / "sweep" / "0" / "checkpoints" / "x.ckpt", run / "checkpoints" / "y.ckpt"
    assert default_folder(lone, two, "t") == run / "comparison-with-mine-on-t"
    assert default_folder(one, two, "t") == run / "comparison-with-sweep-0-on-t"
    assert default_folder(two, one, "t") == one.parents[1] / "comparison-with-run-on-t"
    assert default_folder(two, two.with_name("z.ckpt"), "t") == run / "comparison-with-y-on-t"
