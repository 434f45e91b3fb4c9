import shutil
from pathlib import Path

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from PIL import Image

from emotion.__main__ import main
from emotion.commands.data_show import quoted
from emotion.data.datamodule import FaceCropDataModule
from emotion.experiments.configs import compose_config

SMALL = ["input.size=64", "data.batch_size=4"]
NAMES = [
    "crops_0_neutral.png",
    "crops_1_anger.png",
    "crops_2_surprise.png",
    "crops_3_smile.png",
    "crops_4_sad.png",
    "augmented.png",
]


def show(root: Path, *arguments: str) -> int:
    return main(["data", "show", str(root), *arguments])


@pytest.mark.slow
def test_a_sheet_for_each_class_and_one_of_augmented_crops(
    sample_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)  # crops and sheets are kept below the current folder
    assert show(sample_root, *SMALL, "--faces", "2") == 0
    folder = Path("outputs/show") / sample_root.name
    assert capsys.readouterr().out.split() == [str(folder / name) for name in NAMES]
    for name in NAMES:
        with Image.open(folder / name) as picture:
            assert len(np.unique(np.asarray(picture))) > 10
    # The same crops again, from the cache this time, give the same sheets; another seed does not.
    assert show(sample_root, *SMALL, "--faces", "2", "--out", "again") == 0
    assert "crops at" not in capsys.readouterr().err
    assert all(Path("again", n).read_bytes() == (folder / n).read_bytes() for n in NAMES)
    assert show(sample_root, *SMALL, "seed=2", "--out", "other") == 0
    assert Path("other", NAMES[-1]).read_bytes() != (folder / NAMES[-1]).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--faces", "0"], "--faces: expected 1 or more, got 0"),
        (["data.rot=1"], "data.rot: no such setting; did you mean data.root"),
        (
            ["experiment=face"],
            "experiment=face: no such experiment; expected bundled, bundled_cpu, demo, ",
        ),
        (["data.val=99"], "photos"),
        (["seed=abc"], "seed: expected a whole number from 0, got abc"),
        (["data.cache=null", "data.drop=[nonsense]"], "'nonsense' is no kind of problem"),
    ],
)
def test_a_wrong_option_is_one_clear_error(
    sample_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert show(sample_root, *arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("emotion: ")
    assert text in message
    assert not (tmp_path / "outputs" / "show").exists()


def test_settings_may_stand_before_and_after_options(
    sample_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[tuple[object, ...]] = []

    def record(data: FaceCropDataModule, folder: Path, count: int) -> list[Path]:
        shown.append((data.input.size, data.batch_size, data.root, folder, count))
        return []

    monkeypatch.setattr("emotion.data.sheets.write_sheets", record)
    first, second = SMALL
    out = ["--out", "sheets", "--faces", "1"]
    for arguments in ([first, second, *out], [first, *out, second], [*out, first, second]):
        assert show(sample_root, *arguments) == 0
    assert shown == [(64, 4, sample_root, Path("sheets"), 1)] * 3
    for arguments in ([str(sample_root), *SMALL, "--nonsense"], []):
        with pytest.raises(SystemExit) as stop:
            main(["data", "show", *arguments])
        assert stop.value.code == 2
    with pytest.raises(SystemExit):
        main(["data", "check", str(sample_root), "seed=1"])
    assert "unrecognized arguments: seed=1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        *("plain", "a b", "a=b", "a,b", "[x]{y}", "웃는 얼굴", "$x", "${oc.env:HOME}", "\\${x}"),
        *("it's", "x\\'", "a\\", "a\\b", "a\\\\b", "a\\\\", "${a}'s\\"),
    ],
)
def test_a_path_is_quoted_as_hydra_reads_it(name: str) -> None:
    override = f"data.root={quoted(Path('/faces') / name)}"
    # What Hydra does with it, without the rest of the config.
    value = OverridesParser.create().parse_override(override).value()
    assert OmegaConf.create({"root": value}).root == f"/faces/{name}"
    if "$" in name:  # the oddest, in the whole config
        assert compose_config([override]).data.root == f"/faces/{name}"


@pytest.mark.slow
def test_unusual_names_of_data_sets_work(
    sample_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    odd = shutil.copytree(sample_root, tmp_path / "it's a=b, 얼굴")
    for path in (odd / "train").rglob("scene_*"):  # the font has no such letters
        path.rename(path.with_name(path.name.replace("scene", "얼굴")))
    for path in (odd / "train").rglob("*.xml"):
        path.write_text(path.read_text().replace("scene", "얼굴"), encoding="utf-8")
    assert show(odd, *SMALL, "data.cache=null", "--faces", "1") == 0
    assert (Path("outputs/show") / odd.name / "augmented.png").is_file()
