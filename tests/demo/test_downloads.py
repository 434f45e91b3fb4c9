"""Downloads: the records are those of the command, byte for byte; pictures are drawn in full."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from tests.demo.visitors import answerer, film_of, photo
from tests.stand_ins import LABELS

from emotion.demo.answers import Answer, Choice
from emotion.demo.downloads import to_archive, to_csv, to_json_lines
from emotion.demo.photos import Photo
from emotion.inference.record_files import Csv, JsonLines, open_records


def answer(*photos: Photo) -> Answer:
    return Answer(tuple(answerer().answered(photos, Choice())), Choice(), LABELS)


def test_records_are_the_bytes_that_the_command_writes(tmp_path: Path) -> None:
    found = answer(
        photo("=a.png", 1, 3),
        photo("웃음 \ud800.png", 2),
        Photo("broken.jpg", b"x"),
        film_of(tmp_path / "c.mp4", "c.mp4", 4),
    )
    for form, written in ((Csv(LABELS), to_csv(found)), (JsonLines(), to_json_lines(found))):
        path = tmp_path / "records"
        with open_records(path, form) as records:
            for prediction in found.predictions:
                records.write(prediction)
        assert written == path.read_bytes()


def archive(found: Answer) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(to_archive(found))))


def test_the_archive_has_each_picture_drawn_at_its_own_size(tmp_path: Path) -> None:
    large = np.zeros((900, 1600, 3), np.uint8)
    large[200:600, 300:700] = 75
    stream = io.BytesIO()
    Image.fromarray(large).save(stream, "PNG")
    found = answer(
        Photo("large.png", stream.getvalue()),
        Photo("broken.jpg", b"x"),
        film_of(tmp_path / "c.mp4", "c.mp4", 4),
        photo("none.png"),
    )
    with archive(found) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [
            "0001_large.jpg",
            "0003_c.mp4",
            "0003_c.timeline.png",
            "0004_none.jpg",
        ]
        drawn = np.asarray(Image.open(opened.open("0001_large.jpg"))).astype(int)
        assert found.files[2].film is not None
        assert opened.read("0003_c.mp4") == found.files[2].film.drawn
    assert drawn.shape == large.shape
    assert np.abs(drawn - large).max() > 100


def test_names_in_the_archive_lead_nowhere() -> None:
    names = ["../../x.png", "a\nb.png", f"{'y' * 300}.png", "same.png", "same.png"]
    with archive(answer(*(photo(name, 1) for name in names))) as opened:
        found = opened.namelist()
    assert len(set(found)) == len(names)
    assert found[:2] == ["0001_x.jpg", "0002_a_b.jpg"]
    assert all(len(name) < 80 and "/" not in name for name in found)


def test_an_archive_of_nothing_is_one() -> None:
    with archive(answer(Photo("broken.jpg", b"x"))) as opened:
        assert opened.namelist() == []


def test_the_archive_comes_in_pieces_and_the_same_again() -> None:
    found = answer(photo("a.png", 1), photo("b.png", 2))
    assert len(list(to_archive(found))) == 3
    assert list(to_archive(found)) == list(to_archive(found))
