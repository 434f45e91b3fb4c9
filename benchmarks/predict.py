"""How fast and how lean prediction is: `emotion predict` against a bare script, and against `fer`.

    python benchmarks/predict.py processes PHOTOS... --model model.onnx --checkpoint CKPT
    python benchmarks/predict.py warm PHOTOS... --model model.onnx --checkpoint CKPT
    python benchmarks/predict.py memory PHOTO --model model.onnx --checkpoint CKPT
    python benchmarks/predict.py flat PHOTOS... --model model.onnx
    python benchmarks/predict.py sides DATA...

PHOTOS are files or folders. The floor is `predict_floor.py`: Pillow, dlib, onnxruntime and numpy,
one thread, the same model. All ways take turns, round by round, the first of a round another each
time, after one round that is not counted. Printed are medians, the least and the largest, and those
of the ratios within a round, since a machine's speed changes from minute to minute.

`processes`: whole processes from a cold start (a fresh interpreter; files are in the system's
cache), for the first photo and for all: the floor, `emotion predict` from the ONNX file and from
the checkpoint, and the package `fer` by its own defaults, in an environment of its own, if its
Python is named with --fer-python. The peak is that of the process, as the system tells it.

`warm`: a photo's time in a process that has loaded all: the Python API against the floor, photo by
photo, and for all photos at once.

`memory`: what the detector and the classifier add to a process, as the original measured it for its
own: what the process takes after it is declared, less what it took before; and after a photo.

`flat`: the peak of `emotion predict` for a list of photos and for one four times as long.

`sides`: what `--max-side` costs in recall and gains in time. DATA are annotated photos: folders as
`emotion evaluate` takes them, or the .xml files of dlib's imglab. As few photos are large, each is
also searched enlarged. A face is found where the boxes overlap by half (IoU).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

FLOOR = Path(__file__).with_name("predict_floor.py")
FER = """
import json, sys
import cv2
try:
    from fer import FER
except ImportError:  # so in 25.10
    from fer.fer import FER
detector = FER()
for path in sys.argv[1:]:
    for face in detector.detect_emotions(cv2.imread(path)):
        print(json.dumps({"source": path, "probabilities": face["emotions"]}))
"""
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
ORIGINAL = {"detector": 7, "classifier, checkpoint": 37}  # MB that the original states


class Run(NamedTuple):
    """What a process took."""

    seconds: float
    mebibytes: float


class Way(NamedTuple):
    """A command, and the file of JSON lines that it writes; standard output where it is None."""

    command: list[str]
    out: Path | None = None


def photos_of(arguments: Sequence[Path]) -> list[str]:
    """Lists files, and the photos in folders, by name."""
    found: list[Path] = []
    for path in arguments:
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        found += inside if path.is_dir() else [path]
    return [str(path) for path in found]


def measured(way: Way, folder: Path, listed: bytes = b"") -> tuple[Run, int]:
    """Runs a process to its end; gives what it took, and the faces that it wrote.

    The peak of a child is never below the memory of who starts it, so this one stays small: no
    numpy here. Modules are compiled once and kept, as for who installs the package.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    names, printed, errors = (folder / name for name in ("names", "printed", "errors"))
    names.write_bytes(listed)
    with names.open("rb") as given, printed.open("wb") as out, errors.open("wb") as told:
        started = time.perf_counter()
        process = subprocess.Popen(
            way.command, stdin=given, stdout=out, stderr=told, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(way.command[:4])} … failed:\n{errors.read_text(errors='replace')}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    lines = (way.out or printed).read_text(encoding="utf-8").splitlines()
    faces = sum(json.loads(line).get("face", 1) is not None for line in lines)
    return Run(seconds, usage.ru_maxrss / unit), faces


def in_turn(
    ways: Mapping[str, Callable[[], Any]], rounds: int, warm_up: bool = True
) -> dict[str, list[Any]]:
    """Lets all take turns; the first of a round is another each time."""
    results: dict[str, list[Any]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(-warm_up, rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            result = ways[name]()
            if number >= 0:
                results[name].append(result)
    return results


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Gives the median, the least and the largest."""
    told = (
        f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values))
    )
    return "{} [{}, {}]".format(*told)


def ratios(ours: Sequence[float], floor: Sequence[float]) -> str:
    """Gives the spread of the ratios within rounds."""
    return spread([a / b for a, b in zip(ours, floor, strict=True)])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints columns, the first to the left."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        first, *others = (
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "  ".join([first, *others]).rstrip())


def processes(options: argparse.Namespace) -> None:
    """Compares whole processes, for the first photo and for all."""
    every = photos_of(options.photos)
    fer = _usable_fer(options.fer_python)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for paths in (every[:1], every) if len(every) > 1 else (every,):
            print(f"\n{_counted(paths)}, {options.rounds} rounds")
            _compare(_ways(options, paths, folder, fer), folder, options.rounds)


def _ways(
    options: argparse.Namespace, paths: list[str], folder: Path, fer: str | None
) -> dict[str, Way]:
    def ours(model: Path) -> Way:
        out = folder / "ours.jsonl"
        command = [sys.executable, "-m", "emotion", "predict", *paths, f"--model={model}"]
        return Way([*command, f"--out={out}"], out)

    ways = {
        "floor": Way([sys.executable, str(FLOOR), str(options.model), *paths]),
        "emotion, ONNX": ours(options.model),
    }
    if options.checkpoint:
        ways["emotion, checkpoint"] = ours(options.checkpoint)
    if fer:
        ways["fer"] = Way([fer, "-c", FER, *paths])
    return ways


def _compare(ways: dict[str, Way], folder: Path, rounds: int) -> None:
    calls = {name: partial(measured, way, folder) for name, way in ways.items()}
    results = in_turn(calls, rounds)
    floor = [run for run, _ in results["floor"]]
    rows = []
    for name, pairs in results.items():
        runs = [run for run, _ in pairs]
        rows.append(
            [
                name, str(pairs[0][1]),
                spread([run.seconds for run in runs]), spread([run.mebibytes for run in runs], 1),
                ratios([run.seconds for run in runs], [run.seconds for run in floor]),
                ratios([run.mebibytes for run in runs], [run.mebibytes for run in floor]),
            ]
        )  # fmt: skip
    table(["", "faces", "seconds", "peak MiB", "seconds to floor", "MiB to floor"], rows)


def _usable_fer(python: Path | None) -> str | None:
    if python is None:
        print("fer: not measured; name the Python of an environment that has it: --fer-python")
        return None
    command = [str(python), "-c", FER]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = done.stderr.strip().splitlines()[-1] if done.returncode else ""
    except OSError as error:
        reason = str(error)
    if reason:
        print(f"fer: not measured; {python} cannot use it ({reason})")
        return None
    return str(python)


def _counted(paths: Sequence[str]) -> str:
    return f"{len(paths)} photo{'s' if len(paths) > 1 else ''}"


def warm(options: argparse.Namespace) -> None:
    """Compares the Python API with the floor in one process that has loaded all."""
    from predict_floor import Floor

    from emotion.predictor import Predictor
    from emotion.threads import wait_asleep

    wait_asleep()  # as the command does
    paths = photos_of(options.photos)
    floor = Floor(str(options.model))
    # For each, what takes one photo, and what takes all.
    ways: dict[str, tuple[Callable[[str], Any], Callable[[list[str]], Any]]] = {
        "floor": (
            lambda path: list(floor.predict([path])),
            lambda every: list(floor.predict(every)),
        )
    }
    models = {"emotion, ONNX": options.model, "emotion, checkpoint": options.checkpoint}
    for name, model in models.items():
        if model:
            predictor = Predictor.load(model)
            ways[name] = (predictor, predictor)
    for at_once in (False, True):
        calls = {
            name: partial(_timed, every, [paths]) if at_once else partial(_timed, one, paths)
            for name, (one, every) in ways.items()
        }
        results = in_turn(calls, options.rounds)
        how = "all at once" if at_once else "one by one"
        print(f"\n{_counted(paths)}, {how}, {options.rounds} rounds")
        rows = [
            [
                name,
                spread([1000 * s / len(paths) for s in taken], 1),
                ratios(taken, results["floor"]),
            ]
            for name, taken in results.items()
        ]
        table(["", "ms a photo", "to floor"], rows)


def _timed(call: Callable[[Any], Any], arguments: Sequence[Any]) -> float:
    started = time.perf_counter()
    for argument in arguments:
        call(argument)
    return time.perf_counter() - started


def memory(options: argparse.Namespace) -> None:
    """Prints what detector and classifier add to a process, beside what the original states."""
    parts = {"detector": None, "classifier, ONNX": options.model}
    if options.checkpoint:
        parts["classifier, checkpoint"] = options.checkpoint
    rows = []
    for name, model in parts.items():
        command = [sys.executable, *sys.argv[:1], "part", *photos_of(options.photos)[:1]]
        command += [f"--model={model}"] if model else []
        found = [json.loads(subprocess.check_output(command)) for _ in range(options.rounds)]
        columns = [spread(values, 1) for values in zip(*found, strict=True)]
        rows.append([name, *columns, str(ORIGINAL.get(name, ""))])
    print(f"MiB that are added, {options.rounds} processes each")
    table(["", "its libraries", "declared", "and used", "the original declared"], rows)


def part(options: argparse.Namespace) -> None:
    """Measures one part in this process: memory of its libraries, declared, and used."""
    from emotion.faces.detectors import DlibDetector
    from emotion.faces.images import read_image

    image = read_image(options.photos[0])
    taken = [_resident()]
    if options.model is None:
        import dlib  # noqa: F401

        taken.append(_resident())
        detector = DlibDetector()
        detector.detect(image[:80, :80])  # it is built when it is first asked
        taken.append(_resident())
        detector.detect(image)
    else:
        from emotion.models import open_model

        if options.model.suffix == ".onnx":
            import onnxruntime  # noqa: F401

            import emotion.inference.onnx_classifier
        else:
            import emotion.training.checkpoints  # noqa: F401
        taken.append(_resident())
        classifier = open_model(options.model, "cpu").classifier
        taken.append(_resident())
        side = classifier.input.size
        from emotion.faces.crops import resize_crop

        classifier.probabilities(resize_crop(image, side)[None])
    taken.append(_resident())
    before, loaded, declared, used = taken
    print(json.dumps([loaded - before, declared - loaded, used - loaded]))


def _resident() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not tell")


def flat(options: argparse.Namespace) -> None:
    """Prints the peak for a list of photos and for one four times as long."""
    paths = photos_of(options.photos)
    lengths = [options.copies * len(paths) * times for times in (1, 4)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        out = folder / "ours.jsonl"
        command = [sys.executable, "-m", "emotion", "predict", "-", f"--model={options.model}"]

        def run(length: int) -> float:
            listed = "".join(f"{path}\n" for path in islice(cycle(paths), length))
            return measured(Way([*command, f"--out={out}"], out), folder, listed.encode())[
                0
            ].mebibytes

        calls = {f"{length:,} photos": partial(run, length) for length in lengths}
        results = in_turn(calls, options.rounds, warm_up=False)
    first = next(iter(results.values()))
    rows = [[name, spread(peaks, 1), ratios(peaks, first)] for name, peaks in results.items()]
    print(f"{options.rounds} rounds")
    table(["", "peak MiB", "to the first"], rows)


class Annotated(NamedTuple):
    """A photo and the boxes of its faces; those of `ignored` do not count."""

    path: Path
    faces: list[Any]
    ignored: list[Any]


def annotated_photos(path: Path) -> list[Annotated]:
    """Reads a folder of Pascal VOC XML, or a file of dlib's imglab."""
    from emotion.faces.folders import read_folder

    if path.suffix.lower() == ".xml":
        return list(_imglab(path))
    return [
        Annotated(photo.image, [face.box for face in photo.faces], [])
        for photo in read_folder(path).photos
    ]


def _imglab(path: Path) -> Iterator[Annotated]:
    from lxml import etree

    from emotion.faces.annotations import parser
    from emotion.faces.boxes import Box

    for image in etree.fromstring(path.read_bytes(), parser()).iter("image"):
        boxes: dict[bool, list[Box]] = {False: [], True: []}
        for box in image.iter("box"):
            left, top, width, height = (
                int(box.get(name, "")) for name in ("left", "top", "width", "height")
            )
            boxes[box.get("ignore") == "1"].append(Box(left, top, left + width, top + height))
        yield Annotated(path.parent / str(image.get("file")), boxes[False], boxes[True])


def sides(options: argparse.Namespace) -> None:
    """Prints recall and time of searches at bounded sizes."""
    import numpy as np

    from emotion.faces.detectors import DlibDetector

    detector = DlibDetector(options.upsample)
    detector.detect(np.zeros((80, 80, 3), np.uint8))  # builds it
    names = ", ".join(path.name for path in options.data)
    photos = [photo for path in options.data for photo in annotated_photos(path)]
    for factor in options.enlarged:
        how = f"enlarged {factor} times" if factor > 1 else "as they are"
        print(f"\n{names}: {len(photos)} photos {how}, upsample {options.upsample}")
        counts = [Count(side) for side in options.sides]
        for photo in photos:
            _search(photo, factor, detector, counts)
        sizes = sorted(counts[0].longer)
        print(
            f"longer sides {sizes[0]:,} to {sizes[-1]:,}, median {statistics.median(sizes):,.0f} px"
        )
        head = ["max-side", "searched smaller", "faces", "found", "recall", "false", "ms a photo"]
        table([*head, "to the first"], [count.row(counts[0]) for count in counts])


class Count:
    """What a search at a bounded size has found so far.

    Args:
        side: `--max-side`; 0 for none.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self.longer: list[int] = []
        self.seconds: list[float] = []
        self.faces = self.found = self.false = 0

    def row(self, first: "Count") -> list[str]:
        """Gives the row of the table."""
        smaller = sum(longer > self.side for longer in self.longer) if self.side else 0
        milliseconds = 1000 * statistics.mean(self.seconds)
        return [
            f"{self.side:,}" if self.side else "none", str(smaller), str(self.faces),
            str(self.found), f"{self.found / max(self.faces, 1):.3f}", str(self.false),
            f"{milliseconds:.0f}", f"{sum(self.seconds) / sum(first.seconds):.2f}",
        ]  # fmt: skip


def _search(photo: Annotated, factor: int, detector: Any, counts: list[Count]) -> None:
    import numpy as np
    from PIL import Image

    from emotion.evaluation.matching import match
    from emotion.faces.boxes import Box
    from emotion.faces.images import read_image
    from emotion.faces.searching import BoundedSearch

    image = Image.fromarray(read_image(photo.path))
    large = image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC)
    pixels = np.asarray(large)

    def grown(boxes: list[Box]) -> list[Box]:
        edges = ((box.left, box.top, box.right, box.bottom) for box in boxes)
        return [Box(*(factor * edge for edge in each)) for each in edges]

    for count in counts:
        search = BoundedSearch(detector, count.side or None)
        started = time.perf_counter()
        found = search.detect(pixels)
        count.seconds.append(time.perf_counter() - started)
        count.longer.append(max(pixels.shape[:2]))
        matching = match(grown(photo.faces), [face.box for face in found], grown(photo.ignored))
        count.faces += len(photo.faces)
        count.found += len(matching.pairs)
        count.false += len(matching.false)


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    for kind in (processes, warm, memory, flat, part):
        add = kinds.add_parser(kind.__name__)
        add.add_argument("photos", type=Path, nargs="+")
        add.add_argument("--model", type=Path, required=kind is not part, help="an .onnx file")
        add.add_argument("--checkpoint", type=Path, help="the same model as a checkpoint")
        add.add_argument("--rounds", type=int, default=5)
        add.add_argument("--fer-python", type=Path, metavar="PYTHON", help="one that has fer")
        add.add_argument("--copies", type=int, default=16, help="of the photos, in flat")
        add.set_defaults(run=kind)
    add = kinds.add_parser("sides")
    add.add_argument("data", type=Path, nargs="+")
    add.add_argument("--sides", type=int, nargs="+", default=[0, 2000, 1200, 800, 600, 400])
    add.add_argument("--enlarged", type=int, nargs="+", default=[1, 4])
    add.add_argument("--upsample", type=int, default=0)
    add.set_defaults(run=sides)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
