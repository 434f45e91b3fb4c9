"""Batches of face crops for Lightning."""

import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from emotion.data.assignment import SplitPlan, assign
from emotion.data.audit import Rules
from emotion.data.augment import Augmentation
from emotion.data.cache import CropCache, FaceCrops
from emotion.data.repeats import check_repeat, repeated
from emotion.data.sampling import BatchSampler
from emotion.data.source import FaceSet, FaceSource
from emotion.data.votes import read_votes
from emotion.errors import ConfigError, DataError
from emotion.faces.folders import AnnotatedPhoto
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import LabelScheme
from emotion.faces.samples import FaceSample, gather_samples

SAMPLERS = ("shuffled", "balanced")
PARTS = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",)}  # of Lightning's stages

SAVING_SECONDS = 60  # that a loading process outlives a SIGTERM at most


class CropDataset(Dataset[tuple[Tensor, int, int]]):
    """Crops with their classes, augmented where an augmentation is given.

    Indexed by (round, index), as `BatchSampler` yields them.
    """

    def __init__(self, crops: FaceCrops, augmentation: Augmentation | None) -> None:
        self.crops = crops
        self.augmentation = augmentation

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int, int]:
        """Gives one crop, size x size x 3, uint8, RGB, its class index, and its own index."""
        turn, index = key
        pixels = self.crops.pixels[index]
        if self.augmentation is not None:
            pixels = self.augmentation(pixels, turn, index)
        return torch.from_numpy(pixels), int(self.crops.targets[index]), index


def collate(
    samples: Sequence[tuple[Tensor, int, int]], size: int, shares: NDArray[np.float32] | None = None
) -> dict[str, Tensor]:
    """Stacks crops: "pixels" B x 3 x size x size, uint8, channels_last, and "targets" B, int64.

    B is 0 on a device for which no sample of a batch is left.

    Args:
        samples: what the data set gave.
        size: of the crops.
        shares: what each face of the part is to be learnt as, n x classes; becomes "shares",
            B x classes, float32.
    """
    crops = [pixels for pixels, _, _ in samples]
    pixels = torch.stack(crops) if crops else torch.empty(0, size, size, 3, dtype=torch.uint8)
    targets = torch.tensor([target for _, target, _ in samples], dtype=torch.int64)
    batch = {"pixels": pixels.permute(0, 3, 1, 2), "targets": targets}
    if shares is not None:
        rows = np.array([index for _, _, index in samples], dtype=np.int64)
        batch["shares"] = torch.from_numpy(shares[rows])
    return batch


class FaceCropDataModule(LightningDataModule):
    """Face crops from Pascal VOC XML as batches for Lightning.

    The data set is audited, cleaned and split; then each photo is decoded once, and its crops stay
    as uint8 in a memory-mapped cache that loading workers, devices and runs share: `oversize` times
    `input.size` pixels a side for training, `input.size` for validation and test. Pixels are
    normalised in the network, on the device.

    Args:
        root: the data set: `train/`, and perhaps `val/` and `test/`, or one folder of photos.
        input: how a face becomes an input of the network.
        augmentation: albumentations transforms for training crops, on uint8.
        batch_size: samples a step, over all devices and accumulated batches.
        val: photos for validation: a count, a share, or "auto", see `SplitPlan`.
        train: photos for training, or None for all others.
        test: photos kept for the test, a count, a share, or None.
        groups: how the person of a photo is found, see `emotion.data.groups`, or None.
        folds: parts of cross-validation, or None.
        fold: the one that is validated on, from 1.
        split: a frozen split, or None.
        seed: for the split, the order and the augmentation.
        oversize: how much larger than `input.size` training crops are kept.
        label_map: name in the annotations -> class name, or None to drop such faces.
        keep_difficult: keep faces marked `<difficult>1`.
        origin: coordinate of the first pixel in the XML files, 0 or 1.
        smallest_face: shorter side in pixels below which a face is a problem.
        drop: kinds of problems whose faces or photos are left out.
        mend: kinds of problems that are mended in memory.
        cache: folder of the crops, or None to keep them in memory.
        votes: a CSV file of several raters' votes, whose shares are learnt in place of one class,
            see `emotion.data.votes`; None for the classes in the annotations.
        unvoted_smoothing: label smoothing, 0 to 1, of faces without votes where others have some:
            one rater's word is less sure than ten that agree, and without it the network is too
            sure on photos of their kind.
        repeat: source -> how often its training faces come an epoch, see `emotion.data.repeats`;
            None for once.
        sampler: "shuffled", or "balanced" to draw all classes equally often.
        workers: data loading processes.
    """

    def __init__(
        self,
        root: str | None,
        input: InputSpec,
        augmentation: Sequence[Any],
        batch_size: int,
        val: str | int | float,
        train: int | None,
        test: int | float | None,
        groups: str | None,
        folds: int | None,
        fold: int,
        split: str | None,
        seed: int,
        oversize: float,
        label_map: dict[str, str | None] | None,
        keep_difficult: bool,
        origin: int,
        smallest_face: int,
        drop: Sequence[str],
        mend: Sequence[str],
        cache: str | None,
        votes: str | None,
        unvoted_smoothing: float,
        repeat: dict[str, int] | None,
        sampler: str,
        workers: int,
    ) -> None:
        super().__init__()
        if not root:
            raise ConfigError("data.root: expected a data set; set data.root=/path/to/dataset")
        if not 1 <= oversize <= 2:
            raise ConfigError(f"data.oversize: expected a factor from 1 to 2, got {oversize}")
        numbers = {"workers": (workers, 0), "batch_size": (batch_size, 1)}
        for name, (number, least) in (numbers | {"smallest_face": (smallest_face, 0)}).items():
            if type(number) is not int or number < least:
                raise ConfigError(f"data.{name}: expected {least} or more, got {number}")
        if origin not in (0, 1):
            raise ConfigError(f"data.origin: expected 0 or 1, got {origin}")
        for name, kinds in {"drop": drop, "mend": mend}.items():
            if not isinstance(kinds, list | tuple):
                raise ConfigError(f"data.{name}: expected a list, as in [identical], got {kinds}")
        _check_tables(groups, votes)
        _check_smoothing(unvoted_smoothing)
        check_repeat(repeat)
        if sampler not in SAMPLERS:
            raise ConfigError(f"data.sampler: expected shuffled or balanced, got {sampler!r}")
        self.input = input
        self.batch_size, self.workers, self.seed = batch_size, workers, seed
        self.sampler, self.repeat = sampler, repeat
        self.votes, self.unvoted_smoothing = votes, unvoted_smoothing
        folder = Path(cache) if cache else None
        scheme = LabelScheme(input.labels, dict(label_map or {}))
        rules = Rules(scheme, origin, groups, smallest_face)
        self.source = FaceSource(Path(root), rules, drop, mend, keep_difficult, folder)
        file = Path(split) if split else None
        self.plan = SplitPlan(val, train, test, folds, fold, seed, file)
        self.cache = CropCache(folder)
        self.kept_size = round(input.size * oversize)
        self.augmentation = Augmentation(augmentation, input.size, seed)
        # Tried once here, so that transforms that do not fit are refused before anything is read.
        self.augmentation(np.zeros((self.kept_size, self.kept_size, 3), np.uint8), 0, 0)
        self.faces: FaceSet | None = None
        self.photos: dict[str, list[AnnotatedPhoto]] = {}
        self.samples: dict[str, list[FaceSample]] = {}
        self._datasets: dict[str, CropDataset] = {}
        self._shares: NDArray[np.float32] | None = None  # of the training part
        self._sizes: dict[str, list[int]] = {}  # of each part's global batches
        self._skipped = (0, 0)

    @property
    def root(self) -> Path:
        """The data set."""
        return self.source.root

    def read_samples(self) -> FaceSet:
        """Audits, cleans and splits the data set; the faces of each part go to `samples`.

        Raises:
            DataError: the data set cannot be used as it is; says where and why.
        """
        if self.faces is None:
            self.faces = self.source.read()
            self.photos = assign(self.faces.photos, self.faces.audit, self.plan)
            scheme = self.source.rules.scheme
            self.samples = {
                part: gather_samples(photos, scheme, f"{self.root}, {part}")
                for part, photos in self.photos.items()
                if photos or part != "test"  # none is needed before the test
            }
            self._repeat()
            self._shares = self._read_shares()
        return self.faces

    def _repeat(self) -> None:
        if self.repeat and self.faces is not None:
            folders = [folder.path for folder in self.faces.audit.folders.values()]
            self.samples["train"] = repeated(self.samples["train"], self.repeat, self.root, folders)

    def _read_shares(self) -> NDArray[np.float32] | None:
        """Gives what each training face is to be learnt as: the shares of its votes, or its class.

        The class is smoothed by `unvoted_smoothing`, s: (1 - s) onehot(class) + s / classes. Votes
        are given for a photo, so that they speak of a face only where it is alone there.
        """
        if self.votes is None or self.faces is None:
            return None
        samples, scheme = self.samples["train"], self.source.rules.scheme
        names = [sample.image.relative_to(self.root).as_posix() for sample in samples]
        places = [self.root, *(folder.path for folder in self.faces.audit.folders.values())]
        found = read_votes(self.votes, list(dict.fromkeys(names)), places, scheme)
        faces = Counter(sample.image for sample in set(samples))  # some may be repeated
        classes, smoothing = len(scheme.names), self.unvoted_smoothing
        certain = np.eye(classes, dtype=np.float32)[[sample.target for sample in samples]]
        shares: NDArray[np.float32] = (1 - smoothing) * certain + smoothing / classes
        for row, (name, sample) in enumerate(zip(names, samples, strict=True)):
            if faces[sample.image] == 1 and name in found:
                shares[row] = found[name]
        return shares

    def setup(self, stage: str) -> None:
        """Opens the crops of a stage; Lightning calls this in each process."""
        facts = self.read_samples().audit.facts
        hashes = {path: fact.sha256 for path, fact in facts.items()}
        parts = [part for part in PARTS[stage] if part not in self._datasets]
        for part in parts:
            if part not in self.samples:
                raise DataError(f"{self.root}: has no {part} part; see data.val and data.test")
        # In one cache for all, so that another split or fold of the same faces finds it built; in
        # memory each part has the one size that it needs.
        pools = [parts] if self.cache.folder else [[part] for part in parts]
        for pool in pools:
            self._open(pool, hashes)

    def _open(self, parts: Sequence[str], hashes: Mapping[Path, str]) -> None:
        samples = list({sample for part in parts for sample in self.samples[part]})
        samples.sort(key=lambda sample: (sample.annotation, sample.number))
        rows = {sample: row for row, sample in enumerate(samples)}
        sizes = {part: self.kept_size if part == "train" else self.input.size for part in parts}
        what = " and ".join(parts)
        crops = self.cache.open(samples, hashes, self.input, list(sizes.values()), what)
        for part, size in sizes.items():
            chosen = crops[size].select([rows[sample] for sample in self.samples[part]])
            augmentation = self.augmentation if part == "train" else None
            self._datasets[part] = CropDataset(chosen, augmentation)

    def dataset(self, part: str) -> CropDataset:
        """Gives the crops of a part that `setup` has opened."""
        return self._datasets[part]

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
        shares = self._shares if part == "train" else None
        rank, world, accumulated = self._layout()
        balanced = shuffle and self.sampler == "balanced"
        classes = dataset.crops.targets if balanced else None
        step = self.step_size(world, accumulated)
        sampler = BatchSampler(len(dataset), step, rank, world, shuffle, self.seed, classes)
        self._sizes[part] = sampler.sizes()
        if shuffle:
            # The epoch now, since workers begin to load before Lightning tells it.
            sampler.set_epoch(self._skipped[0])
            sampler.skip(*self._skipped)
            self._skipped = (0, 0)
        return DataLoader(
            dataset,
            batch_sampler=sampler,
            collate_fn=partial(collate, size=self.input.size, shares=shares),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_prepare_worker,
            # Its own, so that the number of workers changes nothing that torch draws.
            generator=torch.Generator().manual_seed(self.seed),
        )

    def step_faces(self, batch: int) -> int:
        """Gives the faces of the optimiser's step to which a training batch belongs.

        Over all devices and all accumulated batches, of which the last step of an epoch may have
        fewer; what `trainer.limit_train_batches` cuts off is not counted.

        Args:
            batch: its number in the epoch, from 0.
        """
        assert self.trainer is not None
        accumulated = self.trainer.accumulate_grad_batches
        first = batch // accumulated * accumulated
        last = min(first + accumulated, int(self.trainer.num_training_batches))
        return sum(self._sizes["train"][first:last])

    def epoch_faces(self, part: str) -> int:
        """Gives the faces of one epoch of a part over all devices, as far as limits allow.

        Args:
            part: "train", "val" or "test".
        """
        assert self.trainer is not None
        sizes = self._sizes[part]
        if part == "train":
            return sum(sizes[: int(self.trainer.num_training_batches)])
        limits = {"val": self.trainer.num_val_batches, "test": self.trainer.num_test_batches}
        return sum(sizes[: int(limits[part][0])])

    def state_dict(self) -> dict[str, int]:
        """Gives the epoch to go on with, from 0, and the batches of it that are trained on."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        # As plain numbers: Lightning's types know less than its objects.
        done = int(loop.epoch_loop.batch_progress.current.state_dict()["processed"])
        epoch = int(loop.epoch_progress.current.state_dict()["processed"])
        return {"epoch": epoch, "batches": done if done < self.trainer.num_training_batches else 0}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Lets the next training begin there."""
        self._skipped = (state_dict["epoch"], state_dict["batches"])

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


def _check_tables(groups: object, votes: object) -> None:
    tables = {"groups": (groups, "a file, name:… or folder:…"), "votes": (votes, "a CSV file")}
    for name, (table, forms) in tables.items():
        if table is not None and not isinstance(table, str):
            raise ConfigError(f"data.{name}: expected {forms}, got {table}")


def _check_smoothing(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"data.unvoted_smoothing: expected a share from 0 to 1, got {value}")


def _prepare_worker(worker: int) -> None:
    import cv2

    cv2.setNumThreads(0)  # the workers are the threads
    # A cluster ends all processes at once. The main one still finishes its step and saves the run,
    # which fails where a worker is gone; an alarm ends the worker should nobody else do so.
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGTERM, lambda *_: signal.alarm(SAVING_SECONDS))
