import subprocess
import sys
from pathlib import Path

import pytest

from emotion.__main__ import main

HEAVY = ("torch", "numpy", "scipy", "hydra", "cv2", "lxml", "PIL", "imagehash", "jinja2")
VERBS = ("check", "split", "import", "labels", "show", "sample")


def test_a_sample_is_drawn_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "sample"
    assert main(["data", "sample", str(root), "--images", "5", "--seed", "7"]) == 0
    assert len(list((root / "train" / "img").iterdir())) == 4
    faces = sum(p.read_text().count("<object>") for p in (root / "train").rglob("*.xml"))
    assert f"drew 5 scenes: {faces} faces in {root / 'train'} and" in capsys.readouterr().out


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    assert main(["data", "sample", str(tmp_path)]) == 2
    assert "is not an empty folder; name another, or remove it first" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize("arguments", [["data"], ["data", "nonsense"], ["data", "sample"]])
def test_a_verb_that_is_missing_is_explained(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: emotion data" in capsys.readouterr().err


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["data", "--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"\n    {verb} " in printed for verb in VERBS)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from emotion.__main__ import main\n"
        f"for verb in ((), *((verb,) for verb in {VERBS})):\n"
        "    try:\n"
        "        main(['data', *verb, '--help'])\n"
        "    except SystemExit as stop:\n"
        f"        print(verb, stop.code, [n for n in {HEAVY} if n in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if line.startswith("(")]
    assert lines == [f"{verb} 0 []" for verb in ((), *((verb,) for verb in VERBS))]
