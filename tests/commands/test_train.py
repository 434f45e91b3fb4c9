import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from emotion.__main__ import main

TINY = [
    "model.weights=null", "input.size=64", "trainer=cpu", "trainer.max_epochs=1",
    "trainer.limit_train_batches=1", "data.batch_size=4",
]  # fmt: skip


@pytest.fixture
def faces(sample_root: Path, tmp_path: Path) -> Path:
    """A copy of the sample data set that a test may spoil."""
    return Path(shutil.copytree(sample_root, tmp_path / "faces"))


def first(folder: Path) -> Path:
    return min(folder.iterdir())


def replace_in_xml(root: Path, old: str, new: str) -> None:
    path = first(root / "train" / "annotations")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def remove_all(root: Path) -> None:
    shutil.rmtree(root)


def empty(root: Path) -> None:
    for path in (root / "train" / "annotations").iterdir():
        path.unlink()


def remove_picture(root: Path) -> None:
    first(root / "train" / "img").unlink()


def remove_xml(root: Path) -> None:
    first(root / "train" / "annotations").unlink()


def push_box_outside(root: Path) -> None:
    path = first(root / "train" / "annotations")
    text = path.read_text()
    start = text.index("<xmax>") + len("<xmax>")
    path.write_text(text[:start] + "9999" + text[text.index("</xmax>") :])


def spoil_labels(root: Path) -> None:
    path = first(root / "train" / "annotations")
    start = path.read_text().index("<name>")
    text = path.read_text()
    path.write_text(text[:start] + "<name>happy" + text[text.index("</name>") :])


def truncate_picture(root: Path) -> None:
    path = first(root / "train" / "img")
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (remove_all, ["faces: no such folder; set data.root=/path/to/dataset"]),
        (empty, ["annotations: no *.xml in it; expected one for each photo"]),
        (remove_picture, ["scene_00001.xml: no picture 'scene_00001.jpg' in", "remove the XML"]),
        (remove_xml, ["scene_00001.jpg: no XML file in", "data.allow_unannotated=true"]),
        (push_box_outside, ["scene_00001.xml:", "is not inside its picture of", "outside=clip"]),
        (spoil_labels, ["unknown label 'happy'; expected neutral, anger", "{happy: neutral}"]),
        (truncate_picture, ["scene_00001.jpg: cannot be decoded (image file is truncated"]),
    ],
)
def test_bad_data_is_one_clear_error(
    faces: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    parts: list[str],
) -> None:
    spoil(faces)
    run = f"hydra.run.dir={tmp_path / 'run'}"
    try:
        code: int | str | None = main(["train", f"data.root={faces}", run, *TINY])
    except SystemExit as stop:
        code = stop.code
    text = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in text
    for part in parts:
        assert part in text


def test_the_way_out_of_an_unknown_label_works(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil_labels(faces)
    run = f"hydra.run.dir={tmp_path / 'run'}"
    mapping = "data.label_map={happy: smile}"
    assert main(["train", f"data.root={faces}", run, mapping, *TINY]) == 0
    assert "next: emotion evaluate" in capsys.readouterr().out


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


def test_cfg_job_prints_the_config_and_runs_nothing(tmp_path: Path) -> None:
    done = run("train", "--cfg", "job", "experiment=original", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "batch_size: 200" in done.stdout
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
def test_help_names_the_groups_and_the_settings(tmp_path: Path) -> None:
    done = run("train", "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for text in ("experiment: demo, faces, original", "trainer: auto, cpu, ddp, gpu", "max_epochs"):
        assert text in done.stdout


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
    done = run("train", f"data.root={sample_root}", *tiny, *ddp, "data.val=5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "outputs" / "train").iterdir()
    header, *rows = [line.split(",") for line in (folder / "epochs.csv").read_text().split()]
    faces = sum(
        path.read_text().count("<object>")
        for path in (sample_root / "train" / "annotations").iterdir()
        if f'"{path.name}"' in (folder / "split.json").read_text().split('"val"')[1]
    )
    assert [float(row[header.index("val/samples")]) for row in rows] == [faces, faces]
    assert [float(row[header.index("train/samples")]) for row in rows] == [4, 4]
    assert (folder / "selection.json").is_file()
    evaluated = run("evaluate", str(folder), cwd=tmp_path)
    assert evaluated.returncode == 0, evaluated.stderr


def test_a_sweep_over_several_devices_is_refused(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = f"hydra.sweep.dir={tmp_path}"
    arguments = ["train", "-m", "trainer=ddp", f"data.root={sample_root}", sweep, "seed=1,2"]
    assert main(arguments) == 2
    assert "trainer=ddp: a sweep (-m) runs each job on one device" in capsys.readouterr().err


@pytest.mark.slow
def test_unusual_names_work(sample_root: Path, tmp_path: Path) -> None:
    odd = tmp_path / "얼굴 사진, a=b"
    shutil.copytree(sample_root, odd)
    picture = first(odd / "train" / "img")
    with Image.open(picture) as image:
        assert image.size[0] > 0
    done = run("train", f"data.root='{odd}'", *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
