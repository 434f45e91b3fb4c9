"""Pages: everything is escaped, nothing is loaded, nothing is left out silently."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from emotion.errors import EmotionError
from emotion.pages.rendering import TEMPLATES, render, write_page

VALUES = {
    "report": {"root": "a&b", "emotion": "1.0", "clean": True, "parts": {}},
    "verdict": "no problem was found.",
    "parts": [],
    "parts_left": 0,
    "rows": 1,
    "longest": {"classes": 1.0, "sides": 1.0},
    "sections": [],
}


def test_values_are_escaped() -> None:
    page = render("check.html", **{**VALUES, "verdict": "<script>alert('1')</script> & \"more\""})
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &#34;more&#34;" in page
    assert "<title>Audit of a&amp;b</title>" in page


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="verdict"):
        render("check.html", **{key: value for key, value in VALUES.items() if key != "verdict"})


def test_the_same_values_give_the_same_page() -> None:
    assert render("check.html", **VALUES) == render("check.html", **VALUES)


def test_a_page_is_one_file_with_its_style_and_a_ban_on_everything_else(tmp_path: Path) -> None:
    write_page(tmp_path / "new" / "page.html", "check.html", **VALUES)
    page = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">\n')
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    assert page.count("<style>") == 1
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["page.html"]


def test_a_page_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmotionError, match=r"page\.html: cannot be written"):
        write_page(tmp_path / "file" / "page.html", "check.html", **VALUES)


@pytest.mark.parametrize("path", sorted(TEMPLATES.iterdir()), ids=lambda path: path.name)
def test_no_template_lifts_the_escaping_or_reaches_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape|Markup|<script|https?:|//\w|@import", text)
    assert not re.search(r"url\(|\son\w+=|javascript:", text)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_texts_have_contrast_in_every_scheme(scheme: int) -> None:
    # WCAG 2.2, 1.4.3: at least 4.5 for text; 1.4.11: at least 3 for the bars of a chart.
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root\s*\{([^}]*)\}", style)
    assert len(blocks) == 3
    colours = dict(re.findall(r"--([\w-]+):\s*(#\w+)", blocks[scheme]))
    for ground in ("ground", "card", "code"):
        for text in ("text", "quiet", "link"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        assert contrast(colours["bar"], colours[ground]) >= 3
    for fill in ("error", "warning"):
        assert contrast(colours[f"on-{fill}"], colours[fill]) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, from relative luminance in sRGB."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
