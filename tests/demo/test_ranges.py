import pytest

from emotion.demo.ranges import part_of


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", range(100)),
        ("bytes=10-19", range(10, 20)),
        ("bytes=90-500", range(90, 100)),
        ("bytes=-30", range(70, 100)),
        ("bytes=-500", range(100)),
        ("", None),
        ("bytes=-", None),
        ("bytes=-0", None),
        ("bytes=100-", None),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=0-9999999999999999999999", None),
    ],
)
def test_a_part_or_all(header: str, part: range | None) -> None:
    assert part_of(header, 100) == part


def test_there_is_no_part_of_nothing() -> None:
    assert part_of("bytes=0-", 0) is None
