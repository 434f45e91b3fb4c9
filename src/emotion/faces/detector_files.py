"""Detectors by name: `conf/detector/NAME.yaml` says which class it is, and its settings."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from emotion.errors import ConfigError
from emotion.faces.detectors import Detector
from emotion.files import config_folder

DEFAULT = "dlib"


def build_detector(name: str = DEFAULT, settings: Mapping[str, Any] | None = None) -> Detector:
    """Builds the detector of a config file.

    The file is YAML: `_target_` is the class, as `package.module.Class`, and the other keys are its
    arguments. The class is imported, so a file is to be trusted like a program.

    Args:
        name: of a file in `conf/detector/`, or the path of one (`*.yaml`) anywhere.
        settings: arguments that replace those of the file; None among them leaves the file's.

    Raises:
        ConfigError: there is no such file, it is damaged, or the class does not take a setting.
    """
    path = _find(name)
    content = _read(path)
    target = content.pop("_target_", None)
    if not isinstance(target, str) or "." not in target:
        raise ConfigError(f"{path}: _target_: expected package.module.Class, got {target!r}")
    given = {k: v for k, v in (settings or {}).items() if v is not None}
    detector = _call(_find_class(target, path), content | given, path)
    if not callable(getattr(detector, "detect", None)):
        raise ConfigError(f"{path}: {target} has no method detect(image); see docs/predictions.md")
    built: Detector = detector
    return built


def _find(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"--detector {name}: no such file")
        return path
    folder = config_folder() / "detector"
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in names:
        raise ConfigError(
            f"--detector {name}: expected {' or '.join(names)}, or the path of a .yaml file"
        )
    return folder / f"{name}.yaml"


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: cannot be read as YAML ({reason})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected _target_ and settings, got {type(content).__name__}")
    return content


def _find_class(target: str, path: Path) -> Any:
    module, _, name = target.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{path}: _target_: {target} cannot be imported ({error})") from error


def _call(kind: Any, arguments: dict[str, Any], path: Path) -> Any:
    from inspect import signature

    try:
        signature(kind).bind(**arguments)
    except TypeError as error:
        raise ConfigError(f"{path}: {kind.__name__}: {error}") from error
    return kind(**arguments)
