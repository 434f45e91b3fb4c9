"""A folder of annotated photos: which picture belongs to which XML file.

Read are the original's layout (`img/` beside `annotations/`), the VOC devkit's (`JPEGImages/`
beside `Annotations/`) and a folder that holds XML files and pictures side by side, as labelImg
leaves it.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from emotion.errors import DataError
from emotion.faces.annotations import AnnotatedFace, Annotation, read_annotation
from emotion.faces.images import find_images
from emotion.faces.problems import Problem
from emotion.terminal import tracked
from emotion.threads import map_in_order

PICTURE_FOLDERS = ("img", "images", "JPEGImages")
ANNOTATION_FOLDERS = ("annotations", "Annotations")


@dataclass(frozen=True)
class AnnotatedPhoto:
    """A picture and the faces that its XML file names, in the order of the file.

    Attributes:
        image: the picture.
        annotation: the XML file.
        faces: those that could be read.
        size: width and height that the XML file states, where it does.
    """

    image: Path
    annotation: Path
    faces: tuple[AnnotatedFace, ...]
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class PhotoFolder:
    """What was read from one folder.

    Attributes:
        path: the folder.
        photos: XML files that could be read and have a picture, sorted by the XML file's path.
        pictures: all pictures, with an XML file or without, sorted.
        problems: what is wrong with the files; no picture was opened yet.
    """

    path: Path
    photos: tuple[AnnotatedPhoto, ...]
    pictures: tuple[Path, ...]
    problems: tuple[Problem, ...]


def read_folder(folder: Path, origin: int = 0) -> PhotoFolder:
    """Reads every annotation of a folder, on all cores, and finds its picture.

    Args:
        folder: holds `img/` and `annotations/`, or XML files and pictures side by side.
        origin: coordinate of the first pixel, 0 or 1.

    Raises:
        DataError: the folder is missing, or there is nothing in it.
    """
    pictures_folder, annotations_folder = locate(folder)
    paths = _xml_files(annotations_folder)
    read = map_in_order(lambda path: read_annotation(path, origin), paths)
    pairing = _Pairing(pictures_folder)
    for annotation in tracked(read, "reading XML", len(paths)):
        pairing.add(annotation)
    pairing.finish(annotations_folder)
    photos, pictures = tuple(pairing.photos), tuple(pairing.pictures.paths)
    if not paths and not pictures:
        where = f"no *.xml in {annotations_folder} and no picture in {pictures_folder}"
        raise DataError(f"{folder}: nothing in it: {where}")
    return PhotoFolder(folder, photos, pictures, tuple(pairing.problems))


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
    if _xml_files(folder) or find_images(folder):
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


def same_name(name: str) -> str:
    """Gives what is equal for names that differ in case or Unicode form only."""
    return unicodedata.normalize("NFC", name).casefold()


class _Pictures:
    """The pictures of one folder, found by name or by stem, whatever the case or Unicode form."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = find_images(folder)
        self.exact = {self.name_of(path): path for path in self.paths}
        self._by_name = self._index(self.name_of)
        self._by_last = self._index(lambda path: path.name)
        self._by_stem = self._index(lambda path: path.stem)

    def name_of(self, path: Path) -> str:
        """Gives the name of a picture below the folder, with the sub-folders that it stands in."""
        return path.relative_to(self.folder).as_posix()

    def _index(self, name: Callable[[Path], str]) -> dict[str, list[Path]]:
        index: dict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            index[same_name(name(path))].append(path)
        return index

    def named(self, filename: str) -> list[Path]:
        """Finds the pictures of a `<filename>`: the exact one, or all that differ in case only."""
        # Only names are looked up, among pictures below the folder: nothing outside is found.
        named = PurePosixPath(filename.replace("\\", "/"))
        for name in (str(named), named.name):
            if name in self.exact:
                return [self.exact[name]]
            if same_name(name) in self._by_name:
                return self._by_name[same_name(name)]
        bare = str(named) == named.name
        return self._by_last.get(same_name(named.name), []) if bare else []

    def of_stem(self, stem: str) -> list[Path]:
        """Finds the pictures that are called so, whatever their ending."""
        return self._by_stem.get(same_name(stem), [])

    def twins(self) -> list[list[Path]]:
        """Finds pictures whose names differ in case or Unicode form only."""
        return [paths for paths in self._by_name.values() if len(paths) > 1]


@dataclass
class _Pairing:
    """Finds the picture of one annotation after the other."""

    folder: Path
    photos: list[AnnotatedPhoto] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pictures = _Pictures(self.folder)
        self.claimed: dict[Path, Path] = {}
        # Pictures with an XML file, be it a broken one: that is one problem and not two.
        self.spoken_of: set[Path] = set()

    def report(
        self, kind: str, message: str, annotation: Path, image: Path | None = None, *others: Path
    ) -> None:
        self.problems.append(
            Problem(kind, annotation, message, annotation=annotation, image=image, others=others)
        )

    def add(self, annotation: Annotation) -> None:
        image = self._find(annotation)
        self.problems += [replace(problem, image=image) for problem in annotation.problems]
        if image is None:
            return
        self.spoken_of.add(image)
        first = self.claimed.setdefault(image, annotation.path)
        if first != annotation.path:
            message = f"speaks of {image.name}, as {first.name} does"
            self.report("picture_shared", message, annotation.path, image, first)
        elif annotation.readable:
            photo = AnnotatedPhoto(image, annotation.path, annotation.faces, annotation.size)
            self.photos.append(photo)

    def _find(self, annotation: Annotation) -> Path | None:
        if annotation.filename in self.pictures.exact:
            return self.pictures.exact[annotation.filename]
        name = annotation.filename.strip()
        found = self.pictures.named(name) if name else []
        # Label Studio leaves the ending out.
        found = found or self.pictures.of_stem(name)
        spare = found or self.pictures.of_stem(annotation.path.stem)
        if annotation.readable:
            self._judge_name(annotation.path, name, found, spare)
        return spare[0] if spare else None

    def _judge_name(
        self, path: Path, name: str, found: Sequence[Path], spare: Sequence[Path]
    ) -> None:
        image = spare[0] if spare else None
        if len(spare) > 1:
            listed = " and ".join(self.pictures.name_of(other) for other in spare)
            message = f"<filename> {name!r} may be {listed}"
            self.report("names_collide", message, path, image, *spare[1:])
        if _leaves(name):
            message = f"<filename> {name!r} leads out of {self.folder}"
            self.report("path_leaves_folder", message, path, image)
        if image is None:
            message = f"no picture {name or path.stem!r} in {self.folder}"
            self.report("picture_missing", message, path)
        elif not found and not _leaves(name):
            message = f"<filename> is {name!r}, but the picture is {image.name}"
            self.report("filename_wrong", message, path, image)
        elif found and not _says(name, image):
            message = f"<filename> is {name!r}, but the picture is written {image.name!r}"
            self.report("filename_spelling", message, path, image)

    def finish(self, annotations_folder: Path) -> None:
        by_image = {photo.image: photo.annotation for photo in self.photos}
        for twins in self.pictures.twins():
            for image in twins:
                others = tuple(other for other in twins if other != image)
                message = f"differs from {others[0].name} in case or Unicode form only"
                annotation = by_image.get(image)
                self.problems.append(
                    Problem(
                        "names_collide",
                        image,
                        message,
                        annotation=annotation,
                        image=image,
                        others=others,
                    )
                )
        for image in self.pictures.paths:
            if image not in self.spoken_of:
                message = f"no XML file in {annotations_folder} speaks of it"
                self.problems.append(Problem("picture_unannotated", image, message, image=image))


def _leaves(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive != ""


def _says(name: str, image: Path) -> bool:
    named = PurePosixPath(name.replace("\\", "/")).name
    return named in (image.name, image.stem)
