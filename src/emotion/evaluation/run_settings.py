"""How a run read its data, as the `config.yaml` in its folder tells it."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from emotion.errors import DataError
from emotion.inference.checkpoint_files import run_folder


def data_settings(checkpoint: Path) -> dict[str, Any] | None:
    """Gives the settings of the data that a checkpoint's run read; None where they are lost."""
    try:
        text = (run_folder(checkpoint) / "config.yaml").read_text(encoding="utf-8")
        config = _parsed(text)
        Path(config["data"]["root"])
        return dict(config["data"])
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, RecursionError):
        return None


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    return yaml.safe_load(text)  # libyaml's is faster, but crashes on deep nesting


def required_settings(checkpoint: Path) -> dict[str, Any]:
    """Gives the settings of the data that a checkpoint's run read.

    Raises:
        DataError: they are lost.
    """
    settings = data_settings(checkpoint)
    if settings is None:
        raise DataError(
            f"{checkpoint}: its run folder has no config.yaml that names a data set; name one:"
            f" emotion evaluate {checkpoint} /path/to/faces"
        )
    return settings


# What the settings of a run's data may be, where they are used here.
_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "label_map": ("names and classes, or null", lambda v: v is None or isinstance(v, dict)),
    "drop": ("a list of kinds", lambda v: _are_texts(v)),
    "mend": ("a list of kinds", lambda v: _are_texts(v)),
    "origin": ("0 or 1", lambda v: type(v) is int and v in (0, 1)),
    "groups": ("a text, or null", lambda v: v is None or isinstance(v, str)),
    "smallest_face": ("a number of pixels", lambda v: type(v) is int),
    "keep_difficult": ("true or false", lambda v: type(v) is bool),
    "cache": ("a folder, or null", lambda v: v is None or isinstance(v, str)),
    "fold": ("a number from 1", lambda v: type(v) is int),
}


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def check_settings(settings: Mapping[str, Any], run: Path) -> None:
    """Checks the settings that somebody may have changed since the run wrote them.

    Raises:
        DataError: names the file, the key, what was expected and what came.
    """
    for key, (expected, fits) in _EXPECTED.items():
        if key in settings and not fits(settings[key]):
            raise DataError(
                f"{run / 'config.yaml'}: data.{key}: expected {expected}, got {settings[key]!r}"
            )
