"""Batches through real data loaders: the same for any number of workers, each face once."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import albumentations
import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from pytorch_lightning import Trainer
from tests.datasets import SAD, SMILE, add_photo, change, noise, picture_of
from torch import Tensor
from torch.utils.data import DataLoader

from emotion.data.datamodule import FaceCropDataModule, collate
from emotion.data.sampling import BatchSampler
from emotion.data.split_file import FrozenSplit, SplitEntry, hash_files, write_split
from emotion.errors import ConfigError, DataError
from emotion.faces.boxes import Box
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image, write_image
from emotion.faces.inputs import InputSpec
from emotion.files import config_folder

SIZE = 64
Batches = list[dict[str, Tensor]]


def datamodule(root: Path | None, **changes: Any) -> FaceCropDataModule:
    """Makes a data module with the defaults of `conf/data/voc.yaml`, but for sizes and cache."""
    defaults = OmegaConf.to_container(OmegaConf.load(config_folder() / "data" / "voc.yaml"))
    settings = cast(dict[str, Any], defaults) | {
        "root": None if root is None else str(root),
        "input": InputSpec(size=SIZE),
        "augmentation": [
            albumentations.Rotate(limit=(-10, 10), p=1.0),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.RandomCrop(height=SIZE, width=SIZE),
        ],
        "batch_size": 8,
        "val": 0.25,
        "seed": 0,
        "cache": None,
    }
    del settings["_target_"]
    return FaceCropDataModule(**(settings | changes))


def ready(root: Path, stage: str = "fit", **changes: Any) -> FaceCropDataModule:
    module = datamodule(root, **changes)
    module.setup(stage)
    return module


@pytest.fixture(scope="module")
def fitted(sample_root: Path) -> FaceCropDataModule:
    """Ready for a fit on the sample data set; nobody changes it."""
    return ready(sample_root)


def epoch_of(loader: DataLoader[Any], epoch: int) -> Batches:
    cast(BatchSampler, loader.batch_sampler).set_epoch(epoch)
    return list(loader)


def same(first: Batches, second: Batches) -> bool:
    return len(first) == len(second) and all(
        torch.equal(a["pixels"], b["pixels"]) and torch.equal(a["targets"], b["targets"])
        for a, b in zip(first, second, strict=True)
    )


@pytest.fixture
def small_root(tmp_path: Path) -> Path:
    """Four photos to train on, a face each."""
    for name in ("a", "b", "c", "d"):
        add_photo(tmp_path / "train", name)
    return tmp_path


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # four workers on two cores
def test_the_same_batches_come_with_no_one_and_four_workers(sample_root: Path) -> None:
    loaders = [ready(sample_root, workers=n).train_dataloader() for n in (0, 1, 4)]
    for epoch in (0, 1):
        expected, *others = [epoch_of(loader, epoch) for loader in loaders]
        assert len(expected) >= 2
        assert all(same(expected, batches) for batches in others)


def test_epochs_differ_in_order_and_in_the_same_face(fitted: FaceCropDataModule) -> None:
    loader = fitted.train_dataloader()
    first, second = epoch_of(loader, 0), epoch_of(loader, 1)
    assert not same(first, second)
    dataset = cast(Any, loader.dataset)
    assert not torch.equal(dataset[0, 0][0], dataset[1, 0][0])
    assert same(first, epoch_of(loader, 0))


def test_another_seed_gives_other_batches(sample_root: Path, fitted: FaceCropDataModule) -> None:
    first, second = (
        epoch_of(module.train_dataloader(), 0) for module in (fitted, ready(sample_root, seed=1))
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
    pixels = collate([(crop, 4, 0)], SIZE)["pixels"]
    assert pixels.float().mean(dim=(0, 2, 3)).tolist() == [200, 0, 0]


def test_a_devices_empty_share_is_an_empty_batch(sample_root: Path) -> None:
    module = on_devices(ready(sample_root, "test", batch_size=64), rank=63, world=64)
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


def test_the_parts_hold_every_face_once_and_share_no_photo(
    sample_root: Path, fitted: FaceCropDataModule
) -> None:
    train, val = fitted.samples["train"], fitted.samples["val"]
    annotated = [
        (photo.annotation, face.box)
        for photo in read_folder(sample_root / "train").photos
        for face in photo.faces
    ]
    assert sorted((s.annotation, s.box) for s in (*train, *val)) == sorted(annotated)
    assert {s.image for s in train}.isdisjoint(s.image for s in val)
    assert len({s.image for s in val}) == 4


def test_training_takes_every_face_once_an_epoch(fitted: FaceCropDataModule) -> None:
    taken = [t for batch in epoch_of(fitted.train_dataloader(), 0) for t in batch["targets"]]
    assert sorted(map(int, taken)) == sorted(s.target for s in fitted.samples["train"])


def on_devices(
    module: FaceCropDataModule,
    rank: int = 0,
    world: int = 1,
    accumulated: int = 1,
    limit: int = 1000,
    epoch: int = 0,
    done: int = 0,
) -> FaceCropDataModule:
    """The module beside what it asks of a trainer: `done` of `limit` batches are trained on."""
    current = SimpleNamespace(state_dict=lambda: {"ready": done + 1, "processed": done})
    epoch_loop = SimpleNamespace(batch_progress=SimpleNamespace(current=current))
    epochs = SimpleNamespace(state_dict=lambda: {"ready": epoch + 1, "processed": epoch})
    numbers = SimpleNamespace(
        global_rank=rank,
        world_size=world,
        accumulate_grad_batches=accumulated,
        num_training_batches=limit,
        num_val_batches=[limit],
        num_test_batches=[limit],
        fit_loop=SimpleNamespace(
            epoch_loop=epoch_loop, epoch_progress=SimpleNamespace(current=epochs)
        ),
    )
    beside = copy(module)
    beside.trainer = cast(Trainer, numbers)
    return beside


def first_epochs(module: FaceCropDataModule, world: int, accumulated: int = 1) -> list[Batches]:
    """What each device trains on in the first epoch."""
    modules = [on_devices(module, rank, world, accumulated) for rank in range(world)]
    return [epoch_of(module.train_dataloader(), 0) for module in modules]


def test_the_batch_size_counts_all_devices_and_accumulated_batches(
    fitted: FaceCropDataModule,
) -> None:
    (one,) = first_epochs(fitted, 1)
    two = first_epochs(fitted, 2)
    (half,) = first_epochs(fitted, 1, accumulated=2)
    assert len(one[0]["targets"]) == 8
    assert [len(batches[0]["targets"]) for batches in two] == [4, 4]
    assert len(half[0]["targets"]) == 4
    # Two batches of four hold what one batch of eight does.
    together = torch.cat([half[0]["pixels"], half[1]["pixels"]])
    assert torch.equal(together, one[0]["pixels"])


def test_two_devices_share_each_batch_without_overlap(fitted: FaceCropDataModule) -> None:
    (one,), (first, second) = first_epochs(fitted, 1), first_epochs(fitted, 2)
    assert torch.equal(one[0]["pixels"][0::2], first[0]["pixels"])
    assert torch.equal(one[0]["pixels"][1::2], second[0]["pixels"])


@pytest.mark.parametrize(("world", "accumulated"), [(3, 2), (3, 1), (1, 3), (16, 1)])
def test_a_batch_size_that_does_not_divide_is_refused_with_the_way_out(
    fitted: FaceCropDataModule, world: int, accumulated: int
) -> None:
    module = on_devices(fitted, world=world, accumulated=accumulated)
    expected = (
        r"^data\.batch_size=8 counts all devices and accumulated batches; it is not divisible by"
        rf" {world} devices x trainer\.accumulate_grad_batches={accumulated}; set a multiple of"
        rf" {world * accumulated}$"
    )
    with pytest.raises(ConfigError, match=expected):
        module.train_dataloader()


def test_fewer_faces_to_train_on_than_devices_are_all_taken(small_root: Path) -> None:
    ranks = first_epochs(ready(small_root), world=8)
    assert [len(batches[0]["targets"]) for batches in ranks] == [1, 1, 1, 0, 0, 0, 0, 0]
    assert ranks[-1][0]["pixels"].shape == (0, 3, SIZE, SIZE)


@pytest.mark.parametrize(
    ("world", "accumulated", "limit"),
    [(1, 1, 1000), (2, 1, 1000), (1, 2, 1000), (2, 2, 1000), (4, 2, 1000), (1, 4, 3), (2, 4, 5)],
)
def test_the_faces_of_a_step_are_those_that_all_devices_take_until_the_next(
    fitted: FaceCropDataModule, world: int, accumulated: int, limit: int
) -> None:
    modules = [on_devices(fitted, rank, world, accumulated, limit) for rank in range(world)]
    epochs = [epoch_of(module.train_dataloader(), 0)[:limit] for module in modules]
    taken = [sum(len(batch["targets"]) for batch in step) for step in zip(*epochs, strict=True)]
    assert len(taken) >= 2
    expected = []
    for first in range(0, len(taken), accumulated):
        expected += [sum(taken[first : first + accumulated])] * len(
            taken[first : first + accumulated]
        )
    for module in modules:
        assert [module.step_faces(batch) for batch in range(len(taken))] == expected
        assert module.epoch_faces("train") == sum(taken)
        module.val_dataloader()
        val = len(module.samples["val"])
        assert module.epoch_faces("val") == (val if limit == 1000 else min(val, 8 * limit))


def test_an_epoch_goes_on_after_the_batches_that_are_trained_on(
    fitted: FaceCropDataModule,
) -> None:
    state = on_devices(fitted, limit=3, epoch=1, done=1).state_dict()
    assert state == {"epoch": 1, "batches": 1}
    assert on_devices(fitted, limit=3, epoch=1, done=3).state_dict()["batches"] == 0  # at its end
    module = on_devices(fitted, epoch=1)
    whole = module.train_dataloader()
    module.load_state_dict(state)
    continued = module.train_dataloader()
    assert len(continued) == len(whole) > 1
    # As workers see it, which begin before Lightning tells the epoch.
    assert same(list(continued), epoch_of(whole, 1)[1:])
    assert same(epoch_of(continued, 2), epoch_of(whole, 2))


def test_each_stage_opens_what_it_needs(sample_root: Path) -> None:
    module = ready(sample_root, "test")
    assert len(list(module.test_dataloader())) >= 1
    with pytest.raises(KeyError):
        module.dataset("train")
    module.setup("validate")
    assert len(list(module.val_dataloader())) >= 1
    with pytest.raises(KeyError):
        module.dataset("train")
    module.setup("fit")
    assert len(list(module.train_dataloader())) >= 1


# --- the cache


def part_of(module: FaceCropDataModule, part: str) -> Batches:
    return epoch_of(getattr(module, f"{part}_dataloader")(), 1)


def test_batches_from_the_cache_are_those_from_memory(sample_root: Path, tmp_path: Path) -> None:
    kept = datamodule(sample_root, cache=str(tmp_path / "cache"))
    held = datamodule(sample_root)
    for stage in ("fit", "test"):
        kept.setup(stage)
        held.setup(stage)
    for part in ("train", "val", "test"):
        assert same(part_of(kept, part), part_of(held, part))


def test_what_was_built_is_found_again(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = str(tmp_path / "cache")
    first = ready(sample_root, cache=cache)
    built = capsys.readouterr().err
    assert built.count("crops at 70 and 64 pixels") == 1
    assert built.endswith(f", kept in {cache}\n")
    second = ready(sample_root, cache=cache)
    assert "crops at" not in capsys.readouterr().err
    assert same(part_of(first, "train"), part_of(second, "train"))
    first.setup("validate")  # what is open stays open
    assert "crops at" not in capsys.readouterr().err


@pytest.mark.parametrize("other", [{"seed": 5}, {"val": "auto", "folds": 2, "fold": 2}])
def test_another_split_of_the_same_faces_finds_it_built(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], other: dict[str, Any]
) -> None:
    cache = str(tmp_path / "cache")
    first = ready(sample_root, cache=cache)
    capsys.readouterr()
    second = ready(sample_root, cache=cache, **other)
    assert "crops at" not in capsys.readouterr().err
    assert first.samples["val"] != second.samples["val"]
    held = ready(sample_root, **other)
    for part in ("train", "val"):
        assert same(part_of(second, part), part_of(held, part))


def test_another_crop_is_built(
    small_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = str(tmp_path / "cache")
    ready(small_root, cache=cache)
    capsys.readouterr()
    ready(small_root, cache=cache, input=InputSpec(size=SIZE, margin=0.2))
    assert "crops at 70 and 64 pixels" in capsys.readouterr().err


def test_classes_come_from_the_files_and_not_from_the_cache(
    small_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = str(tmp_path / "cache")
    ready(small_root, cache=cache)
    capsys.readouterr()
    for name in ("a", "b", "c", "d"):
        change(small_root / "train" / "annotations" / f"{name}.xml", "smile", "sad")
    module = ready(small_root, cache=cache)
    assert "crops at" not in capsys.readouterr().err
    assert [int(t) for batch in part_of(module, "train") for t in batch["targets"]] == [4] * 3


# --- the balanced sampler


def test_a_balanced_epoch_has_all_classes_equally_often(tmp_path: Path) -> None:
    for number in range(12):
        add_photo(tmp_path / "train", f"n{number:02d}", SAD if number < 3 else SMILE)
    module = ready(tmp_path, sampler="balanced", val=3, batch_size=4)
    classes = Counter(sample.target for sample in module.samples["train"])
    assert min(classes.values()) < max(classes.values()) - 2
    batches = part_of(module, "train")
    drawn = Counter(int(t) for batch in batches for t in batch["targets"])
    assert drawn.total() == 9
    assert sorted(drawn.values()) == [4, 5]
    assert set(drawn) == {3, 4}
    # Those that choose the epoch come as they are.
    counted = sorted(int(t) for batch in part_of(module, "val") for t in batch["targets"])
    assert counted == sorted(sample.target for sample in module.samples["val"])


def test_faces_are_learnt_as_their_votes_and_others_as_their_class_smoothed(
    small_root: Path,
) -> None:
    plain = ready(small_root)
    first = plain.samples["train"][0].image
    (small_root / "votes.csv").write_text(f"filename,neutral,smile\n{first.name},1,3\n")
    for smoothing in (0.0, 0.3):
        module = ready(small_root, votes="votes.csv", unvoted_smoothing=smoothing)
        voted = [sample.image == first for sample in module.samples["train"]]
        assert sum(voted) == 1
        classes = np.array([sample.target for sample in module.samples["train"]])
        expected = (1 - smoothing) * np.eye(5)[classes] + smoothing / 5
        expected[voted] = [0.25, 0, 0, 0.75, 0]
        (batch,) = module.train_dataloader()
        found = sorted(batch["shares"].tolist())
        np.testing.assert_allclose(found, sorted(expected.tolist()), rtol=1e-6)
        assert len(found) == len(voted)


# --- what cannot be done


def test_a_missing_root_is_refused_with_the_way_out() -> None:
    expected = r"^data\.root: expected a data set; set data\.root=/path/to/dataset$"
    with pytest.raises(ConfigError, match=expected):
        datamodule(None)


def test_a_root_that_does_not_exist_is_named(tmp_path: Path) -> None:
    module = datamodule(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"nowhere: no such folder; set data\.root=/path/to/datas"):
        module.setup("fit")


def test_a_data_set_without_a_test_part_is_named(small_root: Path) -> None:
    expected = rf"^{small_root}: has no test part; see data\.val and data\.test$"
    with pytest.raises(DataError, match=expected):
        datamodule(small_root).setup("test")


def test_a_test_part_of_which_nothing_is_left_does_not_keep_from_training(small_root: Path) -> None:
    stray = small_root / "test" / "img" / "stray.png"
    write_image(stray, noise("stray"))
    (small_root / "test" / "annotations").mkdir()
    module = ready(small_root, drop=["picture_unannotated"])
    assert len(module.samples["train"]) == 3
    with pytest.raises(DataError, match="has no test part"):
        module.setup("test")


def test_a_frozen_part_of_which_nothing_is_left_is_named(small_root: Path, tmp_path: Path) -> None:
    add_photo(small_root / "train", "e", SAD)
    path = tmp_path / "split.json"
    photos = {
        f"train/annotations/{stem}.xml": "val" if stem == "e" else "train" for stem in "abcde"
    }
    pairs = [(small_root / xml, picture_of(small_root / xml)) for xml in photos]
    entries = {
        xml: SplitEntry(picture.relative_to(small_root).as_posix(), sha256, part)
        for (xml, part), (_, picture), sha256 in zip(
            photos.items(), pairs, hash_files(pairs), strict=True
        )
    }
    write_split(path, FrozenSplit(entries, {}, {"train": {}, "val": {}}))
    assert len(ready(small_root, split=str(path)).samples["val"]) == 1
    with pytest.raises(DataError, match=rf"^{small_root}, val: no face with a label of neutral"):
        datamodule(small_root, split=str(path), label_map={"sad": None}).setup("fit")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("oversize", 0.5, "a factor from 1 to 2, got 0.5"),
        ("batch_size", 0, "1 or more, got 0"),
        ("workers", -1, "0 or more, got -1"),
        ("smallest_face", 1.5, "0 or more, got 1.5"),
        ("origin", 2, "0 or 1, got 2"),
        ("sampler", "even", "shuffled or balanced, got 'even'"),
        ("drop", "identical", "a list, as in [identical], got identical"),
        ("mend", {"a": 1}, "a list, as in [identical], got {'a': 1}"),
        ("groups", 3, "a file, name:… or folder:…, got 3"),
        ("votes", 3, "a CSV file, got 3"),
        ("unvoted_smoothing", 1.5, "a share from 0 to 1, got 1.5"),
        ("unvoted_smoothing", True, "a share from 0 to 1, got True"),
    ],
)
def test_settings_out_of_range_are_refused(
    sample_root: Path, name: str, value: Any, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        datamodule(sample_root, **{name: value})
    assert str(caught.value) == f"data.{name}: expected {expected}"


def test_other_names_are_mapped_and_dropped(small_root: Path) -> None:
    for name in ("e", "f"):
        add_photo(small_root / "train", name, ("happy", SMILE[1]), ("fear", Box(40, 15, 79, 59)))
    module = ready(small_root, val=1, label_map={"happy": "smile", "fear": None})
    targets = [s.target for part in ("train", "val") for s in module.samples[part]]
    assert targets == [3] * 6


def test_unknown_labels_are_listed_with_the_way_out(small_root: Path) -> None:
    for name in ("e", "f"):
        add_photo(small_root / "train", name, ("joy", SMILE[1]), ("fear", Box(40, 15, 79, 59)))
    with pytest.raises(DataError) as caught:
        datamodule(small_root, val=3).setup("fit")
    message = str(caught.value)
    assert "\n  label_unknown: 4 (label is none of the classes)\n" in message
    assert "expected neutral, anger, surprise, smile, sad" in message
    assert (
        "\nUnknown labels: 'joy' 2, 'fear' 2. Map or drop them: train"
        " 'data.label_map={joy: neutral}' (null drops)" in message
    )


def test_a_label_map_to_an_unknown_name_is_refused(sample_root: Path) -> None:
    with pytest.raises(ConfigError, match=r"^data\.label_map: expected its values .*, got joy$"):
        datamodule(sample_root, label_map={"happy": "joy"})


@pytest.mark.parametrize(("keep", "count"), [(True, 5), (False, 4)])
def test_difficult_faces_are_kept_or_dropped(small_root: Path, keep: bool, count: int) -> None:
    annotation = add_photo(small_root / "train", "a", SMILE, ("smile", Box(40, 15, 79, 59)))
    text = annotation.read_text().replace("<difficult>0", "<difficult>1", 1)
    annotation.write_text(text)
    module = ready(small_root, keep_difficult=keep)
    assert sum(len(part) for part in module.samples.values()) == count


def shown(path: Path, kind: str) -> str:
    """The start of an error that refuses one photo and names it below its kind."""
    return rf"^{path}: 1 problems that make faces unfit to use:\n  {kind}: 1 \([^\n]*\)\n    "


def test_a_truncated_picture_is_named_and_can_be_left_out(small_root: Path) -> None:
    path = small_root / "train" / "img" / "b.jpg"
    picture_of(small_root / "train" / "annotations" / "b.xml").unlink()
    Image.fromarray(noise("b")).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    change(small_root / "train" / "annotations" / "b.xml", "b.png", "b.jpg")
    with pytest.raises(DataError, match=shown(small_root, "picture_truncated") + rf"{path}: "):
        datamodule(small_root).setup("fit")
    module = ready(small_root, drop=["picture_truncated"], val=1)
    assert [len(module.samples[part]) for part in ("train", "val")] == [2, 1]


def test_a_box_outside_its_picture_is_named_by_file_and_line_and_can_be_mended(
    small_root: Path,
) -> None:
    annotation = add_photo(small_root / "train", "a", ("smile", Box(40, 10, 90, 50)))
    lines = annotation.read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "<object>" in text)
    expected = shown(small_root, "box_outside") + rf"{annotation}:{line}: .*40.*89"
    with pytest.raises(DataError, match=expected):
        datamodule(small_root).setup("fit")
    module = ready(small_root, mend=["box_outside"])
    boxes = [s.box for part in module.samples.values() for s in part if s.annotation == annotation]
    assert boxes == [Box(40, 10, 80, 50)]


def test_a_picture_without_xml_is_refused_or_left_out(small_root: Path) -> None:
    path = small_root / "train" / "img" / "stray.png"
    write_image(path, noise("stray"))
    expected = shown(small_root, "picture_unannotated") + rf"{path}: no XML file .* speaks of it"
    with pytest.raises(DataError, match=expected) as caught:
        datamodule(small_root).setup("fit")
    assert "train 'data.drop=[picture_unannotated]'" in str(caught.value)
    module = ready(small_root, drop=["picture_unannotated"])
    assert sum(len(part) for part in module.samples.values()) == 4


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
