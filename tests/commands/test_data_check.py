"""`emotion data check`: what is printed and written, what is mended, and how it ends."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.datasets import SAD, SMILE, add_clean, add_photo, change, hashes, picture_of

from emotion.__main__ import main
from emotion.errors import PictureError
from emotion.faces.boxes import Box
from emotion.faces.images import read_image
from emotion.faces.problems import KINDS

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add_clean(tmp_path / "faces")
    return tmp_path / "faces"


def check(root: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Checks a data set; gives the exit code and the report."""
    out = root.parent / "report"
    code = main(["data", "check", str(root), "--out", str(out), *options])
    return code, json.loads((out / "check.json").read_text(encoding="utf-8"))


def kinds(report: dict[str, Any]) -> dict[str, int]:
    return {kind["kind"]: kind["count"] for kind in report["kinds"]}


def refused(capsys: Captured, root: Path, *options: str) -> str:
    """Gives the message of a check that could not run."""
    assert main(["data", "check", str(root), *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_clean_data_set(root: Path, capsys: Captured) -> None:
    code, report = check(root)
    assert code == 0
    assert report["clean"]
    out = root.parent / "report"
    assert capsys.readouterr().out == (
        "train: 4 photos, 4 faces (neutral 0, anger 0, surprise 0, smile 2, sad 2)\n"
        "test: 1 photos, 1 faces (neutral 0, anger 0, surprise 0, smile 1, sad 0)\n"
        "\n"
        f"{root}: clean, nothing to mend\n"
        f"{out / 'check.html'}\n{out / 'check.json'}\n"
    )
    assert "<html" in (out / "check.html").read_text(encoding="utf-8")


def test_problems_are_listed_and_the_data_set_is_not_touched(root: Path, capsys: Captured) -> None:
    add_photo(root / "train", "a", ("joy", SMILE[1]), ("sad", Box(50, 10, 85, 50)))
    before = hashes(root)
    code, report = check(root)
    assert code == 1
    assert not report["clean"]
    assert kinds(report) == {"box_outside": 1, "label_unknown": 1}
    printed = capsys.readouterr().out
    assert "error label_unknown: label is none of the classes (1 in 1 files)\n" in printed
    assert "    train/annotations/a.xml:9: unknown label 'joy'; expected neutral," in printed
    assert f"{root}: 2 errors, 0 warnings; `emotion data check {root} --fix DIR` mends" in printed
    assert hashes(root) == before


def test_the_report_goes_to_a_folder_that_is_called_like_the_data_set(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(root.parent)
    assert main(["data", "check", "faces"]) == 0
    out = Path("outputs") / "check" / "faces"
    assert sorted(path.name for path in out.iterdir()) == ["check.html", "check.json"]
    assert str(out / "check.html") in capsys.readouterr().out
    assert main(["data", "check", str(root)]) == 0  # once more, over the first


def test_options_say_what_the_files_mean(root: Path) -> None:
    add_photo(root / "train", "a", ("happy", Box(2, 2, 22, 22)), ("fear", SAD[1]))
    change(root / "train" / "annotations" / "a.xml", "<ymin>2<", "<ymin>1<")
    labels = ["--labels", "sad, smile", "--map", "happy=smile", "--map", "fear="]
    code, report = check(root, *labels, "--origin", "1", "--min-face", "20")
    assert (code, kinds(report)) == (0, {})
    train = report["parts"]["train"]
    assert (train["classes"], train["other_labels"]) == ({"sad": 2, "smile": 3}, {"dropped": 1})
    _, report = check(root)
    assert kinds(report) == {"label_unknown": 2, "box_too_small": 1}
    _, report = check(root, *labels, "--min-face", "41")
    assert kinds(report) == {"box_too_small": 7}  # the face that is dropped is one of them


def test_groups_are_looked_for_in_the_data_set(root: Path) -> None:
    rows = {"s1": "ann", "s2": "bob", "t1": "cy", "t2": "dan", "s3": "ann"}
    text = "\n".join(["filename,person", *(f"{name}.png,{who}" for name, who in rows.items())])
    (root / "groups.csv").write_text(text)
    code, report = check(root, "--groups", "groups.csv")
    assert (code, kinds(report)) == (1, {"group_across_parts": 1})
    assert report["problems"][0]["picture"] == "train/img/s1.png"
    assert report["problems"][0]["others"] == ["test/img/s3.png"]


def test_accepted_kinds_are_listed_and_leave_it_clean(root: Path, capsys: Captured) -> None:
    change(root / "train" / "annotations" / "s1.xml", "<width>80<", "<width>81<")
    add_photo(root / "train", "a", ("anger", SMILE[1]))
    code, report = check(root, "--accept", "size_wrong, similar")
    assert code == 1
    assert [(k["kind"], k["accepted"]) for k in report["kinds"]] == [
        ("class_too_small", False),
        ("size_wrong", True),
    ]
    code, report = check(root, "--accept", "size_wrong,class_too_small")
    assert code == 0
    assert report["clean"]
    assert len(report["problems"]) == 2
    assert "class_too_small: class has too few photos to split (1 in 1 files, accepted)" in (
        capsys.readouterr().out
    )


def test_every_kind_may_be_accepted(root: Path) -> None:
    assert check(root, "--accept", ",".join(KINDS))[0] == 0


def test_a_mended_copy_is_written_and_told(root: Path, capsys: Captured) -> None:
    add_photo(root / "train", "a", ("Smile", SMILE[1]), ("joy", Box(50, 10, 85, 50)))
    add_photo(root / "train", "b", ("sad", Box(-5, 10, 50, 50)))
    change(add_photo(root / "train", "c"), "<name>smile</name>", "")
    change(root / "train" / "annotations" / "c.xml", ">10<", ">10.5<")
    before = hashes(root)
    target = root.parent / "mended"
    code, _ = check(root, "--fix", str(target))
    assert code == 1  # that of the data set, not of the copy
    assert hashes(root) == before
    printed = capsys.readouterr().out.split(f"{root.parent / 'report' / 'check.json'}\n")[1]
    first, *rest = printed.strip().splitlines()
    listing = target / "mended.txt"
    assert first == f"{target}: a copy with 3 problems mended; {listing} lists them"
    assert sorted(rest[:3]) == ["  box_negative: 1", "  box_outside: 1", "  label_spelling: 1"]
    assert rest[3].startswith("  left, since mending would be a guess: ")
    assert set(rest[3].partition(": ")[2].split(", ")) == {
        "coordinate_float 1",
        "label_unknown 1",
        "tag_missing 1",
    }
    folder = root / "train" / "annotations"
    a, b, ends = folder / "a.xml", folder / "b.xml", "ends beyond its picture of 80 x 60"
    assert listing.read_text(encoding="utf-8").splitlines() == [
        f"label_spelling: {a}:9: <name> is 'Smile', not 'smile' -> <name> is now smile",
        f"box_outside: {a}:21: the box 50,10,84,49 {ends} -> <bndbox> is now 50,10,79,49",
        f"box_negative: {b}:9: the box -5,10,49,49 begins before its picture"
        " -> <bndbox> is now 0,10,49,49",
    ]
    left = {"label_unknown": 1, "tag_missing": 1, "coordinate_float": 1}
    assert kinds(check(target)[1]) == left


def test_a_copy_of_clean_data_is_clean(root: Path, capsys: Captured) -> None:
    target = root.parent / "mended"
    assert check(root, "--fix", str(target))[0] == 0
    assert "a copy with 0 problems mended" in capsys.readouterr().out
    copied = hashes(target)
    assert copied.pop("mended.txt")
    assert copied == hashes(root)


def test_where_a_copy_may_not_go_nothing_is_done(root: Path, capsys: Captured) -> None:
    before = hashes(root.parent)
    inside = refused(capsys, root, "--fix", str(root / "mended"))
    assert inside == f"emotion: --fix {root / 'mended'}: lies in {root}, which is not written to;" \
        " name another\n"  # fmt: skip
    assert "--fix . is not an empty folder".replace(".", f"{root / 'train'}:") in refused(
        capsys, root, "--fix", str(root / "train")
    )
    assert hashes(root.parent) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--accept", "nonsense"], "--accept: 'nonsense' is no kind of problem; expected some of"),
        (["--map", "happy"], "--map happy: expected NAME=CLASS, or NAME= to drop such faces"),
        (["--map", "happy=glad"], "expected its values to be among neutral, anger, surprise,"),
        (["--labels", "smile"], "expected two names or more, got ['smile']"),
        (["--labels", "smile,"], "expected names that are not empty, got ['smile', '']"),
        (["--groups", "gone.csv"], "data.groups=gone.csv: no such file"),
        (["--groups", "name:("], "data.groups=name:(: "),
    ],
)
def test_options_that_mean_nothing_are_explained(
    root: Path, capsys: Captured, options: list[str], message: str
) -> None:
    assert message in refused(capsys, root, *options)
    assert not (Path("outputs") / "check" / root.name).exists()


def test_a_report_that_cannot_be_written_is_an_error(root: Path, capsys: Captured) -> None:
    (root.parent / "file").touch()
    message = refused(capsys, root, "--out", str(root.parent / "file"))
    assert f"emotion: {root.parent / 'file' / 'check.json'}: cannot be written (" in message


def test_names_that_are_not_text_are_shown_as_well_as_they_can_be(
    root: Path, capsys: Captured
) -> None:
    path = add_photo(root / "train", "a")
    name = os.fsdecode(b"caf\xe9")  # as older systems wrote it
    picture_of(path).rename(path.parents[1] / "img" / f"{name}.png")
    path.rename(path.with_name(f"{name}.xml"))
    code, report = check(root)
    assert (code, kinds(report)) == (1, {"filename_wrong": 1})
    assert "train/annotations/caf?.xml: <filename> is 'a.png'" in capsys.readouterr().out


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emotion", "data", "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=600)


@pytest.mark.parametrize(
    "code", [1, *(pytest.param(code, marks=pytest.mark.slow) for code in (0, 2))]
)
def test_the_process_ends_with_its_code(root: Path, code: int) -> None:
    if code == 1:
        add_photo(root / "train", "a", ("joy", SMILE[1]))
    done = run("gone" if code == 2 else "faces", cwd=root.parent)
    assert done.returncode == code
    if code == 2:
        assert done.stdout == ""
        assert done.stderr == "emotion: gone: no such folder; set data.root=/path/to/dataset\n"
    else:
        assert done.stderr == ""
        assert done.stdout.endswith("outputs/check/faces/check.json\n")


def refusal(path: Path) -> str | None:
    """Says why a picture cannot be read; None where it can."""
    try:
        assert read_image(path).ndim == 3
    except PictureError as error:
        return error.reason
    return None


@pytest.mark.slow
def test_each_hostile_picture_ends_as_a_picture_or_with_one_reason(
    shared: Path, tmp_path: Path
) -> None:
    folder = shared / "data" / "hostile"
    files = sorted(path.name for path in folder.iterdir())
    assert len(files) == 42
    done = run(folder, "--out", tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    problems = report["problems"]
    unannotated = [p["file"] for p in problems if p["kind"] == "picture_unannotated"]
    assert sorted(unannotated) == files
    reasons = {p["file"]: p["message"] for p in problems if p["kind"] != "picture_unannotated"}
    assert len(problems) == len(unannotated) + len(reasons)  # one reason each
    assert {"empty.jpg", "text.png", "broken.png", "decompression_bomb.gif"} <= set(reasons)
    assert all(reason and "\n" not in reason for reason in reasons.values())
    assert all(kind["kind"].startswith("picture_") for kind in report["kinds"])
    assert {name: refusal(folder / name) for name in files} == {
        name: reasons.pop(name, None) for name in files
    }
    assert reasons == {}
    assert (tmp_path / "check.html").stat().st_size > 1000


@pytest.mark.slow
def test_the_photos_of_the_original_are_clean(shared: Path, tmp_path: Path) -> None:
    done = run(shared / "data" / "nota24", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert report["clean"]
    assert report["problems"] == []
    assert (report["parts"]["all"]["photos"], report["parts"]["all"]["faces"]) == (24, 28)


@pytest.mark.slow
def test_the_photos_of_five_emotions_have_warnings_only(shared: Path, tmp_path: Path) -> None:
    out, fixed = tmp_path / "out", tmp_path / "fixed"
    root = shared / "data" / "faces5"
    done = run(root, "--groups", "groups.csv", "--out", out, "--fix", fixed)
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads((out / "check.json").read_text(encoding="utf-8"))
    assert {name: part["photos"] for name, part in report["parts"].items()} == {
        "train": 1688,
        "test": 184,
    }
    counts: Counter[str] = Counter()
    for part in report["parts"].values():
        counts.update(part["classes"])
    assert counts == {"neutral": 569, "smile": 596, "surprise": 310, "sad": 199, "anger": 198}
    assert {kind["severity"] for kind in report["kinds"]} == {"warning"}
    names = ",".join(kind["kind"] for kind in report["kinds"])
    accepted = run(root, "--groups", "groups.csv", "--out", out, "--accept", names)
    assert accepted.returncode == 0
    copied = hashes(fixed)
    assert copied.pop("mended.txt")
    assert copied == hashes(root)  # there is nothing to be mended
