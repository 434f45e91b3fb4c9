"""What is to be predicted: files, folders, patterns, a list, cameras; one by one, in order."""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from emotion.errors import DataError
from emotion.faces.images import SUFFIXES
from emotion.inference.videos.frames import is_video

LIST = "-"  # the names come on standard input


@dataclass(frozen=True)
class Source:
    """One thing to be predicted.

    Attributes:
        path: of the file; None for a camera.
        camera: its number; None for a file.
        is_video: whatever its name says.
    """

    path: Path | None
    camera: int | None = None
    is_video: bool = False

    @property
    def is_photo(self) -> bool:
        """Whether it is, by its name, no video and no camera; it may still be no picture."""
        return self.path is not None and not self.is_video and not is_video(self.path)

    @property
    def name(self) -> str:
        """What records call it."""
        return f"camera {self.camera}" if self.path is None else str(self.path)


def list_sources(
    arguments: Sequence[str], listed: BufferedIOBase, skipped: Callable[[Path], bool] | None = None
) -> Iterator[Source]:
    """Goes through what was asked for, in order; the files of a folder by name.

    Of a folder the pictures and videos are taken, hidden ones left out. Only the names of one
    folder at a time are in memory. A named file is taken whatever it is, so that one which is no
    picture becomes a record.

    Args:
        arguments: files, folders, glob patterns, numbers of cameras, and "-" for a list.
        listed: gives the list: a name a line, or names that end with a zero byte.
        skipped: tells of a file within a folder that it is not meant.
    """
    for argument in arguments:
        if argument == LIST:
            yield from (Source(path) for path in _read_list(listed))
        elif _is_camera(argument):
            yield Source(None, int(argument))
        else:
            for path in _matches(argument):
                files = _walk(path) if path.is_dir() else iter([path])
                yield from (Source(file) for file in files if not (skipped and skipped(file)))


def check_arguments(arguments: Sequence[str]) -> None:
    """Checks before any work that all that was named is there.

    Raises:
        DataError: a path does not exist, a pattern matches nothing, or a folder has no pictures.
    """
    if list(arguments).count(LIST) > 1:
        raise DataError("-: the list on standard input can be read once only")
    for argument in arguments:
        if argument == LIST or _is_camera(argument):
            continue
        path = Path(argument)
        if not os.path.lexists(path):
            if not glob.has_magic(argument):
                raise DataError(f"{argument}: no such file or folder")
            if next(_matching(argument), None) is None:
                raise DataError(f"{argument}: no file matches this pattern")
        elif path.is_dir() and next(_walk(path), None) is None:
            kinds = " ".join(sorted(SUFFIXES))
            raise DataError(f"{path}: no pictures in it; looked for {kinds}, and videos")


def _is_camera(argument: str) -> bool:
    return argument.isascii() and argument.isdigit() and not os.path.lexists(argument)


def _matches(argument: str) -> Iterator[Path]:
    if os.path.lexists(argument) or not glob.has_magic(argument):
        yield Path(argument)
    else:
        yield from map(Path, sorted(_matching(argument)))


def _matching(pattern: str) -> Iterator[str]:
    # pathlib's own takes no absolute patterns.
    return glob.iglob(pattern, recursive=True)  # noqa: PTH207


def is_taken(path: Path) -> bool:
    """Tells by its name whether a file within a folder is taken: a picture or a video."""
    return path.suffix.lower() in SUFFIXES or is_video(path)


def _walk(folder: Path) -> Iterator[Path]:
    """Gives the pictures and videos below a folder, sorted by path; each folder is listed once."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:  # may not be read, or has gone meanwhile
        return
    for name in names:
        path = folder / name
        if path.is_dir():
            if not path.is_symlink():  # a link may lead around in a circle
                yield from _walk(path)
        elif is_taken(path) and path.is_file():
            yield path


def _read_list(listed: BufferedIOBase) -> Iterator[Path]:
    """Gives names as they come; a zero byte in the first block says what they end with."""
    rest = end = b""
    while block := listed.read1(1 << 16):
        end = end or (b"\0" if b"\0" in block else b"\n")
        *names, rest = (rest + block).split(end)
        yield from (_named(name) for name in names if name.strip())
    if rest.strip():
        yield _named(rest)


def _named(name: bytes) -> Path:
    return Path(os.fsdecode(name.rstrip(b"\r\n")))
