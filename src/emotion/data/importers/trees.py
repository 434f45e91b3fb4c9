"""The files of a source: a folder, or a .zip file that is read without unpacking it.

A source is hostile until read: nothing outside it is opened, be it named by an absolute path, by
`..`, by a symbolic link or by a member of an archive; no file is read past a limit.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from lzma import LZMAError
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from emotion.data.importers.photos import Refusal
from emotion.errors import DataError
from emotion.faces.images import MAX_BYTES, SUFFIXES

CHUNK = 1_000_000  # bytes
_OUTSIDE = "leads out of the source; nothing outside it is read"
_LINK = "is a symbolic link to a folder, or out of the source; copy what it points to"


class UnusableError(Exception):
    """A file of a source that cannot be used; the message says why, without its name."""


class SourceTree:
    """The files of a source, by their paths below it with `/` in between.

    Attributes:
        path: the source, as the user named it.
        file: the one file that the user named, where the source is not a folder or archive.
    """

    path: Path
    file: str | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refusals: list[Refusal] = []

    @cached_property
    def names(self) -> list[str]:
        """All files, sorted; hidden ones and macOS's `__MACOSX` are left out."""
        return sorted(self._list())

    @cached_property
    def pictures(self) -> list[str]:
        """All files with a picture's ending, sorted."""
        return [name for name in self.names if PurePosixPath(name).suffix.lower() in SUFFIXES]

    def find(self, tail: str) -> str | None:
        """Gives the file whose path is `tail` or ends in it, the least deep one, or None."""
        if self.file is not None:
            return self.file if self.file == tail else None
        found = [name for name in self.names if name == tail or name.endswith("/" + tail)]
        return min(found, key=lambda name: (name.count("/"), name), default=None)

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """Reads a file.

        Raises:
            UnusableError: there is none, it lies outside, cannot be read, or is too large.
        """
        return b"".join(self.chunks(name, limit))

    def chunks(self, name: str, limit: int = MAX_BYTES) -> Iterator[bytes]:
        """Reads a file piece by piece, so that a large one needs little memory.

        Raises:
            UnusableError: as `read`.
        """
        size = 0
        with explained(), self.open(name) as stream:
            while chunk := stream.read(min(CHUNK, limit + 1 - size)):
                size += len(chunk)
                if size > limit:
                    raise UnusableError(f"larger than {limit:,} bytes, which are the most read")
                yield chunk

    def open(self, name: str) -> IO[bytes]:
        """Opens a file; errors while it is read are `explained`."""
        raise NotImplementedError

    def has(self, name: str) -> bool:
        """Tells whether there is such a file in the source."""
        raise NotImplementedError

    def _list(self) -> Iterator[str]:
        raise NotImplementedError

    def contents(self) -> str:
        """Lists a few top names, for errors."""
        names = sorted({name.split("/")[0] + "/" * ("/" in name) for name in self.names})
        return ", ".join(names[:5]) + ", …" * (len(names) > 5) or "nothing"


@contextmanager
def explained() -> Iterator[None]:
    """Turns whatever reading a file or a member raises into `UnusableError`."""
    try:
        yield
    except FileNotFoundError:
        raise UnusableError("no such file in the source") from None
    except OSError as error:
        raise UnusableError(f"cannot be read ({error.strerror or error})") from error
    # An archive that is damaged, encrypted, or packed in a way that is not read.
    except (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, RuntimeError) as error:
        raise UnusableError(f"cannot be unpacked ({error})") from error


def inside(name: str) -> str:
    """Gives a path that a file of the source names, in the form of `SourceTree.names`.

    Raises:
        UnusableError: it is empty, absolute, or leads upwards.
    """
    text = name.strip().replace("\\", "/")
    path = PurePosixPath(text)
    if not path.parts or "\0" in text:
        raise UnusableError("names no file")
    if path.is_absolute() or PureWindowsPath(text).drive or ".." in path.parts:
        raise UnusableError(_OUTSIDE)
    return str(path)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


class FolderTree(SourceTree):
    """A folder, or the folder around one file."""

    def __init__(self, path: Path, file: str | None = None) -> None:
        super().__init__(path)
        self.file = file
        self._root = (path if file is None else path.parent).resolve()

    def _list(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self._root):
            here = Path(folder)
            for name in sorted(folders):
                if not _hidden(name) and (here / name).is_symlink():
                    self._refuse(here / name)  # os.walk does not go in
            folders[:] = sorted(name for name in folders if not _hidden(name))
            for name in sorted(name for name in files if not _hidden(name)):
                if (here / name).is_symlink() and not self._real(here / name):
                    self._refuse(here / name)
                else:
                    yield (here / name).relative_to(self._root).as_posix()

    def _refuse(self, path: Path) -> None:
        self.refusals.append(Refusal(path.relative_to(self._root).as_posix(), _LINK))

    def _real(self, path: Path) -> Path | None:
        try:
            real = path.resolve()
        except (OSError, RuntimeError):  # links that lead to one another
            return None
        return real if real.is_relative_to(self._root) else None

    def open(self, name: str) -> IO[bytes]:
        """Opens a file, be it a symbolic link, as long as it lies in the folder."""
        with explained():
            path = self._real(self._root / inside(name))
            if path is None:
                raise UnusableError(_OUTSIDE)
            if path.exists() and not path.is_file():  # a pipe would be waited for without end
                raise UnusableError("is no regular file")
            return path.open("rb")

    def has(self, name: str) -> bool:
        """Tells whether there is such a file in the folder."""
        try:
            path = self._real(self._root / inside(name))
            return path is not None and path.is_file()
        except (UnusableError, OSError):  # a name too long for the disk
            return False


class ZipTree(SourceTree):
    """The members of an archive."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read as a .zip file ({error})") from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            if not member.is_dir():
                self._add(member)

    def _add(self, member: zipfile.ZipInfo) -> None:
        try:
            name = inside(member.filename)
        except UnusableError as error:
            self.refusals.append(Refusal(member.filename, str(error)))
            return
        if any(_hidden(part) for part in name.split("/")):
            return
        if stat.S_ISLNK(member.external_attr >> 16):
            self.refusals.append(Refusal(name, _LINK))
            return
        self._members[name] = member

    def _list(self) -> Iterator[str]:
        yield from self._members

    def open(self, name: str) -> IO[bytes]:
        """Opens a member of the archive."""
        member = self._members.get(inside(name))
        if member is None:
            raise UnusableError("no such file in the source")
        with explained():
            return self._zip.open(member)

    def has(self, name: str) -> bool:
        """Tells whether there is such a member."""
        try:
            return inside(name) in self._members
        except UnusableError:
            return False

    def close(self) -> None:
        """Closes the archive."""
        self._zip.close()


@contextmanager
def open_tree(source: Path) -> Iterator[SourceTree]:
    """Opens a folder, a .zip file, or the folder around any other file.

    Raises:
        DataError: there is no such source, or the archive is damaged.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected the data set to import")
    if source.is_dir():
        yield FolderTree(source)
    elif source.suffix.lower() == ".zip":
        tree = ZipTree(source)
        try:
            yield tree
        finally:
            tree.close()
    else:
        yield FolderTree(source, source.name)
