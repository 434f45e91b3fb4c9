"""A real browser, without a window: what it makes of a page at several widths."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import pytest
from lxml import html

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser(profile: Path) -> list[str]:
    """Gives the command of a headless Chromium with a profile of its own; skips without one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        message = "no Chromium found; on Debian and Ubuntu: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return [found, *FLAGS, f"--user-data-dir={profile}"]


MEASURE = """
onload = () => {
  const found = [...document.querySelectorAll('iframe')].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const images = [...page.images];
    return {
      width: frame.clientWidth, scroll: root.scrollWidth, height: root.scrollHeight,
      images: images.length, loaded: images.filter(i => i.complete && i.naturalWidth > 0).length,
      margin: frame.contentWindow.getComputedStyle(page.body).margin,
      wide: [...page.body.querySelectorAll('*')]
        .filter(e => e.getBoundingClientRect().right > frame.clientWidth + 1).length,
      cut: [...page.querySelectorAll('.frame')]
        .filter(e => e.scrollHeight > e.clientHeight + 1).length,
      hacked: frame.contentWindow.hacked === undefined ? 'no' : 'yes',
    };
  });
  document.getElementById('found').textContent = JSON.stringify(found);
};
"""


def measure_pages(
    browser: Sequence[str], folder: Path, frames: Sequence[tuple[str, int]]
) -> list[dict[str, Any]]:
    """Opens pages beside one another, each as wide as asked for, and measures them.

    Args:
        browser: as the fixture of that name gives it.
        folder: for the page that holds them.
        frames: the text of each page, and a width in pixels.
    """
    (folder / "frames.html").write_text(
        f"<script>{MEASURE}</script><pre id=found></pre>"
        + "".join(
            f'<iframe style="border:0;width:{width}px;height:900px"'
            f' srcdoc="{escape(text)}"></iframe>'
            for text, width in frames
        ),
        encoding="utf-8",
    )
    command = [*browser, "--dump-dom", (folder / "frames.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    page: Any = html.document_fromstring(done.stdout)
    found: list[dict[str, Any]] = json.loads(page.get_element_by_id("found").text_content())
    return found
