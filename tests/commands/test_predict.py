import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.exports import Exported
from tests.films import cut, film

from emotion.__main__ import main
from emotion.experiments.outcome import RunResult
from emotion.training.checkpoints import store_calibration

KEYS = [
    *("source", "frame", "time", "face", "box", "detector_score", "answer", "emotion"),
    *("probabilities", "raw_probabilities", "reason"),
]


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_line_a_face_on_standard_output(
    run_result: RunResult, sample_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sample_root / "test" / "img"
    assert main(["predict", str(folder), "--model", str(run_result.folder)]) == 0
    captured = capsys.readouterr()
    found = records(captured.out)
    assert [list(record) for record in found] == [KEYS] * len(found)
    assert {record["source"] for record in found} == {str(path) for path in folder.iterdir()}
    for record in found:
        assert sum(record["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert record["probabilities"][record["emotion"]] == max(record["probabilities"].values())
    assert f"4 photos: {len(found)} faces found, 0 without a face" in captured.err


def test_no_face_and_no_picture_are_records_and_the_run_goes_on(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = min((sample_root / "test" / "img").iterdir())
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "blank.png")
    (tmp_path / "broken.jpg").write_bytes(good.read_bytes()[:3000])
    (tmp_path / "text.txt").write_text("no picture")
    paths = [tmp_path / "broken.jpg", tmp_path / "blank.png", tmp_path / "text.txt", good]
    out, drawn = tmp_path / "out.jsonl", tmp_path / "drawn"
    arguments = ["--model", str(run_result.folder), "--out", str(out), "--draw", str(drawn)]
    assert main(["predict", *map(str, paths), *arguments]) == 1
    found = records(out.read_text())
    assert "cannot be decoded" in found[0]["reason"]
    assert found[1]["reason"] == "no face found"
    assert "not a picture" in found[2]["reason"]
    assert found[3]["reason"] is None
    assert "1 without a face, 2 unreadable" in capsys.readouterr().err
    names = ["0002_blank.jpg", f"0004_{good.stem}.jpg", "summary.html"]
    assert sorted(p.name for p in drawn.iterdir()) == names


@pytest.mark.slow
def test_unusual_names_work_on_the_real_command_line(
    run_result: RunResult, sample_root: Path, tmp_path: Path
) -> None:
    good = min((sample_root / "test" / "img").iterdir())
    names = ["a photo, with = in it.jpg", "웃는 얼굴.JPG", "--model.png", "[x]{y}.jpg"]
    for name in names:
        shutil.copy(good, tmp_path / name)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "emotion",
            "predict",
            "--model",
            str(run_result.folder),
            "--",
            *names,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = records(done.stdout)
    assert [record["source"] for record in found if record["face"] in (1, None)] == names


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        (["nowhere.jpg"], "nowhere.jpg: no such file or folder"),
        (["empty"], "empty: no pictures in it; looked for .bmp"),
    ],
)
def test_wrong_paths_are_one_clear_error(
    run_result: RunResult,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    paths: list[str],
    text: str,
) -> None:
    (tmp_path / "empty").mkdir()
    given = [str(tmp_path / path) for path in paths]
    assert main(["predict", *given, "--model", str(run_result.folder)]) == 2
    assert text in capsys.readouterr().err


def test_wrong_detector_settings_are_one_clear_error(
    run_result: RunResult, sample_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["predict", str(sample_root), "--model", str(run_result.folder), "--upsample", "9"]
    assert main(arguments) == 2
    assert "upsample: expected 0, 1, 2 or 3, got 9" in capsys.readouterr().err


@pytest.mark.slow
def test_dlib_finds_the_faces_of_real_photos(
    run_result: RunResult, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared / "data" / "nota24" / "img"
    assert main(["predict", str(folder), "--model", str(run_result.folder)]) == 0
    found = records(capsys.readouterr().out)
    assert len({record["source"] for record in found}) == 24
    assert sum(record["face"] is not None for record in found) >= 26


@pytest.mark.slow
def test_hostile_pictures_are_records(
    run_result: RunResult, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = sorted((shared / "data" / "hostile").iterdir())
    assert main(["predict", *map(str, paths), "--model", str(run_result.folder)]) == 1
    found = records(capsys.readouterr().out)
    assert {record["source"] for record in found} == {str(path) for path in paths}
    assert all(record["emotion"] or record["reason"] for record in found)


def test_an_older_output_survives_an_error(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("precious\n")
    photo = min((sample_root / "test" / "img").iterdir())
    blocked = tmp_path / "drawn"
    blocked.mkdir()
    (blocked / f"0001_{photo.stem}.jpg").mkdir()  # the drawing cannot be written
    arguments = ["--model", str(run_result.folder), "--out", str(out), "--draw", str(blocked)]
    assert main(["predict", str(photo), *arguments]) == 2
    assert out.read_text() == "precious\n"
    assert f"kept so far: {out}.partial; --resume goes on" in capsys.readouterr().err
    assert len(records(Path(f"{out}.partial").read_text())) >= 1


def test_nothing_is_written_over_a_photo_a_folder_or_a_file(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = Path(shutil.copy(min((sample_root / "test" / "img").iterdir()), tmp_path))
    before = photo.read_bytes()
    arguments = ["predict", str(photo), "--model", str(run_result.folder)]
    assert main([*arguments, "--out", str(photo)]) == 2
    assert "is one of the photos; name another file" in capsys.readouterr().err
    assert main([*arguments, "--out", str(tmp_path)]) == 2
    assert "is a folder; name a file" in capsys.readouterr().err
    assert main([*arguments, "--draw", str(photo)]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err
    assert photo.read_bytes() == before


def test_a_device_that_is_not_there_is_one_clear_error(
    run_result: RunResult, sample_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for device in ("nonsense", "meta"):
        arguments = ["--model", str(run_result.folder), "--device", device]
        assert main(["predict", str(sample_root), *arguments]) == 2
        assert f"--device {device}: not on this machine" in capsys.readouterr().err


def test_a_threshold_that_is_no_number_is_one_clear_error(
    run_result: RunResult, sample_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--model", str(run_result.folder), "--threshold", "nan"]
    assert main(["predict", str(sample_root), *arguments]) == 2
    assert "threshold: expected a number, got nan" in capsys.readouterr().err


def test_a_pipe_and_a_name_that_is_not_utf8_are_records(
    run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.jpg")
    Image.new("RGB", (50, 50)).save(odd)
    paths = [str(tmp_path / "pipe.jpg"), odd]
    assert main(["predict", *paths, "--model", str(run_result.folder)]) == 1
    found = records(capsys.readouterr().out)
    assert "expected a picture, got no regular file" in found[0]["reason"]
    assert found[1]["reason"] == "no face found"


def test_the_ending_or_the_option_says_the_form(
    run_result: RunResult, sample_root: Path, tmp_path: Path
) -> None:
    photo = str(min((sample_root / "test" / "img").iterdir()))
    model = ["--model", str(run_result.folder)]
    for name, more in (("a.csv", []), ("a.txt", ["--format", "csv"])):
        assert main(["predict", photo, *model, "--out", str(tmp_path / name), *more]) == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "a.txt").read_bytes()
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert {row["source"] for row in rows} == {photo}
    assert all(0 < float(row["p_smile"]) < 1 for row in rows)


def test_a_list_comes_on_standard_input(
    exported: Exported, sample_root: Path, tmp_path: Path
) -> None:
    photos = sorted((sample_root / "test" / "img").iterdir())[:2]
    listed = "\n".join([*map(str, photos), str(tmp_path / "gone.jpg")])
    command = [sys.executable, "-m", "emotion", "predict", "-", "--model", str(exported.onnx)]
    done = subprocess.run(command, input=listed, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stderr
    found = records(done.stdout)
    assert {record["source"] for record in found} == {*map(str, photos), str(tmp_path / "gone.jpg")}
    assert "no such file" in found[-1]["reason"]


def test_drawing_without_its_package_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("emotion.commands.predict.find_spec", lambda name: None)
    photo, out = tmp_path / "photo.jpg", tmp_path / "faces.jsonl"
    photo.touch()
    command = ["predict", str(photo), "--draw", str(tmp_path / "drawn"), "--out", str(out)]
    assert main(command) == 2
    assert "--draw: needs jinja2, which is not installed: pip install jinja2" in (
        capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == [photo]


def test_resume_predicts_what_is_missing_and_gives_the_same_file(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = sample_root / "test" / "img", tmp_path / "a.jsonl"
    arguments = ["predict", str(folder), "--model", str(run_result.folder), "--out", str(out)]
    assert main(arguments) == 0
    whole = out.read_bytes()
    begun = whole.split(b"\n", 2)[0] + b"\n" + whole.split(b"\n", 2)[1][:20]
    (tmp_path / "a.jsonl.partial").write_bytes(begun)
    assert main([*arguments, "--resume"]) == 0
    resumed = records(out.read_text())
    assert [record["box"] for record in resumed] == [r["box"] for r in records(whole.decode())]
    capsys.readouterr()
    assert main([*arguments, "--resume"]) == 0
    assert "0 faces found" in capsys.readouterr().err
    assert records(out.read_text()) == resumed
    assert main([*arguments[:-2], "--resume"]) == 2
    assert "--resume: goes on with the file of --out; name it" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_resume_goes_on(
    run_result: RunResult, sample_root: Path, tmp_path: Path
) -> None:
    good = min((sample_root / "test" / "img").iterdir())
    (tmp_path / "photos").mkdir()
    for number in range(150):
        shutil.copy(good, tmp_path / "photos" / f"{number:03d}.jpg")
    out = tmp_path / "a.jsonl"
    command = [
        *(sys.executable, "-m", "emotion", "predict", str(tmp_path / "photos")),
        *("--model", str(run_result.folder), "--out", str(out)),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    partial = tmp_path / "a.jsonl.partial"
    deadline = time.monotonic() + 120
    while not (partial.exists() and partial.read_text().count("\n") > 20):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "--resume goes on with it" in told
    assert "Traceback" not in told
    assert 0 < len({r["source"] for r in records(partial.read_text())}) < 150
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "there already" in done.stderr
    found = [record["source"] for record in records(out.read_text())]
    assert found == sorted(found)
    assert len(set(found)) == 150


def test_a_full_disk_is_one_clear_error_and_what_was_done_is_kept(
    exported: Exported, sample_root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl"
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700));"
        " import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        " from emotion.__main__ import main; sys.exit(main())"
    )
    command = [
        *(sys.executable, "-B", "-c", limited, "predict", str(sample_root / "test" / "img")),
        *("--model", str(exported.onnx), "--out", str(out)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "kept so far" in done.stderr
    assert not out.exists()
    assert 0 < (tmp_path / "a.jsonl.partial").stat().st_size <= 700


def test_the_models_threshold_makes_answers_unsure_unless_another_is_given(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, model = str(min((sample_root / "test" / "img").iterdir())), tmp_path / "a.ckpt"
    model.write_bytes(run_result.checkpoint.read_bytes())
    store_calibration(model, 1.0, 0.99)
    assert main(["predict", photo, "--model", str(model)]) == 0
    assert {record["answer"] for record in records(capsys.readouterr().out)} == {"unsure"}
    assert main(["predict", photo, "--model", str(model), "--unsure-below", "0"]) == 0
    found = records(capsys.readouterr().out)
    assert all(record["answer"] == record["emotion"] for record in found)
    assert main(["predict", photo, "--model", str(model), "--unsure-below", "2"]) == 2
    assert "unsure-below: expected 0 to 1, got 2" in capsys.readouterr().err


def test_a_camera_that_is_not_there_is_one_clear_error(
    run_result: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "97", "--model", str(run_result.folder)]) == 2
    assert "camera 97: " in capsys.readouterr().err


def test_videos_of_a_folder_are_predicted_and_drawn(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = min((sample_root / "test" / "img").iterdir())
    image = np.asarray(Image.open(photo).convert("RGB"))
    image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    (tmp_path / "in").mkdir()
    film(tmp_path / "in" / "a.mp4", [image] * 5, fps=5, sound=1.0)
    film(tmp_path / "in" / "cut.mkv", [image] * 5, fps=5)
    cut(tmp_path / "in" / "cut.mkv")
    (tmp_path / "in" / "text.mp4").write_text("no video")
    arguments = ["predict", str(tmp_path / "in"), "--model", str(run_result.folder)]
    drawn = tmp_path / "drawn"
    assert main([*arguments, "--every", "2", "--draw", str(drawn)]) == 1
    captured = capsys.readouterr()
    found = records(captured.out)
    whole = [record for record in found if record["source"].endswith("a.mp4")]
    assert {record["frame"] for record in whole} == {0, 2, 4}
    assert {record["face"] for record in whole} == set(range(1, len(whole) // 3 + 1))
    assert found[-1]["source"].endswith("text.mp4")
    assert found[-1]["reason"]
    assert (drawn / "0001_a.mp4").is_file()
    assert (drawn / "0001_a.timeline.png").is_file()
    assert "0001_a.mp4" in (drawn / "summary.html").read_text()
    assert f"look at {drawn / 'summary.html'}" in captured.err
