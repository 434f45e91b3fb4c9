"""How fast an evaluation is: `emotion evaluate` against the bare detector and network.

    python benchmarks/evaluate.py photos CKPT DATA --rounds 5
    python benchmarks/evaluate.py bootstrap --faces 100000
    python benchmarks/evaluate.py memory CKPT DATA

`photos`: ours is the whole of `emotion evaluate CKPT DATA` from reading the XML to the last file,
without heat maps and corruptions, imports left out. Bare is what one writes first: each photo is
opened, dlib looks for faces, and the network names those that it found, a batch at a time; it
reports nothing. "bare, on all cores" is the same with a thread a core for opening and finding. They
take turns, round by round; printed are medians and, of ratios within a round, the extremes.

`bootstrap`: 10,000 resamples for accuracy, balanced accuracy, macro-F1, and those of each class.

`memory`: the most memory that the pass over the photos takes, for one copy of DATA and for several.
"""

import argparse
import shutil
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 16


def bare(classifier: Any, folder: Path, jobs: int) -> int:
    """Names the faces that dlib finds; gives how many there are."""
    from emotion.faces.detectors import DlibDetector
    from emotion.faces.folders import read_folder
    from emotion.faces.images import read_image
    from emotion.threads import map_in_order

    detector = DlibDetector()

    def crops(path: Path) -> list[Any]:
        image = read_image(path)
        return [classifier.input.pixels(image, find.box) for find in detector.detect(image)]

    paths = [photo.image for photo in read_folder(folder).photos]
    found: Iterator[list[Any]] = map_in_order(crops, paths, jobs) if jobs > 1 else map(crops, paths)
    faces = (face for photo in found for face in photo)
    count = 0
    while batch := list(islice(faces, BATCH)):
        count += len(classifier.probabilities(np.stack(batch)))
    return count


def photos(options: argparse.Namespace) -> None:
    """Compares an evaluation with the bare detector and network."""
    from emotion.threads import cores, wait_asleep

    wait_asleep()  # as the command does, for all three
    from emotion.commands.evaluate import read_evaluated
    from emotion.evaluation.evaluating import Options, evaluate
    from emotion.inference.checkpoint_files import find_checkpoint

    evaluated = read_evaluated(find_checkpoint(options.checkpoint), "cpu")
    with tempfile.TemporaryDirectory() as temporary:
        ways: dict[str, Callable[[], Any]] = {
            "bare": lambda: bare(evaluated.classifier, options.data, 1),
            "bare, on all cores": lambda: bare(evaluated.classifier, options.data, cores()),
            "ours": lambda: evaluate(evaluated, Options(data=options.data), Path(temporary)),
        }
        for way in ways.values():  # modules are loaded, files read once
            way()
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                times[name].append(time.perf_counter() - started)
    for name, seconds in times.items():
        print(f"{name:20} {statistics.median(seconds):6.2f} s")
    for name in ("bare", "bare, on all cores"):
        ratios = [a / b for a, b in zip(times["ours"], times[name], strict=True)]
        middle = statistics.median(ratios)
        print(f"ours / {name}: {middle:.2f} [{min(ratios):.2f}, {max(ratios):.2f}]")


def bootstrap(options: argparse.Namespace) -> None:
    """Times the intervals of many predictions, one face and three faces a photo."""
    from emotion.evaluation.intervals import Units
    from emotion.evaluation.results import Results
    from emotion.evaluation.scores import score
    from emotion.faces.boxes import Box
    from emotion.faces.samples import FaceSample

    rng = np.random.default_rng(0)
    targets = rng.integers(0, 5, options.faces)
    probabilities = rng.dirichlet(np.ones(5), options.faces).astype(np.float32)
    for faces in (1, 3):
        samples = [
            FaceSample(Path(f"{i // faces}.jpg"), Path("a.xml"), 1, 1, Box(0, 0, 9, 9), int(target))
            for i, target in enumerate(targets)
        ]
        results = Results(samples, probabilities, tuple("abcde"))
        started = time.perf_counter()
        units = Units.by_name([sample.image for sample in samples], results.targets)
        found = score(results, units)
        seconds = time.perf_counter() - started
        print(
            f"{options.faces:,} faces, {faces} a photo: {found.resamples:,} resamples of"
            f" {found.units:,} photos in {seconds:.1f} s"
        )


def memory(options: argparse.Namespace) -> None:
    """Measures the pass over the photos for once and four times as many."""
    from dataclasses import replace

    from emotion.commands.evaluate import read_evaluated
    from emotion.evaluation.observation import observe
    from emotion.evaluation.subjects import read_subject
    from emotion.faces.detectors import DlibDetector
    from emotion.inference.checkpoint_files import find_checkpoint

    evaluated = read_evaluated(find_checkpoint(options.checkpoint), "cpu")
    subject = read_subject(evaluated.path, evaluated.classifier.input.labels, data=options.data)
    detectors = {"dlib": DlibDetector()}
    with tempfile.TemporaryDirectory() as temporary:
        tracemalloc.start()
        for times in (1, 4):
            photos, samples = [], []
            for copy in range(times):
                names = {}
                for photo in subject.photos:
                    names[photo.image] = Path(temporary, f"{times}-{copy}-{photo.image.name}")
                    shutil.copy(photo.image, names[photo.image])
                photos += [replace(p, image=names[p.image]) for p in subject.photos]
                samples += [replace(s, image=names[s.image]) for s in subject.samples]
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            many = replace(subject, photos=photos, samples=samples)
            observe(many, evaluated.classifier, detectors)
            peak = tracemalloc.get_traced_memory()[1] - before
            print(f"{len(photos):6,} photos: {peak / 1e6:6.1f} MB at most")


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(required=True)
    for kind in (photos, memory):
        add = kinds.add_parser(kind.__name__)
        add.add_argument("checkpoint", type=Path)
        add.add_argument("data", type=Path)
        add.add_argument("--rounds", type=int, default=5)
        add.set_defaults(run=kind)
    add = kinds.add_parser("bootstrap")
    add.add_argument("--faces", type=int, default=100_000)
    add.set_defaults(run=bootstrap)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
