"""Every shell and Python block of the README and of docs/ is run, most with small settings.

The drawn sample data set stands for the reader's photos, and a few steps for a training. What needs
the data beside the checkout is run where that is there; the script for SLURM by `make test-slurm`.
"""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest
from tests.processes import free_port
from tests.written_pages import PAGES, ROOT, read_blocks

BIN = Path(sys.executable).parent
BLOCKS = read_blocks()
SHELL = [block for block in BLOCKS if block.language == "bash"]
LINES = [(block.page, line) for block in SHELL if not block.is_script for line in block.lines()]
SMALL = (
    " model.weights=null input.size=64 trainer.max_epochs=1 trainer.limit_train_batches=1"
    " data.batch_size=4 trainer.accelerator=cpu"
)
TRAINS_MINE = re.compile(r"emotion train .*hydra\.run\.dir=outputs/mine\b")
MINE = "emotion train experiment=faces data.root=faces hydra.run.dir=outputs/mine"
# Pages that are read one after the other; what they tell the reader to type twice is typed once.
READINGS = [
    ("README.md", "train.md"),
    ("settings.md",),
    ("report.md",),
    ("sweeps.md",),
    ("predictions.md", "export.md"),
]
# What the commands of a page leave behind, and how often.
LEFT = {
    "README.md": {
        "outputs/check/faces/check.html": 1,
        "outputs/mine/curves.png": 1,
        "outputs/mine/evaluation-faces-test/report.html": 1,
        "outputs/drawn/*.jpg": 4,
        "outputs/faces.jsonl": 1,
    },
    "train.md": {
        "outputs/check/faces/check.html": 1,
        "outputs/show/faces/*.png": 6,
        "outputs/mine/evaluation-faces-test/report.html": 1,
        "outputs/drawn/summary.html": 1,
    },
    "settings.md": {
        "imported/annotations/*.xml": 2,
        "outputs/joined/*/annotations/*.xml": 22,
        "outputs/drawings/*/annotations/*.xml": 20,
    },
    "report.md": {
        "outputs/mine/evaluation-faces-test/report.html": 1,
        "outputs/mine/comparison-with-*/comparison.html": 1,
        "outputs/mine/model-card.md": 1,
        "outputs/folds/evaluation/suspects.csv": 1,
    },
    "sweeps.md": {
        "outputs/sweeps/*/leaderboard.png": 1,
        "outputs/leaderboard.png": 1,
        "outputs/tune/*/history.png": 1,
        "outputs/two/rank_1.log": 1,
        "outputs/two/curves.png": 1,
    },
    "predictions.md": {"outputs/drawn/*.jpg": 4, "outputs/faces.jsonl": 1, "outputs/list.csv": 1},
    "export.md": {"outputs/mine/model.onnx": 1},
}


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", f'export PATH="{BIN}:$PATH"; {line}']
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)


def run(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = shell(line, cwd)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done


def kind(page: str, line: str) -> str:
    words = line.split()
    if words[0] in ("make", "source", "pip", "tensorboard"):
        return words[0]
    if page in ("results.md", "clusters.md"):
        return page.removesuffix(".md")
    answers = words[:2] in (["emotion", "predict"], ["emotion", "demo"])
    if answers and "--model" not in words:
        return "boxed"
    return "demo" if words[1] == "demo" else "own"


def of_kind(name: str, page: str | None = None) -> list[str]:
    """Gives the lines of a kind, of one page or of all."""
    return [line for where, line in LINES if kind(where, line) == name and page in (None, where)]


def smaller(line: str) -> str:
    if "resume=outputs" in line:  # it has its settings
        return line.replace("trainer.max_epochs=30", "trainer.max_epochs=2")
    line = line.replace(" --error 0.2", "")  # after one step all surest answers may be wrong
    line = line.replace("data.folds=5 data.fold=1,2,3,4,5", "data.folds=2 data.fold=1,2")
    line = line.replace("seed=1,2,3", "seed=1,2")
    return line + SMALL if re.search(r"emotion (train|tune)\b(?!.*--cfg)", line) else line


def lay_out(sample_root: Path, place: Path) -> None:
    """Puts there what the pages take for granted: photos, annotated ones and others."""
    shutil.copytree(sample_root, place / "faces")
    shutil.copytree(sample_root / "test" / "img", place / "photos")
    photos = sorted((place / "photos").iterdir())
    shutil.copy(photos[0], place / "photo.jpg")
    for label, photo in zip(("neutral", "smile"), photos, strict=False):
        (place / "one_folder_a_class" / label).mkdir(parents=True)
        shutil.copy(photo, place / "one_folder_a_class" / label)


@pytest.fixture
def place(sample_root: Path, tmp_path: Path) -> Path:
    """The folder of a reader who has photos and has not trained yet."""
    lay_out(sample_root, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def trained_place(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a reader who has trained; nobody changes what is in it."""
    place = tmp_path_factory.mktemp("trained")
    lay_out(sample_root, place)
    run(smaller(MINE), place)
    return place


def test_every_block_is_of_a_kind_that_is_run() -> None:
    languages = {block.language for block in BLOCKS}
    assert languages <= {"bash", "python", "js", "cpp", "json", "yaml", "text"}, (
        "a shell block is bash"
    )
    assert of_kind("make") == ["make demo", "make test"]
    assert of_kind("source") == ["source .venv/bin/activate"]
    assert of_kind("tensorboard", "train.md") == of_kind("tensorboard")
    assert [block.page for block in SHELL if block.is_script] == ["clusters.md"]
    assert all(line.startswith(("emotion ", "find ")) for line in of_kind("own"))
    own = {page for page, line in LINES if kind(page, line) == "own"}
    assert own == set(LEFT) == {page for pages in READINGS for page in pages}


@pytest.mark.slow
@pytest.mark.parametrize("pages", READINGS, ids=" ".join)
def test_the_commands_of_pages(pages: tuple[str, ...], place: Path, trained_place: Path) -> None:
    lines = dict.fromkeys(line for page in pages for line in of_kind("own", page))
    if not any(TRAINS_MINE.search(line) for line in lines):
        shutil.copytree(trained_place / "outputs", place / "outputs")
    for line in lines:
        run(smaller(line), place)
    for page in pages:
        for pattern, count in LEFT[page].items():
            assert len(list(place.glob(pattern))) == count, pattern
        for line in of_kind("tensorboard", page):
            check_tensorboard(line, place)


def check_tensorboard(line: str, cwd: Path) -> None:
    """Starts TensorBoard on a free loopback port until it answers with the runs that it found."""
    port = free_port()
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
def test_the_first_answer_needs_no_model(place: Path) -> None:
    lines = of_kind("boxed")
    assert {"emotion predict photo.jpg", "emotion demo"} <= set(lines)
    for line in lines:
        check_demo(line, place) if line.startswith("emotion demo") else run(line, place)
    assert len(list((place / "outputs" / "drawn").glob("*.jpg"))) == 4
    assert (place / "outputs" / "faces.csv").read_text().startswith("source,")
    (shown,) = [json.loads(block.text) for block in BLOCKS if block.language == "json"]
    printed = run("emotion predict photo.jpg", place)
    answered = json.loads(printed.stdout.splitlines()[0])
    assert list(answered) == list(shown)
    assert list(answered["probabilities"]) == list(shown["probabilities"])
    assert "model in the box" in printed.stderr


@pytest.mark.slow
def test_the_page_is_opened_and_closed(trained_place: Path) -> None:
    lines = of_kind("demo")
    assert lines == ["emotion demo --model outputs/mine"]
    for line in lines:
        check_demo(line, trained_place)


def check_demo(line: str, cwd: Path) -> None:
    """Opens the page on a free port of this machine, and closes it by Ctrl-C."""
    port = free_port()
    command = [str(BIN / line.split()[0]), *line.split()[1:], "--no-open", "--port", str(port)]
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        told = process.stdout.readline()  # nothing but the end of a process that failed
        assert told.startswith(f"the page is at http://127.0.0.1:{port}"), told
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert b"emotion" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.slow
def test_what_is_installed_has_the_right_names(tmp_path: Path) -> None:
    lines = of_kind("pip")
    assert lines
    offline = f"{sys.executable} -m pip install --no-index --no-build-isolation"
    for line in lines:
        wanted = line.removeprefix("pip install ")
        if "--no-deps" in shlex.split(line):
            run(f"{offline} --target {tmp_path} {wanted}", ROOT)
            assert (tmp_path / "emotion" / "conf" / "train.yaml").is_file()
        else:  # each is installed here, or pip would find none of that name
            run(f"{offline} --dry-run {wanted}", tmp_path)


def test_the_extras_that_are_named_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"(?:emotion|`|\.)\[(\w+)\]['`]", text))
    assert named
    assert named <= set(project["optional-dependencies"])


@pytest.mark.slow
def test_the_commands_for_several_machines_on_this_one(place: Path) -> None:
    lines = of_kind("clusters")
    assert len(lines) == 3
    changes = {
        "--nnodes=2": "--nnodes=1",
        "trainer.num_nodes=2": "trainer.num_nodes=1",
        "host0": "localhost",
        "hydra/launcher=submitit_slurm": "hydra/launcher=submitit_local",
        "/shared/faces": "faces",
        "/shared/sweeps/lr": "outputs/lr",
        "1e-5,3e-5,1e-4": "1e-5,3e-5",
    }
    for number, line in enumerate(lines):
        line = line.replace("29400", str(free_port()))
        line = line.replace("/shared/runs/faces", f"outputs/run-{number}")
        for ours, here in changes.items():
            line = line.replace(ours, here)
        run(line + SMALL, place)
    assert len(list(place.glob("outputs/run-*/rank_1.log"))) == 1, "torchrun keeps the others' logs"
    assert len(list(place.glob("outputs/run-*/curves.png"))) == 2
    assert len(list(place.glob("outputs/lr/*/curves.png"))) == 2


def test_the_script_for_slurm_can_be_read(tmp_path: Path) -> None:
    (script,) = [block.text for block in SHELL if block.is_script]
    (tmp_path / "job.sh").write_text(script)
    run("bash -n job.sh", tmp_path)


@pytest.mark.slow
def test_the_commands_on_real_photos(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").symlink_to(shared)
    checkout = tmp_path / "emotion"
    checkout.mkdir()
    for line in of_kind("results"):
        line = line.replace("seed=1,2,3 data.augmentation.0.jitter=0.0,0.1", "seed=1,2")
        weights = SMALL.replace(" model.weights=null", " trainer.limit_val_batches=1")
        fast = line + weights if line.startswith("emotion train") else line
        run(fast, checkout)
    assert len(list((checkout / "outputs" / "nota24").glob("*.jpg"))) == 24


PYTHON = [block for block in BLOCKS if block.language == "python"]


@pytest.mark.slow
def test_the_python_examples_are_typed(tmp_path: Path) -> None:
    assert {block.page for block in PYTHON} >= {"README.md", "api.md"}
    for number, block in enumerate(PYTHON):
        (tmp_path / f"example_{number}.py").write_text(block.text)
    command = f"mypy --strict --cache-dir {tmp_path / 'cache'} example_*.py"
    assert f"no issues found in {len(PYTHON)} source files" in run(command, tmp_path).stdout


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_the_python_examples_run(number: int, trained_place: Path, tmp_path: Path) -> None:
    for name in ("photos", "photo.jpg"):
        (tmp_path / name).symlink_to(trained_place / name)
    shutil.copytree(trained_place / "outputs", tmp_path / "outputs")
    (tmp_path / "example.py").write_text(PYTHON[number].text)
    printed = run("python example.py", tmp_path).stdout
    assert re.search(r"face 1|neutral|anger|surprise|smile|sad|unsure|0\.\d\d\d \[", printed)
