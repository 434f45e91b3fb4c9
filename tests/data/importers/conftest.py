"""Small made-up sources, and what they become."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from emotion.data.importers.imports import import_photos
from emotion.data.importers.summaries import ImportSummary
from emotion.data.label_registry import LabelTable

Files = Mapping[str, bytes | str]
Build = Callable[[Files], Path]
Faces = dict[str, list[tuple[str, tuple[int, int, int, int]]]]


def picture_bytes(seed: int = 0, size: tuple[int, int] = (40, 30), format: str = "PNG") -> bytes:
    """Gives a picture file of noise: width x height."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, format)
    return stream.getvalue()


@pytest.fixture
def picture() -> Callable[..., bytes]:
    return picture_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Build:
    """Writes files into a new folder."""

    def build(files: Files) -> Path:
        root = tmp_path / "source"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return build


@pytest.fixture
def archive(tmp_path: Path) -> Build:
    """Packs files into a new .zip file."""

    def build(files: Files) -> Path:
        path = tmp_path / "source.zip"
        with zipfile.ZipFile(path, "w") as packed:
            for name, content in files.items():
                packed.writestr(name, content)
        return path

    return build


class Imported:
    """A data set that was imported, read by nothing of the project's own."""

    def __init__(self, root: Path, summary: ImportSummary) -> None:
        self.root, self.summary = root, summary
        self.record: dict[str, Any] = json.loads((root / "import.json").read_text())

    def faces(self, part: str = "") -> Faces:
        """Label and corners, as the XML has them, by picture."""
        found: Faces = {}
        for path in sorted((self.root / part / "annotations").iterdir()):
            root = ElementTree.parse(path).getroot()
            picture = root.findtext("filename") or ""
            with Image.open(self.root / part / "img" / picture) as image:
                stated = root.findtext("size/width"), root.findtext("size/height")
                assert stated == tuple(map(str, image.size))
            assert Path(picture).stem == path.stem
            found[picture] = [
                (each.findtext("name") or "", corners(each)) for each in root.iter("object")
            ]
        assert sorted(found) == sorted(p.name for p in (self.root / part / "img").iterdir())
        return found

    def labels(self, part: str = "") -> dict[str, list[str]]:
        """Labels by picture."""
        return {name: [label for label, _ in each] for name, each in self.faces(part).items()}


def corners(element: ElementTree.Element) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (
        int(element.findtext(f"bndbox/{name}") or "") for name in ("xmin", "ymin", "xmax", "ymax")
    )
    return x0, y0, x1, y1


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., Imported]:
    """Imports a source into a new folder."""

    def run(
        format: str,
        source: Path,
        map: Mapping[str, str | None] | None = None,
        keep_others: bool = False,
        **settings: Any,
    ) -> Imported:
        root = tmp_path / "imported"
        table = LabelTable(format, map or {}, keep_others)
        return Imported(root, import_photos(format, source, root, table, settings))

    return run
