"""What a run came to: which epoch is kept and why, its metrics, the curves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import TensorBoardLogger

from emotion.errors import ConfigError, EmotionError
from emotion.experiments.hyperparameters import log_hyperparameters
from emotion.experiments.parts import Run
from emotion.figures.canvas import save_figure
from emotion.figures.curves import Curve, draw_curves
from emotion.files import write_json
from emotion.training.selection import Selection, select_epoch

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Attributes:
        folder: the run folder.
        checkpoint: the checkpoint of the epoch that is kept.
        selection: which epoch that is, and why.
        metrics: its metrics on train and validation.
    """

    folder: Path
    checkpoint: Path
    selection: Selection
    metrics: dict[str, float]


def conclude(run: Run, config: DictConfig) -> RunResult:
    """Writes which epoch is kept and why, its metrics, the curves, and TensorBoard's table.

    Raises:
        EmotionError: no epoch was finished, or none has a score that is a number.
    """
    scores = run.history.column(config.monitor.name)
    if not scores or not run.best.best_model_path:
        raise EmotionError(f"{run.folder}: no epoch was finished and kept")
    if all(math.isnan(score) for score in scores):
        raise EmotionError(
            f"{run.folder}: no epoch has a {config.monitor.name} that is a number; is"
            " model.optimizer.lr too high?"
        )
    selection = select_epoch(scores, config.monitor.name, config.monitor.mode)
    loss = select_epoch(run.history.column("val/loss"), "val/loss", "min")
    checkpoint = _checkpoint_of(run, selection)
    chosen = selection.to_dict() | {
        "val_loss_no_lower_from": loss.no_better_from,
        "checkpoint": f"{checkpoint.parent.name}/{checkpoint.name}",
        "finished": not run.trainer.interrupted,
    }
    kept = {k: v for k, v in run.history.rows[selection.epoch - 1].items() if "/" in k}
    write_json(run.folder / "selection.json", chosen)
    write_json(run.folder / "metrics.json", {"epoch": selection.epoch, "metrics": kept})
    _draw(run, selection, loss)
    if not run.trainer.interrupted:
        plain = OmegaConf.to_container(config, resolve=True)
        for logger in run.trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                log_hyperparameters(Path(logger.log_dir), cast(Settings, plain), selection)
    return RunResult(run.folder, checkpoint, selection, kept)


def _checkpoint_of(run: Run, selection: Selection) -> Path:
    checkpoint, score = Path(run.best.best_model_path), run.best.best_model_score
    assert score is not None
    if not math.isclose(float(score), selection.score, rel_tol=1e-5):
        raise ConfigError(
            f"callbacks.best keeps {checkpoint.name} with {float(score):.4f}, but the best"
            f" {selection.monitor} is {selection.score:.4f}; let it follow monitor.name and .mode"
        )
    return checkpoint


def _draw(run: Run, selection: Selection, loss: Selection) -> None:
    shown = [loss] if selection.monitor == loss.monitor else [loss, selection]
    curves = [
        Curve(
            name=item.monitor.removeprefix("val/").replace("_", " "),
            train=run.history.column(item.monitor.replace("val/", "train/")),
            val=run.history.column(item.monitor),
            no_better_from=item.no_better_from,
        )
        for item in shown
    ]
    figure = draw_curves(curves, selection.epoch, selection.rule)
    save_figure(figure, run.folder / "curves.png")
