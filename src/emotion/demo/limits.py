"""How much may be dropped on the page at once, and what is said to whoever drops more."""

import math
from dataclasses import dataclass

from emotion.errors import ConfigError
from emotion.pages.texts import counted

MEGABYTE = 1_000_000
# Pixels that one picture is searched at, which take about 25 bytes each: a photo of 12 megapixels
# may be doubled once. `emotion predict` has no such limit, but is not asked by several at once.
MOST_SEARCHED = 50_000_000


@dataclass(frozen=True)
class Limits:
    """What the page takes.

    Attributes:
        megabytes: of one file.
        photos: files at once; videos count too.
        seconds: of a video that are looked at.

    Raises:
        ConfigError: a value is out of range.
    """

    megabytes: float = 20
    photos: int = 20
    seconds: float = 20

    def __post_init__(self) -> None:
        for option, value in (("max-mb", self.megabytes), ("max-seconds", self.seconds)):
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"--{option}: expected a number above 0, got {value}")
        if self.photos < 1:
            raise ConfigError(f"--max-photos: expected 1 file or more, got {self.photos}")

    @property
    def file_bytes(self) -> int:
        """Bytes of one file."""
        return round(self.megabytes * MEGABYTE)

    @property
    def request_bytes(self) -> int:
        """Bytes of all files of one upload, and what stands between them."""
        return self.photos * self.file_bytes + MEGABYTE

    @property
    def too_many(self) -> str:
        """What is said of too many files, with a place for "{count}"; the browser says it too."""
        return f"{{count}} files at once; this page takes {self.photos}. Drop fewer."

    @property
    def too_large(self) -> str:
        """What is said of too large a file, with places for "{name}" and "{size}" in MB."""
        return f"{{name}}: {{size}} MB; this page takes files of up to {self.megabytes:g} MB."

    def refuse_count(self, count: int) -> str | None:
        """Says that there are too many files; None where there are not."""
        return self.too_many.format(count=count) if count > self.photos else None

    def refuse_size(self, name: str, size: int) -> str | None:
        """Says that a file of so many bytes is too large; None where it is not."""
        if size <= self.file_bytes:
            return None
        return self.too_large.format(name=name, size=f"{size / MEGABYTE:.1f}")

    def __str__(self) -> str:
        return (
            f"Up to {counted(self.photos, 'file')} of {self.megabytes:g} MB, and the first"
            f" {self.seconds:g} seconds of a video."
        )


def refuse_search(width: int, height: int, upsample: int) -> str | None:
    """Says that a picture is too large to be searched here; None where it is not.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        upsample: times that it is doubled before it is searched.
    """
    if width * height * 4**upsample <= MOST_SEARCHED:
        return None
    enlarged = f" {2**upsample} times enlarged" if upsample else ""
    way_out = "look for larger faces, or use" if upsample else "make it smaller, or use"
    return (
        f"{width:,} x {height:,} pixels{enlarged} are too many for this page; {way_out}"
        " emotion predict"
    )
