"""Files on their way from the browser to an answer: a folder each, gone as soon as it is read."""

import shutil
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emotion.demo.limits import Limits
from emotion.demo.photos import Photo, bare_name, distinct
from emotion.errors import EmotionError

PREFIX = "upload-"
ABANDONED = 300.0  # seconds after which a file that nobody asked about is removed


class UploadError(EmotionError):
    """More was dropped than the page takes."""


@dataclass(frozen=True)
class Upload:
    """A file that was uploaded.

    Attributes:
        path: where it is.
        name: as the visitor's own machine calls it.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Uploads:
    """The folder in which uploads lie, each in one of its own: two may be the same photo.

    Attributes:
        folder: for nothing else.
    """

    folder: Path

    def new(self) -> Path:
        """Makes a folder for one upload."""
        made = self.folder / f"{PREFIX}{uuid.uuid4().hex}"
        made.mkdir()
        return made

    def remove_abandoned(self) -> None:
        """Removes what was uploaded some minutes ago and never asked about."""
        for old in self.folder.glob(f"{PREFIX}*"):
            with suppress(OSError):  # it may just have been answered
                if time.time() - old.stat().st_mtime > ABANDONED:
                    shutil.rmtree(old, ignore_errors=True)

    def remove(self, path: Path) -> None:
        """Removes the upload that a file belongs to; does nothing to files elsewhere."""
        if path.is_relative_to(self.folder):
            first = path.relative_to(self.folder).parts[:1]
            if first and first[0].startswith(PREFIX):
                shutil.rmtree(self.folder / first[0], ignore_errors=True)

    def take(self, uploads: Iterable[Upload], limits: Limits) -> list[Photo]:
        """Reads files into memory and removes them, whatever becomes of it.

        Raises:
            UploadError: there are too many, one is too large, or one has gone.
        """
        given = list(uploads)
        try:
            if reason := limits.refuse_count(len(given)):
                raise UploadError(reason)
            names = distinct(bare_name(upload.name) for upload in given)
            return [
                Photo(name, self._read(upload, limits))
                for name, upload in zip(names, given, strict=True)
            ]
        finally:
            for upload in given:
                self.remove(upload.path)

    def _read(self, upload: Upload, limits: Limits) -> bytes:
        name = bare_name(upload.name)
        if not upload.path.resolve().is_relative_to(self.folder.resolve()):
            raise UploadError(f"{name}: was not uploaded here; drop it again.")
        try:
            if reason := limits.refuse_size(name, upload.path.stat().st_size):
                raise UploadError(reason)
            return upload.path.read_bytes()
        except OSError:
            raise UploadError(f"{name}: has gone meanwhile; drop it again.") from None
