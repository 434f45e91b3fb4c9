"""What a search draws from: ranges of settings, checked before anything is trained."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from emotion.errors import ConfigError
from emotion.experiments.overrides import Value, assign

FIELDS = ("low", "high", "step", "log", "choices")
# Settings that would make scores of different trials mean different things.
FIXED = {
    "the photos that trials are compared on": (
        "seed", "data.root", "data.seed", "data.val", "data.test", "data.groups", "data.folds",
        "data.fold", "data.split",
    ),
    "the score that trials are compared by": ("monitor.name", "monitor.mode"),
    "where each trial is kept": ("run_dir", "resume", "hydra.run.dir"),
}  # fmt: skip


@dataclass(frozen=True)
class Range:
    """The values that a setting may take: from low to high, or one of several choices.

    Attributes:
        setting: as on the command line of `emotion train`.
        low: smallest value; whole where `high` and `step` are, then only whole ones are drawn.
        high: largest value, drawn too.
        step: between values; None for any.
        log: draw the logarithm evenly.
        choices: instead of the above.
    """

    setting: str
    low: float = 0
    high: float = 0
    step: float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are drawn."""
        given = (self.low, self.high, self.low if self.step is None else self.step)
        return not self.choices and all(isinstance(value, int) for value in given)

    @property
    def ends(self) -> tuple[Value, ...]:
        """Gives low and high, or all choices."""
        return self.choices or (self.low, self.high)

    def override(self, value: Value) -> str:
        """Gives the argument of `emotion train` that sets the setting to a value."""
        return assign(self.setting, value)

    def to_dict(self) -> dict[str, Any]:
        """Gives what stands in the config."""
        if self.choices:
            return {"choices": list(self.choices)}
        more = {} if self.step is None else {"step": self.step}
        return {"low": self.low, "high": self.high, **more, **({"log": True} if self.log else {})}


def read_ranges(content: Any) -> tuple[Range, ...]:
    """Checks the ranges of a search.

    Args:
        content: by setting, {low, high, step, log} or {choices}.

    Raises:
        ConfigError: names the setting, what was expected and what came.
    """
    if not isinstance(content, Mapping) or not content:
        raise ConfigError(
            "tune.ranges: expected settings with their ranges, such as"
            f" 'tune.ranges.model.dropout={{low: 0.0, high: 0.5}}', got {content}"
        )
    return tuple(_range(str(setting), fields) for setting, fields in content.items())


def _range(setting: str, fields: Any) -> Range:
    for reason, names in FIXED.items():
        if setting.lstrip("+") in names:
            raise ConfigError(f"{_named(setting)}: cannot be searched; it decides {reason}")
    if not isinstance(fields, Mapping):
        raise ConfigError(
            f"{_named(setting)}: expected {{low: …, high: …}} or {{choices: […]}}, got {fields}"
        )
    unknown = [str(name) for name in fields if name not in FIELDS]
    if unknown:
        raise ConfigError(
            f"{_named(setting)}: unknown {', '.join(unknown)}; expected {', '.join(FIELDS)}"
        )
    if "choices" in fields:
        return _chosen(setting, fields)
    return _between(setting, fields)


def _chosen(setting: str, fields: Mapping[Any, Any]) -> Range:
    others = [name for name in fields if name != "choices"]
    if others:
        raise ConfigError(f"{_named(setting)}: choices or {', '.join(others)}, not both")
    choices = fields["choices"]
    if not isinstance(choices, list | tuple) or len(choices) < 2:
        raise ConfigError(f"{_named(setting)}.choices: expected two or more, got {choices}")
    for value in choices:
        finite = not isinstance(value, float) or math.isfinite(value)
        if not (value is None or isinstance(value, bool | int | float | str)) or not finite:
            raise ConfigError(
                f"{_named(setting)}.choices: expected numbers, words, true, false or null,"
                f" got {value}"
            )
    if len({(type(value), value) for value in choices}) < len(choices):
        raise ConfigError(f"{_named(setting)}.choices: a value twice in {list(choices)}")
    return Range(setting, choices=tuple(choices))


def _between(setting: str, fields: Mapping[Any, Any]) -> Range:
    name = _named(setting)
    for field in ("low", "high"):
        if field not in fields:
            raise ConfigError(f"{name}: expected low and high, or choices; {field} is missing")
    for field in ("low", "high", "step"):
        value = fields.get(field)
        missing = value is None and field == "step"
        if not missing and not _is_number(value):
            raise ConfigError(f"{name}.{field}: expected a number, got {value}")
    low, high, step = fields["low"], fields["high"], fields.get("step")
    log = fields.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"{name}.log: expected true or false, got {log}")
    if low >= high:
        raise ConfigError(f"{name}: expected low < high, got low {low} and high {high}")
    if log and low <= 0:
        raise ConfigError(f"{name}: log needs low > 0, got {low}")
    if log and step is not None:
        raise ConfigError(f"{name}: log or step, not both")
    if step is not None:
        _check_step(name, low, high, step)
    return Range(setting, low, high, step, log)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_step(name: str, low: float, high: float, step: float) -> None:
    if step <= 0:
        raise ConfigError(f"{name}.step: expected more than 0, got {step}")
    # Decimal, as Optuna has it: in binary 0.5 is no multiple of 0.1
    if (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(step)):
        raise ConfigError(f"{name}: steps of {step} from {low} do not meet {high}")


def _named(setting: str) -> str:
    return f"tune.ranges.{setting}"
