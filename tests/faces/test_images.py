"""Pictures: whatever they are stored as, they come as RGB, or with one line that says why not."""

import io
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFile, PngImagePlugin

from emotion.errors import EmotionError, PictureError
from emotion.faces.images import find_images, read_image, write_image

ORIENTATION = 0x0112  # number of the EXIF tag


def noise(*shape: int, seed: int = 0, high: int = 256) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, high, shape).astype(np.uint8)


def on_white(colour: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.floating]:
    share = alpha[..., None] / 255
    return colour * share + 255 * (1 - share)


@st.composite
def stored(draw: st.DrawFn) -> tuple[Image.Image, NDArray[np.floating]]:
    """A picture of any mode that PNG has, and the RGB values that it shows."""
    height, width, seed = draw(st.integers(1, 24)), draw(st.integers(1, 24)), draw(st.integers(0))
    mode = draw(st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "1", "I;16"]))
    colour, alpha = noise(height, width, 3, seed=seed), noise(height, width, seed=seed + 1)
    grey = colour[..., :1].repeat(3, axis=-1)
    if mode == "RGB":
        return Image.fromarray(colour), colour.astype(float)
    if mode == "RGBA":
        return Image.fromarray(np.dstack([colour, alpha])), on_white(colour, alpha)
    if mode == "L":
        return Image.fromarray(grey[..., 0]), grey.astype(float)
    if mode == "LA":
        return Image.fromarray(np.dstack([grey[..., 0], alpha])), on_white(grey, alpha)
    if mode == "1":
        black = grey < 128
        return Image.fromarray(black[..., 0]), black * 255.0
    if mode == "P":
        palette = noise(256, 3, seed=seed + 2)
        image = Image.fromarray(grey[..., 0]).convert("P")
        image.putpalette(palette.tobytes())
        return image, palette[grey[..., 0]].astype(float)
    deep = grey[..., 0].astype(np.uint16) * 256
    deep[0, 0] = 65535
    return Image.fromarray(deep), (deep / 257.0)[..., None].repeat(3, axis=-1)


@settings(max_examples=150)
@given(stored())
def test_a_png_of_any_mode_comes_back_as_the_rgb_that_it_shows(
    tmp_path_factory: pytest.TempPathFactory, picture: tuple[Image.Image, NDArray[np.floating]]
) -> None:
    image, shown = picture
    path = tmp_path_factory.getbasetemp() / "stored.png"
    image.save(path)
    read = read_image(path)
    assert read.dtype == np.uint8
    assert read.shape == shown.shape
    exact = image.mode in ("RGB", "L", "P", "1")
    assert np.abs(read - shown).max() <= (0 if exact else 1)


@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0))
def test_a_written_png_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, seed: int
) -> None:
    image = noise(height, width, 3, seed=seed)
    path = tmp_path_factory.getbasetemp() / "written.png"
    write_image(path, image)
    assert np.array_equal(read_image(path), image)
    assert np.array_equal(np.asarray(Image.open(path)), image)


@pytest.mark.parametrize("suffix", [".bmp", ".tif", ".tiff", ".ppm", ".PNG"])
def test_lossless_formats_come_back_exactly(tmp_path: Path, suffix: str) -> None:
    image = noise(13, 17, 3)
    Image.fromarray(image).save(tmp_path / f"a{suffix}")
    assert np.array_equal(read_image(tmp_path / f"a{suffix}"), image)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.webp"])
def test_lossy_formats_come_back_nearly(tmp_path: Path, name: str) -> None:
    y, x = np.mgrid[0:64, 0:80]
    image = np.stack([x * 3, y * 3, x + y], axis=-1).astype(np.uint8)
    write_image(tmp_path / name, image)
    assert np.abs(read_image(tmp_path / name).astype(int) - image).mean() < 2


def test_the_content_and_not_the_suffix_decides(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2), "red").save(tmp_path / "a.jpg", format="PNG")
    assert (read_image(tmp_path / "a.jpg") == (255, 0, 0)).all()


def test_cmyk_comes_as_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    red, green, blue = read_image(tmp_path / "a.jpg").reshape(-1, 3).mean(axis=0)
    assert red > 240
    assert max(green, blue) < 15


def test_of_a_moving_picture_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert (read_image(tmp_path / "a.gif") == (255, 0, 0)).all()
    assert (read_image(tmp_path / "a.tif") == (255, 0, 0)).all()


def test_a_transparent_colour_of_a_palette_shows_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.save(tmp_path / "a.png", transparency=0)
    assert read_image(tmp_path / "a.png").tolist() == [[[255, 255, 255], [0, 0, 255]]]


def test_deep_grey_keeps_its_order(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 256).astype(np.uint16)[None]
    Image.fromarray(deep).save(tmp_path / "a.tif")
    levels = read_image(tmp_path / "a.tif")[0, :, 0].astype(int)
    assert (levels[0], levels[-1]) == (0, 255)
    assert (np.diff(levels) >= 0).all()


# How the stored pixels are turned so that the picture stands upright, by the EXIF standard.
TURNS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_as_exif_says(tmp_path: Path, orientation: int) -> None:
    image = noise(5, 7, 3)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(image).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), TURNS[orientation](image))


@pytest.mark.parametrize("orientation", [0, 9, 300])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path: Path, orientation: int) -> None:
    image = noise(5, 7, 3)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(image).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), image)


def test_broken_exif_leaves_the_pixels_as_they_are(tmp_path: Path) -> None:
    Image.new("RGB", (8, 6), "red").save(
        tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff"
    )
    assert read_image(tmp_path / "a.jpg").shape == (6, 8, 3)


def whole_jpeg() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(64, 64, 3)).save(stream, "JPEG")
    return stream.getvalue()


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(PictureError) as caught:
        read_image(path)
    assert str(caught.value) == f"{path}: {message}"


def assert_decoded_or_refused(path: Path) -> bool:
    """Checks that either outcome is as promised, and tells whether the picture was decoded."""
    try:
        read = read_image(path)
    except PictureError as error:
        message = str(error)
    else:
        assert read.ndim == 3
        assert read.shape[2] == 3
        assert read.dtype == np.uint8
        return True
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return False


def test_a_missing_picture(tmp_path: Path) -> None:
    assert_refused(tmp_path / "a.jpg", "no such file")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    assert_refused(tmp_path, "expected a picture, got a folder")


def test_an_empty_file_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert_refused(tmp_path / "a.jpg", "empty file")


@pytest.mark.parametrize("content", [b"hello", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n" * 9])
def test_what_is_no_picture_is_told_the_kinds_that_are_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert_refused(
        tmp_path / "a.jpg",
        "not a picture, or of a kind that is not read (JPEG, PNG, BMP, GIF, TIFF, WebP, PPM are)",
    )


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_picture_is_refused_though_others_allow_them(
    tmp_path: Path, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    content = whole_jpeg()
    (tmp_path / "a.jpg").write_bytes(content[: round(len(content) * share)])
    with pytest.raises(PictureError) as caught:
        read_image(tmp_path / "a.jpg")
    assert str(caught.value).startswith(f"{tmp_path / 'a.jpg'}: cannot be decoded (")
    assert "truncated" in str(caught.value)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.ppm"
    path.write_bytes(b"P6 10001 10000 255\n")
    assert_refused(path, "10001 x 10000 pixels; at most 100,000,000 in all are read")


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ppm"
    path.write_bytes(b"P6 60000 60000 255\n")
    assert_refused(path, "more than 100,000,000 pixels")


def test_a_bomb_of_text_in_a_png_is_refused(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 10_000_000, zip=True)
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(PictureError, match=r"a\.png: "):
        read_image(tmp_path / "a.png")


@settings(max_examples=100)
@given(cut=st.integers(0, 4000), flips=st.lists(st.tuples(st.integers(0), st.integers(0, 255))))
def test_broken_bytes_give_a_picture_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(whole_jpeg()[: cut or None])
    for place, value in flips:
        content[place % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "broken.jpg"
    path.write_bytes(content)
    assert_decoded_or_refused(path)


class HeldPath(type(Path())):  # type: ignore[misc]  # the platform's own class of paths
    """A path that says when it is being opened, and holds the reader until it is let go."""

    opened: threading.Event
    go_on: threading.Event

    def __fspath__(self) -> str:
        self.opened.set()
        assert self.go_on.wait(60)
        return str(self)


def test_readers_on_several_threads_leave_the_filters_of_warnings_as_they_were(
    tmp_path: Path,
) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    before = list(warnings.filters)
    readers = []
    for _ in range(2):  # the second begins while the first reads …
        path = HeldPath(tmp_path / "a.png")
        path.opened, path.go_on = threading.Event(), threading.Event()
        reader = threading.Thread(target=read_image, args=(path,))
        reader.start()
        assert path.opened.wait(60)
        readers.append((path, reader))
    for path, reader in readers:  # … and ends after it
        path.go_on.set()
        reader.join()
    assert list(warnings.filters) == before


def test_an_image_that_cannot_be_written_is_an_error_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "a.png"
    with pytest.raises(EmotionError, match=rf"^{path}: cannot be written \("):
        write_image(path, noise(2, 2, 3))


def test_pictures_are_found_below_a_folder_sorted_and_without_hidden_ones(tmp_path: Path) -> None:
    names = ["b.jpg", "A.PNG", "sub/c.WebP", "sub/deep/d e,f=.tif", ".hidden.jpg", ".git/x.jpg"]
    for name in [*names, "notes.txt", "a.xml", "jpg"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["A.PNG", "b.jpg", "sub/c.WebP", "sub/deep/d e,f=.tif"]


def test_a_folder_below_a_hidden_one_is_searched(tmp_path: Path) -> None:
    folder = tmp_path / ".cache" / "photos"
    folder.mkdir(parents=True)
    (folder / "a.jpg").touch()
    assert find_images(folder) == [folder / "a.jpg"]


@pytest.mark.slow
def test_hostile_pictures_are_decoded_or_refused_in_one_line(shared: Path) -> None:
    paths = sorted((shared / "data/hostile").iterdir())
    assert len(paths) == 42
    refused = [path.name for path in paths if not assert_decoded_or_refused(path)]
    assert {"empty.jpg", "text.png", "broken.png", "truncated_jpeg.jpg"} <= set(refused)
    assert not [name for name in refused if name.startswith(("exif_", "hopper_"))]
