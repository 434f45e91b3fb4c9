"""Batches through real data loaders: the same for any number of workers, each face once."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import albumentations
import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from emotion.data.datamodule import FaceCropDataModule, collate
from emotion.data.sampling import BatchSampler
from emotion.errors import ConfigError, DataError
from emotion.faces.annotations import write_annotation
from emotion.faces.boxes import Box
from emotion.faces.folders import read_photos
from emotion.faces.images import read_image, write_image
from emotion.faces.inputs import InputSpec

SIZE = 64
Batches = list[dict[str, Tensor]]


def datamodule(root: Path | None, **changes: Any) -> FaceCropDataModule:
    """Makes a data module with the defaults of `conf/data/voc.yaml`, but for the sizes."""
    settings: dict[str, Any] = {
        "root": None if root is None else str(root),
        "input": InputSpec(size=SIZE),
        "augmentation": [
            albumentations.Rotate(limit=(-10, 10), p=1.0),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.RandomCrop(height=SIZE, width=SIZE),
        ],
        "batch_size": 8,
        "val": 0.25,
        "train": None,
        "seed": 0,
        "oversize": 1.09375,
        "label_map": {},
        "keep_difficult": True,
        "outside": "error",
        "allow_unannotated": False,
        "workers": 0,
    }
    return FaceCropDataModule(**(settings | changes))


def ready(root: Path, stage: str = "fit", **changes: Any) -> FaceCropDataModule:
    module = datamodule(root, **changes)
    module.setup(stage)
    return module


def epoch_of(loader: DataLoader[Any], epoch: int) -> Batches:
    cast(BatchSampler, loader.batch_sampler).set_epoch(epoch)
    return list(loader)


def same(first: Batches, second: Batches) -> bool:
    return len(first) == len(second) and all(
        torch.equal(a["pixels"], b["pixels"]) and torch.equal(a["targets"], b["targets"])
        for a, b in zip(first, second, strict=True)
    )


def face(label: str, *corners: int) -> tuple[str, Box]:
    return label, Box.from_inclusive(*corners)


def write_photo(folder: Path, name: str, *faces: tuple[str, Box]) -> Path:
    """Writes a picture of 40 x 30 and its annotation, and gives the annotation's path."""
    pixels = np.random.default_rng(len(name)).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    write_image(folder / "img" / f"{name}.jpg", pixels)
    annotation = folder / "annotations" / f"{name}.xml"
    write_annotation(annotation, f"{name}.jpg", (40, 30), faces)
    return annotation


@pytest.fixture
def small_root(tmp_path: Path) -> Path:
    """Four photos to train on, a face each."""
    for name in ("a", "b", "c", "d"):
        write_photo(tmp_path / "train", name, face("smile", 5, 5, 20, 20))
    return tmp_path


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # four workers on two cores
def test_the_same_batches_come_with_no_one_and_four_workers(sample_root: Path) -> None:
    loaders = [ready(sample_root, workers=n).train_dataloader() for n in (0, 1, 4)]
    for epoch in (0, 1):
        expected, *others = [epoch_of(loader, epoch) for loader in loaders]
        assert len(expected) >= 2
        assert all(same(expected, batches) for batches in others)


def test_epochs_differ_in_order_and_in_the_same_face(sample_root: Path) -> None:
    module = ready(sample_root)
    loader = module.train_dataloader()
    first, second = epoch_of(loader, 0), epoch_of(loader, 1)
    assert not same(first, second)
    dataset = cast(Any, loader.dataset)
    assert not torch.equal(dataset[0, 0][0], dataset[1, 0][0])
    assert same(first, epoch_of(loader, 0))


def test_another_seed_gives_other_batches(sample_root: Path) -> None:
    first, second = (
        epoch_of(ready(sample_root, seed=seed).train_dataloader(), 0) for seed in (0, 1)
    )
    assert not same(first, second)


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_batches_are_uint8_nchw_in_channels_last(sample_root: Path, part: str) -> None:
    module = ready(sample_root, "test" if part == "test" else "fit", batch_size=3)
    loader: DataLoader[Any] = getattr(module, f"{part}_dataloader")()
    batch = next(iter(loader))
    pixels, targets = batch["pixels"], batch["targets"]
    assert pixels.shape[1:] == (3, SIZE, SIZE)
    assert pixels.dtype == torch.uint8
    assert pixels.is_contiguous(memory_format=torch.channels_last)
    assert targets.shape == pixels.shape[:1]
    assert targets.dtype == torch.int64


def test_workers_keep_channels_last(sample_root: Path) -> None:
    batch = next(iter(ready(sample_root, workers=1).val_dataloader()))
    assert batch["pixels"].is_contiguous(memory_format=torch.channels_last)


def test_channels_stand_in_the_order_red_green_blue() -> None:
    crop = torch.zeros(SIZE, SIZE, 3, dtype=torch.uint8)
    crop[..., 0] = 200
    pixels = collate([(crop, 4)], SIZE)["pixels"]
    assert pixels.float().mean(dim=(0, 2, 3)).tolist() == [200, 0, 0]


def test_a_devices_empty_share_is_an_empty_batch(sample_root: Path) -> None:
    module = ready(sample_root, "test", batch_size=64)
    module.trainer = trainer(rank=63, world=64)
    (batch,) = module.test_dataloader()
    assert batch["pixels"].shape == (0, 3, SIZE, SIZE)
    assert batch["pixels"].dtype == torch.uint8
    assert batch["targets"].shape == (0,)
    assert batch["targets"].dtype == torch.int64


@pytest.mark.parametrize(("part", "stage"), [("val", "fit"), ("test", "test")])
@pytest.mark.parametrize("spec", [InputSpec(size=64), InputSpec(size=96, margin=0.2, square=True)])
def test_evaluation_pixels_are_those_of_the_input_settings(
    sample_root: Path, part: str, stage: str, spec: InputSpec
) -> None:
    # What would change every crop, to see that it does not.
    size = spec.size
    upside_down = [albumentations.VerticalFlip(p=1.0), albumentations.CenterCrop(size, size)]
    module = ready(sample_root, stage, input=spec, augmentation=upside_down)
    loader: DataLoader[Any] = getattr(module, f"{part}_dataloader")()
    batches = list(loader)
    samples = module.samples[part]
    pixels = torch.cat([batch["pixels"] for batch in batches]).permute(0, 2, 3, 1).numpy()
    targets = torch.cat([batch["targets"] for batch in batches])
    assert targets.tolist() == [sample.target for sample in samples]
    for sample, given in zip(samples, pixels, strict=True):
        expected = spec.pixels(read_image(sample.image), sample.box)
        np.testing.assert_array_equal(given, expected)


def test_the_parts_hold_every_face_once_and_share_no_photo(sample_root: Path) -> None:
    module = ready(sample_root)
    train, val = module.samples["train"], module.samples["val"]
    annotated = [
        (photo.annotation, face.box)
        for photo in read_photos(sample_root / "train")
        for face in photo.faces
    ]
    assert sorted((s.annotation, s.box) for s in (*train, *val)) == sorted(annotated)
    assert {s.image for s in train}.isdisjoint(s.image for s in val)
    assert len({s.image for s in val}) == 4


def test_training_takes_every_face_once_an_epoch(sample_root: Path) -> None:
    module = ready(sample_root)
    taken = [t for batch in epoch_of(module.train_dataloader(), 0) for t in batch["targets"]]
    assert sorted(map(int, taken)) == sorted(s.target for s in module.samples["train"])


def trainer(rank: int = 0, world: int = 1, accumulated: int = 1) -> Trainer:
    """The three numbers of a trainer that a data module asks for."""
    numbers = SimpleNamespace(
        global_rank=rank, world_size=world, accumulate_grad_batches=accumulated
    )
    return cast(Trainer, numbers)


def loaders(root: Path, world: int, accumulated: int = 1) -> list[DataLoader[Any]]:
    """The training loader of each device."""
    made = []
    for rank in range(world):
        module = ready(root, augmentation=[], oversize=1.0)
        module.trainer = trainer(rank, world, accumulated)
        made.append(module.train_dataloader())
    return made


def test_the_batch_size_counts_all_devices_and_accumulated_batches(sample_root: Path) -> None:
    one = epoch_of(loaders(sample_root, 1)[0], 0)
    two = [epoch_of(loader, 0) for loader in loaders(sample_root, 2)]
    half = epoch_of(loaders(sample_root, 1, accumulated=2)[0], 0)
    assert len(one[0]["targets"]) == 8
    assert [len(batches[0]["targets"]) for batches in two] == [4, 4]
    assert len(half[0]["targets"]) == 4
    # Two batches of four hold what one batch of eight does.
    together = torch.cat([half[0]["pixels"], half[1]["pixels"]])
    assert torch.equal(together, one[0]["pixels"])


def test_two_devices_share_each_batch_without_overlap(sample_root: Path) -> None:
    one = epoch_of(loaders(sample_root, 1)[0], 0)[0]["pixels"]
    first, second = (epoch_of(loader, 0)[0]["pixels"] for loader in loaders(sample_root, 2))
    assert torch.equal(one[0::2], first)
    assert torch.equal(one[1::2], second)


@pytest.mark.parametrize(("world", "accumulated"), [(3, 2), (3, 1), (1, 3), (16, 1)])
def test_a_batch_size_that_does_not_divide_is_refused_with_the_way_out(
    sample_root: Path, world: int, accumulated: int
) -> None:
    module = ready(sample_root)
    module.trainer = trainer(world=world, accumulated=accumulated)
    expected = (
        r"^data\.batch_size=8 counts all devices and accumulated batches; it is not divisible by"
        rf" {world} devices x trainer\.accumulate_grad_batches={accumulated}; set a multiple of"
        rf" {world * accumulated}$"
    )
    with pytest.raises(ConfigError, match=expected):
        module.train_dataloader()


def test_fewer_faces_to_train_on_than_devices_are_refused(small_root: Path) -> None:
    module = ready(small_root)
    module.trainer = trainer(world=8)
    with pytest.raises(DataError, match=rf"^{small_root}: 3 faces in train for 8 devices$"):
        module.train_dataloader()


def test_each_stage_reads_what_it_needs(sample_root: Path) -> None:
    module = ready(sample_root, "test")
    assert set(module.samples) == {"test"}
    module.setup("validate")
    assert len(list(module.val_dataloader())) >= 1


def test_a_missing_root_is_refused_with_the_way_out() -> None:
    expected = r"^data\.root: expected a data set; set data\.root=/path/to/dataset$"
    with pytest.raises(ConfigError, match=expected):
        datamodule(None)


def test_a_root_that_does_not_exist_is_named(tmp_path: Path) -> None:
    module = datamodule(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"nowhere: no such folder; set data\.root=/path/to/datas"):
        module.setup("fit")


def test_a_data_set_without_a_test_part_is_named(small_root: Path) -> None:
    with pytest.raises(DataError, match=rf"^{small_root}/test: no such folder"):
        datamodule(small_root).setup("test")


def test_an_oversize_below_one_is_refused(sample_root: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^data\.oversize: expected a factor from 1 to 2, got 0\.5$"
    ):
        datamodule(sample_root, oversize=0.5)


def test_other_names_are_mapped_and_dropped(small_root: Path) -> None:
    for name in ("e", "f"):
        faces = (face("happy", 0, 0, 9, 9), face("fear", 10, 0, 19, 9))
        write_photo(small_root / "train", name, *faces)
    module = ready(small_root, val=1, label_map={"happy": "smile", "fear": None})
    targets = [s.target for part in ("train", "val") for s in module.samples[part]]
    assert targets == [3] * 6


def test_unknown_labels_are_listed_with_the_way_out(small_root: Path) -> None:
    write_photo(small_root / "train", "e", face("joy", 0, 0, 9, 9), face("fear", 0, 0, 9, 9))
    write_photo(small_root / "train", "f", face("joy", 0, 0, 9, 9), face("fear", 0, 0, 9, 9))
    expected = r"train: unknown labels 'fear', 'joy'; expected neutral, anger, surprise, smile, sad"
    with pytest.raises(DataError, match=expected):
        datamodule(small_root, val=3).setup("fit")


def test_a_label_map_to_an_unknown_name_is_refused(sample_root: Path) -> None:
    with pytest.raises(ConfigError, match=r"^data\.label_map: expected its values .*, got joy$"):
        datamodule(sample_root, label_map={"happy": "joy"})


@pytest.mark.parametrize(("keep", "count"), [(True, 5), (False, 4)])
def test_difficult_faces_are_kept_or_dropped(small_root: Path, keep: bool, count: int) -> None:
    annotation = write_photo(
        small_root / "train", "a", face("sad", 0, 0, 9, 9), face("sad", 10, 0, 19, 9)
    )
    text = annotation.read_text().replace("<difficult>0", "<difficult>1", 1)
    annotation.write_text(text)
    module = ready(small_root, keep_difficult=keep)
    assert sum(len(part) for part in module.samples.values()) == count


def test_a_truncated_picture_is_named(small_root: Path) -> None:
    path = small_root / "train" / "img" / "b.jpg"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match=rf"^{path}: cannot be decoded"):
        datamodule(small_root).setup("fit")


def test_a_box_outside_its_picture_is_named_by_file_and_line(small_root: Path) -> None:
    annotation = write_photo(small_root / "train", "a", face("sad", 20, 10, 45, 20))
    expected = (
        rf"^{annotation}:9: the box 20,10,45,20 is not inside its picture of 40 x 30; mend it,"
        r" or set data\.outside=clip$"
    )
    with pytest.raises(DataError, match=expected):
        datamodule(small_root).setup("fit")
    ready(small_root, outside="clip")


def test_a_picture_without_xml_is_refused_or_passed_over(small_root: Path) -> None:
    path = small_root / "train" / "img" / "stray.jpg"
    write_image(path, np.zeros((8, 8, 3), dtype=np.uint8))
    with pytest.raises(DataError, match=rf"^{path}: no XML file .*data\.allow_unannotated=true"):
        datamodule(small_root).setup("fit")
    ready(small_root, allow_unannotated=True)


def test_counts_that_do_not_add_up_name_the_training_folder(small_root: Path) -> None:
    expected = rf"^{small_root}/train: data\.train=1300 and data\.val=388 ask for 1688 photos"
    with pytest.raises(DataError, match=expected):
        datamodule(small_root, train=1300, val=388).setup("fit")


@pytest.mark.parametrize("augmentation", [[], [albumentations.HorizontalFlip(p=0.5)]])
def test_training_crops_that_keep_their_margin_are_refused(
    small_root: Path, augmentation: Sequence[Any]
) -> None:
    # Before anything is read.
    with pytest.raises(ConfigError, match=r"leaves uint8 crops of \(70, 70, 3\), expected uint8"):
        datamodule(small_root, augmentation=augmentation)
