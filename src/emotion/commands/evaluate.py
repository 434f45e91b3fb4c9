"""`emotion evaluate`: a checkpoint, measured on annotated photos."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion import __version__
from emotion.commands import DONE
from emotion.commands.data_options import add_letting, mapping
from emotion.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from emotion.data.source import FaceSet, FaceSource
    from emotion.faces.folders import AnnotatedPhoto


def main(arguments: Sequence[str]) -> int:
    """Evaluates; gives the exit code."""
    options = _parser().parse_args(arguments)
    mapped = mapping(options.map)
    from emotion.evaluation.report import make_report, write_report
    from emotion.evaluation.results import measure
    from emotion.faces.samples import gather_samples
    from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint

    checkpoint = read_checkpoint(find_checkpoint(options.checkpoint))
    # The data of the run is read as the run read it.
    of_run = {} if options.data else _data_of_run(checkpoint.path)
    root = options.data or Path(of_run["root"])
    folder = root / "test" if (root / "test").is_dir() else root
    source = _source(folder, checkpoint.input.labels, of_run, mapped, options)
    faces = source.read()
    if options.data:
        _refuse_parts(faces)
    print(faces.cleaned.describe(), end="", file=sys.stderr)
    photos = [photo for part in faces.photos.values() for photo in part]
    if not options.data and folder == root:  # no folder test/: the run chose what it kept
        photos = _test_part(faces, _run_folder(checkpoint.path))
    samples = gather_samples(photos, source.rules.scheme, str(folder))
    results = measure(samples, CheckpointClassifier(checkpoint, options.device))
    report = make_report(results)
    out = options.out or _run_folder(checkpoint.path) / f"evaluation-{_name(folder)}"
    about = {
        "emotion": __version__,
        "checkpoint": str(checkpoint.path),
        "epoch": checkpoint.epoch,
        "data": str(folder),
        "difficult": "kept" if source.keep_difficult else "dropped",
        "left_out": faces.cleaned.dropped,
        "mended": faces.cleaned.mended,
    }
    write_report(report, results, out, about)
    print(f"{checkpoint.path} (epoch {checkpoint.epoch}) on {folder}\n\n{report.text()}")
    for name in ("confusion.png", "classes.png", "metrics.json", "predictions.csv"):
        print(out / name)
    return DONE


def _source(
    folder: Path,
    labels: tuple[str, ...],
    of_run: dict[str, Any],
    mapped: dict[str, str | None],
    options: argparse.Namespace,
) -> "FaceSource":
    from emotion.data.audit import Rules
    from emotion.data.inspection import SMALLEST
    from emotion.data.source import FaceSource
    from emotion.faces.labels import LabelScheme

    scheme = LabelScheme(labels, (of_run.get("label_map") or {}) | mapped)
    origin = of_run.get("origin", 0) if options.origin is None else options.origin
    # Copies and persons matter between parts, and here is one.
    rules = Rules(scheme, origin, None, of_run.get("smallest_face", SMALLEST), copies=False)
    drop = [*of_run.get("drop", []), *options.drop]
    mend = [*of_run.get("mend", []), *options.mend]
    keep_difficult = not options.drop_difficult and of_run.get("keep_difficult", True)
    return FaceSource(folder, rules, drop, mend, keep_difficult)


def _refuse_parts(faces: "FaceSet") -> None:
    """Checks that what was named is one folder of photos: parts may have been trained on."""
    parts = [folder.path for folder in faces.audit.folders.values()]
    if parts != [faces.audit.root]:
        names = " and ".join(f"{path.name}/" for path in parts)
        raise DataError(
            f"{faces.audit.root}: has {names}, but no test/; name the part that is meant:"
            f" emotion evaluate CKPT {parts[-1]}"
        )


def _test_part(faces: "FaceSet", run: Path) -> "list[AnnotatedPhoto]":
    """Gives the photos that the run kept for the test."""
    from emotion.data.assignment import SplitPlan, assign

    parts = assign(faces.photos, faces.audit, SplitPlan(file=run / "split.json"))
    if not parts.get("test"):
        raise DataError(
            f"{faces.audit.root}: the run kept no photos for a test; name others:"
            " emotion evaluate CKPT /path/to/faces"
        )
    return parts["test"]


def find_checkpoint(path: Path) -> Path:
    """Gives the checkpoint itself, or the one that a run folder's `selection.json` names.

    Raises:
        CheckpointError: the folder is no finished run.
    """
    if not path.is_dir():
        return path
    try:
        content = json.loads((path / "selection.json").read_text(encoding="utf-8"))
        checkpoint = path / str(content["checkpoint"])
        if not checkpoint.resolve().is_relative_to(path.resolve()):
            raise ValueError("its checkpoint lies outside the run folder")
        return checkpoint
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: a folder without a readable selection.json; expected a checkpoint (*.ckpt)"
            " or the folder of a finished run"
        ) from error


def _name(folder: Path) -> str:
    resolved = folder.resolve()
    return f"{resolved.parent.name}-test" if resolved.name == "test" else resolved.name


def _run_folder(checkpoint: Path) -> Path:
    """Gives the run folder of a checkpoint, or the folder that a lone checkpoint lies in."""
    inside = checkpoint.parent
    return inside.parent if inside.name == "checkpoints" else inside


def _data_of_run(checkpoint: Path) -> dict[str, Any]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    path = _run_folder(checkpoint) / "config.yaml"
    try:
        config: Any = OmegaConf.to_container(OmegaConf.load(path))
        Path(config["data"]["root"])
        return dict(config["data"])
    except (OSError, YAMLError, OmegaConfBaseException, LookupError, TypeError) as error:
        raise DataError(
            f"{checkpoint}: its run folder has no config.yaml that names a data set; name one:"
            f" emotion evaluate {checkpoint} /path/to/faces"
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion evaluate",
        description="Measures a checkpoint on annotated photos, each face once. Labels, crop and"
        " preprocessing come from the checkpoint.",
    )
    add = parser.add_argument
    add("checkpoint", type=Path, metavar="CKPT", help="a checkpoint, or the folder of a run")
    add(
        "data",
        type=Path,
        nargs="?",
        metavar="DATA",
        help="img/ and annotations/, or a folder with test/; default: test/ of the run's data",
    )
    add("--out", type=Path, metavar="DIR", help="where the report goes (in the run folder)")
    add(
        "--map",
        action="append",
        default=[],
        metavar="NAME=CLASS",
        help="a name in the XML -> class",
    )
    add("--drop-difficult", action="store_true", help="leave out faces marked <difficult>1")
    add("--origin", type=int, choices=(0, 1), help="coordinate of the first pixel (as the run)")
    add_letting(parser)
    add("--device", help="cpu, cuda, … (a GPU where there is one)")
    return parser
