"""The README and the pages of docs/, and what is in their blocks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: name of its file.
        language: what stands behind the opening fence.
        text: its lines.
    """

    page: str
    language: str
    text: str

    @property
    def is_script(self) -> bool:
        """Whether it is one program, as opposed to lines to be typed."""
        return self.text.startswith("#!")

    def lines(self) -> list[str]:
        """Gives what is typed, each command in one line."""
        return re.sub(r" \\\n\s*", " ", self.text).strip().splitlines()


def read_blocks(pages: Sequence[Path] = PAGES) -> list[Block]:
    """Gives the fenced blocks of all pages."""
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```(.*?)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
        found += [Block(page.name, language, content) for language, content in blocks]
    return found
