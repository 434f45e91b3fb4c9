"""Reading a picture as RGB, whatever it is stored as, or saying in one line why not."""

import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from emotion.errors import PictureError
from emotion.files import replacing

# Formats that Pillow decodes by itself: no EPS, which would start Ghostscript.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pnm")
)
# 100 megapixels are 300 MB as RGB; more is a decompression bomb, or no photo of faces.
MAX_PIXELS = 100_000_000
MAX_BYTES = 1_000_000_000  # 100 megapixels of 16-bit RGBA, uncompressed, are 800 MB
GROUND = (255, 255, 255)  # what shows through where a picture is transparent


# Pillow warns of odd metadata and of sizes; the pixels are not concerned, and sizes are checked
# here. For the process and once, since filters set and restored by several threads get mixed up.
warnings.filterwarnings("ignore", module=r"PIL\.")


def read_image(path: Path) -> NDArray[np.uint8]:
    """Reads a picture upright, as EXIF says it was held.

    Args:
        path: JPEG, PNG, BMP, GIF (first frame), TIFF (first page), WebP or PPM/PGM.

    Returns:
        H x W x 3, uint8, RGB; transparency is laid on white, 16 bits are scaled to 8.

    Raises:
        PictureError: the file is missing, not a picture, truncated, or has over 100 megapixels.
    """
    with _opened(path) as image:
        return np.asarray(_to_rgb(_upright(image)))


def stored_size(path: Path) -> tuple[int, int]:
    """Gives width and height in pixels as the file stores them, before EXIF turns it upright.

    Raises:
        PictureError: as `read_image`, as far as the file's head shows it.
    """
    with _opened(path) as image:
        return image.size


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    # Another library of the process may have switched this on; half a picture is no picture.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        _check_file(path)
        with Image.open(path, formats=FORMATS) as image:
            _check_size(image, path)
            yield image
    except PictureError:
        raise
    except FileNotFoundError:
        raise PictureError(path, "picture_missing", "no such file") from None
    except PermissionError as error:
        message = f"cannot be opened ({error.strerror})"
        raise PictureError(path, "picture_unreadable", message) from error
    except UnidentifiedImageError:
        raise _unidentified(path) from None
    except Image.DecompressionBombError:
        message = f"more than {MAX_PIXELS:,} pixels"
        raise PictureError(path, "picture_too_large", message) from None
    # Broken files make Pillow's decoders raise nearly anything; each means "cannot be decoded".
    except Exception as error:
        text = _one_line(error)
        kind = "picture_truncated" if "truncated" in text.lower() else "picture_broken"
        raise PictureError(path, kind, f"cannot be decoded ({text})") from error


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise
    except OSError as error:
        message = f"cannot be opened ({error.strerror})"
        raise PictureError(path, "picture_unreadable", message) from error
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for without end
        found = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise PictureError(path, "picture_not_a_picture", f"expected a picture, got {found}")
    if status.st_size > MAX_BYTES:
        message = f"a file of {status.st_size:,} bytes; at most {MAX_BYTES:,} are read"
        raise PictureError(path, "picture_too_large", message)


def _check_size(image: Image.Image, path: Path) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        message = f"{width} x {height} pixels; at most {MAX_PIXELS:,} in all are read"
        raise PictureError(path, "picture_too_large", message)


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block leaves the pixels as they are
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (*GROUND, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    # 16-bit files use the whole range; Pillow also opens 8-bit data in these modes.
    scale = 1.0 if values.max(initial=0.0) <= 255 else 255 / 65535
    return Image.fromarray((values * scale).clip(0, 255).astype(np.uint8))


def _unidentified(path: Path) -> PictureError:
    if path.stat().st_size == 0:
        return PictureError(path, "picture_empty", "empty file")
    message = (
        "not a picture, or of a kind that is not read (JPEG, PNG, BMP, GIF, TIFF, WebP, PPM are)"
    )
    return PictureError(path, "picture_not_a_picture", message)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Writes an H x W x 3, uint8, RGB array; the suffix chooses the format, JPEG at quality 92.

    Raises:
        EmotionError: the file cannot be written.
    """
    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, quality=92)


def find_images(folder: Path) -> list[Path]:
    """Lists the pictures below a folder by their suffix, sorted; hidden files are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
