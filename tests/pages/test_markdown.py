"""Markdown: every value is read back, by another program, as the text that it was."""

import html
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markdown_it import MarkdownIt

from emotion.pages.markdown import (
    Markdown,
    _environment,
    escape_markdown,
    render_markdown,
    write_markdown,
)
from emotion.pages.texts import readable

READER = MarkdownIt("commonmark").enable("table")
SIGNS = "|\\`*_[]()#<>&:$@~!-+=.a1 \n"


def rendered(template: str, **values: object) -> str:
    return _environment().from_string(template).render(values)


@given(st.one_of(st.text(), st.text(SIGNS)))
def test_any_text_is_read_as_itself_in_a_line_and_in_a_table(text: str) -> None:
    shown = readable(text).strip()
    page = READER.render(rendered("Name: {{ text }}.", text=text))
    assert html.unescape(page) == f"<p>Name: {readable(text)}.</p>\n"
    table = READER.render(rendered("| a | b |\n|---|---|\n| {{ text }} | x |\n", text=text))
    assert table.count("<td>") == 2
    assert html.unescape(table.split("<td>")[1].split("</td>")[0]) == shown


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("very_sad", r"very\_sad"),
        ("a|b", "a&#124;b"),
        ("https://x.y", "https&#58;//x.y"),
        ("Epoch 4: the lowest", "Epoch 4: the lowest"),
        ("#1 <b>", r"\#1 &#60;b&#62;"),
        ("a\n---\nb", r"a\\n---\\nb"),
        (0.25, "0.25"),
    ],
)
def test_what_is_escaped_stays_readable(text: object, escaped: str) -> None:
    assert escape_markdown(text) == escaped


def test_what_is_markdown_already_stays() -> None:
    assert rendered("{{ text }}", text=Markdown("**a**")) == "**a**"
    assert rendered("{{ text }}", text="**a**") == r"\*\*a\*\*"


def test_a_value_that_is_not_given_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        render_markdown("card.md")
    with pytest.raises(UndefinedError):
        write_markdown(tmp_path / "x.md", "card.md")
    assert not (tmp_path / "x.md").exists()
