"""Batches of face crops for Lightning."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from emotion.data.augment import Augmentation
from emotion.data.cache import FaceCrops, load_crops
from emotion.data.sampling import BatchSampler
from emotion.data.splits import split_photos
from emotion.errors import ConfigError, DataError
from emotion.faces.folders import AnnotatedPhoto, read_photos
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import FaceSample, gather_samples

PARTS = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",)}  # of Lightning's stages


class CropDataset(Dataset[tuple[Tensor, int]]):
    """Crops with their classes, augmented where an augmentation is given.

    Indexed by (epoch, index), as `BatchSampler` yields them.
    """

    def __init__(self, crops: FaceCrops, augmentation: Augmentation | None) -> None:
        self.crops = crops
        self.augmentation = augmentation

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int]:
        """Gives one crop, size x size x 3, uint8, RGB, and its class index."""
        epoch, index = key
        pixels = self.crops.pixels[index]
        if self.augmentation is not None:
            pixels = self.augmentation(pixels, epoch, index)
        return torch.from_numpy(pixels), int(self.crops.targets[index])


def collate(samples: Sequence[tuple[Tensor, int]], size: int) -> dict[str, Tensor]:
    """Stacks crops: "pixels" B x 3 x size x size, uint8, channels_last, and "targets" B, int64.

    B is 0 on a device for which no sample of an evaluation batch is left.
    """
    crops = [pixels for pixels, _ in samples]
    pixels = torch.stack(crops) if crops else torch.empty(0, size, size, 3, dtype=torch.uint8)
    targets = torch.tensor([target for _, target in samples], dtype=torch.int64)
    return {"pixels": pixels.permute(0, 3, 1, 2), "targets": targets}


class FaceCropDataModule(LightningDataModule):
    """Face crops from Pascal VOC XML, in the original's layout, as batches for Lightning.

    `root/train` is split into a training and a validation part, `root/test` is the test part. Each
    photo is decoded once; the crops stay in memory as uint8: `oversize` times `input.size` pixels
    a side for training, `input.size` for validation and test. At 256 pixels 1,300 training crops
    take 306 MB and 388 validation crops 76 MB, in each process of a DDP run; loading workers share
    them. Pixels are normalised in the network, on the device.

    Args:
        root: the data set.
        input: how a face becomes an input of the network.
        augmentation: albumentations transforms for training crops, on uint8.
        batch_size: samples a step, over all devices and accumulated batches.
        val: photos of `train/` for validation, a count or a share.
        train: photos for training, or None for all others.
        seed: for the split, the order and the augmentation.
        oversize: how much larger than `input.size` training crops are kept.
        label_map: name in the annotations -> class name, or None to drop such faces.
        keep_difficult: keep faces marked `<difficult>1`.
        outside: "error" or "clip" for boxes that are partly outside their picture.
        allow_unannotated: pass over pictures without an XML file.
        workers: data loading processes.
    """

    def __init__(
        self,
        root: str | None,
        input: InputSpec,
        augmentation: Sequence[Any],
        batch_size: int,
        val: int | float,
        train: int | None,
        seed: int,
        oversize: float,
        label_map: dict[str, str | None] | None,
        keep_difficult: bool,
        outside: str,
        allow_unannotated: bool,
        workers: int,
    ) -> None:
        super().__init__()
        if not root:
            raise ConfigError("data.root: expected a data set; set data.root=/path/to/dataset")
        if not 1 <= oversize <= 2:
            raise ConfigError(f"data.oversize: expected a factor from 1 to 2, got {oversize}")
        if type(workers) is not int or workers < 0:
            raise ConfigError(f"data.workers: expected 0 or more, got {workers}")
        if type(batch_size) is not int or batch_size < 1:
            raise ConfigError(f"data.batch_size: expected 1 or more, got {batch_size}")
        self.root = Path(root)
        self.input = input
        self.batch_size, self.workers, self.seed = batch_size, workers, seed
        self.val, self.train = val, train
        self.scheme = LabelScheme(input.labels, dict(label_map or {}))
        self.keep_difficult, self.outside = keep_difficult, outside
        self.allow_unannotated = allow_unannotated
        self.kept_size = round(input.size * oversize)
        self.augmentation = Augmentation(augmentation, input.size, seed)
        # Tried once here, so that transforms that do not fit are refused before anything is read.
        self.augmentation(np.zeros((self.kept_size, self.kept_size, 3), np.uint8), 0, 0)
        self.samples: dict[str, list[FaceSample]] = {}
        self._datasets: dict[str, CropDataset] = {}

    def read_samples(self, stage: str) -> None:
        """Reads the annotations of a stage into `samples`; no picture is opened.

        Args:
            stage: "fit" or "validate" for the training folder, "test" for the test folder.

        Raises:
            DataError: the data set cannot be used as it is; says where and why.
        """
        folder = self.root / ("test" if stage == "test" else "train")
        if not self.root.is_dir():
            raise DataError(f"{self.root}: no such folder; set data.root=/path/to/dataset")
        photos = read_photos(folder, self.allow_unannotated)
        if stage == "test":
            self.samples["test"] = self._gather(photos, folder)
            return
        kept, chosen = split_photos(photos, self.val, self.train, self.seed, str(folder))
        self.samples["train"] = self._gather(kept, folder)
        self.samples["val"] = self._gather(chosen, folder)

    def _gather(self, photos: Sequence[AnnotatedPhoto], folder: Path) -> list[FaceSample]:
        return gather_samples(photos, self.scheme, self.keep_difficult, str(folder))

    def setup(self, stage: str) -> None:
        """Reads the crops of a stage; Lightning calls this in each process."""
        parts = PARTS[stage]
        if not set(parts) <= set(self.samples):
            self.read_samples(stage)
        for part in parts:
            if part not in self._datasets:
                self._datasets[part] = self._dataset(part)

    def _dataset(self, part: str) -> CropDataset:
        training = part == "train"
        size = self.kept_size if training else self.input.size
        crops = load_crops(self.samples[part], self.input, size, self.outside, part)
        return CropDataset(crops, self.augmentation if training else None)

    def train_dataloader(self) -> DataLoader[Any]:
        """Gives shuffled, augmented batches, another order in each epoch."""
        return self._loader("train", shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        """Gives each validation crop once."""
        return self._loader("val", shuffle=False)

    def test_dataloader(self) -> DataLoader[Any]:
        """Gives each test crop once."""
        return self._loader("test", shuffle=False)

    def _loader(self, part: str, shuffle: bool) -> DataLoader[Any]:
        dataset = self._datasets[part]
        rank, world, accumulated = self._layout()
        sampler = BatchSampler(
            len(dataset), self.step_size(world, accumulated), rank, world, shuffle, self.seed
        )
        if len(sampler) == 0:
            raise DataError(f"{self.root}: {len(dataset)} faces in {part} for {world} devices")
        return DataLoader(
            dataset,
            batch_sampler=sampler,
            collate_fn=partial(collate, size=self.input.size),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_use_one_thread,
            # Its own, or the loader would draw from the one that dropout uses, and the number of
            # workers would change the run.
            generator=torch.Generator().manual_seed(self.seed),
        )

    def _layout(self) -> tuple[int, int, int]:
        if self.trainer is None:
            return 0, 1, 1
        trainer = self.trainer
        return trainer.global_rank, trainer.world_size, trainer.accumulate_grad_batches

    def step_size(self, world: int, accumulated: int) -> int:
        """Gives the samples that all devices together take at a time.

        Raises:
            ConfigError: the batch size is not divisible by devices and accumulation.
        """
        if self.batch_size % (world * accumulated):
            raise ConfigError(
                f"data.batch_size={self.batch_size} counts all devices and accumulated batches; it"
                f" is not divisible by {world} devices x trainer.accumulate_grad_batches="
                f"{accumulated}; set a multiple of {world * accumulated}"
            )
        return self.batch_size // accumulated


def _use_one_thread(worker: int) -> None:
    import cv2

    cv2.setNumThreads(0)  # the workers are the threads
