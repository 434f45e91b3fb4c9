import math
from typing import Any

import pytest

from emotion.errors import ConfigError
from emotion.tuning.space import read_ranges


def test_ranges_are_read() -> None:
    ranges = read_ranges(
        {
            "model.optimizer.lr": {"low": 1e-5, "high": 3e-3, "log": True},
            "model.dropout": {"low": 0, "high": 0.5, "step": 0.1},
            "model.warmup_epochs": {"low": 0, "high": 3},
            "model.class_weights": {"choices": ["none", "balanced"]},
        }
    )
    assert [item.whole for item in ranges] == [False, False, True, False]
    assert [item.ends for item in ranges] == [(1e-5, 3e-3), (0, 0.5), (0, 3), ("none", "balanced")]
    again = read_ranges({item.setting: item.to_dict() for item in ranges})
    assert again == ranges


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"low": 2, "high": 1}, r"tune\.ranges\.model\.dropout: expected low < high, got low 2"),
        ({"low": 1, "high": 1}, "expected low < high"),
        ({"low": 0, "high": 1, "log": True}, "log needs low > 0, got 0"),
        ({"low": 1, "high": 2, "log": True, "step": 1}, "log or step, not both"),
        ({"low": 1, "high": 2, "log": "yes"}, r"dropout\.log: expected true or false, got yes"),
        ({"low": 0.0, "high": 0.5, "step": 0.2}, "steps of 0.2 from 0.0 do not meet 0.5"),
        ({"low": 0, "high": 1, "step": 0}, r"step: expected more than 0, got 0"),
        ({"low": 1}, "expected low and high, or choices; high is missing"),
        ({"low": "a", "high": 1}, r"dropout\.low: expected a number, got a"),
        ({"low": True, "high": 2}, r"dropout\.low: expected a number, got True"),
        ({"low": 0, "high": math.inf}, r"dropout\.high: expected a number, got inf"),
        ({"low": 0, "hihg": 1}, "unknown hihg; expected low, high, step, log, choices"),
        ({"choices": []}, r"choices: expected two or more, got \[\]"),
        ({"choices": [1, 1]}, r"a value twice in \[1, 1\]"),
        ({"choices": [1, [2]]}, r"expected numbers, words, true, false or null, got \[2\]"),
        ({"choices": [1, 2], "low": 0}, "choices or low, not both"),
        (0.5, r"expected \{low: …, high: …\} or \{choices: \[…\]\}, got 0.5"),
    ],
)
def test_what_is_no_range_is_refused(fields: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_ranges({"model.dropout": fields})


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("seed", "the photos that trials are compared on"),
        ("monitor.name", "the score that trials are compared by"),
        ("hydra.run.dir", "where each trial is kept"),
    ],
)
def test_what_makes_scores_incomparable_is_refused(setting: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=f"{setting}: cannot be searched; it decides {reason}"):
        read_ranges({setting: {"low": 1, "high": 3}})


@pytest.mark.parametrize("content", [None, {}, [1]])
def test_no_ranges_are_refused(content: Any) -> None:
    with pytest.raises(ConfigError, match=r"tune\.ranges: expected settings with their ranges"):
        read_ranges(content)
