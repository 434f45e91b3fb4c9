"""Importing one data set: from a source to a folder that emotion reads, with a record of it."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emotion.data.importers.formats import FORMATS
from emotion.data.importers.photos import LayoutError, Refusal, SourcePhoto
from emotion.data.importers.summaries import ImportSummary, import_record
from emotion.data.importers.trees import SourceTree, UnusableError, inside, open_tree
from emotion.data.importers.voc_folder import (
    PlannedPhoto,
    WrittenPhoto,
    plan,
    write_lists,
    write_photos,
)
from emotion.data.label_registry import LabelTable
from emotion.errors import ConfigError, DataError, EmotionError
from emotion.files import write_json
from emotion.terminal import tracked


def import_photos(
    format: str,
    source: Path,
    root: Path,
    table: LabelTable,
    settings: Mapping[str, Any] | None = None,
) -> ImportSummary:
    """Imports a data set.

    Args:
        format: a key of `FORMATS`.
        source: a folder, a .zip file, or the file that lists the pictures.
        root: where to; empty or absent. It appears under this name only once it is complete.
        table: what each label becomes.
        settings: further arguments of the format's `photos`.

    Returns:
        What became of the source; `root/import.json` holds the same.

    Raises:
        DataError: the source is missing or laid out otherwise, nothing of it could be used, or
            `root` has something in it.
        ConfigError: a setting cannot be, or maps a label that does not occur.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f"{root}: is not an empty folder; name another, or remove it first")
    settings = dict(settings or {})
    summary = ImportSummary()
    with open_tree(source) as tree:
        photos = _gather(format, tree, summary, settings)
        _count(photos, table, summary)
        planned = plan(photos, lambda label: table.becomes(table.name_of(label)))
        _check(format, tree, table, summary, planned)
        root.parent.mkdir(parents=True, exist_ok=True)
        # Written beside it and renamed at the end, so that half a data set is never taken for one.
        with tempfile.TemporaryDirectory(prefix=".importing-", dir=root.parent) as folder:
            staged = Path(folder) / "data"
            _write(staged, tree, planned, table, summary)
            if not summary.photos.total():
                raise DataError(_nothing(tree, summary))
            about = {"format": format, "source": source.resolve().name, "settings": settings}
            write_json(staged / "import.json", {**about, **import_record(table, summary)})
            staged.replace(root)
    return summary


def _gather(
    format: str, tree: SourceTree, summary: ImportSummary, settings: Mapping[str, Any]
) -> list[SourcePhoto]:
    photos = []
    try:
        for item in FORMATS[format].load().photos(tree, **settings):
            checked = _inside(item) if isinstance(item, SourcePhoto) else item
            if isinstance(checked, Refusal):
                summary.refuse([checked])
            else:
                photos.append(checked)
    except LayoutError as error:
        raise DataError(f"{error}{_hint(format, tree)}") from error
    summary.refuse(tree.refusals)
    return photos


def _inside(photo: SourcePhoto) -> SourcePhoto | Refusal:
    """Gives the photo with its path in the form of the tree's, or why that path is refused."""
    try:
        return replace(photo, path=inside(photo.path))
    except UnusableError as error:
        return Refusal(photo.path, str(error))


def _hint(format: str, tree: SourceTree) -> str:
    """Says which other format a source looks like."""
    for name, other in FORMATS.items():
        try:
            if name != format and other.load().recognise(tree):
                return f"; it looks like {name}: emotion data import {name} {tree.path} DIR"
        except (EmotionError, UnusableError):  # it is not that, then
            continue
    if tree.file is None and any("annotations/" in name.lower() for name in tree.names):
        return "; or is it laid out as emotion reads it already? then nothing is to be imported"
    return ""


def _count(photos: Sequence[SourcePhoto], table: LabelTable, summary: ImportSummary) -> None:
    for photo in photos:
        for face in photo.faces:
            name = table.name_of(face.label)
            summary.labels[name] = table.becomes(name)
            # Those that are kept are counted once they are written.
            summary.faces[name, photo.part] += summary.labels[name] is None
        if not photo.faces:
            summary.without_faces[photo.part] += 1
    unknown = sorted(table.overrides.keys() - summary.labels.keys())
    if unknown and photos:
        found = ", ".join(sorted(summary.labels, key=table.order)[:20])
        raise ConfigError(f"--map {unknown[0]}=…: no face has this label; found {found}")


def _check(
    format: str,
    tree: SourceTree,
    table: LabelTable,
    summary: ImportSummary,
    planned: Sequence[PlannedPhoto],
) -> None:
    if planned:
        return
    if not summary.labels:
        raise DataError(_nothing(tree, summary) + _hint(format, tree))
    found = ", ".join(sorted(summary.labels, key=table.order)[:20])
    raise DataError(
        f"{tree.path}: no label of it becomes a class; found {found}. Map some"
        f" (--map '{found.split(', ')[0]}=neutral'), or keep them all (--keep-others)"
        + _hint(format, tree)
    )


def _nothing(tree: SourceTree, summary: ImportSummary) -> str:
    listed = "".join(f"\n{refusal}" for refusal in summary.refusals[:10])
    more = f"\n… and {summary.refused - 10} more" if summary.refused > 10 else ""
    return f"{tree.path}: nothing in it could be used{listed}{more}"


def _write(
    root: Path,
    tree: SourceTree,
    planned: Sequence[PlannedPhoto],
    table: LabelTable,
    summary: ImportSummary,
) -> None:
    written: list[WrittenPhoto] = []
    for each in tracked(write_photos(root, tree, planned), "importing", len(planned)):
        summary.refuse(each.refusals)
        part = each.planned.photo.part
        summary.photos[part] += bool(each.faces)
        for face in each.faces:
            summary.faces[table.name_of(face.label), part] += 1
        written.append(each)
    summary.photos = +summary.photos
    for part in {each.photo.part for each in planned} - summary.photos.keys():
        shutil.rmtree(root / part)  # an empty part is none
    write_lists(root, written)
