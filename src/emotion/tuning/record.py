"""`tune.json`: which search a folder holds, so that another one is not mixed into it."""

import json
from pathlib import Path
from typing import Any

from emotion.errors import EmotionError
from emotion.files import write_json
from emotion.tuning.settings import SearchSettings, Training

FORMAT = 1
NAME = "tune.json"


def open_folder(folder: Path, settings: SearchSettings, training: Training) -> None:
    """Notes in the folder which search it holds.

    Raises:
        EmotionError: it holds another one; names the first difference.
    """
    content = {
        "format": FORMAT,
        "overrides": sorted(training.overrides, key=lambda item: item.partition("=")[0]),
        "search": settings.drawing(),
        "training": training.config,
    }
    path = folder / NAME
    if not path.is_file():
        if (folder / "config.yaml").exists():
            raise EmotionError(f"{folder}: holds a run; give the search a folder of its own")
        write_json(path, content)
        return
    try:
        held = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EmotionError(f"{path}: cannot be read ({error})") from error
    found = _difference(held, json.loads(json.dumps(content)))
    if found is not None:
        name, before, here = found
        raise EmotionError(
            f"{folder}: holds another search: {name} was {before} and is {here} now; take that back"
            " to go on with it, or give another tune.folder"
        )


def _difference(before: Any, here: Any, name: str = "") -> tuple[str, str, str] | None:
    if not (isinstance(before, dict) and isinstance(here, dict)):
        return None if before == here else (name, _shown(before), _shown(here))
    for key in dict.fromkeys((*before, *here)):
        inner = f"{name}.{key}" if name else key
        if key not in before or key not in here:
            return (inner, _shown(before.get(key)), _shown(here.get(key)))
        found = _difference(before[key], here[key], inner)
        if found is not None:
            return found
    return None


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
