"""Seeds: mean and spread against numpy, and a simulation of who is the larger."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import bootstrap

from emotion.evaluation.intervals import Interval
from emotion.evaluation.seeds.seeds import RunScores, Spread, summarise


def run(name: str, value: float, width: float = 0.1, **settings: Any) -> RunScores:
    interval = Interval(value, value - width / 2, value + width / 2)
    return RunScores(name, settings, {"accuracy": interval})


def spread_of(values: Sequence[float], width: float) -> Spread:
    runs = [run(str(i), value, width, seed=i) for i, value in enumerate(values)]
    (group,) = summarise(runs).groups
    return group.scores["accuracy"]


def test_runs_that_differ_in_the_seed_stand_together_in_the_order_of_the_sweep() -> None:
    settings: list[dict[str, Any]] = [
        {"lr": lr, "seed": seed, "data.seed": seed} for lr in (0.1, 0.01) for seed in (3, 1, 2)
    ]
    runs = [run(str(i), i / 10, **some) for i, some in enumerate(settings)]
    first, second = summarise(runs).groups
    assert (first.runs, first.seeds) == (("0", "1", "2"), (3, 1, 2))
    assert (first.settings, second.settings) == ({"lr": 0.1}, {"lr": 0.01})
    assert (first.name, second.name) == ("lr=0.1", "lr=0.01")
    assert first.same_faces
    values = [0.3, 0.4, 0.5]
    score = second.scores["accuracy"]
    assert score.values == tuple(values)
    assert score.mean == pytest.approx(np.mean(values))
    assert score.deviation == pytest.approx(np.std(values, ddof=1))
    assert (score.lowest, score.highest) == (0.3, 0.5)
    assert score.width == pytest.approx(0.1)


def test_another_setting_of_any_kind_is_another_group() -> None:
    runs = [run("0", 0.5, fold=1, seed=1), run("1", 0.5, fold=True, seed=1)]
    runs += [run("2", 0.5, fold=None, seed=1), run("3", 0.5, seed=1), run("4", 0.5, fold="1")]
    runs += [run("5", 0.5, **{"data.seed": 7, "seed": 1})]
    assert [group.runs for group in summarise(runs).groups] == [(str(i),) for i in range(6)]


def test_a_setting_that_repeats_another_is_named_once() -> None:
    sizes = [(64, 0.1), (96, 0.2)]
    runs = [
        run(
            str(i), 0.5, **{"data.input.size": size, "input.size": size, "a.lr": lr, "b.lr": 1 - lr}
        )
        for i, (size, lr) in enumerate(sizes)
    ]
    assert list(summarise(runs).groups[0].settings) == ["input.size", "a.lr", "b.lr"]


def test_one_seed_has_no_spread() -> None:
    summary = summarise([run("0", 0.5, seed=1)])
    score = summary.groups[0].scores["accuracy"]
    assert (score.deviation, score.deviation_interval, score.larger) == (None, None, None)
    assert not summary.several_seeds


def test_nothing_evaluated_is_an_empty_summary() -> None:
    summary = summarise([], {"0": "has no checkpoint"})
    assert (summary.groups, summary.left_out) == ((), {"0": "has no checkpoint"})


def test_what_has_no_meaning_in_one_run_has_no_mean() -> None:
    some = Interval(0.5, 0.4, 0.6)
    runs = [
        RunScores("0", {"seed": 0}, {"accuracy": some}, {"sad": some}, {"joint": some}, "a"),
        RunScores("1", {"seed": 1}, {"accuracy": some}, {"sad": None}, None, "b"),
    ]
    summary = summarise(runs)
    assert summary.score_names == ["accuracy"]
    assert not summary.groups[0].same_faces
    assert summarise(runs[:1]).score_names == ["accuracy", "recall of sad", "end to end: joint"]


def test_photos_are_measured_as_a_standard_deviation() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap((values,), np.mean, n_resamples=5_000, rng=1)
    low, high = found.confidence_interval
    assert spread_of([0.5], high - low).photos == pytest.approx(found.standard_error, rel=0.05)


def test_the_interval_of_the_deviation_holds_it_in_95_of_100_cases() -> None:
    draws = np.random.default_rng(0).normal(0.6, 0.02, size=(2_000, 4))
    held = 0
    for draw in draws:
        found = spread_of(draw.tolist(), 0.1).deviation_interval
        assert found is not None
        held += found[0] <= 0.02 <= found[1]
    assert 0.935 <= held / len(draws) <= 0.965


@pytest.mark.parametrize(
    ("values", "width", "larger"),
    [
        ([0.60, 0.61, 0.60, 0.61, 0.60], 0.2, "photos"),
        ([0.20, 0.60, 0.40, 0.80, 0.10], 0.02, "seeds"),
        ([0.60, 0.63], 0.1, None),
        ([0.6, 0.6, 0.6], 0.1, "photos"),
        ([0.6, 0.6, 0.6], 0.0, None),
    ],
)
def test_the_larger_uncertainty_is_named_where_the_seeds_tell(
    values: list[float], width: float, larger: str | None
) -> None:
    assert spread_of(values, width).larger == larger


def test_plain_values_are_for_json() -> None:
    runs = [run("0", 0.5, seed=1, x=[1]), run("1", 0.7, seed=2, x=[1])]
    content = json.loads(json.dumps(summarise(runs).to_dict()))
    assert content["format"] == 1
    (group,) = content["groups"]
    assert group["runs"] == ["0", "1"]
    assert group["scores"]["accuracy"]["mean"] == pytest.approx(0.6)
