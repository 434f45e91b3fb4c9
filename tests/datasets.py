"""Small made-up data sets for tests: noise with faces marked in it, and changes to its files."""

import hashlib
import io
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emotion.faces.annotations import write_annotation
from emotion.faces.boxes import Box

WIDTH, HEIGHT = 80, 60
SMILE = ("smile", Box(10, 8, 50, 48))
SAD = ("sad", Box(20, 10, 60, 50))

Face = tuple[str, Box]


def noise(name: str, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Gives a picture that depends on a name and looks like no other: H x W x 3, uint8."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return rng.integers(0, 256, (height, width, 3), np.uint8)


@cache
def _png(name: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(name)).save(stream, "PNG")
    return stream.getvalue()


def broken_png() -> bytes:
    """Gives a PNG whose pixels cannot be decoded though nothing is missing."""
    content = bytearray(_png("broken"))
    start = content.index(b"IDAT") + 100
    content[start : start + 40] = bytes(255 - value for value in content[start : start + 40])
    return bytes(content)


def add_photo(
    folder: Path, name: str, *faces: Face, filename: str | None = None, seed: str | None = None
) -> Path:
    """Adds a PNG and its XML file; gives the XML file.

    Args:
        folder: gets `img/` and `annotations/`.
        name: of both files, without a suffix.
        faces: label and box of each; one that smiles where none is given.
        filename: what stands in the XML file; None for the picture's name.
        seed: of the picture's pixels; None for one of its own.
    """
    image = folder / "img" / f"{name}.png"
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(_png(seed or f"{folder.name}/{name}"))
    annotation = folder / "annotations" / f"{name}.xml"
    stated = image.name if filename is None else filename
    write_annotation(annotation, stated, (WIDTH, HEIGHT), faces or (SMILE,))
    return annotation


def add_clean(root: Path) -> None:
    """Adds a data set without any problem: two classes, two parts."""
    for name, face in {"s1": SMILE, "s2": SMILE, "t1": SAD, "t2": SAD}.items():
        add_photo(root / "train", name, face)
    add_photo(root / "test", "s3", SMILE)


def picture_of(annotation: Path) -> Path:
    """Gives the picture that `add_photo` put beside an XML file."""
    return annotation.parents[1] / "img" / f"{annotation.stem}.png"


def change(path: Path, old: str, new: str, count: int = 1) -> None:
    """Replaces what stands in a file as many times as is said."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == count
    path.write_text(text.replace(old, new), encoding="utf-8")


def lock(monkeypatch: pytest.MonkeyPatch, *locked: Path) -> None:
    """Lets nobody open files, not even an administrator, whom permissions do not stop."""

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Path, *arguments: Any, **more: Any) -> Any:
            if path in locked:
                raise PermissionError(13, "Permission denied")
            return real(path, *arguments, **more)

        return opened

    monkeypatch.setattr(Path, "open", guarded(Path.open))
    monkeypatch.setattr("emotion.faces.images.Image.open", guarded(Image.open))


def hashes(root: Path) -> dict[str, str]:
    """Gives the SHA-256 of every file below a folder, by its path there."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
