"""A folder of annotated photos: which picture belongs to which XML file.

Read are the original's layout (`img/` beside `annotations/`), the VOC devkit's (`JPEGImages/`
beside `Annotations/`) and a folder that holds XML files and pictures side by side, as labelImg
leaves it.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from emotion.errors import AnnotationError, DataError, summarise
from emotion.faces.annotations import AnnotatedFace, Annotation, read_annotation
from emotion.faces.images import find_images

PICTURE_FOLDERS = ("img", "images", "JPEGImages")
ANNOTATION_FOLDERS = ("annotations", "Annotations")


@dataclass(frozen=True)
class AnnotatedPhoto:
    """A picture and the faces that its XML file names, in the order of the file."""

    image: Path
    annotation: Path
    faces: tuple[AnnotatedFace, ...]


def read_photos(folder: Path, allow_unannotated: bool = False) -> list[AnnotatedPhoto]:
    """Reads every annotation of a folder and finds its picture.

    Args:
        folder: holds `img/` and `annotations/`, or XML files and pictures side by side.
        allow_unannotated: pass over pictures that no XML file names.

    Returns:
        The photos, sorted by the path of the XML file.

    Raises:
        DataError: the folder is missing or empty, or lists up to ten problems of its files at once.
    """
    pictures_folder, annotations_folder = locate(folder)
    pictures = _Pictures(pictures_folder)
    photos, problems = _pair(_xml_files(annotations_folder), pictures)
    if not photos and not problems:
        raise DataError(f"{annotations_folder}: no *.xml in it; expected one for each photo")
    if not allow_unannotated:
        problems += _unannotated(pictures, annotations_folder)
    if problems:
        raise DataError(summarise(problems))
    return photos


def locate(folder: Path) -> tuple[Path, Path]:
    """Finds the folders of the pictures and of the XML files.

    Raises:
        DataError: there is no such folder, or it has neither layout.
    """
    if not folder.is_dir():
        what = "is a file, expected a folder" if folder.exists() else "no such folder"
        raise DataError(f"{folder}: {what} with img/ and annotations/ in it")
    pictures = [folder / name for name in PICTURE_FOLDERS if (folder / name).is_dir()]
    annotations = [folder / name for name in ANNOTATION_FOLDERS if (folder / name).is_dir()]
    if pictures and annotations:
        return pictures[0], annotations[0]
    if _xml_files(folder):
        return folder, folder
    raise DataError(
        f"{folder}: expected img/ and annotations/ in it, or *.xml beside the pictures;"
        f" found {_contents(folder)}"
    )


def _xml_files(folder: Path) -> list[Path]:
    # Hidden ones are left out: macOS puts a "._1.xml" that is no XML beside each 1.xml.
    return sorted(p for p in folder.glob("*.[xX][mM][lL]") if not p.name.startswith("."))


def _contents(folder: Path) -> str:
    names = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "") if names else "nothing"


class _Pictures:
    """The pictures of one folder, found by name or by stem, whatever the case or Unicode form."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = find_images(folder)
        # Pictures with an XML file, be it a broken one: that is one problem and not two.
        self.spoken_of: set[Path | None] = set()
        self._by_name = {_key(path.relative_to(folder).as_posix()): path for path in self.paths}
        self._by_stem = {_key(path.stem): path for path in self.paths}

    def of(self, annotation: Annotation) -> Path | None:
        """Finds the picture by `<filename>`; where that leads nowhere, by the XML's own stem."""
        # Only names are looked up, among pictures below the folder: nothing outside is found.
        named = PurePosixPath(annotation.filename.replace("\\", "/"))
        keys = (_key(str(named)), _key(named.name))
        found = next((self._by_name[key] for key in keys if key in self._by_name), None)
        return found or self.by_stem(annotation.path)

    def by_stem(self, annotation: Path) -> Path | None:
        """Finds the picture that is called like an XML file."""
        return self._by_stem.get(_key(annotation.stem))


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _pair(paths: Iterable[Path], pictures: _Pictures) -> tuple[list[AnnotatedPhoto], list[str]]:
    photos: list[AnnotatedPhoto] = []
    problems: list[str] = []
    claimed: dict[Path, Path] = {}
    for path in paths:
        try:
            annotation = read_annotation(path)
        except AnnotationError as error:
            problems.append(str(error))
            pictures.spoken_of.add(pictures.by_stem(path))
            continue
        image = pictures.of(annotation)
        if image is None:
            problems.append(
                f"{path}: no picture {annotation.filename or path.stem!r} in {pictures.folder};"
                " add it, or remove the XML file"
            )
            continue
        first = claimed.setdefault(image, path)
        if first != path:
            problems.append(f"{path}: speaks of {image.name}, as {first} does; merge or remove one")
            continue
        pictures.spoken_of.add(image)
        photos.append(AnnotatedPhoto(image, path, annotation.faces))
    return photos, problems


def _unannotated(pictures: _Pictures, annotations_folder: Path) -> list[str]:
    return [
        f"{path}: no XML file in {annotations_folder} speaks of it; annotate it, remove it,"
        " or let such pictures be: data.allow_unannotated=true, evaluate --allow-unannotated"
        for path in pictures.paths
        if path not in pictures.spoken_of
    ]
