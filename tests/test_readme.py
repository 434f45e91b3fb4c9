"""Every shell block of the README is run, on the sample data set and with small settings."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
LINES = [line for block in BLOCKS for line in block.strip().splitlines()]
SMALL = (
    " model.weights=null input.size=64 trainer.max_epochs=1 trainer.limit_train_batches=1"
    " data.batch_size=4 trainer.accelerator=cpu"
)


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", f'export PATH="{BIN}:$PATH"; {line}']
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)


def kind(line: str) -> str:
    if line.startswith("make "):
        return "make"
    if line.startswith("source "):
        return "activate"
    if line.startswith("tensorboard "):
        return "tensorboard"
    real = ("outputs/faces", "outputs/ferplus/val")
    return "shared" if "../shared/" in line or line.endswith(real) else "emotion"


def of_kind(name: str) -> list[str]:
    return [line for line in LINES if kind(line) == name]


def smaller(line: str) -> str:
    if "resume=" in line:  # it has its settings
        return line.replace("trainer.max_epochs=30", "trainer.max_epochs=2")
    line = line.replace(" --error 0.2", "")  # after one step all surest answers may be wrong
    line = line.replace("data.folds=5 data.fold=1,2,3,4,5", "data.folds=2 data.fold=1,2")
    trains = line.startswith(("emotion train", "emotion tune")) and "--cfg" not in line
    return line + SMALL if trains else line


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert of_kind("make") == ["make demo", "make test"]
    assert of_kind("activate") == ["source .venv/bin/activate"]
    assert of_kind("tensorboard") == ["tensorboard --logdir outputs"]
    assert all(
        line.startswith(("emotion ", "find ")) for line in of_kind("emotion") + of_kind("shared")
    )


@pytest.mark.slow
def test_your_own_photos(sample_root: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_root, tmp_path / "faces")
    shutil.copytree(sample_root / "test" / "img", tmp_path / "photos")
    for label, photo in zip(("neutral", "smile"), (tmp_path / "photos").iterdir(), strict=False):
        (tmp_path / "one_folder_a_class" / label).mkdir(parents=True)
        shutil.copy(photo, tmp_path / "one_folder_a_class" / label)
    for line in of_kind("emotion"):
        done = shell(smaller(line), tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "outputs" / "check" / "faces" / "check.html").is_file()
    assert len(list((tmp_path / "outputs" / "show" / "faces").glob("*.png"))) == 6
    assert len(list((tmp_path / "imported" / "annotations").glob("*.xml"))) == 2
    assert (tmp_path / "outputs" / "mine" / "curves.png").is_file()
    assert (tmp_path / "outputs" / "mine" / "epochs.csv").read_text().count("\n") == 3
    board = (tmp_path / "outputs" / "leaderboard.md").read_text()
    assert all(word in board for word in ("| mine |", "| sweeps/"))
    assert len(list((tmp_path / "outputs" / "tune").glob("*/history.png"))) == 1
    assert len(list((tmp_path / "outputs" / "drawn").glob("*.jpg"))) == 4
    assert (tmp_path / "outputs" / "drawn" / "summary.html").is_file()
    assert (tmp_path / "outputs" / "list.csv").read_text().count("\n") >= 5
    mine = tmp_path / "outputs" / "mine"
    assert (mine / "evaluation-faces-test" / "report.html").is_file()
    assert len(list(mine.glob("comparison-with-*/comparison.html"))) == 1
    assert (mine / "model-card.md").is_file()
    assert (tmp_path / "outputs" / "folds" / "evaluation" / "suspects.csv").is_file()
    assert (tmp_path / "outputs" / "faces.jsonl").read_text().count("\n") >= 4
    check_tensorboard(tmp_path)


def check_tensorboard(cwd: Path) -> None:
    """Starts TensorBoard on a free loopback port until it answers with the runs that it found."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (line,) = of_kind("tensorboard")
    command = [str(BIN / line.split()[0]), *line.split()[1:], "--port", str(port)]
    log = (cwd / "tensorboard.log").open("w")
    process = subprocess.Popen(command, cwd=cwd, stdout=log, stderr=log)
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/runs") as answer:
                    runs = json.load(answer)
            except (URLError, ConnectionError):
                runs = []
            if runs:
                break
            time.sleep(0.5)
        assert any("mine" in run for run in runs), (cwd / "tensorboard.log").read_text()
    finally:
        process.terminate()
        process.wait(30)
        log.close()


@pytest.mark.slow
def test_the_commands_on_real_photos(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").symlink_to(shared)
    checkout = tmp_path / "emotion"
    checkout.mkdir()
    for line in of_kind("shared"):
        line = line.replace("seed=1,2,3 data.augmentation.0.jitter=0.0,0.1", "seed=1,2")
        weights = SMALL.replace(" model.weights=null", "")
        fast = line + weights if line.startswith("emotion train") else line
        done = shell(fast, checkout)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert len(list((checkout / "outputs" / "nota24").glob("*.jpg"))) == 24


def test_make_test_runs_the_tests() -> None:
    assert "-m pytest" in shell("make -n test", ROOT).stdout
    assert "not slow" not in shell("make -n test SLOW=1", ROOT).stdout


def test_make_help_explains_the_targets() -> None:
    printed = shell("make help", ROOT).stdout
    for target in ("setup", "demo", "test", "check"):
        assert f"make {target}" in printed


def test_an_old_python_is_one_clear_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.1"\nexit 1\n')
    old.chmod(0o755)
    done = shell(
        f"make -C {ROOT} -f {ROOT}/Makefile -W requirements.lock setup PYTHON={old}", tmp_path
    )
    assert done.returncode != 0
    assert "expected Python 3.11 or newer; name another: make setup PYTHON=" in done.stderr
    assert done.stderr.count("emotion:") == 1


@pytest.mark.slow
def test_the_demo_reaches_90_percent() -> None:
    done = shell("make demo", ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    demo = ROOT / "outputs" / "demo"
    scores = json.loads((demo / "evaluation" / "metrics.json").read_text())["scores"]
    assert scores["accuracy"]["value"] >= 0.9
    names = ("check/check.html", "run/curves.png", "evaluation/report.html", "predictions.jsonl")
    for name in names:
        assert (demo / name).is_file()
        assert f"outputs/demo/{name}" in done.stdout or name == "predictions.jsonl"
    faces = (demo / "predictions.jsonl").read_text().splitlines()
    found = sum(json.loads(line)["face"] is not None for line in faces)
    annotated = sum(
        p.read_text().count("<object>") for p in (demo / "data" / "test").rglob("*.xml")
    )
    assert found >= 0.95 * annotated
