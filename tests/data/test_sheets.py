"""Contact sheets, read back as pictures."""

from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pytest
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image
from tests.datasets import SAD, SMILE, add_photo

from emotion.data.datamodule import FaceCropDataModule
from emotion.data.sheets import ROWS, TIMES, write_sheets
from emotion.faces.inputs import InputSpec
from emotion.files import config_folder

CELL, ROW, TITLE, CAPTION = 180, 204, 44, 28  # pixels, as `figures.grids` has them


def module_of(
    root: Path, labels: tuple[str, ...], flip: bool = False, **changes: Any
) -> FaceCropDataModule:
    """Makes a data module with the project's defaults, at 64 pixels and in memory."""
    settings: Any = OmegaConf.to_container(OmegaConf.load(config_folder() / "data" / "voc.yaml"))
    del settings["_target_"]
    augmentation = [albumentations.HorizontalFlip(p=1.0)] * flip
    settings |= {
        "root": str(root),
        "input": InputSpec(labels, size=64),
        "augmentation": augmentation,
        "oversize": 1.0,
        "seed": 0,
        "cache": None,
        "val": 2,
    }
    return FaceCropDataModule(**(settings | changes))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven photos that smile and seven that are sad; nobody writes into it."""
    root = tmp_path_factory.mktemp("sheets") / "data"
    for number in range(14):
        add_photo(root, f"photo_{number:02d}", SMILE if number % 2 else SAD)
    return root


def read(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def pictures(sheet: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """What stands in the places of a sheet that are not white, 168 x 168 pixels each, by row."""
    tops = range(TITLE + CAPTION, len(sheet), ROW)
    places = [
        sheet[y : y + 168, x : x + CELL] for y in tops for x in range(0, sheet.shape[1], CELL)
    ]
    return [place[:, 6:174] for place in places if (place != 255).any()]


def enlarged(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = Image.fromarray(crop).resize((168, 168), Image.Resampling.NEAREST)
    return np.asarray(image)


@pytest.fixture(scope="module")
def shown(root: Path) -> tuple[FaceCropDataModule, list[Path]]:
    """A data module whose augmentation mirrors every crop, and its sheets of up to five faces."""
    data = module_of(root, ("sad", "smile"), flip=True)
    return data, write_sheets(data, root.parent / "new" / "sheets", 5)


def test_each_class_has_a_sheet_and_the_augmentation_one(
    shown: tuple[FaceCropDataModule, list[Path]],
) -> None:
    data, paths = shown
    names = ["crops_0_sad.png", "crops_1_smile.png", "augmented.png"]
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in paths[0].parent.iterdir()) == sorted(names)
    counts = [len(pictures(read(path))) for path in paths]
    assert [sample.target for sample in data.samples["train"]].count(0) == 6
    assert counts == [5, 5, ROWS * (TIMES + 1)]


def test_a_sheet_shows_crops_of_its_class_as_they_are_kept(
    shown: tuple[FaceCropDataModule, list[Path]],
) -> None:
    data, paths = shown
    dataset, samples = data.dataset("train"), data.samples["train"]
    for target, path in enumerate(paths[:2]):
        rows = [row for row, sample in enumerate(samples) if sample.target == target]
        crops = [enlarged(np.asarray(dataset.crops.pixels[row])).tobytes() for row in rows]
        found = [crops.index(picture.tobytes()) for picture in pictures(read(path))]
        assert found == sorted(set(found))  # each once, in the order of the data
        assert len(found) == 5


def test_augmented_crops_stand_beside_what_they_were(
    shown: tuple[FaceCropDataModule, list[Path]],
) -> None:
    data, paths = shown
    dataset = data.dataset("train")
    crops = [np.asarray(dataset.crops.pixels[row]) for row in range(len(dataset))]
    kept = [enlarged(crop).tobytes() for crop in crops]
    found = pictures(read(paths[-1]))
    rows = [found[start : start + TIMES + 1] for start in range(0, len(found), TIMES + 1)]
    assert len({before.tobytes() for before, *_ in rows}) == ROWS
    for before, *after in rows:
        mirrored = enlarged(crops[kept.index(before.tobytes())][:, ::-1])
        assert all(np.array_equal(picture, mirrored) for picture in after)


def test_the_seed_draws_as_many_faces_as_are_asked_for(
    root: Path, tmp_path: Path, shown: tuple[FaceCropDataModule, list[Path]]
) -> None:
    _, paths = shown
    again, other = (module_of(root, ("sad", "smile"), flip=True) for _ in range(2))
    other.read_samples()
    other.seed = 1  # the split is one, so that the draw alone differs
    first, second = (
        write_sheets(data, tmp_path / name, 2) for name, data in (("0", again), ("1", other))
    )
    for one, two in zip(first[:2], second[:2], strict=True):
        assert len(pictures(read(one))) == len(pictures(read(two))) == 2
        assert not np.array_equal(read(one), read(two))
    assert first[-1].read_bytes() == paths[-1].read_bytes() != second[-1].read_bytes()


def test_odd_labels_make_plain_file_names_and_no_formulas(tmp_path: Path) -> None:
    labels = ("../sad/", r"$\frac$: é", "x" * 300)
    for number in range(9):
        add_photo(tmp_path / "data", f"photo_{number}", (labels[number % 3], SMILE[1]))
    data = module_of(tmp_path / "data", (*labels, "anger"), val=3)
    paths = write_sheets(data, tmp_path / "sheets", 5)
    names = ["crops_0____sad_.png", "crops_1___frac___é.png", f"crops_2_{'x' * 40}.png"]
    assert [path.name for path in paths] == [*names, "crops_3_anger.png", "augmented.png"]
    assert sorted(tmp_path.rglob("*.png")) == sorted(
        [*paths, *(tmp_path / "data" / "img").iterdir()]
    )
    # Two faces of each are trained on, and none of the last.
    counts = [len(pictures(read(path))) for path in paths]
    assert counts == [2, 2, 2, 0, 6 * (TIMES + 1)]
    assert all(read(path)[:TITLE].min() < 128 for path in paths)


def test_fewer_faces_than_rows_are_enough(tmp_path: Path) -> None:
    for number in range(4):
        add_photo(tmp_path / "data", f"photo_{number}", SMILE if number < 2 else SAD)
    data = module_of(tmp_path / "data", ("sad", "smile"))
    paths = write_sheets(data, tmp_path / "sheets", 5)
    assert [len(pictures(read(path))) for path in paths] == [1, 1, 2 * (TIMES + 1)]
