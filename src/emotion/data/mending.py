"""A mended copy of a data set: what needs no guessing is put right, the source stays as it is."""

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from emotion.data.audit import Audit
from emotion.data.cleaning import MENDABLE, mend_face
from emotion.errors import DataError
from emotion.faces.annotations import AnnotatedFace
from emotion.faces.folders import AnnotatedPhoto, locate
from emotion.faces.problems import Problem
from emotion.faces.voc import Edit, edit_annotation
from emotion.terminal import tracked
from emotion.threads import map_in_order

NAMES = ("filename_wrong", "filename_spelling", "path_leaves_folder")
# Control characters and broken Unicode, which XML has no way to write.
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def check_target(root: Path, target: Path) -> None:
    """Refuses a folder that has something in it, or lies in the data set.

    Raises:
        DataError: says which.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"--fix {target}: is not an empty folder; name another, or remove it first")
    if target.resolve().is_relative_to(root.resolve()):
        raise DataError(f"--fix {target}: lies in {root}, which is not written to; name another")


def write_mended(audit: Audit, target: Path, origin: int) -> list[tuple[Problem, str]]:
    """Copies a data set and mends the copy.

    Args:
        audit: of the data set.
        target: a folder that is empty or does not exist; it appears whole or not at all.
        origin: coordinate of the first pixel in the files, 0 or 1.

    Returns:
        Each problem that was mended, and what was done; those that could only be guessed at, such
        as a name that several pictures have, are left.

    Raises:
        DataError: the folder cannot be used.
    """
    check_target(audit.root, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mending-", dir=target.parent) as folder:
        copy = Path(folder) / "data"
        _copy(audit, copy)
        done = _mend(audit, copy, origin)
        copy.replace(target)
    return done


def _copy(audit: Audit, copy: Path) -> None:
    # A folder that is read may be a link, which a search from the root does not follow.
    read = [folder.path for folder in audit.folders.values()]
    places = [audit.root, *read, *(inner for path in read for inner in locate(path))]
    files = sorted({path for place in places for path in place.rglob("*") if path.is_file()})

    def copy_file(path: Path) -> None:
        new = copy / path.relative_to(audit.root)
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, new)

    copy.mkdir()
    for _ in tracked(map_in_order(copy_file, files), "copying", len(files)):
        pass


def _mend(audit: Audit, copy: Path, origin: int) -> list[tuple[Problem, str]]:
    by_file: dict[Path, list[Problem]] = defaultdict(list)
    for problem in audit.problems:
        if problem.kind in MENDABLE and problem.annotation is not None:
            by_file[problem.annotation].append(problem)
    unsure = {problem.annotation for problem in audit.problems if _is_ambiguous(problem)}
    done: list[tuple[Problem, str]] = []
    for folder in audit.folders.values():
        pictures, _ = locate(folder.path)
        for photo in folder.photos:
            problems = by_file[photo.annotation]
            name = photo.image.relative_to(pictures).as_posix()
            known = photo.annotation not in unsure and not UNWRITABLE.search(name)
            edit = _edit(photo, problems, audit, name if known else None)
            told = [(problem, what) for problem in problems if (what := _told(problem, edit))]
            if told:
                new = copy / photo.annotation.relative_to(audit.root)
                edit_annotation(photo.annotation, new, edit, origin)
            done += told
    return done


def _is_ambiguous(problem: Problem) -> bool:
    """Tells whether it is a guess which picture an XML file speaks of."""
    repeated = problem.kind == "tag_repeated" and problem.tag == "filename"
    return repeated or problem.kind == "names_collide"


def _edit(
    photo: AnnotatedPhoto, problems: Sequence[Problem], audit: Audit, name: str | None
) -> Edit:
    kinds = {problem.kind for problem in problems}
    facts = audit.facts[photo.image]
    size = (facts.width, facts.height)
    concerned = {problem.number for problem in problems}
    faces: dict[int, AnnotatedFace] = {
        face.number: mend_face(face, size, audit.scheme, MENDABLE)
        for face in photo.faces
        if face.number in concerned
    }
    filename = name if kinds & set(NAMES) else None
    return Edit(filename, size if "size_wrong" in kinds and all(size) else None, faces)


def _told(problem: Problem, edit: Edit) -> str | None:
    """Says what was done about a problem; None where it was left."""
    if problem.kind in NAMES:
        return None if edit.filename is None else f"<filename> is now {edit.filename}"
    if problem.kind == "size_wrong":
        return None if edit.size is None else "<size> is now {} x {}".format(*edit.size)
    assert problem.number is not None
    face = edit.faces.get(problem.number)
    if face is None:  # another problem of the same object could not be mended
        return None
    if problem.kind == "label_spelling":
        return f"<name> is now {face.label}"
    return "<bndbox> is now " + ",".join(map(str, face.box.to_inclusive()))
