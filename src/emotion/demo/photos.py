"""What somebody dropped: kept in memory, and on the disk only while it is read."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from emotion.errors import PictureError
from emotion.faces.images import SUFFIXES, read_image, stored_size
from emotion.inference.videos.frames import is_video


@dataclass(frozen=True)
class Photo:
    """A file that was dropped, a picture or a video.

    Attributes:
        name: as the visitor's own machine calls it, without a folder.
        content: its bytes.
    """

    name: str
    content: bytes

    @property
    def is_video(self) -> bool:
        """Whether its name says that it is a video."""
        return is_video(self.name)

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """Gives a file with the bytes, in the folder for temporary files, for as long as needed."""
        suffix = PurePosixPath(self.name).suffix.lower()
        with temporary_folder() as folder:
            path = folder / f"dropped{suffix if suffix in SUFFIXES or self.is_video else ''}"
            path.write_bytes(self.content)
            yield path

    def image(self, refuse: Callable[[int, int], str | None]) -> NDArray[np.uint8]:
        """Gives the picture, upright: H x W x 3, uint8, RGB.

        Args:
            refuse: gets width and height in pixels before the picture is decoded, and says why it
                is not to be.

        Raises:
            PictureError: it is no picture, damaged or refused; the message has the visitor's name.
        """
        with self.on_disk() as path, self._named():
            if reason := refuse(*stored_size(path)):
                raise PictureError(path, "picture_too_large", reason)
            return read_image(path)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except PictureError as error:
            raise PictureError(Path(self.name), error.kind, error.reason) from None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Gives a folder that is gone afterwards, whatever happens in the block."""
    folder = Path(tempfile.mkdtemp(prefix="answer-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bare_name(name: str) -> str:
    """Gives the last part of a file's name, whichever system it is from."""
    return PurePosixPath(name.replace("\\", "/")).name or "unnamed"


def distinct(names: Iterable[str]) -> list[str]:
    """Gives names that differ: of pictures that were pasted, all are "image.png"."""
    taken: set[str] = set()
    chosen = []
    for name in names:
        path, number, other = PurePosixPath(name), 1, name
        while other in taken:
            number += 1
            other = f"{path.stem}-{number}{path.suffix}"
        taken.add(other)
        chosen.append(other)
    return chosen
