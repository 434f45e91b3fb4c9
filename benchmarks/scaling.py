"""What grows with the number of runs, photos and faces, measured at sizes that are cheap.

    python benchmarks/scaling.py

Every figure of docs/scaling.md that is called measured is one of these; what is called extrapolated
is one of them times a number. Photos are drawn, runs are short trainings at 64 pixels (a checkpoint
is as large at any number of pixels), everything else is made up. Seconds are by the clock, of one
process on a machine whose memory holds the files that it reads; bytes are those of the files, and
of memory the peak that Python's own accounting sees.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hydra import compose, initialize_config_dir

from emotion.data.audit import Rules, audit
from emotion.data.crop_files import CropFile
from emotion.data.duplicates import similar_pairs
from emotion.data.pictures import PictureFacts, _Store
from emotion.data.sample import write_sample
from emotion.data.sampling import BatchSampler
from emotion.data.split_file import FrozenSplit, SplitEntry, read_split, write_split
from emotion.data.splits import split
from emotion.experiments.configs import VERSION_BASE
from emotion.faces.boxes import Box
from emotion.faces.labels import EMOTIONS, LabelScheme
from emotion.faces.samples import FaceSample
from emotion.files import config_folder
from emotion.leaderboards.leaderboard import write_leaderboard

PARTS = {"checkpoints": "checkpoints", "tensorboard": "TensorBoard"}  # of a run folder
ONE_RUN = ("config.yaml", "run.json", "selection.json", "metrics.json", "epochs.csv")
KEPT = (280, 256)  # sides of the crops that are kept of each face


class Figure(NamedTuple):
    """A figure, what it is of, and its unit."""

    what: str
    value: float
    unit: str


def seconds(action: Callable[..., object], *given: object) -> float:
    """Gives how long something takes."""
    start = time.perf_counter()
    action(*given)
    return time.perf_counter() - start


def peak(action: Callable[..., object], *given: object) -> float:
    """Gives the megabytes that something needs at most, beyond what is there."""
    tracemalloc.start()
    try:
        action(*given)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def size(*places: Path) -> float:
    """Gives the megabytes of files and folders."""
    files = [path for place in places for path in (place, *place.rglob("*")) if path.is_file()]
    return sum(path.stat().st_size for path in files) / 1e6


def start_up() -> Iterator[Figure]:
    """Measures what each run pays before it looks at any data."""
    for module in ("emotion.__main__", "emotion.experiments.runs"):
        command = [sys.executable, "-c", f"import {module}"]
        yield Figure(f"import {module}", seconds(run, command), "s")
    with initialize_config_dir(str(config_folder()), version_base=VERSION_BASE):
        yield Figure("compose the config", seconds(compose, "train"), "s")


def photos(folder: Path, images: int) -> Iterator[Figure]:
    """Measures the audit of drawn photos, with nothing known of them and with everything."""
    root = folder / "data"
    write_sample(root, images=images, seed=0)
    yield Figure("photo and its XML file", 1000 * size(root) / images, "kB")
    for state in ("cold", "warm"):
        taken = seconds(audit, root, Rules(LabelScheme()), folder / "facts")
        yield Figure(f"audit of {images} photos, {state}", taken, "s")


def runs(folder: Path, epochs: int, count: int) -> Iterator[Figure]:
    """Measures what run folders hold, and a leaderboard over many that are made up from one."""
    root = folder / "faces"
    write_sample(root, images=20, seed=3)
    train(root, folder / "short", epochs)
    train(root, folder / "long", 2 * epochs)
    for place in (folder / "short", folder / "long"):
        many = epochs if place.name == "short" else 2 * epochs
        for part, name in PARTS.items():
            yield Figure(f"run of {many} epochs: {name}", size(place / part), "MB")
        rest = [p for p in place.iterdir() if p.name not in PARTS]
        yield Figure(f"run of {many} epochs: all else", size(*rest), "MB")
    for path in sorted((folder / "long" / "checkpoints").iterdir()):
        name = "last.ckpt" if path.name == "last.ckpt" else "best checkpoint"
        yield Figure(name, size(path), "MB")
    yield Figure("curves.png", size(folder / "long" / "curves.png"), "MB")
    make_up_runs(folder / "long", folder / "sweep", count)
    taken = seconds(write_leaderboard, folder / "sweep")
    yield Figure(f"leaderboard of {count} runs", taken, "s")


def run(command: list[str]) -> None:
    """Runs a command; one that fails ends us with what it said."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)


def train(root: Path, folder: Path, epochs: int) -> None:
    """Trains in a process of its own, two steps an epoch."""
    settings = [
        f"data.root={root}", f"hydra.run.dir={folder}", f"trainer.max_epochs={epochs}",
        "trainer.limit_train_batches=2", "data.batch_size=4", "data.cache=null",
        "input.size=64", "trainer=cpu", "model.weights=null",
    ]  # fmt: skip
    run([sys.executable, "-m", "emotion", "train", *settings])


def make_up_runs(made: Path, sweep: Path, count: int) -> None:
    """Copies the small files of a run, each copy with a learning rate and a score of its own."""
    rng = np.random.default_rng(0)
    for number in range(count):
        place = sweep / str(number)
        place.mkdir(parents=True)
        for name in ONE_RUN:
            shutil.copy(made / name, place / name)
        config = (place / "config.yaml").read_text()
        (place / "config.yaml").write_text(config.replace("lr: 3.0e-05", f"lr: {number + 1}.0e-06"))
        selection = json.loads((place / "selection.json").read_bytes())
        selection["score"] = float(rng.uniform(1, 2))
        (place / "selection.json").write_text(json.dumps(selection))


def crops(folder: Path, rows: int) -> Iterator[Figure]:
    """Measures the file of the crops, and the check of its sums at each opening."""
    file = CropFile(folder / "crops", "0" * 64, rows, KEPT[0])
    file.path.parent.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (rows, KEPT[0], KEPT[0], 3), np.uint8)

    def write() -> None:
        with file.writing() as add:
            add(pixels)

    yield Figure("crops of a face", sum(3 * side**2 for side in KEPT) / 1e3, "kB")
    yield Figure("crop file, written", size_of(rows) / seconds(write), "MB/s")
    yield Figure("crop file, checked", size_of(rows) / seconds(file.intact, "crops"), "MB/s")
    yield Figure("crop file, mapped", seconds(file.rows), "s")
    file.remove()


def size_of(rows: int) -> float:
    """Gives the megabytes of so many crops of the larger size."""
    return rows * 3 * KEPT[0] ** 2 / 1e6


def order(faces: int) -> Iterator[Figure]:
    """Measures an epoch's order, plain and balanced; the balanced one at a tenth of the faces."""
    plain = BatchSampler(faces, 200, 0, 1, shuffle=True, seed=1)
    few = max(faces // 10, 1)
    classes = np.random.default_rng(0).integers(0, 5, few)
    balanced = BatchSampler(few, 200, 0, 1, shuffle=True, seed=1, classes=classes)
    for name, sampler, count in (("shuffled", plain, faces), ("balanced", balanced, few)):
        yield Figure(f"{name}, {count:,} faces: length", seconds(len, sampler), "s")
        first = seconds(_first, sampler)
        yield Figure(f"{name}, {count:,} faces: first batch", first, "s")
        most = peak(_first, sampler)
        yield Figure(f"{name}, {count:,} faces: memory", most, "MB")


def _first(sampler: BatchSampler) -> None:
    next(iter(sampler))


def entries(folder: Path, count: int) -> Iterator[Figure]:
    """Measures what is kept of each photo: the frozen split, the facts, objects in memory."""
    names = [f"train/annotations/photo_{number:08d}.xml" for number in range(count)]
    frozen = FrozenSplit(
        {
            name: SplitEntry(f"{name[:-4]}.jpg", f"{i:064x}", "train")
            for i, name in enumerate(names)
        },
        {"seed": 1},
        {"train": {"smile": count}},
    )
    path = folder / "split.json"
    yield Figure(
        f"split.json of {count:,} photos, written", seconds(write_split, path, frozen), "s"
    )
    yield Figure(f"split.json of {count:,} photos, read", seconds(read_split, path), "s")
    yield Figure(f"split.json of {count:,} photos", size(path), "MB")
    facts = [PictureFacts(f"{i:064x}", 350, 350, bytes(32)) for i in range(count)]
    store = _Store(folder / "sqlite")
    hashes = [fact.sha256 for fact in facts]
    yield Figure(f"facts of {count:,} photos, written", seconds(store.write, facts), "s")
    yield Figure(f"facts of {count:,} photos, read", seconds(store.read, hashes), "s")
    yield Figure(f"facts of {count:,} photos", size(store.path), "MB")
    kept: list[FaceSample] = []
    made = peak(kept.extend, map(_sample, names))
    yield Figure(f"{count:,} faces in memory", made, "MB")
    counts = np.eye(5, dtype=np.int64)[np.random.default_rng(0).integers(0, 5, count)]
    wanted = {"train": None, "val": 0.2}
    taken = seconds(split, counts, np.arange(count), names, wanted, EMOTIONS, 1, "here")
    yield Figure(f"split of {count:,} photos", taken, "s")


def _sample(name: str) -> FaceSample:
    box = Box(len(name), 10, 200, 200)
    return FaceSample(Path(f"/data/{name[:-4]}.jpg"), Path(f"/data/{name}"), 12, 1, box, 1)


def copies(pictures: int) -> Iterator[Figure]:
    """Measures the search for nearly the same pictures, which grows with the square."""
    for count in (pictures // 2, pictures):
        hashes = np.random.default_rng(0).integers(0, 2**63, (count, 4), np.int64).astype(np.uint64)
        yield Figure(f"copies among {count:,} pictures", seconds(similar_pairs, hashes), "s")


def show(title: str, figures: Iterator[Figure]) -> None:
    """Prints a table."""
    print(f"\n{title}")
    for what, value, unit in figures:
        print(f"  {what:<48}{value:>12,.3f} {unit}", flush=True)


def main() -> None:
    """Reads the arguments and prints all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=300, help="photos that are audited")
    parser.add_argument("--epochs", type=int, default=4, help="of the shorter run")
    parser.add_argument("--runs", type=int, default=1000, help="run folders that are made up")
    parser.add_argument("--rows", type=int, default=4000, help="crops in a file")
    parser.add_argument("--faces", type=int, default=10_000_000, help="that are shuffled")
    parser.add_argument("--entries", type=int, default=100_000, help="photos of a split")
    parser.add_argument("--pictures", type=int, default=40_000, help="that are compared")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show("start-up", start_up())
        show("photos", photos(folder, options.images))
        show("runs", runs(folder, options.epochs, options.runs))
        show("crops", crops(folder, options.rows))
        show("order of an epoch", order(options.faces))
        show("what is kept of photos and faces", entries(folder, options.entries))
        show("pictures that are nearly the same", copies(options.pictures))


if __name__ == "__main__":
    main()
