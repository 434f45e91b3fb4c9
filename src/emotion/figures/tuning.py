"""Optuna's plots of a search, made readable: its history, and which settings mattered."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from emotion.figures.canvas import COLOURS, DPI, plain, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from optuna import Study
    from optuna.trial import FrozenTrial

LEAST = 4  # finished trials below which shares of importance would be chance
FAR = 5.0  # a score so many times further from the usual one than the best is lies outside


def draw_history(study: "Study", score: str, path: Path) -> str | None:
    """Draws the score of each trial and the best so far.

    Args:
        study: the trials.
        score: its name.
        path: a PNG.

    Returns:
        Why there is nothing to draw, or None.
    """
    from optuna.trial import TrialState
    from optuna.visualization.matplotlib import plot_optimization_history

    trials = study.get_trials(deepcopy=False)
    if not any(item.state == TrialState.COMPLETE for item in trials):
        return "no trial was trained to its end"
    with _plotting():
        axes = plot_optimization_history(study, target_name=plain(score))
        scatter, (line,) = axes.collections[0], axes.lines
        scatter.set(color=COLOURS[0], label="trained to its end", sizes=[36])
        line.set(color=COLOURS[1], alpha=1, label="best so far", drawstyle="steps-post")
        pruned = [item for item in trials if item.state == TrialState.PRUNED]
        _mark(axes, pruned, "pruned: its last score", "x", COLOURS[3])
        failed = [item.number for item in trials if item.state == TrialState.FAIL]
        if failed:  # without a score: at the lower edge
            axes.plot(
                failed, [0.02] * len(failed), "v", color="black", label="failed",
                transform=axes.get_xaxis_transform(),
            )  # fmt: skip
        _tidy(axes, f"{score} by trial")
        _keep_in_view(axes, trials, study.direction.name == "MAXIMIZE")
        axes.set(xlabel="trial", ylabel=plain(score), xlim=(-0.5, len(trials) - 0.5))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        _save(axes, path, 9, 4.5)
    return None


def draw_importance(study: "Study", score: str, path: Path) -> str | None:
    """Draws how much of the difference between good and bad trials each setting explains.

    Takes PED-ANOVA (Watanabe et al., 2023), which needs no scikit-learn.

    Args:
        study: the trials.
        score: its name.
        path: a PNG.

    Returns:
        Why that cannot be told, or None.
    """
    from optuna.importance import PedAnovaImportanceEvaluator
    from optuna.trial import TrialState
    from optuna.visualization.matplotlib import plot_param_importances

    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(done) < LEAST:
        return f"{len(done)} trials were trained to their end; it takes {LEAST} or more"
    if len(done[0].params) < 2:
        return "only one setting was searched"
    if len({item.value for item in done}) < 2:
        return "all trials have the same score"
    with _plotting():
        try:
            axes = plot_param_importances(study, PedAnovaImportanceEvaluator())
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            return f"Optuna cannot tell ({error})"
        for bar in axes.patches:
            bar.set_facecolor(COLOURS[0])
        for text in axes.texts:
            text.set_text(f" {text.get_text()}")
        _tidy(axes, f"what {score} depends on, over {len(done)} trials")
        axes.set(xlabel="share of the importance (PED-ANOVA)", ylabel="")
        axes.set_yticks(axes.get_yticks(), [plain(x.get_text()) for x in axes.get_yticklabels()])
        legend = axes.get_legend()
        if legend is not None:
            legend.remove()
        _save(axes, path, 9, 1.4 + 0.5 * len(done[0].params))
    return None


def _mark(
    axes: "Axes", trials: Sequence["FrozenTrial"], label: str, mark: str, colour: str
) -> None:
    known = [(item.number, item.value) for item in trials if item.value is not None]
    if known:
        numbers, values = zip(*known, strict=True)
        axes.plot(numbers, values, mark, color=colour, markeredgewidth=2, label=label)


def _keep_in_view(axes: "Axes", trials: Sequence["FrozenTrial"], high: bool) -> None:
    """Lets a trial that diverged stand at the edge, instead of flattening all the others."""
    values = sorted((item.value for item in trials if item.value is not None), reverse=high)
    best, usual = values[0], values[len(values) // 2]
    limit = usual + FAR * (usual - best)
    beyond = [x for x in values if (x < limit if high else x > limit)]
    if not beyond or usual == best:
        return
    inside = [value for value in values if value not in beyond]
    margin = 0.06 * abs(inside[-1] - best)
    low, top = sorted((best, inside[-1]))
    axes.set_ylim(low - margin, top + margin)
    axes.plot([], [], " ", label=f"{len(beyond)} outside the picture, to {beyond[-1]:.3g}")


def _tidy(axes: "Axes", title: str) -> None:
    axes.set_title("")
    axes.set_title(plain(title), loc="left", fontsize=11)
    axes.set_facecolor("white")
    axes.grid(color="0.9")
    axes.spines[["top", "right"]].set_visible(False)


def _save(axes: "Axes", path: Path, width: float, height: float) -> None:
    figure = axes.figure
    assert figure is not None
    figure = figure.get_figure(root=True)
    assert figure is not None
    figure.set(size_inches=(width, height), layout_engine="constrained")
    save_figure(figure, path)


@contextmanager
def _plotting() -> Iterator[None]:
    """Lets Optuna plot through pyplot, and leaves neither figures nor its style behind."""
    import matplotlib
    from matplotlib import pyplot

    pyplot.switch_backend("agg")  # no window, wherever there is a display
    with matplotlib.rc_context({"figure.dpi": DPI}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="optuna")
        warnings.filterwarnings("ignore", message=".*experimental.*")
        try:
            yield
        finally:
            pyplot.close("all")
