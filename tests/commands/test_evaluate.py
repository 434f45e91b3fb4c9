import csv
import json
import shutil
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
    assert content["about"]["checkpoint"] == str(run_result.checkpoint)
    with (tmp_path / "predictions.csv").open() as file:
        assert len(list(csv.DictReader(file))) == faces
    assert {"confusion.png", "report.html", "report.txt"} <= {p.name for p in tmp_path.iterdir()}


@pytest.mark.usefixtures("blank")
def test_the_run_and_the_evaluation_agree_on_validation(
    run_result: RunResult, sample_root: Path, tmp_path: Path
) -> None:
    # The same faces through the other road: crops, network and metrics must give the same numbers.
    split = json.loads((run_result.folder / "split.json").read_text())["parts"]["val"]["files"]
    for annotation, described in split.items():
        for name in (annotation, described["picture"]):
            target = tmp_path / "val" / Path(name).relative_to("train")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(sample_root / name, target)
    out = tmp_path / "out"
    checkpoint = str(run_result.checkpoint)
    assert (
        main(["evaluate", checkpoint, str(tmp_path / "val"), "--out", str(out), "--no-detector"])
        == 0
    )
    scores = json.loads((out / "metrics.json").read_text())["scores"]
    for name in ("accuracy", "balanced_accuracy"):
        assert scores[name]["value"] == pytest.approx(run_result.metrics[f"val/{name}"], abs=1e-6)


@pytest.mark.usefixtures("blank")
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
    arguments = [
        "evaluate",
        str(run_result.folder),
        str(data),
        "--out",
        str(tmp_path / "out"),
        "--no-detector",
    ]
    assert main(arguments) == 2
    text = capsys.readouterr().err
    assert "unknown label 'joy'; expected neutral, anger, surprise, smile, sad" in text
    assert "  label_unknown: 9 (label is none of the classes)" in text
    assert "or evaluate, data split --map 'joy=neutral' (nothing drops)" in text
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


def predicted(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("blank")
def test_the_data_of_the_run_is_read_as_the_run_read_it(
    sample_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A run that dropped a class, a box and difficult faces, and mended another box, must not fail
    # on its own test part, typed from anywhere.
    root = shutil.copytree(sample_root, tmp_path / "data")
    one, two, *others = sorted((root / "test" / "annotations").iterdir())  # two and three faces
    spoil(one, "xmin", "-3")
    spoil(two, "xmax", "9999")
    spoil(others[0], "difficult", "1")
    text = "".join(path.read_text() for path in (one, two, *others))
    left = text.count("<object>") - text.count("<name>neutral<") - 2
    settings = [
        "data.label_map={neutral: null}",
        "data.mend=[box_negative]",
        "data.drop=[box_outside]",
        "data.keep_difficult=false",
        "trainer.max_epochs=1",
    ]
    # None of the faces that are changed is a neutral one, and so left out in any case.
    for path in (one, two, others[0]):
        assert "<name>neutral<" not in path.read_text().split("</object>")[0]
    result = train_tiny(root, tmp_path / "run", *settings)
    monkeypatch.chdir(sample_root)
    capsys.readouterr()
    assert main(["evaluate", str(result.folder), "--no-detector"]) == 0
    captured = capsys.readouterr()
    assert f"{left} faces in" in captured.out
    assert "left out 1 faces (data.drop): box_outside 1\n" in captured.err
    out = result.folder / "evaluation-data-test"
    about = json.loads((out / "metrics.json").read_text())["about"]
    assert (about["left_out"], about["mended"]) == ({"box_outside": 1}, {"box_negative": 1})
    assert about["difficult"] == "dropped"
    assert len(predicted(out)) == left


def spoil(annotation: Path, tag: str, content: str) -> None:
    """Replaces what stands in the first element of that name."""
    text = annotation.read_text()
    start = text.index(f"<{tag}>") + len(f"<{tag}>")
    annotation.write_text(text[:start] + content + text[text.index(f"</{tag}>") :])


THREE = (  # classes with enough photos for three parts
    "input.labels=[anger,surprise,sad]",
    "data.label_map={neutral: sad, smile: sad}",
    "trainer.max_epochs=1",
)


@pytest.mark.usefixtures("blank")
def test_a_run_is_evaluated_on_just_the_photos_that_it_kept(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Called as a folder of test photos would be, and yet it holds those that were trained on.
    root = shutil.copytree(sample_root / "train", tmp_path / "faces" / "test")
    result = train_tiny(root, tmp_path / "run", *THREE, "data.val=4", "data.test=4")
    capsys.readouterr()
    assert main(["evaluate", str(result.folder), "--no-detector"]) == 0
    test = json.loads((result.folder / "split.json").read_text())["parts"]["test"]
    assert f"{test['faces']} faces in 4 photos" in capsys.readouterr().out
    rows = predicted(result.folder / "evaluation-faces-test")
    assert len(rows) == test["faces"]
    pictures = {Path(described["picture"]).name for described in test["files"].values()}
    assert {Path(row["file"]).name for row in rows} == pictures
    # A photo that is not as it was might stand in another part now.
    name = min(test["files"])
    spoil(root / name, "ymin", "1")
    assert main(["evaluate", str(result.folder)]) == 2
    assert f"{name} or its picture" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("blank")
def test_a_run_without_a_test_part_needs_other_photos(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = train_tiny(sample_root / "train", tmp_path / "run", "trainer.max_epochs=1")
    assert main(["evaluate", str(result.folder)]) == 2
    text = capsys.readouterr().err
    assert f"{sample_root / 'train'}: the run kept no photos for a test; name others" in text
    assert not list(result.folder.glob("evaluation-*"))
    out = ["--out", str(tmp_path / "out"), "--no-detector"]
    assert main(["evaluate", str(result.folder), str(sample_root), *out]) == 0


@pytest.mark.usefixtures("blank")
@pytest.mark.slow
def test_parts_are_not_evaluated_together(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # They would be the photos that were trained on.
    root = tmp_path / "faces"
    shutil.copytree(sample_root / "train", root / "train")
    out = ["--out", str(tmp_path / "out"), "--no-detector"]
    assert main(["evaluate", str(run_result.folder), str(root), *out]) == 2
    text = capsys.readouterr().err
    assert f"{root}: has train/, but no test/; name the part that is meant" in text
    assert text.endswith(f" {root / 'train'}\n")
    assert not (tmp_path / "out").exists()
    assert main(["evaluate", str(run_result.folder), str(root / "train"), *out]) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("blank")
def test_problems_are_refused_dropped_or_mended(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shutil.copytree(sample_root / "test", tmp_path / "faces")
    path = data / "annotations" / "scene_00005.xml"
    width = int(path.read_text().split("<width>")[1].split("<")[0])
    # One beyond the last pixel, unless pixels are counted from 1.
    spoil(path, "xmax", str(width))
    faces = sum(p.read_text().count("<object>") for p in data.rglob("*.xml"))
    arguments = [
        "evaluate",
        str(run_result.folder),
        str(data),
        "--out",
        str(tmp_path / "out"),
        "--no-detector",
    ]
    assert main(arguments) == 2
    text = capsys.readouterr().err
    assert "  box_outside: 1 (box ends beyond its picture)" in text
    assert "evaluate, data split --mend box_outside" in text
    assert main([*arguments, "--origin", "1"]) == 0
    assert f"{faces} faces in 4 photos" in capsys.readouterr().out
    assert main([*arguments, "--drop", "box_outside"]) == 0
    captured = capsys.readouterr()
    assert f"{faces - 1} faces in 4 photos" in captured.out
    assert "left out 1 faces (data.drop): box_outside 1\n" in captured.err
    assert main([*arguments, "--mend", "box_outside"]) == 0
    assert f"{faces} faces in 4 photos" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["about"]["mended"] == {
        "box_outside": 1
    }
    assert main([*arguments, "--drop", "nonsense"]) == 2
    assert "'nonsense' is no kind of problem; expected some of " in capsys.readouterr().err


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


def evaluated(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["evaluate", *arguments, "--no-detector"]) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("blank")
@pytest.mark.slow
def test_a_second_look_at_the_test_part_is_told(
    run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(run_result.folder, tmp_path / "run")
    (folder / "evaluations.json").unlink(missing_ok=True)
    capsys.readouterr()
    assert "looked at" not in evaluated([str(folder)], capsys)
    assert "these faces were looked at 1 times before" in evaluated([str(folder)], capsys)
    page = (folder / "evaluation-data-test" / "report.html").read_text()
    assert "These faces have been looked at 1 time before with this run" in page


@pytest.mark.usefixtures("blank")
@pytest.mark.slow
def test_faces_that_were_trained_on_are_warned_of(
    run_result: RunResult, sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path)]
    text = evaluated([str(run_result.folder), str(sample_root / "train"), *out], capsys)
    assert "faces were in the checkpoint's training: the figures are too good" in text
    assert "faces chose the checkpoint's epoch" in text
    assert "Do not trust these figures" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("blank")
def test_thresholds_can_be_chosen_on_validation(
    run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more, chosen in (([], "evaluated"), (["--validation"], "validation")):
        evaluated([str(run_result.folder), "--out", str(tmp_path), *more], capsys)
        content = json.loads((tmp_path / "metrics.json").read_text())
        assert content["calibration"]["chosen_on"] == chosen


@pytest.mark.slow
def test_the_sum_of_all_flags_works_on_a_real_checkpoint(
    run_result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--out", str(tmp_path), "--heat-maps", "--corruptions", "--drop-difficult"]
    assert (
        main(["evaluate", str(run_result.folder), *flags, "--upsample", "0", "--iou", "0.4"]) == 0
    )
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["end_to_end"][0]["least_iou"] == 0.4
    assert len(content["robustness"]["corruptions"]) == 7
    assert "heat map" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--iou", "0"], "--iou 0.0: expected an overlap above 0, up to 1"),
        (["--iou", "nan"], "--iou nan: expected an overlap above 0, up to 1"),
        (["--columns", "nowhere.csv"], "nowhere.csv"),
        (["--suspects", "nowhere"], "nowhere"),
        (["--out", __file__], "is a file; name a folder"),
        (["--out", f"{__file__}/x"], "is a file; name a folder"),
        (["--groups", "nowhere.csv"], "data.groups=nowhere.csv: no such file"),
    ],
)
def test_wrong_options_are_one_clear_error(
    run_result: RunResult, capsys: pytest.CaptureFixture[str], flags: list[str], said: str
) -> None:
    assert main(["evaluate", str(run_result.folder), "--no-detector", *flags]) == 2
    text = capsys.readouterr().err
    assert said in text
    assert "Traceback" not in text


@pytest.mark.slow
def test_the_runs_of_a_sweep_are_summed_up(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = tmp_path / "sweep"
    for number in (0, 1):
        train_tiny(sample_root, sweep / str(number), "trainer.max_epochs=1", f"seed={number}")
    (sweep / "2").mkdir()
    (sweep / "2" / "job.log").write_text("emotion: a reason\n")
    (sweep / "sweep.json").write_text("{}")
    capsys.readouterr()
    assert main(["evaluate", str(sweep), "--no-detector"]) == 1  # one run is left out
    content = json.loads((sweep / "evaluation" / "summary.json").read_text())
    (group,) = content["groups"]
    values = [
        json.loads((sweep / n / "evaluation-data-test" / "metrics.json").read_text())["scores"][
            "accuracy"
        ]["value"]
        for n in ("0", "1")
    ]
    assert group["scores"]["accuracy"]["mean"] == pytest.approx(sum(values) / 2)
    assert group["seeds"] == [0, 1]
    assert content["left_out"] == {"2": "a reason"}
    assert "accuracy" in capsys.readouterr().out


def test_a_sweep_of_which_nothing_can_be_evaluated_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "job.log").write_text("emotion: a reason\n")
    (tmp_path / "sweep.json").write_text("{}")
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "no run of it could be evaluated (0: a reason)" in capsys.readouterr().err


@pytest.mark.slow
def test_a_damaged_run_does_not_make_folds_of_seeds(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (0, 1):
        train_tiny(sample_root, tmp_path / str(number), "trainer.max_epochs=1", f"seed={number}")
    (tmp_path / "sweep.json").write_text("{}")
    (tmp_path / "1" / "selection.json").write_text("{")
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path), "--no-detector"]) == 1
    assert "looking for wrong labels" not in capsys.readouterr().err
