"""From a template and its values to a page.

Templates lie in `templates/`; each extends `base.html`, which holds the one style and forbids the
browser to run scripts or to load anything. Every value is escaped: there is no way around it here,
and templates use no filter that lifts it.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.files import write_text
from emotion.pages.texts import counted, readable

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Fills in a template.

    Args:
        template: name of a file in `templates/`.
        values: what it speaks of; a value that it names and does not get is an error.

    Returns:
        The page's HTML; the same values give the same text.
    """
    return _environment().get_template(template).render(values)


def write_page(path: Path, template: str, **values: Any) -> None:
    """Fills in a template and writes the page in one step.

    Raises:
        EmotionError: the file cannot be written.
    """
    write_text(path, render(template, **values))


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["readable"] = readable
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.globals["counted"] = counted
    return environment
