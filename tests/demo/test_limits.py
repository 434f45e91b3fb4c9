import pytest

from emotion.demo.limits import MOST_SEARCHED, Limits, refuse_search
from emotion.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({"megabytes": 0}, "--max-mb"),
        ({"megabytes": float("nan")}, "--max-mb"),
        ({"photos": 0}, "--max-photos"),
        ({"seconds": -1}, "--max-seconds"),
        ({"seconds": float("inf")}, "--max-seconds"),
    ],
)
def test_limits_out_of_range_name_their_option(settings: dict[str, float], option: str) -> None:
    with pytest.raises(ConfigError, match=f"{option}: expected"):
        Limits(**settings)  # type: ignore[arg-type]


def test_what_is_too_much_is_said_with_the_limit() -> None:
    limits = Limits(megabytes=1.5, photos=3)
    assert limits.refuse_count(3) is None
    assert limits.refuse_count(4) == "4 files at once; this page takes 3. Drop fewer."
    assert limits.refuse_size("a.jpg", 1_500_000) is None
    said = limits.refuse_size("{b}.jpg", 1_600_000)
    assert said == "{b}.jpg: 1.6 MB; this page takes files of up to 1.5 MB."


def test_an_upload_may_hold_all_files_at_their_largest() -> None:
    limits = Limits(megabytes=2, photos=3)
    assert limits.request_bytes >= 3 * limits.file_bytes == 6_000_000


def test_the_page_tells_its_limits() -> None:
    assert str(Limits()) == "Up to 20 files of 20 MB, and the first 20 seconds of a video."
    assert str(Limits(photos=1)).startswith("Up to 1 file of 20 MB")


def test_doubling_counts_for_the_size_of_a_picture() -> None:
    assert refuse_search(4000, 3000, 1) is None
    assert MOST_SEARCHED < 4000 * 3000 * 16
    assert "4,000 x 3,000 pixels 4 times enlarged are too many" in str(refuse_search(4000, 3000, 2))
    assert "make it smaller" in str(refuse_search(10_000, 5_001, 0))
