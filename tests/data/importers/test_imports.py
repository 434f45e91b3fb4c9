"""What every format shares: names, parts, records, and what a broken source does."""

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emotion.data.importers import voc_folder
from emotion.data.importers.imports import import_photos
from emotion.data.label_registry import LabelTable
from emotion.errors import ConfigError, DataError
from emotion.faces.images import read_image

Build = Callable[..., Path]
Import = Callable[..., Any]


def test_pictures_are_copied_byte_for_byte(folder: Build, imported: Import, picture: Any) -> None:
    files = {
        "happy/1.png": picture(1),
        "happy/2.JPG": picture(2, format="JPEG"),
        "sad/3.webp": picture(3, format="WEBP"),
        "sad/4.bmp": picture(4, format="BMP"),
    }
    result = imported("folder", folder(files))
    assert result.labels() == {
        **{"1.png": ["smile"], "2.JPG": ["smile"]},
        **{"3.webp": ["sad"], "4.bmp": ["sad"]},
    }
    for name, content in files.items():
        assert (result.root / "img" / name.split("/")[1]).read_bytes() == content


def test_an_archive_gives_the_same_as_a_folder(
    folder: Build, archive: Build, imported: Import, picture: Any, tmp_path: Path
) -> None:
    files = {"f/train/happy/1.png": picture(1), "f/test/sad/1.png": picture(2)}
    unpacked = imported("folder", folder(files))
    table = LabelTable("folder", {})
    import_photos("folder", archive(files), tmp_path / "zipped", table)
    for path in unpacked.root.rglob("*.*"):
        if path.name != "import.json":
            other = tmp_path / "zipped" / path.relative_to(unpacked.root)
            assert other.read_bytes() == path.read_bytes()


def test_what_has_no_counterpart_is_dropped_and_counted(
    folder: Build, imported: Import, picture: Any
) -> None:
    files = {f"{name}/{name}.png": picture(n) for n, name in enumerate(("happy", "fear", "odd"))}
    result = imported("folder", folder(files))
    assert result.labels() == {"happy.png": ["smile"]}
    assert result.record["labels"] == [
        {"label": "happy", "becomes": "smile", "faces": {"all": 1}},
        {"label": "fear", "becomes": None, "faces": {"all": 1}},
        {"label": "odd", "becomes": None, "faces": {"all": 1}},
    ]
    assert result.record["parts"] == {
        "all": {"photos": 1, "pictures_without_faces": 0, "faces": 1, "classes": {"smile": 1}}
    }


def test_maps_and_kept_others_make_any_number_of_classes(
    folder: Build, imported: Import, picture: Any
) -> None:
    names = ("happy", "fear", "odd", "sad")
    source = folder({f"{name}/{name}.png": picture(n) for n, name in enumerate(names)})
    result = imported("folder", source, {"odd": "Strange", "sad": None}, keep_others=True)
    assert result.labels() == {
        **{"happy.png": ["smile"], "fear.png": ["fear"]},
        "odd.png": ["Strange"],
    }
    assert result.record["map"] == {"odd": "Strange", "sad": None}
    assert result.record["keep_others"] is True


def test_a_map_of_a_label_that_does_not_occur_is_a_mistake(
    folder: Build, imported: Import, picture: Any, tmp_path: Path
) -> None:
    source = folder({"happy/1.png": picture()})
    with pytest.raises(ConfigError, match="--map hapy=…: no face has this label; found happy"):
        imported("folder", source, {"hapy": "smile"})
    assert not (tmp_path / "imported").exists()


def test_what_cannot_be_read_is_a_record(folder: Build, imported: Import, picture: Any) -> None:
    whole = picture(1)
    files = {
        "happy/good.png": whole,
        "happy/cut.png": whole[: len(whole) // 2],
        "happy/empty.png": b"",
        "happy/text.jpg": b"no picture",
        "1.png": whole,
    }
    result = imported("folder", folder(files))
    assert result.labels() == {"good.png": ["smile"]}
    records = {each["place"]: each["reason"] for each in result.record["not_used"]["records"]}
    assert records["1.png"] == "lies in no folder of a class"
    assert records["happy/empty.png"] == "empty file"
    assert "not a picture" in records["happy/text.jpg"]
    assert "cannot be decoded" in records["happy/cut.png"] or "cut" in records["happy/cut.png"]
    assert result.record["not_used"]["count"] == result.summary.refused == 4


def test_hostile_members_of_an_archive_are_records(
    archive: Build, imported: Import, picture: Any, tmp_path: Path
) -> None:
    source = archive({"happy/1.png": picture(), "../happy/2.png": picture(2)})
    result = imported("folder", source)
    assert result.labels() == {"1.png": ["smile"]}
    (record,) = result.record["not_used"]["records"]
    assert record["place"] == "../happy/2.png"
    assert record["reason"].startswith("leads out of the source")
    assert not list(tmp_path.rglob("2.png"))


def test_a_part_that_could_not_be_used_is_none(
    folder: Build, imported: Import, picture: Any
) -> None:
    result = imported("folder", folder({"train/sad/1.png": picture(), "test/sad/2.png": b""}))
    assert sorted(path.name for path in result.root.iterdir()) == ["import.json", "train"]


def test_nothing_usable_is_an_error_with_the_reasons(
    folder: Build, imported: Import, tmp_path: Path
) -> None:
    files = {f"happy/{n:02d}.png": b"" for n in range(12)}
    with pytest.raises(DataError, match=r"nothing in it could be used\n.*00.png: empty file") as e:
        imported("folder", folder(files))
    assert str(e.value).endswith("09.png: empty file\n… and 2 more")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_no_label_that_becomes_a_class_is_an_error_with_the_way_out(
    folder: Build, imported: Import, picture: Any
) -> None:
    with pytest.raises(DataError, match=r"no label of it becomes a class; found a, b\. Map some"):
        imported("folder", folder({"a/1.png": picture(), "b/2.png": picture()}))


def test_a_folder_with_something_in_it_is_left_alone(
    folder: Build, imported: Import, picture: Any, tmp_path: Path
) -> None:
    (tmp_path / "imported").mkdir()
    (tmp_path / "imported/mine.txt").write_text("keep")
    with pytest.raises(DataError, match="is not an empty folder; name another, or remove it"):
        imported("folder", folder({"happy/1.png": picture()}))
    assert (tmp_path / "imported/mine.txt").read_text() == "keep"


def test_an_empty_folder_is_filled(
    folder: Build, imported: Import, picture: Any, tmp_path: Path
) -> None:
    (tmp_path / "imported").mkdir()
    assert imported("folder", folder({"happy/1.png": picture()})).summary.photos[""] == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_stop_half_way_leaves_nothing(
    folder: Build,
    imported: Import,
    picture: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: type[BaseException] | BaseException,
) -> None:
    source = folder({f"happy/{n}.png": picture(n) for n in range(9)})
    reads: list[Path] = []

    def read(path: Path) -> Any:
        reads.append(path)
        if len(reads) == 4:
            raise stop
        return read_image(path)

    monkeypatch.setattr(voc_folder, "read_image", read)
    with pytest.raises((KeyboardInterrupt, OSError)):
        imported("folder", source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


@pytest.mark.parametrize(
    ("format", "files", "looks"),
    [
        ("coco", {"FER2013Train/label.csv": "", "FER2013Train/1.png": ""}, "ferplus"),
        ("ferplus", {"cohn-kanade-images/S005/001/S005_001_00000001.png": ""}, "ckplus"),
        ("yolo", {"train_set/annotations/1_exp.npy": ""}, "affectnet"),
        ("ferplus", {"EmoLabel/list_patition_label.txt": ""}, "rafdb"),
        ("ferplus", {"fer2013.csv": "emotion,pixels,Usage\n"}, "fer2013"),
        ("rafdb", {"data.yaml": "", "labels/train/1.txt": ""}, "yolo"),
        ("yolo", {"a/x.json": '{"info": {}, "images": []}', "a/1.png": ""}, "coco"),
        ("rafdb", {"faces.csv": "image,label\n"}, "csv"),
        ("ferplus", {"happy/1.png": "", "sad/1.png": ""}, "folder"),
    ],
)
def test_another_layout_is_named(
    folder: Build, imported: Import, format: str, files: dict[str, str], looks: str
) -> None:
    with pytest.raises(DataError) as error:
        imported(format, folder(files))
    assert "expected" in str(error.value)
    assert "found" in str(error.value)
    assert f"; it looks like {looks}: emotion data import {looks} " in str(error.value)


def test_our_own_layout_needs_no_import(folder: Build, imported: Import) -> None:
    with pytest.raises(DataError, match="is it laid out as emotion reads it already"):
        imported("ferplus", folder({"img/1.png": "", "annotations/1.xml": ""}))


def test_a_source_that_is_not_there_is_an_error(imported: Import, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such file or folder; expected the data set"):
        imported("folder", tmp_path / "nowhere")


def test_a_turned_picture_has_its_upright_size(
    folder: Build, imported: Import, tmp_path: Path
) -> None:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.new("RGB", (40, 30)).save(stream, "JPEG", exif=exif)
    result = imported("folder", folder({"happy/1.jpg": stream.getvalue()}))
    xml = (result.root / "annotations/1.xml").read_text()
    assert "<width>30</width>" in xml
    assert "<xmax>29</xmax>" in xml
    assert "<ymax>39</ymax>" in xml


def test_lists_name_the_pictures_as_they_are_called_now(
    folder: Build, imported: Import, picture: Any
) -> None:
    rows = "image,label,person\na/1.png,sad,ann\nb/1.png,sad,bob\nc.png,fear,cy\nd.png,sad,\n"
    pictures = {name: picture(n) for n, name in enumerate(("a/1.png", "b/1.png", "c.png", "d.png"))}
    result = imported("csv", folder({"faces.csv": rows, **pictures}))
    with (result.root / "groups.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["filename", "person"],
            ["a_1.png", "ann"],
            ["b_1.png", "bob"],
        ]


def test_names_that_are_no_text_are_written_as_text(
    folder: Build, imported: Import, picture: Any
) -> None:
    source = folder({"happy/1.png": picture(1)})
    for name, seed in ((b"\xff\x1b/2.png", 2), (b"happy/\xfe\n3.png", 3)):
        path = source / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(seed))
    result = imported("folder", source, keep_others=True)
    assert result.labels() == {"1.png": ["smile"], "2.png": ["\ufffd\ufffd"], "__3.png": ["smile"]}
