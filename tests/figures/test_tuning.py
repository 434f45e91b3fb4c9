from pathlib import Path

import numpy as np
import optuna
import pytest
from matplotlib import pyplot, rcParams
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial
from PIL import Image

from emotion.figures.tuning import draw_history, draw_importance

SCORE = "val/loss"


@pytest.fixture
def study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(direction="minimize")


def add(study: optuna.Study, state: TrialState, *drawn: float, value: float | None = None) -> None:
    names = [f"model.setting_{n}" for n in range(len(drawn))]
    space: dict[str, BaseDistribution] = {name: FloatDistribution(0, 1) for name in names}
    values = dict(zip(names, drawn, strict=True))
    study.add_trial(create_trial(state=state, value=value, params=values, distributions=space))


def fill(study: optuna.Study, trials: int, settings: int = 2) -> None:
    random = np.random.default_rng(0)
    for _ in range(trials):
        drawn = random.random(settings)
        add(study, TrialState.COMPLETE, *drawn, value=float(drawn[0] ** 2))


def test_history_and_importance_are_drawn(study: optuna.Study, tmp_path: Path) -> None:
    fill(study, 12)
    add(study, TrialState.PRUNED, 0.9, 0.1, value=0.95)
    add(study, TrialState.FAIL, 0.9, 0.1)
    before = dict(rcParams)
    for name, draw in (("history", draw_history), ("importance", draw_importance)):
        path = tmp_path / f"{name}.png"
        assert draw(study, SCORE, path) is None
        pixels = np.asarray(Image.open(path).convert("RGB"))
        assert pixels.shape[1] == 1080
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50
    assert dict(rcParams) == before
    assert pyplot.get_fignums() == []


def test_what_cannot_be_drawn_is_said(study: optuna.Study, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    add(study, TrialState.FAIL, 0.5)
    assert draw_history(study, SCORE, path) == "no trial was trained to its end"
    fill(study, 1, settings=1)
    assert draw_importance(study, SCORE, path) == (
        "1 trials were trained to their end; it takes 4 or more"
    )
    fill(study, 3, settings=1)
    assert draw_importance(study, SCORE, path) == "only one setting was searched"
    assert not path.exists()


def test_equal_scores_tell_nothing(study: optuna.Study, tmp_path: Path) -> None:
    for n in range(5):
        add(study, TrialState.COMPLETE, n / 5, 0.5, value=1.0)
    assert draw_importance(study, SCORE, tmp_path / "a.png") == "all trials have the same score"


def test_a_diverged_trial_does_not_flatten_the_others(study: optuna.Study, tmp_path: Path) -> None:
    fill(study, 12)
    assert draw_history(study, SCORE, tmp_path / "a.png") is None
    add(study, TrialState.PRUNED, 0.9, 0.1, value=1e6)
    assert draw_history(study, SCORE, tmp_path / "b.png") is None
    marks = []
    for name in ("a", "b"):
        pixels = np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")).astype(int)
        blue = np.abs(pixels - (0, 0x72, 0xB2)).sum(axis=2) < 30
        rows = np.flatnonzero(blue[:, :700].any(axis=1))
        marks.append(rows.max() - rows.min())
    assert marks[1] > 0.5 * marks[0]
