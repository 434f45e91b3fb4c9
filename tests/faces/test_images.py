"""Pictures: whatever they are stored as, they come as RGB, or with one line that says why not."""

import io
import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFile, PngImagePlugin

from emotion.errors import EmotionError, PictureError
from emotion.faces import images
from emotion.faces.images import find_images, read_image, stored_size, write_image
from emotion.faces.problems import KINDS

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


def test_what_is_no_number_is_no_warning(tmp_path: Path) -> None:
    values = np.array([[0, 255, np.nan, np.inf, -np.inf]], np.float32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    shown = read_image(tmp_path / "a.tif")[0, :, 0].tolist()
    assert shown == [0, 0, 0, 255, 0]  # infinity sets the scale


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
    assert stored_size(tmp_path / "a.png") == (7, 5)


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


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".gif", ".tif", ".webp", ".ppm"])
def test_the_stored_size_is_width_and_height(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"a{suffix}", noise(6, 8, 3))
    assert stored_size(tmp_path / f"a{suffix}") == (8, 6)


def whole_jpeg() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(64, 64, 3)).save(stream, "JPEG")
    return stream.getvalue()


def assert_refused(path: Path, kind: str, reason: str, *, by_its_head: bool = True) -> None:
    """Checks the error of both ways to read, or of the one that decodes."""
    for read in (read_image, stored_size)[: 1 + by_its_head]:
        with pytest.raises(PictureError) as caught:
            read(path)
        assert (caught.value.kind, caught.value.reason) == (kind, reason)
        assert str(caught.value) == f"{path}: {reason}"
    assert (KINDS[kind].scope, KINDS[kind].severity) == ("photo", "error")


def assert_decoded_or_refused(path: Path) -> None:
    try:
        read = read_image(path)
    except PictureError as error:
        kind, message = error.kind, str(error)
    else:
        assert (read.ndim, read.shape[2], read.dtype.name) == (3, 3, "uint8")
        return
    assert kind in KINDS
    assert message.startswith(f"{path}: ")
    assert "\n" not in message


def test_picture_missing(tmp_path: Path) -> None:
    assert_refused(tmp_path / "a.jpg", "picture_missing", "no such file")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "a.jpg")
    assert_refused(tmp_path / "b.jpg", "picture_missing", "no such file")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    assert_refused(tmp_path, "picture_not_a_picture", "expected a picture, got a folder")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    message = "expected a picture, got no regular file"
    assert_refused(tmp_path / "a.jpg", "picture_not_a_picture", message)


def test_picture_empty(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert_refused(tmp_path / "a.jpg", "picture_empty", "empty file")


def test_picture_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    reason = "cannot be opened (Not a directory)"
    assert_refused(tmp_path / "file" / "a.jpg", "picture_unreadable", reason)
    reason = "cannot be opened (File name too long)"
    assert_refused(tmp_path / f"{'a' * 300}.jpg", "picture_unreadable", reason)

    def denied(*args: object, **options: object) -> None:  # the super-user may open any file
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", denied)
    reason = "cannot be opened (Permission denied)"
    assert_refused(tmp_path / "file", "picture_unreadable", reason)
    monkeypatch.setattr(Path, "stat", denied)
    assert_refused(tmp_path / "file", "picture_unreadable", reason)


def test_a_file_of_too_many_bytes_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(whole_jpeg())
    size = path.stat().st_size
    monkeypatch.setattr(images, "MAX_BYTES", size)
    assert read_image(path).shape == (64, 64, 3)
    monkeypatch.setattr(images, "MAX_BYTES", size - 1)
    monkeypatch.setattr(Image, "open", None)
    reason = f"a file of {size:,} bytes; at most {size - 1:,} are read"
    assert_refused(path, "picture_too_large", reason)


@pytest.mark.parametrize("content", [b"hello", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n" * 9])
def test_what_is_no_picture_is_told_the_kinds_that_are_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert_refused(
        tmp_path / "a.jpg",
        "picture_not_a_picture",
        "not a picture, or of a kind that is not read (JPEG, PNG, BMP, GIF, TIFF, WebP, PPM are)",
    )


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_picture_truncated_though_others_allow_it(
    tmp_path: Path, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    content = whole_jpeg()
    (tmp_path / "a.jpg").write_bytes(content[: round(len(content) * share)])
    with pytest.raises(PictureError, match=r"a\.jpg: cannot be decoded \(.*truncated") as caught:
        read_image(tmp_path / "a.jpg")
    assert caught.value.kind == "picture_truncated"
    assert stored_size(tmp_path / "a.jpg") == (64, 64)  # the head is whole


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".gif", ".tif", ".webp", ".ppm"])
def test_half_a_picture_is_never_read_as_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, noise(64, 64, 3))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(PictureError, match=r": cannot be decoded \(.+\)$") as caught:
        read_image(path)
    assert caught.value.kind in ("picture_truncated", "picture_broken")


def test_picture_broken(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", noise(64, 64, 3))
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[200:300] = bytes(100)
    (tmp_path / "a.png").write_bytes(content)
    reason = "cannot be decoded (broken data stream when reading image file)"
    assert_refused(tmp_path / "a.png", "picture_broken", reason, by_its_head=False)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.ppm"
    path.write_bytes(b"P6 10001 10000 255\n")
    reason = "10001 x 10000 pixels; at most 100,000,000 in all are read"
    assert_refused(path, "picture_too_large", reason)


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ppm"
    path.write_bytes(b"P6 60000 60000 255\n")
    assert_refused(path, "picture_too_large", "more than 100,000,000 pixels")


def test_a_bomb_of_text_in_a_png_is_refused(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 10_000_000, zip=True)
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(PictureError, match=r"a\.png: ") as caught:
        read_image(tmp_path / "a.png")
    assert caught.value.kind == "picture_broken"


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


# Reads each picture in a process of its own, which has 5 seconds and a gigabyte of memory more
# than the libraries take, and says what came of it.
READER = """
import json, os, pathlib, resource, signal, sys
from PIL import Image
from emotion.errors import PictureError
from emotion.faces.images import read_image, stored_size

def read(path):
    try:
        return {"stored": stored_size(path), "shape": read_image(path).shape}
    except PictureError as error:
        return {"kind": error.kind, "reason": error.reason}

Image.init()
pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 2**30
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        signal.alarm(5)
        print(json.dumps(read(pathlib.Path(name))), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(json.dumps({"status": status}), flush=True)
"""


def read_within_limits(paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-c", READER, *map(str, paths)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    results = map(json.loads, output.splitlines())
    return {path.name: result for path, result in zip(paths, results, strict=True)}


FUZZED = {f"fuzz_{number:02d}.jpg" for number in range(0, 40, 2)}  # a picture or none, as it is
REFUSED = {
    "broken.png": "picture_not_a_picture",
    "cut_short.jpg": "picture_truncated",
    "decompression_bomb.gif": "picture_too_large",
    "empty.jpg": "picture_empty",
    "text.png": "picture_not_a_picture",
    "truncated_jpeg.jpg": "picture_truncated",
}


@pytest.mark.slow
def test_hostile_pictures_are_decoded_or_refused_in_time_and_memory(shared: Path) -> None:
    paths = sorted((shared / "data/hostile").iterdir())
    assert len(paths) == 42
    results = read_within_limits(paths)
    for name, result in results.items():
        if "kind" in result:
            assert KINDS[result["kind"]].severity == "error", name
            assert len(result["reason"].splitlines()) == 1, name
        else:
            assert sorted(result["shape"][:2]) == sorted(result["stored"]), name
    kinds = {name: result.get("kind") for name, result in results.items()}
    assert {name: kinds[name] for name in REFUSED} == REFUSED
    assert not {name for name, kind in kinds.items() if kind} - {*REFUSED, *FUZZED}
    turned = results["exif_portrait_6.jpg"]
    assert (turned["stored"], turned["shape"]) == ([1800, 1200], [1800, 1200, 3])
