"""Images a second: the original's augmentation against ours, on the same face crops, in one run.

    python benchmarks/data.py ../shared/data/faces5 --size 256 --rounds 5

Without a data set one is drawn into a temporary folder. Three ways from a decoded face to an input:

    original   PIL and torchvision on the crop at its own resolution: rotate, flip, resize to 280,
               cut 256, to floats, normalise
    composed   albumentations on crops kept at 280: Rotate, HorizontalFlip, RandomCrop
    fused      FaceWarp on crops kept at 280, as conf/ has it

The last two leave uint8, since the network normalises on its device: free on a GPU, but not where
that is this CPU. "fused, normalised" counts it, on one thread beside the loading workers.

Bare rates are images per second of CPU time on one thread, so that others' load hardly matters.
Those of loaders are by the clock, batches and processes included. At last the network trains on all
cores with batches from the loader, and with the same batches from memory: what is lost to loading.
All take turns, round by round; printed are medians, and of ratios within a round the extremes too.
Threads that wait for one another sleep (OMP_WAIT_POLICY=passive), or on a busy machine they would
keep the cores from whom they wait for.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when torch is imported

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader, Dataset, default_collate
from torchvision import transforms

from emotion.data.augment import Augmentation, albumentations  # type: ignore[attr-defined]
from emotion.data.cache import FaceCrops
from emotion.data.datamodule import CropDataset, collate
from emotion.data.sample import write_sample
from emotion.data.sampling import BatchSampler
from emotion.data.warp import FaceWarp
from emotion.faces.crops import resize_crop
from emotion.faces.folders import read_folder
from emotion.faces.images import read_image
from emotion.faces.inputs import InputSpec
from emotion.faces.labels import EMOTIONS
from emotion.training.module import EmotionModule

WAYS = ("original", "composed", "fused")
OVERSIZE = 280 / 256
PACKAGES = ("torch", "torchvision", "albumentations", "opencv-python-headless", "pillow", "numpy")

Rates = dict[str, list[float]]  # name -> one figure a round


class Faces:
    """Decoded face crops at their own resolution, and their classes."""

    def __init__(self, root: Path, limit: int) -> None:
        faces = [
            (photo.image, face.box, EMOTIONS.index(face.label))
            for photo in read_folder(root / "train").photos
            for face in photo.faces
            if face.label in EMOTIONS
        ]
        faces = faces[:: max(1, len(faces) // limit)][:limit]
        self.crops = [InputSpec().crop(read_image(path), box).copy() for path, box, _ in faces]
        self.targets = np.array([target for *_, target in faces], dtype=np.int64)
        self._kept: dict[int, FaceCrops] = {}

    def kept(self, size: int, count: int) -> FaceCrops:
        """Gives `count` of them, over and over, resized as the cache keeps them."""
        if size not in self._kept:
            pixels = [resize_crop(crop, round(size * OVERSIZE)) for crop in self.crops]
            self._kept[size] = FaceCrops(np.stack(pixels), self.targets)
        return self._kept[size].select(np.arange(count) % len(self.crops))


class PlainCrops(Dataset[tuple[torch.Tensor, int]]):
    """What one writes first, as in `benchmarks/train.py`; indexed as `CropDataset` is."""

    def __init__(self, faces: Faces, size: int, count: int) -> None:
        self.pictures = [Image.fromarray(crop) for crop in faces.crops]
        self.targets = faces.targets.tolist()
        self.count = count
        steps = [
            transforms.RandomRotation(10),
            transforms.RandomHorizontalFlip(),
            transforms.Resize((round(size * OVERSIZE),) * 2),
            transforms.RandomCrop(size),
            transforms.ToTensor(),
            transforms.Normalize(InputSpec().mean, InputSpec().std),
        ]
        self.transform = transforms.Compose(steps)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, int]:
        index = key[1] % len(self.pictures)
        return self.transform(self.pictures[index]), self.targets[index]


def crops(way: str, faces: Faces, size: int, count: int) -> Dataset[Any]:
    """Gives `count` faces in one of the three ways."""
    if way == "original":
        return PlainCrops(faces, size, count)
    steps = {
        "composed": [
            albumentations.Rotate(limit=(-10, 10), p=1.0),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.RandomCrop(height=size, width=size),
        ],
        "fused": [FaceWarp(size, rotate=(-10, 10), flip=0.5)],
    }
    return CropDataset(faces.kept(size, count), Augmentation(steps[way], size, 0))


def use_one_thread(worker: int = 0) -> None:
    """Keeps torch and OpenCV to one thread each."""
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def rounds(tasks: Mapping[str, Callable[[], float]], count: int) -> Rates:
    """Runs all tasks in turn, in each round from another on; a first round is not counted."""
    rates: Rates = {name: [] for name in tasks}
    for number in range(count + 1):
        names = list(tasks)[number % len(tasks) :] + list(tasks)[: number % len(tasks)]
        for name in names:
            rate = tasks[name]()
            if number:
                rates[name].append(rate)
    return rates


def cpu_rate(work: Callable[[int], int], seconds: float) -> float:
    """Gives images a second of CPU time; `work(k)` does the k-th piece and counts its images."""
    done, piece, start = 0, 0, time.process_time()
    while time.process_time() - start < seconds:
        done += work(piece)
        piece += 1
    return done / (time.process_time() - start)


def bare(faces: Faces, size: int, seconds: float, count: int) -> Rates:
    """Measures single images without a loader."""

    def one(dataset: Dataset[Any], piece: int) -> int:
        dataset[divmod(piece, len(faces.crops))]
        return 1

    tasks = {}
    for way in WAYS:
        work = partial(one, crops(way, faces, size, len(faces.crops)))
        tasks[way] = partial(cpu_rate, work, seconds)
    return rounds(tasks, count)


def loader(way: str, faces: Faces, size: int, count: int, batch: int, workers: int) -> Any:
    """Gives a data loader as the data module makes it."""
    ours = partial(collate, size=size)
    return DataLoader(
        crops(way, faces, size, count),
        batch_sampler=BatchSampler(count, batch, 0, 1, True, 0),
        collate_fn=default_collate if way == "original" else ours,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=use_one_thread,
    )


def clock_rate(feed: Any, use: Callable[[Any], object]) -> float:
    """Gives images a second by the clock, for one epoch of a loader."""
    start = time.perf_counter()
    for batch in feed:
        use(batch)
    return float(len(feed.dataset) / (time.perf_counter() - start))


def loaded(
    faces: Faces, size: int, batch: int, seconds: float, count: int, rates: Rates
) -> dict[int, Rates]:
    """Measures epochs of about `seconds` each, with 0, 1 and 2 workers."""
    network = EmotionModule(InputSpec(size=size), None, torch.optim.Adam).network
    network.backbone = torch.nn.Identity()  # leaves the normalisation

    def normalise(batch: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            network(batch["pixels"])

    def task(way: str, workers: int, rate: list[float], use: Callable[[Any], object]) -> Any:
        batches = max(2, round(statistics.median(rate) * seconds / batch))
        return partial(clock_rate, loader(way, faces, size, batches * batch, batch, workers), use)

    results = {}
    for workers in (0, 1, 2):
        tasks = {way: task(way, workers, rates[way], len) for way in WAYS}
        tasks["fused, normalised"] = task("fused", workers, rates["original"], normalise)
        results[workers] = rounds(tasks, count)
    return results


class Feed:
    """Batches, and the seconds that one waited for them."""

    def __init__(self, batches: Any) -> None:
        self.batches = batches
        self.waited = self.total = 0.0

    def train(self, module: EmotionModule, optimizer: torch.optim.Optimizer) -> float:
        """Gives the images a second of forward, backward and step, by the clock."""
        batches, count = iter(self.batches), 0
        start = time.perf_counter()
        for _ in range(len(self.batches)):
            before = time.perf_counter()
            batch = next(batches)
            self.waited += time.perf_counter() - before
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(module(batch["pixels"]), batch["targets"])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            count += len(batch["targets"])
        seconds = time.perf_counter() - start
        self.total += seconds
        return count / seconds


def trained(faces: Faces, size: int, batch: int, steps: int, count: int) -> Rates:
    """Trains from memory and from loaders, and prints how long it waited for them."""
    torch.set_num_threads(cores())
    module = EmotionModule(InputSpec(size=size), None, torch.optim.Adam)
    module.network.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.network.parameters(), lr=3e-5)
    loaders = {
        f"{workers} workers": loader("fused", faces, size, steps * batch, batch, workers)
        for workers in (0, 1, 2)
    }
    feeds = {name: Feed(batches) for name, batches in loaders.items()}
    feeds = {"memory": Feed(list(loaders["0 workers"]))} | feeds
    tasks = {name: partial(feed.train, module, optimizer) for name, feed in feeds.items()}
    rates = rounds(tasks, count)
    shares = [f"{name} {feed.waited / feed.total:.1%}" for name, feed in feeds.items()]
    print(f"\ntraining, {size} px, share of the time waiting for batches: {', '.join(shares)}")
    return rates


def cores() -> int:
    """Gives the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> str:
    """Names processor, cores, Python and packages."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{names[0] if names else platform.processor()}, {cores()} cores, {platform.system()},"
        f" Python {platform.python_version()}, {packages}"
    )


def show(title: str, rates: Rates) -> None:
    """Prints a table: images a second, and how often the first row's."""
    first, *_ = rates.values()
    print(f"\n{title:<34}images/s   ratio [least, most]")
    for name, values in rates.items():
        ratios = [value / base for value, base in zip(values, first, strict=True)]
        print(
            f"  {name:<30}{statistics.median(values):>10.0f}   {statistics.median(ratios):5.2f}"
            f" [{min(ratios):.2f}, {max(ratios):.2f}]"
        )


def measure(faces: Faces, options: argparse.Namespace) -> None:
    """Measures and prints everything."""
    sides: NDArray[np.float64] = np.median([crop.shape[:2] for crop in faces.crops], axis=0)
    print(machine())
    print(
        f"{len(faces.crops)} faces of {sides[1]:.0f} x {sides[0]:.0f} pixels (medians);"
        f" {options.rounds} rounds",
        flush=True,
    )
    use_one_thread()
    rates = bare(faces, options.size, options.seconds, options.rounds)
    timing = (options.batch, options.seconds, options.rounds)
    show(f"bare, one core, {options.size} px", rates)
    for workers, result in loaded(faces, options.size, *timing, rates).items():
        show(f"loader, {workers} workers, {options.size} px", result)
    # Shorter and more often: what is lost is small, and the machine's speed drifts.
    steps = (options.batch, options.steps, 4 * options.rounds)
    show(f"training, {options.train_size} px", trained(faces, options.train_size, *steps))


def main() -> None:
    """Reads the arguments, and draws a data set where none is given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path, nargs="?", help="a data set with train/")
    parser.add_argument("--size", type=int, default=256, help="pixels a side")
    parser.add_argument("--train-size", type=int, default=64, help="the same, for training")
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--faces", type=int, default=200, help="how many are used")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--steps", type=int, default=3, help="of each training")
    options = parser.parse_args()
    if options.root:
        measure(Faces(options.root, options.faces), options)
        return
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder) / "data", images=options.faces, seed=0)
        faces = Faces(Path(folder) / "data", options.faces)
    measure(faces, options)


if __name__ == "__main__":
    main()
