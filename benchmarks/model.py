"""What each step of the recipe of the model in the box gains, with seeds.

    python benchmarks/model.py outputs/model --weights /path/to/imagenet.pth

Trains every rung of a ladder, each one step more than the rung below (and a few tries beside it),
with several seeds, and asks each network about the same validation faces: FER+ and faces5 apart.
`outputs/model` is what `make model` makes: `ferplus/` and `faces/`, and `official/` for the rungs
that know no doubtful faces. A run that is there already is not trained again.
"""

import argparse
import csv
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion.data.photo_tables import read_csv
from emotion.evaluation.subjects import read_own_part
from emotion.faces.pixels import read_crops
from emotion.inference.checkpoint_files import find_checkpoint
from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint

PLAIN = (  # what one would write first
    "data.votes=null data.repeat=null model.ema=null model.label_smoothing=0.1"
    " data.augmentation.0.jitter=0 data.augmentation.0.scale=[0.95,1.05]"
    " data.augmentation.0.shift=[-0.03,0.03] data.augmentation.2.p=0 data.augmentation.3.p=0"
    " input.mirror=false"
)


@dataclass(frozen=True)
class Rung:
    """A recipe: its name, its data set, the one that it stands on, and what it changes there."""

    name: str
    data: str
    below: str | None
    changes: str


LADDER = (
    Rung("FER+ alone", "ferplus", None, PLAIN + " data.groups=null"),
    Rung("with faces5", "official", "FER+ alone", PLAIN),
    Rung("votes", "official", "with faces5", "data.votes=votes.csv model.label_smoothing=0.05"),
    Rung("doubtful faces", "faces", "votes", ""),
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
    Rung("mirror images", "faces", "moving average", "input.mirror=true"),
    Rung("logit adjustment", "faces", "moving average", "model.logit_adjustment=1.0"),
    Rung("mixup", "faces", "moving average", "model.mixup=0.2"),
)


def settings(rung: Rung) -> dict[str, str]:
    """Gives all that a rung sets: what it stands on, and its own."""
    below = next((other for other in LADDER if other.name == rung.below), None)
    given = settings(below) if below is not None and rung.changes != PLAIN else {}
    return given | dict(pair.split("=", 1) for pair in rung.changes.split())


def train(options: argparse.Namespace, rung: Rung, seed: int) -> Path:
    """Trains one run, if it is not there, and gives its folder."""
    folder: Path = options.out / f"{LADDER.index(rung)}-{seed}"
    if not (folder / "selection.json").is_file():
        command = [
            *(sys.executable, "-m", "emotion", "train", f"experiment={options.experiment}"),
            *(f"data.root={options.root / rung.data}", f"hydra.run.dir={folder}"),
            *(f"model.weights={options.weights}", f"seed={seed}", "resume=auto"),
            *(f"{key}={value}" for key, value in settings(rung).items()),
            *("~callbacks.pictures", *options.settings),
        ]
        with (options.out / f"{folder.name}.log").open("w") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log)
    return folder


def measure(
    folders: dict[tuple[str, int], Path], root: Path
) -> Iterator[tuple[str, int, str, float, float]]:
    """Yields rung, seed, source, accuracy and balanced accuracy on the validation faces of all."""
    one = next(path for (name, _), path in folders.items() if name == LADDER[-1].name)
    checkpoint = find_checkpoint(one)
    spec = read_checkpoint(checkpoint).input
    subject = read_own_part(checkpoint, spec.labels, "val", "", "")
    _, rows = read_csv(root / "faces" / "val" / "sources.csv")
    table = {row[0]: row[1] for _, row in rows}
    sources = np.array([table[sample.image.name] for sample in subject.samples])
    crops = np.concatenate([c for (c,) in read_crops(subject.samples, spec, [spec.size])])
    for (name, seed), folder in folders.items():
        classifier = CheckpointClassifier(read_checkpoint(find_checkpoint(folder)))
        answers = np.concatenate(
            [classifier.probabilities(crops[i : i + 256]) for i in range(0, len(crops), 256)]
        ).argmax(axis=1)
        for source in dict.fromkeys(sources.tolist()):
            here = sources == source
            targets, named = subject.targets[here], answers[here]
            recalls = [(named[targets == c] == c).mean() for c in np.unique(targets)]
            yield name, seed, source, float((named == targets).mean()), float(np.mean(recalls))


def main() -> None:
    """Trains, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path)
    parser.add_argument("settings", nargs="*", help="more for every run, such as input.size=96")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--experiment", default="bundled")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("outputs/ladder"))
    options = parser.parse_intermixed_args()
    options.out.mkdir(parents=True, exist_ok=True)
    keys = [(rung, seed) for seed in options.seeds for rung in LADDER]
    with ThreadPoolExecutor(options.jobs) as pool:
        done = list(pool.map(lambda key: train(options, *key), keys))
    folders = {(rung.name, seed): path for (rung, seed), path in zip(keys, done, strict=True)}
    found = list(measure(folders, options.root))
    with (options.out / "ladder.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("rung", "seed", "source", "accuracy", "balanced_accuracy"))
        writer.writerows(found)
    report(found)


def report(found: list[tuple[str, int, str, float, float]]) -> None:
    """Prints mean and standard deviation over seeds, and the gain over the rung below."""
    sources = list(dict.fromkeys(row[2] for row in found))
    for source in sources:
        print(f"\n{source}: accuracy and balanced accuracy, mean ± standard deviation over seeds")
        for rung in LADDER:
            own = [row for row in found if row[0] == rung.name and row[2] == source]
            below = {row[1]: row for row in found if row[0] == rung.below and row[2] == source}
            cells = []
            for column in (3, 4):
                values = [float(row[column]) for row in own]
                spread = statistics.stdev(values) if len(values) > 1 else float("nan")
                gains = [float(row[column]) - float(below[row[1]][column]) for row in own if below]
                gain = f" ({statistics.mean(gains):+.4f})" if gains else ""
                cells.append(f"{statistics.mean(values):.4f} ± {spread:.4f}{gain}")
            print(f"  {rung.name:34} {cells[0]:28} {cells[1]}")


if __name__ == "__main__":
    main()
