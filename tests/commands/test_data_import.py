"""The two verbs as `emotion data` gets them, through a parser of the test's own."""

import argparse
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from emotion.commands.data_import import add_import, add_labels
from emotion.errors import ConfigError, DataError, EmotionError


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser("emotion data")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add_import(verbs)
    add_labels(verbs)
    options = parser.parse_args([str(argument) for argument in arguments])
    code: int = options.run(options)
    return code


@pytest.fixture
def source(tmp_path: Path) -> Path:
    names = ("train/happy/a", "train/fear/b", "train/angry/c", "test/happy/d")
    for number, name in enumerate(names):
        stream = io.BytesIO()
        Image.new("RGB", (20, 20), (number, 0, 0)).save(stream, "PNG")
        path = tmp_path / "source" / f"{name}.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(stream.getvalue())
    return tmp_path / "source"


def test_an_import_prints_what_became_of_each_label(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "faces"
    assert run("import", "fer2013", source, root) == 0
    assert capsys.readouterr().out.splitlines() == [
        "label  becomes  train  test",
        "angry  anger        1     0",
        "fear   dropped      1     0",
        "happy  smile        1     1",
        "train: 2 faces in 2 photos: anger 1, smile 1",
        "test: 1 faces in 1 photos: anger 0, smile 1",
        str(root / "import.json"),
    ]
    record = json.loads((root / "import.json").read_text())
    assert record["format"] == "fer2013"
    assert record["source"] == "source"
    assert record["settings"] == {}


def test_what_could_not_be_used_is_listed_and_told_by_the_exit_code(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        (source / f"train/happy/x{number:02d}.png").write_bytes(b"")
    assert run("import", "folder", source, tmp_path / "faces") == 1
    printed = capsys.readouterr().out
    assert "could not be used: 12\n  train/happy/x00.png: empty file\n" in printed
    assert "x09.png: empty file\n  … and 2 more, in import.json" in printed
    assert "x10" not in printed


def test_other_classes_come_with_the_words_to_train_on_them(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--map", "happy=Big smile", "--map", "angry=", "--keep-others")
    assert run("import", "fer2013", source, tmp_path / "faces", *arguments) == 0
    printed = capsys.readouterr().out
    assert "train: 2 faces in 2 photos: Big smile 1, fear 1" in printed
    assert """train with 'input.labels=["Big smile",fear]'""" in printed


def test_many_labels_are_cut_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: Path
) -> None:
    rows = "".join(f"train/happy/a.png,label {n:03d}\n" for n in range(99))
    (source / "l.csv").write_text(f"image,label\n{rows}train/happy/a.png,sad\n")
    assert run("import", "csv", source, tmp_path / "faces") == 0
    assert "… and 40 more labels\nall: 1 faces in 1 photos: sad 1" in capsys.readouterr().out


def test_pictures_without_faces_are_told(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [
        {"id": n, "file_name": f"train/{name}.png"} for n, name in enumerate(("happy/a", "fear/b"))
    ]
    content = {
        "images": images,
        "annotations": [{"image_id": 0, "category_id": 0, "bbox": [0, 0, 9, 9]}],
        "categories": [{"id": 0, "name": "sad"}],
    }
    (source / "x.json").write_text(json.dumps(content))
    assert run("import", "coco", source, tmp_path / "faces") == 0
    assert "left out: 1 pictures in which the source has no face" in capsys.readouterr().out


def test_settings_reach_their_format(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--rule: expected official, majority, plurality"):
        run("import", "ferplus", source, tmp_path / "faces", "--rule", "best")
    with pytest.raises(ConfigError, match="--votes: expected 0 to 10"):
        run("import", "ferplus", source, tmp_path / "faces", "--votes", "11")
    with pytest.raises(ConfigError, match="--frames: expected 1 or more"):
        run("import", "ckplus", source, tmp_path / "faces", "--frames", "0")
    with pytest.raises(ConfigError, match="--neutral: expected 0 or more"):
        run("import", "ckplus", source, tmp_path / "faces", "--neutral", "-1")


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (["happy"], "--map happy: expected NAME=CLASS, or NAME= to drop such faces"),
        (["=smile"], "--map =smile: expected NAME=CLASS"),
        (["happy=a", "happy=b"], "--map: happy is mapped twice"),
        (["happy=a", "3=b"], "--map: happy is mapped twice"),
        (["joyful=smile"], "--map joyful=…: no face has this label; found angry, fear, happy"),
    ],
)
def test_a_map_that_cannot_be_is_a_mistake(
    source: Path, tmp_path: Path, pairs: list[str], reason: str
) -> None:
    arguments = [word for pair in pairs for word in ("--map", pair)]
    with pytest.raises(ConfigError, match=reason):
        run("import", "fer2013", source, tmp_path / "faces", *arguments)


def test_a_name_may_hold_an_equals_sign(source: Path, tmp_path: Path) -> None:
    (source / "train/happy").rename(source / "train/a=b")
    assert run("import", "folder", source, tmp_path / "faces", "--map", "a=b=smile") == 0


def test_another_layout_is_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected FER2013Train.*it looks like folder: emotion"):
        run("import", "ferplus", source, tmp_path / "faces")


def test_an_unknown_format_is_a_mistake(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("import", "labels"):
        with pytest.raises(SystemExit) as stop:
            run(verb, "jaffe", *([source, tmp_path / "x"] if verb == "import" else []))
        assert stop.value.code == 2
        assert "invalid choice: 'jaffe' (choose from 'ferplus'," in capsys.readouterr().err


def test_help_tells_the_layout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("import", "rafdb", "--help")
    assert "list_patition_label.txt" in capsys.readouterr().out


def test_labels_are_listed_by_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("labels", "rafdb") == 0
    assert capsys.readouterr().out.splitlines() == [
        "format  number  label      becomes",
        "rafdb        1  surprise   surprise",
        "rafdb        2  fear       dropped",
        "rafdb        3  disgust    dropped",
        "rafdb        4  happiness  smile",
        "rafdb        5  sadness    sad",
        "rafdb        6  anger      anger",
        "rafdb        7  neutral    neutral",
    ]
    assert run("labels") == 0
    formats = {line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]}
    assert formats == {
        *("ferplus", "ckplus", "affectnet", "rafdb", "fer2013"),
        *("yolo", "coco", "csv", "folder"),
    }


def test_the_parser_imports_nothing_heavy() -> None:
    code = (
        "import argparse, sys; from emotion.commands.data_import import add_import, add_labels\n"
        "verbs = argparse.ArgumentParser().add_subparsers(); add_import(verbs); add_labels(verbs)\n"
        "print([n for n in ('torch', 'numpy', 'cv2', 'lxml', 'PIL', 'yaml') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_every_mistake_is_one_that_the_caller_prints(tmp_path: Path) -> None:
    with pytest.raises(EmotionError, match="no such file or folder"):
        run("import", "csv", tmp_path / "nowhere.csv", tmp_path / "faces")
