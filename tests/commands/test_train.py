import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import train_tiny
from tests.sharing import CACHE

from emotion.__main__ import main
from emotion.errors import DataError
from emotion.experiments.outcome import RunResult

TINY = [
    "model.weights=null", "input.size=64", "trainer=cpu", "trainer.max_epochs=1",
    "trainer.limit_train_batches=1", "data.batch_size=4", CACHE,
    "~callbacks.pictures",  # they take longer than the training
]  # fmt: skip


@pytest.fixture
def faces(sample_root: Path, tmp_path: Path) -> Path:
    """A copy of the sample data set that a test may spoil."""
    return Path(shutil.copytree(sample_root, tmp_path / "faces"))


def annotation(root: Path, number: int = 2) -> Path:
    return root / "train" / "annotations" / f"scene_{number:05d}.xml"


def picture(root: Path) -> Path:
    return root / "train" / "img" / "scene_00002.jpg"


def replace_element(path: Path, tag: str, content: str) -> None:
    """Replaces what stands in the first element of that name."""
    text = path.read_text()
    start = text.index(f"<{tag}>") + len(f"<{tag}>")
    path.write_text(text[:start] + content + text[text.index(f"</{tag}>") :])


def remove_all(root: Path) -> None:
    shutil.rmtree(root)


def remove_photos(root: Path) -> None:
    for path in (root / "train").rglob("*.*"):
        path.unlink()


def remove_all_xml(root: Path) -> None:
    for path in (root / "train" / "annotations").iterdir():
        path.unlink()


def remove_picture(root: Path) -> None:
    picture(root).unlink()


def remove_xml(root: Path) -> None:
    annotation(root).unlink()


def push_box_outside(root: Path) -> None:
    replace_element(annotation(root), "xmax", "9999")


def spoil_label(root: Path) -> None:
    replace_element(annotation(root), "name", "happy")


def change_case(root: Path) -> None:
    replace_element(annotation(root), "filename", "SCENE_00002.JPG")


def truncate_picture(root: Path) -> None:
    picture(root).write_bytes(picture(root).read_bytes()[:2000])


def train(root: Path, *settings: str) -> int | str | None:
    """Trains in `run/` beside the data set; gives the exit code."""
    arguments = [f"data.root={root}", f"hydra.run.dir={root.parent / 'run'}", *TINY, *settings]
    try:
        return main(["train", *arguments])
    except SystemExit as stop:
        return stop.code


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (remove_all, ["faces: no such folder; set data.root=/path/to/dataset"]),
        (remove_photos, ["train: nothing in it: no *.xml in", "annotations and no picture in"]),
        (
            remove_all_xml,
            [
                "  picture_unannotated: 16 (picture has no XML file)\n",
                "img/scene_00001.jpg: no XML file in",
            ],
        ),
        (
            remove_picture,
            [
                "  picture_missing: 1 (XML file has no picture)\n",
                "scene_00002.xml: no picture 'scene_00002.jpg' in",
                "picture_missing: add the picture, or remove the XML file",
            ],
        ),
        (
            remove_xml,
            [
                "  picture_unannotated: 1 (picture has no XML file)\n",
                "scene_00002.jpg: no XML file in",
                "train 'data.drop=[picture_unannotated]'",
            ],
        ),
        (
            push_box_outside,
            [
                "  box_outside: 1 (box ends beyond its picture)\n",
                "scene_00002.xml:",
                "9999",
                "train 'data.drop=[box_outside]'",
                "train 'data.mend=[box_outside]'",
            ],
        ),
        (spoil_label, ["unknown label 'happy'; expected neutral, anger", "{happy: neutral}"]),
        (
            truncate_picture,
            ["  picture_truncated: 1 (", "scene_00002.jpg: cannot be decoded (image file is trunc"],
        ),
    ],
)
def test_bad_data_is_one_clear_error(
    faces: Path, spoil: Callable[[Path], None], parts: list[str]
) -> None:
    spoil(faces)
    run = faces.parent / "run"
    with pytest.raises(DataError) as error:  # of which the command prints just the text
        train_tiny(faces, run)
    for part in parts:
        assert part in f"{error.value}\n"
    assert not (run / "config.yaml").exists()


def test_all_kinds_are_refused_at_once_with_their_numbers(
    faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil_label(faces)
    change_case(faces)
    for number in (3, 4):
        replace_element(annotation(faces, number), "xmax", "9999")
    assert train(faces) == 2
    text = capsys.readouterr().err
    assert text.startswith(f"emotion: {faces}: 3 problems that make faces unfit to use:\n")
    assert "Traceback" not in text
    assert not (faces.parent / "run" / "config.yaml").exists()
    for part in (
        "  box_outside: 2 (",
        "  label_unknown: 1 (",
        "scene_00003.xml:",
        "train 'data.drop=[label_unknown,box_outside]'",
        "train 'data.mend=[box_outside]'",
        f"emotion data check {faces}",
    ):
        assert part in text
    assert "scene_00004.xml" not in text  # one example is enough
    assert "filename_spelling" not in text  # hurts nobody


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize(
    ("spoil", "setting", "said", "fewer"),
    [
        (
            push_box_outside,
            "data.drop=[box_outside]",
            "left out 1 faces (data.drop): box_outside 1\n",
            1,
        ),
        (
            push_box_outside,
            "data.mend=[box_outside]",
            "mended in memory (data.mend): box_outside 1\n",
            0,
        ),
        pytest.param(
            change_case,
            "data.drop=[]",
            "used in spite of warnings (emotion data check shows them): filename_spelling 1\n",
            0,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(spoil_label, "data.label_map={happy: surprise}", "", 0), marks=pytest.mark.slow
        ),
    ],
)
def test_the_ways_out_work_and_are_told(
    faces: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    setting: str,
    said: str,
    fewer: int,
) -> None:
    count = sum(path.read_text().count("<object>") for path in (faces / "train").rglob("*.xml"))
    spoil(faces)
    assert train(faces, "data.cache=null", setting) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith(f"{said}train: ")
    numbers = re.findall(r"^(?:train|val): (\d+) faces", captured.err, re.MULTILINE)
    assert sum(map(int, numbers)) == count - fewer
    assert "next: emotion evaluate" in captured.out


def test_a_file_that_changed_since_the_split_is_noticed_before_training(
    faces: Path, run_result: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    path = annotation(faces)
    path.write_text(path.read_text().replace("</annotation>", "</annotation>\n"))
    frozen = run_result.folder / "split.json"
    assert train(faces, f"data.split={frozen}") == 2
    text = capsys.readouterr().err
    assert f"data.split={frozen}: train/annotations/scene_00002.xml or its picture" in text
    assert "has changed\n1 of 20 photos are not as they were frozen; restore them, or" in text
    assert not (faces.parent / "run" / "config.yaml").exists()


@pytest.mark.slow
def test_the_number_of_classes_and_their_names_are_wired_in_nowhere(
    faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in faces.rglob("*.xml"):
        text = path.read_text()
        for old, new in {"neutral": "c", "smile": "c", "anger": "b", "sad": "b"}.items():
            text = text.replace(f"<name>{old}<", f"<name>{new}<")
        path.write_text(text.replace("<name>surprise<", "<name>a<"))
    assert train(faces, "input.labels=[a,b,c]") == 0
    run_folder = str(faces.parent / "run")
    capsys.readouterr()
    assert main(["evaluate", run_folder, "--out", str(faces.parent / "report")]) == 0
    report = json.loads((faces.parent / "report" / "metrics.json").read_text())
    assert [len(row) for row in report["confusion"]] == [3, 3, 3]
    capsys.readouterr()
    assert main(["predict", str(faces / "test" / "img"), "--model", run_folder]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(list(record["probabilities"]) == ["a", "b", "c"] for record in records)
    assert len(records) >= 4


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("data.rot=x", "data.rot: no such setting; did you mean data.root"),
        ("trainer=gpus", "trainer=gpus: no such trainer; expected auto, cpu, ddp, gpu"),
        ("data.batch_size=7", "data.batch_size=7 counts all devices and accumulated batches"),
        ("model.weights=/no/such.pth", "model.weights=/no/such.pth: no such file"),
        ("faces", "faces: expected key=value"),
        ("hydra.run.dir=", "hydra.run.dir: expected a folder, got nothing"),
        ("hydra.run.dir=/proc/nowhere", "hydra.run.dir=/proc/nowhere: cannot be made"),
        ("logger=null", "logger=null: no such logger; expected tensorboard"),
        ("model.optimizer.lr=1e-3,1e-4", "Ambiguous value for argument"),
        ("data.root=null", "data.root: expected a data set; set data.root="),
    ],
)
def test_a_wrong_setting_is_one_clear_error(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], override: str, text: str
) -> None:
    arguments = ["train", f"data.root={sample_root}", f"hydra.run.dir={tmp_path}", *TINY]
    try:
        code: int | str | None = main([*arguments, "trainer.accumulate_grad_batches=2", override])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert code == 2
    assert text in captured.err
    assert "Traceback" not in captured.err


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emotion", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


def end_all_in_epoch(epoch: int, command: list[str], cwd: Path) -> tuple[int, str]:
    """Sends SIGTERM to a command and all its processes once it has reached an epoch."""
    with subprocess.Popen(
        command, cwd=cwd, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if re.match(rf"epoch +{epoch - 1}/", line):
                os.killpg(process.pid, signal.SIGTERM)
        return process.wait(), "".join(told)


@pytest.mark.slow
def test_a_run_whose_processes_were_all_ended_goes_on_to_the_same_file_elsewhere(
    sample_root: Path, tmp_path: Path
) -> None:
    settings = [
        *("train", f"data.root={sample_root}", *TINY, "trainer.max_epochs=8", "data.workers=1"),
        *("trainer.limit_train_batches=1.0", "model.ema=0.9"),
    ]
    done = run(*settings, f"hydra.run.dir={tmp_path / 'one'}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ended = [*settings, f"hydra.run.dir={tmp_path / 'two'}"]
    code, told = end_all_in_epoch(3, [sys.executable, "-m", "emotion", *ended], tmp_path)
    assert (code, "Traceback" in told) == (143, False), told
    done = run(*ended, "resume=auto", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = [sorted((tmp_path / name / "checkpoints").iterdir()) for name in ("one", "two")]
    assert [p.name for p in files[0]] == [p.name for p in files[1]]
    for ours, theirs in zip(*files, strict=True):
        assert ours.read_bytes() == theirs.read_bytes(), ours.name


def test_cfg_job_prints_the_config_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--cfg", "job", "experiment=original"]) == 0
    assert "batch_size: 200" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_help_names_the_groups_and_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--help"]) == 0
    printed = capsys.readouterr().out
    for text in (
        "experiment: bundled, bundled_cpu, demo, faces",
        "trainer: auto, cpu, ddp, gpu",
        "max_epochs",
    ):
        assert text in printed


@pytest.mark.slow
def test_a_sweep_runs_each_setting_in_a_folder_of_its_own(
    sample_root: Path, tmp_path: Path
) -> None:
    sweep = "model.optimizer.lr=1e-5,3e-5,1e-4"
    done = run("train", "-m", sweep, f"data.root={sample_root}", *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    checkpoints = sorted((tmp_path / "outputs" / "sweeps").glob("*/*/checkpoints/epoch_001.ckpt"))
    assert [path.parts[-3] for path in checkpoints] == ["0", "1", "2"]


@pytest.mark.slow
def test_a_failed_job_of_a_sweep_lets_the_others_go_on(sample_root: Path, tmp_path: Path) -> None:
    sweep = "model.weights=/no/such.pth,null"
    arguments = [argument for argument in TINY if not argument.startswith("model.weights")]
    done = run("train", "-m", sweep, f"data.root={sample_root}", *arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert "model.weights=/no/such.pth: no such file" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list((tmp_path / "outputs" / "sweeps").glob("*/1/selection.json"))) == 1


@pytest.mark.slow
def test_two_processes_train_together_and_count_each_face_once(
    sample_root: Path, tmp_path: Path
) -> None:
    ddp = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.max_epochs=2"]
    tiny = [a for a in TINY if not a.startswith(("trainer=", "trainer.max"))]
    more = ["data.val=5", "data.cache=crops"]
    done = run("train", f"data.root={sample_root}", *tiny, *ddp, *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # One process builds the crops, the other finds them built.
    assert len(list((tmp_path / "crops").glob("crops-*.npy"))) == 2
    (folder,) = (tmp_path / "outputs" / "train").iterdir()
    written = done.stderr + (folder / "rank_1.log").read_text()
    assert written.count("crops at 70 and 64 pixels") == 1
    header, *rows = [line.split(",") for line in (folder / "epochs.csv").read_text().split()]
    val = json.loads((folder / "split.json").read_text())["parts"]["val"]
    faces = sum((sample_root / name).read_text().count("<object>") for name in val["files"])
    assert len(val["files"]) == 5
    assert [float(row[header.index("val/samples_seen")]) for row in rows] == [faces, faces]
    assert [float(row[header.index("train/samples_seen")]) for row in rows] == [4, 4]
    assert (folder / "selection.json").is_file()
    evaluated = run("evaluate", str(folder), cwd=tmp_path)
    assert evaluated.returncode == 0, evaluated.stderr


@pytest.mark.slow
def test_unusual_names_work(sample_root: Path, tmp_path: Path) -> None:
    odd = tmp_path / "얼굴 사진, a=b"
    shutil.copytree(sample_root, odd)
    done = run("train", f"data.root='{odd}'", *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "outputs" / "train").glob("*/selection.json"))) == 1
