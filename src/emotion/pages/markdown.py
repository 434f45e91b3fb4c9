"""From a template and its values to a Markdown text, such as a model card.

Every value is escaped as in pages, by Markdown's rules: whatever a class or a folder is called, it
is read as that text and makes no heading, table cell, link or HTML.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.files import write_text
from emotion.pages.rendering import TEMPLATES
from emotion.pages.texts import counted, readable

if TYPE_CHECKING:
    from jinja2 import Environment

# A backslash before punctuation makes it plain text (CommonMark 0.31, 2.4). Where that is not
# enough it is a character reference, which is never structure (2.5): "|" splits a table's row
# before anything else is read, ":" makes links and emojis where no space follows, "$" formulas.
_BACKSLASHED = r"\`*_[]#~!"
_SPECIAL = re.compile(r"[\\`*_\[\]#~!|<>&$@]|:(?!\s|$)")


class Markdown(str):
    """A text that is Markdown already."""

    __slots__ = ()


def escape_markdown(text: object) -> Markdown:
    """Gives Markdown that is read as just this text; line breaks and the like are named."""
    if isinstance(text, Markdown):
        return text
    return Markdown(_SPECIAL.sub(_escaped, readable(text)))


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    return f"\\{sign}" if sign in _BACKSLASHED else f"&#{ord(sign)};"


def render_markdown(template: str, **values: Any) -> str:
    """Fills in a Markdown template.

    Args:
        template: name of a file in `templates/`.
        values: what it speaks of; a value that it names and does not get is an error.

    Returns:
        The text; the same values give the same.
    """
    return _environment().get_template(template).render(values)


def write_markdown(path: Path, template: str, **values: Any) -> None:
    """Fills in a Markdown template and writes the text in one step.

    Raises:
        EmotionError: the file cannot be written.
    """
    write_text(path, render_markdown(template, **values))


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - that would be HTML's; `finalize` escapes every value
        finalize=escape_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["readable"] = readable
    environment.globals["counted"] = counted
    return environment
