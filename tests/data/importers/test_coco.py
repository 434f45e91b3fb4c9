import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion.errors import DataError

Build = Callable[..., Path]
CATEGORIES = [{"id": 1, "name": "Happy"}, {"id": 2, "name": "sad"}, {"id": 7, "name": "cat"}]


def image(number: int, name: str, size: tuple[int, int] = (40, 30)) -> dict[str, Any]:
    return {"id": number, "file_name": name, "width": size[0], "height": size[1]}


def face(number: int, category: int, *bbox: Any) -> dict[str, Any]:
    return {"image_id": number, "category_id": category, "bbox": list(bbox)}


def coco(images: list[Any], annotations: list[Any]) -> str:
    return json.dumps({"images": images, "annotations": annotations, "categories": CATEGORIES})


def test_boxes_are_half_open_and_rounded(folder: Build, imported: Any, picture: Any) -> None:
    annotations = [face(5, 1, 1, 2, 10, 11), face(5, 2, 20.6, 2.4, 9, 9), face(5, 7, 0, 0, 5, 5)]
    images = [image(5, "a.png"), image(6, "b.png")]
    files = {"x.json": coco(images, annotations), "a.png": picture(1), "b.png": picture(2)}
    result = imported("coco", folder(files))
    assert result.faces() == {"a.png": [("smile", (1, 2, 10, 12)), ("sad", (21, 2, 29, 10))]}
    assert result.summary.faces["cat", ""] == 1
    assert result.record["parts"]["all"]["pictures_without_faces"] == 1


@pytest.mark.parametrize(
    ("listing", "pictures", "part"),
    [
        ("annotations/instances_train2017.json", "train2017", "train"),
        ("annotations/instances_val2017.json", "images/val2017", "val"),
        ("annotations/test.json", "images", "test"),
        ("valid/_annotations.coco.json", "valid", "val"),
        ("train/labels.json", "train/data", "train"),
        ("faces.json", "images", ""),
        ("annotations/faces.json", "", ""),
    ],
)
def test_pictures_lie_in_many_places(
    folder: Build, imported: Any, picture: Any, listing: str, pictures: str, part: str
) -> None:
    content = coco([image(1, "d/a.png")], [face(1, 2, 0, 0, 9, 9)])
    path = f"{pictures}/d/a.png".lstrip("/")
    files = {listing: content, path: picture(), "captions.json": '{"a": 1}', "l.json": "[]"}
    assert imported("coco", folder(files)).labels(part) == {"a.png": ["sad"]}


def test_a_listing_can_be_named_itself(folder: Build, imported: Any, picture: Any) -> None:
    content = coco([image(1, "a.png")], [face(1, 2, 0, 0, 9, 9)])
    source = folder({"b/x.json": content, "b/images/a.png": picture(), "b/broken.json": "{"})
    assert imported("coco", source / "b/x.json").labels() == {"a.png": ["sad"]}


def test_entries_that_cannot_be_used_are_records(
    folder: Build, imported: Any, picture: Any
) -> None:
    images = [
        image(1, "a.png"),
        image(2, "../a.png"),
        image(3, "gone.png"),
        {"id": 4},
        "five",
        image(6, "a.png", (30, 40)),
    ]
    annotations = [
        face(1, 2, 0, 0, 9, 9),
        face(1, 2, float("nan"), 0, 9, 9),
        face(1, 2, 0, 0, -9, 9),
        face(1, 2, 0, 0, int("9" * 400), 9),
        face(1, 2, 0, 0, 9),
        face(1, 2, True, "x", None, {}),
        face(99, 2, 0, 0, 9, 9),
        face(1, 99, 0, 0, 9, 9),
        {"category_id": 2, "bbox": [0, 0, 9, 9]},
        None,
        face(6, 2, 0, 0, 9, 9),
    ]
    result = imported("coco", folder({"x.json": coco(images, annotations), "a.png": picture()}))
    assert list(result.faces().values()) == [[("sad", (0, 0, 8, 8))]]
    records = {each["place"]: each["reason"] for each in result.record["not_used"]["records"]}
    assert records["x.json: annotations[4]"] == "expected a bbox of four numbers"
    assert records["x.json: annotations[6]"] == "there is no image with the id 99"
    assert records["x.json: annotations[7]"] == "there is no category with the id 99"
    assert records["x.json: annotations[8]"] == "expected an object with an image_id"
    assert records["x.json: annotations[9]"] == "expected an object with an image_id"
    assert "leads out of the source" in records["x.json: images[1]"]
    assert records["x.json: images[2]"] == "there is no picture 'gone.png' in the source"
    assert records["x.json: images[3]"] == "expected an object with a file_name"
    reasons = [each["reason"] for each in result.record["not_used"]["records"]]
    assert sum("not four numbers" in reason for reason in reasons) == 3
    assert sum("has no area" in reason for reason in reasons) == 1
    assert "the source says 30 x 40 pixels, but it has 40 x 30" in reasons


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        (b"\xff\xfe{}", "is no JSON"),
        ('{"a": ' + "9" * 5000 + "}", "is no JSON"),
        ("[1]", "expected lists called images, annotations, categories; found nothing"),
        ('{"images": {}}', "expected lists called images, annotations, categories; found images"),
    ],
)
def test_what_is_no_listing_is_an_error(
    folder: Build, imported: Any, content: str | bytes, reason: str
) -> None:
    with pytest.raises(DataError, match=rf"x\.json: {reason}"):
        imported("coco", folder({"x.json": content}))


def test_no_listing_among_many_is_an_error(folder: Build, imported: Any) -> None:
    with pytest.raises(DataError, match=r"no \.json file has lists called images, annotations"):
        imported("coco", folder({"a.json": "{}", "b.json": "[]"}))
