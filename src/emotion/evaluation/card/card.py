"""A model card: what a checkpoint is, what it can do, and what it must not be used for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from emotion.data.split_file import read_split
from emotion.errors import CheckpointError, EmotionError
from emotion.evaluation.card.header import header
from emotion.evaluation.card.scores import CardEvaluation, place_name, read_evaluation
from emotion.evaluation.learning.files import read_learning
from emotion.evaluation.learning.part import describe_learning
from emotion.evaluation.subjects import SPLIT
from emotion.faces.inputs import InputSpec
from emotion.inference.checkpoint_files import run_folder
from emotion.pages.markdown import Markdown, render_markdown

CARD = "model-card.md"
FEW = 30  # faces of a class below which its scores say little, as in the report's groups
REGULATION = Markdown(
    "[Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj), the AI Act"
)


@dataclass(frozen=True)
class CardModel:
    """The model that a card is about.

    Attributes:
        checkpoint: the file.
        architecture: name of the network.
        epoch: at whose end it was written, from 1.
        temperature: what its logits are divided by.
        input: what it takes and gives.
    """

    checkpoint: Path
    architecture: str
    epoch: int
    temperature: float
    input: InputSpec


@dataclass(frozen=True)
class Statements:
    """What only people can state; None where they did not.

    Attributes:
        name: of the model.
        licence: of the weights.
        data_licence: of the photos and labels.
    """

    name: str | None = None
    licence: str | None = None
    data_licence: str | None = None


@dataclass(frozen=True)
class DataPart:
    """A part of the data: its photos, and its faces by class."""

    name: str
    photos: int
    faces: dict[str, int]


@dataclass(frozen=True)
class Origin:
    """What a run folder tells of how a checkpoint came about; a lone checkpoint has little of it.

    Attributes:
        data: name of the data; None where it is not known.
        split_sha256: of `split.json`; None where there is none.
        parts: of the data; may be empty.
        started: "imagenet", the name of a file of weights, "" for random ones; None if not known.
        learning: how it learnt, in sentences.
    """

    data: str | None
    split_sha256: str | None
    parts: tuple[DataPart, ...]
    started: str | None
    learning: tuple[str, ...]


def make_card(
    model: CardModel, evaluations: Sequence[CardEvaluation], statements: Statements
) -> str:
    """Writes a model card as Markdown with the hub's metadata before it.

    Args:
        model: the checkpoint.
        evaluations: of it; may be none, which the card then says.
        statements: what its maker states.

    Raises:
        CheckpointError: the checkpoint cannot be read, or an evaluation is of another one.
    """
    sha256 = hash_file(model.checkpoint)
    for evaluation in evaluations:
        if evaluation.checkpoint_sha256 != sha256:
            raise CheckpointError(
                f"{model.checkpoint}: the evaluation of {evaluation.date} on {evaluation.data} is"
                " of another checkpoint, or of this one before it was calibrated; evaluate it again"
            )
    run = run_folder(model.checkpoint)
    name = statements.name or _name(run)
    return render_markdown(
        "card.md",
        header=Markdown(header(name, statements.licence, evaluations)),
        name=name,
        model=model,
        sha256=sha256,
        origin=read_origin(run, model.epoch),
        evaluations=evaluations,
        statements=statements,
        regulation=REGULATION,
        few=FEW,
    )


def find_evaluations(checkpoint: Path) -> tuple[list[CardEvaluation], list[str]]:
    """Reads the evaluations of a checkpoint that lie in its run folder.

    Returns:
        Those of this very checkpoint, and why others are left out.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    sha256 = hash_file(checkpoint)
    found, left_out = [], []
    for folder in sorted(run_folder(checkpoint).glob("evaluation*/metrics.json")):
        try:
            evaluation = read_evaluation(folder.parent)
        except EmotionError as error:
            left_out.append(str(error))
            continue
        if evaluation.checkpoint_sha256 == sha256:
            found.append(evaluation)
        else:
            left_out.append(f"{folder.parent}: of another checkpoint, or before it was calibrated")
    return found, left_out


def read_origin(run: Path, epoch: int) -> Origin:
    """Reads what a run folder tells; what it does not tell, or damaged, is left out.

    Args:
        run: the folder.
        epoch: of the checkpoint.
    """
    try:
        config: Any = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
        weights = config["model"]["weights"]
        started = "" if weights is None else PureWindowsPath(str(weights)).name
        data = place_name(str(config["data"]["root"]))
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError):
        started, data = None, None
    try:
        split = read_split(run / SPLIT)
        photos = [entry.part for entry in split.entries.values()]
        parts = tuple(
            DataPart(part, photos.count(part), faces) for part, faces in split.faces.items()
        )
        split_sha256 = hash_file(run / SPLIT)
    except EmotionError:
        parts, split_sha256 = (), None
    learning = read_learning(run, epoch)
    return Origin(
        data, split_sha256, parts, started, tuple(describe_learning(learning)) if learning else ()
    )


def hash_file(path: Path) -> str:
    """Gives the SHA-256 of a file.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error


def _name(run: Path) -> str:
    """Gives a name that tells which run it is: a sweep's runs are called by numbers."""
    name = run.resolve().name
    return f"{run.resolve().parent.name}-{name}" if name.isdigit() else name or "emotion"
