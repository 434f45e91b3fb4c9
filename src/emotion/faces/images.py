"""Reading a picture as RGB, whatever it is stored as, or saying in one line why not."""

import warnings
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
    # Another library of the process may have switched this on; half a picture is no picture.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if path.exists() and not path.is_file():  # a pipe would be waited for without end
        kind = "a folder" if path.is_dir() else "no regular file"
        raise PictureError(f"{path}: expected a picture, got {kind}")
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_size(image, path)
            return np.asarray(_to_rgb(_upright(image)))
    except PictureError:
        raise
    except FileNotFoundError:
        raise PictureError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise PictureError(f"{path}: {_why_unidentified(path)}") from None
    except Image.DecompressionBombError:
        raise PictureError(f"{path}: more than {MAX_PIXELS:,} pixels") from None
    # Broken files make Pillow's decoders raise nearly anything; each means "cannot be decoded".
    except Exception as error:
        raise PictureError(f"{path}: cannot be decoded ({_one_line(error)})") from error


def _check_size(image: Image.Image, path: Path) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{path}: {width} x {height} pixels; at most {MAX_PIXELS:,} in all are read"
        )


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
    values = np.asarray(image, dtype=np.float32)
    # 16-bit files use the whole range; Pillow also opens 8-bit data in these modes.
    scale = 1.0 if values.max(initial=0.0) <= 255 else 255 / 65535
    return Image.fromarray((values * scale).clip(0, 255).astype(np.uint8))


def _why_unidentified(path: Path) -> str:
    if path.stat().st_size == 0:
        return "empty file"
    return "not a picture, or of a kind that is not read (JPEG, PNG, BMP, GIF, TIFF, WebP, PPM are)"


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
