"""Texts made fit for reading: nothing hidden, nothing endless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.pages.texts import LIMIT, counted, readable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("train/img/a b.jpg", "train/img/a b.jpg"),
        ("기쁨 – ça va?", "기쁨 – ça va?"),
        ("a\x00b\x1b[31mc\n", "a\\x00b\\x1b[31mc\\n"),
        ("photo\u202egpj.exe", "photo\\u202egpj.exe"),
        ("anger\u200b", "anger\\u200b"),
        ("anger\u00a0", "anger\\xa0"),
        ("\udcff.jpg", "\\udcff.jpg"),
        ("a\ufeffb\u2028", "a\\ufeffb\\u2028"),
        ("<b>&\"'", "<b>&\"'"),  # whoever writes the page escapes them
        (17, "17"),
    ],
)
def test_what_cannot_be_seen_is_named(text: object, shown: str) -> None:
    assert readable(text) == shown


def test_a_long_text_loses_its_middle() -> None:
    shown = readable("train/" + "x" * 10_000 + "/end.jpg", limit=60)
    assert len(shown) == 60
    assert shown.startswith("train/xxx")
    assert "xxx…xxx" in shown
    assert shown.endswith("xxx/end.jpg")


def test_a_text_at_the_limit_stays_whole() -> None:
    assert readable("x" * LIMIT) == "x" * LIMIT
    assert readable("x" * (LIMIT + 1)).count("…") == 1


@given(st.text(), st.integers(9, 40))
def test_whatever_comes_can_be_printed_and_ends(text: str, limit: int) -> None:
    shown = readable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    if text.isprintable() and len(text) <= limit:
        assert shown == text


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=20))
def test_what_was_hidden_can_be_read_back(text: str) -> None:
    assert readable(text).encode("ascii").decode("unicode_escape") == text


def test_numbers_agree_with_their_nouns() -> None:
    assert counted(0, "face") == "0 faces"
    assert counted(1, "face") == "1 face"
    assert counted(1688, "face") == "1,688 faces"
    assert counted(2, "box", "boxes") == "2 boxes"
