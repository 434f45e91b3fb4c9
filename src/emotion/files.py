"""Writing files so that a reader never meets half of one, and where those of the project are."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emotion.errors import ConfigError, EmotionError

TEMPORARY = ".writing-"  # so the names of files begin that are being written


def config_folder() -> Path:
    """Finds `conf/`: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parents[1] / "conf"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` and renames it to `path` once the block has ended well.

    The temporary name keeps the suffix, since writers of pictures choose the format by it.

    Raises:
        EmotionError: the folder cannot be made, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise EmotionError(f"{path}: cannot be written ({error.strerror})") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise EmotionError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def alone(lock: Path, taken: str, patience: float = 0) -> Iterator[None]:
    """Keeps other processes out for as long as the block lasts.

    Args:
        lock: a file for it; its folder is made.
        taken: what is said where another process is in.
        patience: seconds to wait for that one to end.

    Raises:
        ConfigError: another process is in, or the file cannot be written.
    """
    from filelock import FileLock, Timeout  # brings asyncio, which predicting can do without

    held = FileLock(lock, timeout=patience)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()  # the lock itself would wait for a folder that may be written
        held.acquire()
    except Timeout as error:
        raise ConfigError(taken) from error
    except OSError as error:
        raise ConfigError(
            f"{lock.parent}: cannot be written ({error.strerror or error})"
        ) from error
    try:
        yield
    finally:
        held.release()


def check_folder(path: Path) -> None:
    """Checks before long work that a folder is one, or can be made.

    Raises:
        ConfigError: something else is in its place, or it may not be written to.
    """
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise ConfigError(f"--out {path}: {nearest} is a file; name a folder")
    if not os.access(nearest, os.W_OK):
        raise ConfigError(f"--out {path}: {nearest} may not be written to; name another folder")


def check_file(path: Path) -> None:
    """Checks before long work that what is to become a file is no folder.

    Raises:
        ConfigError: a folder is in its place.
    """
    if path.is_dir():
        raise ConfigError(f"--out {path}: is a folder; name a file")


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text in one step."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")


def write_bytes(path: Path, content: bytes) -> None:
    """Writes bytes in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Any) -> None:
    """Writes indented JSON in one step; NaN and infinity are refused, since JSON has neither."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def harmless_cell(text: str) -> str:
    """Keeps a spreadsheet from taking a CSV cell for a formula, and a terminal from obeying it."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    if not shown.startswith(("=", "+", "-", "@")):
        return shown
    try:
        float(shown)
    except ValueError:
        return f"'{shown}"
    return shown
