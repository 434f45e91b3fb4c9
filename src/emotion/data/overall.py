"""What is wrong with a data set as a whole, and with no single file."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from emotion.data.parts import WHOLE
from emotion.data.pictures import PictureFacts
from emotion.faces.folders import PhotoFolder
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import Problem


def judge_origin(
    folders: Mapping[str, PhotoFolder], facts: Mapping[Path, PictureFacts]
) -> Iterator[Problem]:
    """Tells where coordinates that were read from 0 seem to count from 1.

    They do where some boxes end one pixel beyond their picture, none ends farther out, and none
    begins at 0: the VOC devkit's last pixel is the width.
    """
    for folder in folders.values():
        boxes = [
            (face.box, facts[photo.image])
            for photo in folder.photos
            for face in photo.faces
            if not facts[photo.image].kind
        ]
        ends = [max(box.right - fact.width, box.bottom - fact.height) for box, fact in boxes]
        begins = [min(box.left, box.top) for box, _ in boxes]
        if boxes and max(ends) == 1 and min(begins) >= 1:
            message = (
                f"{ends.count(1)} boxes end one pixel beyond their picture, none ends farther out,"
                " and none begins at 0"
            )
            yield Problem("origin_one_based", folder.path, message)


def judge_classes(
    folders: Mapping[str, PhotoFolder], scheme: LabelScheme, groups: Mapping[Path, str]
) -> Iterator[Problem]:
    """Tells which classes have too few photos, or persons, to be split into train and val."""
    if "val" in folders:
        return
    for part in ("train", WHOLE):
        if part not in folders:
            continue
        owners: dict[str, set[str | Path]] = defaultdict(set)
        for photo in folders[part].photos:
            for face in photo.faces:
                owners[scheme.meaning(face.label)].add(groups.get(photo.image, photo.image))
        unit = "person" if groups else "photo"
        for name in scheme.names:
            if len(owners[name]) == 1:
                message = f"class {name} has 1 {unit}; train and validation need one each"
                yield Problem("class_too_small", folders[part].path, message)
