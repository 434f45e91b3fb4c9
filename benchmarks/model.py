"""What each step of the recipe of the model in the box gains, with seeds.

    python benchmarks/model.py outputs/model --weights /path/to/imagenet.pth --jobs 6

Trains every rung of a ladder, each one step more than the rung below (and a few tries beside it),
with several seeds, and asks each network about the same validation faces: FER+ and faces5 apart.
`outputs/model` is what `make model` makes: `ferplus/` and `faces/`, and `official/` for the rungs
that know no doubtful faces. A run that is there already is not trained again, and what was measured
is printed however many runs are there: what is stopped can be gone on with.
"""

import argparse
import csv
import dataclasses
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion.data.photo_tables import read_csv
from emotion.evaluation.calibration.reliability import are_right, confidences_of, reliability
from emotion.evaluation.calibration.temperature import apply_temperature, fit_temperature
from emotion.evaluation.subjects import read_own_part
from emotion.faces.pixels import read_crops
from emotion.inference.checkpoint_files import find_checkpoint
from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint

PLAIN = (  # what one would write first
    "data.votes=null data.unvoted_smoothing=0 data.repeat=null model.ema=null"
    " model.label_smoothing=0.1 data.augmentation.0.jitter=0 data.augmentation.0.scale=[0.95,1.05]"
    " data.augmentation.0.shift=[-0.03,0.03] data.augmentation.2.p=0 data.augmentation.3.p=0"
    " model.logit_adjustment=0 input.mirror=false"
)


@dataclass(frozen=True)
class Rung:
    """A recipe.

    Attributes:
        name: of the rung.
        data: the data set.
        below: the rung that it stands on.
        changes: what it sets differently.
        mirrored: asks the networks of the rung below about mirror images too; none is trained.
        teachers: the rung whose networks, of all seeds, teach its own.
    """

    name: str
    data: str
    below: str | None
    changes: str = ""
    mirrored: bool = False
    teachers: str | None = None


LADDER = (
    Rung("FER+ alone", "ferplus", None, PLAIN + " data.groups=null"),
    Rung("with faces5", "official", "FER+ alone", PLAIN),
    Rung("votes", "official", "with faces5", "data.votes=votes.csv model.label_smoothing=0.05"),
    Rung("doubtful faces", "faces", "votes"),
    Rung("faces5 four times", "faces", "doubtful faces", "data.repeat={faces5:4}"),
    Rung(
        "box jitter and more augmentation",
        "faces",
        "faces5 four times",
        "data.augmentation.0.jitter=0.08 data.augmentation.0.scale=[0.85,1.15]"
        " data.augmentation.0.shift=[-0.06,0.06] data.augmentation.2.p=0.3"
        " data.augmentation.3.p=0.3",
    ),
    Rung("moving average", "faces", "box jitter and more augmentation", "model.ema=0.99"),
    Rung("mirror images", "faces", "moving average", mirrored=True),
    Rung("smoothing without votes", "faces", "moving average", "data.unvoted_smoothing=0.3"),
    Rung("a little adjustment", "faces", "smoothing without votes", "model.logit_adjustment=0.1"),
    Rung("one class a face", "official", "moving average", "data.votes=null"),
    Rung("logit adjustment", "faces", "moving average", "model.logit_adjustment=1.0"),
    Rung("mixup", "faces", "moving average", "model.mixup=0.2"),
    Rung("distillation", "faces", "moving average", teachers="moving average"),
)
COLUMNS = ("rung", "seed", "source", "accuracy", "balanced_accuracy", "ece")
Row = tuple[str, int, str, float, float, float]


def rung_of(name: str | None) -> Rung:
    """Gives the rung of a name."""
    return next(rung for rung in LADDER if rung.name == name)


def settings(rung: Rung) -> dict[str, str]:
    """Gives all that a rung sets: what it stands on, and its own."""
    starts_anew = rung.below is None or rung.changes == PLAIN
    given = {} if starts_anew else settings(rung_of(rung.below))
    return given | dict(pair.split("=", 1) for pair in rung.changes.split())


def folder_of(options: argparse.Namespace, rung: Rung, seed: int) -> Path:
    """Gives the folder of a rung's run."""
    trained = rung_of(rung.below) if rung.mirrored else rung
    folder: Path = options.out / f"{trained.name.replace(' ', '-')}-{seed}"
    return folder


def train(options: argparse.Namespace, rung: Rung, seed: int) -> None:
    """Trains one run, if it is not there."""
    folder = folder_of(options, rung, seed)
    if rung.mirrored or (folder / "selection.json").is_file():
        return
    taught = [folder_of(options, rung_of(rung.teachers), s) for s in options.seeds if rung.teachers]
    if not all((path / "selection.json").is_file() for path in taught):
        print(f"{folder}: not all of its teachers are there", file=sys.stderr)
        return
    command = [
        *(sys.executable, "-m", "emotion", "train", f"experiment={options.experiment}"),
        *(f"data.root={options.root / rung.data}", f"hydra.run.dir={folder}"),
        *(f"model.weights={options.weights}", f"seed={seed}", "resume=auto"),
        *(f"{key}={value}" for key, value in settings(rung).items()),
        f"model.teachers=[{','.join(str(find_checkpoint(path)) for path in taught)}]",
        *("~callbacks.pictures", *options.settings),
    ]
    log = options.out / f"{folder.name}.log"
    with log.open("a") as stream:
        code = subprocess.run(command, check=False, stdout=stream, stderr=stream).returncode
    if code:
        print(f"{folder}: ended with code {code}, see {log}", file=sys.stderr)


def train_all(options: argparse.Namespace) -> None:
    """Trains every run, all rungs with one seed before the next, and pupils after teachers."""
    keys = [(rung, seed) for seed in options.seeds for rung in LADDER]
    with ThreadPoolExecutor(options.jobs) as pool:
        for taught in (False, True):
            chosen = [key for key in keys if (key[0].teachers is not None) == taught]
            list(pool.map(lambda key: train(options, *key), chosen))


def measure(options: argparse.Namespace) -> Iterator[Row]:
    """Yields how each run that is there does on the validation faces of each source."""
    keys = [(rung, seed) for rung in LADDER for seed in options.seeds]
    there = [key for key in keys if (folder_of(options, *key) / "selection.json").is_file()]
    whole = [folder_of(options, *key) for key in there if key[0].data == "faces"]
    if not whole:
        sys.exit(f"{options.out}: no run on faces/ is there, whose validation part asks all")
    checkpoint = find_checkpoint(whole[0])
    spec = read_checkpoint(checkpoint).input
    subject = read_own_part(checkpoint, spec.labels, "val", "", "")
    targets = subject.targets
    _, rows = read_csv(options.root / "faces" / "val" / "sources.csv")
    table = {row[0]: row[1] for _, row in rows}
    sources = np.array([table[sample.image.name] for sample in subject.samples])
    crops = np.concatenate([c for (c,) in read_crops(subject.samples, spec, [spec.size])])
    for rung, seed in there:
        read = read_checkpoint(find_checkpoint(folder_of(options, rung, seed)))
        asked = dataclasses.replace(read.input, mirror=rung.mirrored or read.input.mirror)
        classifier = CheckpointClassifier(dataclasses.replace(read, input=asked))
        shares = np.concatenate(
            [classifier.probabilities(crops[i : i + 256]) for i in range(0, len(crops), 256)]
        )
        shares = apply_temperature(shares, fit_temperature(shares, targets))
        right, sure = are_right(shares, targets), confidences_of(shares)
        for source in dict.fromkeys(sources.tolist()):
            here = sources == source
            recalls = [right[here & (targets == c)].mean() for c in np.unique(targets[here])]
            ece = reliability(sure[here], right[here], "equal_mass").ece
            yield rung.name, seed, source, float(right[here].mean()), float(np.mean(recalls)), ece


def main() -> None:
    """Trains, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path)
    parser.add_argument("settings", nargs="*", help="more for every run, such as input.size=96")
    parser.add_argument("--weights")
    parser.add_argument("--experiment", default="bundled")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--no-train", action="store_true", help="measure what is there")
    parser.add_argument("--out", type=Path, default=Path("outputs/ladder"))
    options = parser.parse_intermixed_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.no_train:
        if options.weights is None:
            parser.error("--weights: name the ImageNet weights to start from")
        train_all(options)
    found = list(measure(options))
    partial = options.out / "ladder.csv.part"
    with partial.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(found)
    partial.replace(options.out / "ladder.csv")
    report(found)


def report(found: list[Row]) -> None:
    """Prints mean and standard deviation over seeds, and the gain over the rung below."""
    for source in dict.fromkeys(row[2] for row in found):
        print(f"\n{source}: mean ± standard deviation over seeds, gain over the rung below")
        print(f"  {'':34}{'seeds':7}{'accuracy':28}{'balanced accuracy':28}ECE, one temperature")
        for rung in LADDER:
            own = {row[1]: row for row in found if row[0] == rung.name and row[2] == source}
            below = {row[1]: row for row in found if row[0] == rung.below and row[2] == source}
            cells = [_cell(own, below, column) for column in (3, 4, 5)]
            if own:
                print(f"  {rung.name:34}{len(own):<7}{cells[0]:28}{cells[1]:28}{cells[2]}")


def _cell(own: dict[int, Row], below: dict[int, Row], column: int) -> str:
    values = [float(row[column]) for row in own.values()]
    if not values:
        return ""
    spread = statistics.stdev(values) if len(values) > 1 else float("nan")
    pairs = [(row, below[seed]) for seed, row in own.items() if seed in below]
    gains = [float(one[column]) - float(other[column]) for one, other in pairs]
    gain = f" ({statistics.mean(gains):+.4f})" if gains else ""
    return f"{statistics.mean(values):.4f} ± {spread:.4f}{gain}"


if __name__ == "__main__":
    main()
