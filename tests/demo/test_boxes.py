"""Gradio's parts hand over what was dropped, untouched, and write nothing."""

from pathlib import Path

from gradio.data_classes import FileData, ImageData, ListFiles

from emotion.demo import boxes
from emotion.demo.boxes import camera_box, drop_box
from emotion.demo.uploads import Upload


def test_files_come_with_their_own_names(tmp_path: Path) -> None:
    dropped = [
        FileData(path=str(tmp_path / "stored"), orig_name="my photo.jpg"),
        FileData(path=str(tmp_path / "b.png")),
    ]
    box = drop_box(label="x")
    taken: object = box.preprocess(ListFiles(root=dropped))
    assert taken == [
        Upload(tmp_path / "stored", "my photo.jpg"),
        Upload(tmp_path / "b.png", "b.png"),
    ]
    nothing: object = box.preprocess(None)
    assert nothing == []
    assert not list(tmp_path.iterdir())


def test_a_photo_of_the_camera_comes_as_the_browser_made_it(tmp_path: Path) -> None:
    camera = camera_box(label="x")
    taken = camera.preprocess(ImageData(path=str(tmp_path / "image.webp")))
    assert taken == [Upload(tmp_path / "image.webp", "camera.webp")]
    assert camera.preprocess(None) == []
    assert camera.preprocess(ImageData(url="data:,")) == []


def test_gradio_writes_no_file_beside_the_source() -> None:
    assert not list(Path(boxes.__file__).parent.glob("*.pyi"))
