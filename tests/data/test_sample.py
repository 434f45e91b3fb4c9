"""The sample data set: the same for the same seed, and laid out as the original's."""

from pathlib import Path

import pytest
from PIL import Image

from emotion.data.sample import write_sample
from emotion.errors import ConfigError, DataError
from emotion.faces.folders import AnnotatedPhoto, read_folder
from emotion.faces.labels import EMOTIONS


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five scenes of seed 0; nobody writes into it."""
    root = tmp_path_factory.mktemp("five") / "data"
    write_sample(root, 5, 0)
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def all_photos(root: Path) -> list[AnnotatedPhoto]:
    folders = read_folder(root / "train"), read_folder(root / "test")
    assert not any(folder.problems for folder in folders)
    return [photo for folder in folders for photo in folder.photos]


def test_the_same_seed_gives_the_same_files_byte_for_byte(five: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "b", 5, 0)
    assert contents(five) == contents(tmp_path / "b")


def test_another_seed_gives_other_pictures_under_the_same_names(five: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "b", 5, 1)
    first, second = contents(five), contents(tmp_path / "b")
    assert first.keys() == second.keys()
    # Nor are they the other seed's pictures in other places.
    assert len({*first.values(), *second.values()}) == len(first) + len(second)


def test_more_images_leave_the_first_ones_as_they_are(five: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "many", 11, 0)
    few, many = contents(five), contents(tmp_path / "many")
    assert len(few) == 2 * 5
    assert len(many) == 2 * 11
    assert few.items() <= many.items()


def test_files_lie_as_in_the_originals_data_set(sample_root: Path) -> None:
    parts = {number: "train" if number % 5 else "test" for number in range(1, 21)}
    assert contents(sample_root).keys() == {
        f"{part}/{place}.{suffix}".replace("*", f"scene_{number:05d}")
        for number, part in parts.items()
        for place, suffix in (("img/*", "jpg"), ("annotations/*", "xml"))
    }


def test_every_fifth_scene_is_for_the_test_part(sample_root: Path) -> None:
    names = [photo.image.stem for photo in read_folder(sample_root / "test").photos]
    assert names == ["scene_00005", "scene_00010", "scene_00015", "scene_00020"]
    assert len(read_folder(sample_root / "train").photos) == 16


def test_boxes_lie_inside_their_pictures(sample_root: Path) -> None:
    for photo in all_photos(sample_root):
        with Image.open(photo.image) as image:
            width, height = image.size
        for face in photo.faces:
            xmin, ymin, xmax, ymax = face.box.to_inclusive()
            assert 0 <= xmin < xmax < width
            assert 0 <= ymin < ymax < height


def test_faces_are_counted_part_by_part(tmp_path: Path) -> None:
    counts = write_sample(tmp_path, 5, 2)
    for part in ("train", "test"):
        assert counts[part] == sum(len(p.faces) for p in read_folder(tmp_path / part).photos)


@pytest.mark.slow
def test_forty_scenes_show_all_five_emotions(tmp_path: Path) -> None:
    write_sample(tmp_path, 40, 0)
    labels = {face.label for photo in all_photos(tmp_path) for face in photo.faces}
    assert labels == set(EMOTIONS)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear all")
    expected = rf"^{tmp_path}: is not an empty folder; name another, or remove it first$"
    with pytest.raises(DataError, match=expected):
        write_sample(tmp_path, 5, 0)
    assert contents(tmp_path) == {"letter.txt": b"dear all"}


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sample").write_text("dear all")
    with pytest.raises(DataError, match="sample: is not an empty folder; name another"):
        write_sample(tmp_path / "sample", 5, 0)


@pytest.mark.parametrize("images", [4, 0, -1])
def test_too_few_images_are_refused(tmp_path: Path, images: int) -> None:
    with pytest.raises(ConfigError, match=rf"^--images: expected 5 or more, got {images}$"):
        write_sample(tmp_path / "sample", images, 0)
    assert not (tmp_path / "sample").exists()


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--seed: expected 0 or more, got -1$"):
        write_sample(tmp_path / "sample", 5, -1)
