"""`emotion card`: a checkpoint's model card."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from emotion.commands import DONE
from emotion.errors import EmotionError


def main(arguments: Sequence[str]) -> int:
    """Writes the card; gives the exit code."""
    options = _parser().parse_args(arguments)
    from emotion.evaluation.card.card import (
        CARD,
        CardModel,
        Statements,
        find_evaluations,
        make_card,
    )
    from emotion.evaluation.card.scores import read_evaluation
    from emotion.files import check_file, write_text
    from emotion.inference.checkpoint_files import find_checkpoint, run_folder
    from emotion.training.checkpoints import read_checkpoint
    from emotion.training.network import ARCHITECTURE

    checkpoint = read_checkpoint(find_checkpoint(options.checkpoint))
    out = options.out or run_folder(checkpoint.path) / CARD
    check_file(out)
    if out.exists() and out.suffix.lower() != ".md":
        raise EmotionError(f"--out {out}: is there and no card; name a file that ends with .md")
    if options.evaluation:
        evaluations = [read_evaluation(folder) for folder in options.evaluation]
    else:
        evaluations, left_out = find_evaluations(checkpoint.path)
        for reason in left_out:
            print(f"left out: {reason}", file=sys.stderr)
        if not evaluations:
            print("not evaluated, and the card says so: emotion evaluate", file=sys.stderr)
    model = CardModel(
        checkpoint.path, ARCHITECTURE, checkpoint.epoch, checkpoint.temperature, checkpoint.input
    )
    statements = Statements(options.name, options.licence_of_weights, options.data_licence)
    write_text(out, make_card(model, evaluations, statements))
    print(out)
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion card",
        description="Writes a model card: Markdown with the metadata of the Hugging Face hub, on"
        " which it is called README.md. What was trained on and how good it is come from the run"
        " folder and its evaluations; folders above the data are not named. Licences are not"
        " guessed.",
    )
    add = parser.add_argument
    add("checkpoint", type=Path, metavar="CKPT", help="a checkpoint, or the folder of a run")
    add(
        "--evaluation",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="what emotion evaluate wrote (all in the run folder that are of this checkpoint)",
    )
    add("--out", type=Path, metavar="FILE", help="the card (model-card.md in the run folder)")
    add("--name", metavar="TEXT", help="what the model is called (as the run folder)")
    add(
        "--licence-of-weights",
        metavar="TEXT",
        help="such as apache-2.0; one that the hub does not know becomes “other”",
    )
    add("--data-licence", metavar="TEXT", help="of the photos and labels it was trained on")
    return parser
