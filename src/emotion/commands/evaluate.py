"""`emotion evaluate`: a checkpoint, measured on annotated photos."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emotion import __version__
from emotion.commands import DONE
from emotion.errors import CheckpointError, ConfigError, DataError


def main(arguments: Sequence[str]) -> int:
    """Evaluates; gives the exit code."""
    options = _parser().parse_args(arguments)
    mapping = _mapping(options.map)
    from emotion.evaluation.report import make_report, write_report
    from emotion.evaluation.results import measure
    from emotion.faces.folders import read_photos
    from emotion.faces.labels import LabelScheme
    from emotion.faces.samples import gather_samples
    from emotion.training.checkpoints import CheckpointClassifier, read_checkpoint

    checkpoint = read_checkpoint(find_checkpoint(options.checkpoint))
    # The data of the run is read as the run read it.
    of_run = {} if options.data else _data_of_run(checkpoint.path)
    folder = _part(options.data or Path(of_run["root"]))
    scheme = LabelScheme(checkpoint.input.labels, (of_run.get("label_map") or {}) | mapping)
    allow_unannotated = options.allow_unannotated or of_run.get("allow_unannotated", False)
    photos = read_photos(folder, allow_unannotated)
    keep_difficult = not options.drop_difficult and of_run.get("keep_difficult", True)
    samples = gather_samples(photos, scheme, keep_difficult, str(folder))
    outside = "clip" if options.clip else of_run.get("outside", "error")
    results = measure(samples, CheckpointClassifier(checkpoint, options.device), outside)
    report = make_report(results)
    out = options.out or _run_folder(checkpoint.path) / f"evaluation-{_name(folder)}"
    about = {
        "emotion": __version__,
        "checkpoint": str(checkpoint.path),
        "epoch": checkpoint.epoch,
        "data": str(folder),
        "difficult": "kept" if keep_difficult else "dropped",
    }
    write_report(report, results, out, about)
    print(f"{checkpoint.path} (epoch {checkpoint.epoch}) on {folder}\n\n{report.text()}")
    for name in ("confusion.png", "classes.png", "metrics.json", "predictions.csv"):
        print(out / name)
    return DONE


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


def _part(data: Path) -> Path:
    """Gives the test part where the folder has one, or the folder itself."""
    return data / "test" if (data / "test").is_dir() else data


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


def _mapping(pairs: Sequence[str]) -> dict[str, str | None]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise ConfigError(f"--map {wrong[0]}: expected NAME=CLASS, or NAME= to drop such faces")
    return {name: label or None for name, label in (pair.rsplit("=", 1) for pair in pairs)}


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
    add("--clip", action="store_true", help="cut boxes off that are partly outside their picture")
    add("--allow-unannotated", action="store_true", help="pass over pictures without an XML file")
    add("--device", help="cpu, cuda, … (a GPU where there is one)")
    return parser
