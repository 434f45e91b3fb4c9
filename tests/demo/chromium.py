"""A real browser, driven by Playwright, that notes each request of its pages."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.browser import find_browser

FLAGS = (
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
PATIENCE = 120_000  # milliseconds; a busy machine is no failure
BOX = "#em-drop input[type=file]"


@dataclass
class Visitor:
    """Somebody in front of a browser.

    Attributes:
        browser: the program.
        address: of the page.
        requests: addresses that pages asked for, in all tabs.
        mistakes: errors of scripts, in all tabs.
    """

    browser: Browser
    address: str
    requests: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, width: int = 1280, height: int = 900, scheme: Any = "light") -> Page:
        """Opens the page in a window of its own and waits until it can be used."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        context.grant_permissions(["camera", "clipboard-read", "clipboard-write"])
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("weberror", lambda error: self.mistakes.append(str(error.error)))
        self._contexts.append(context)
        page = context.new_page()
        page.goto(self.address)
        page.wait_for_selector(BOX, state="attached")
        # The page's own script, and those of the drawings, the answers and the closer look.
        page.wait_for_function("document.querySelectorAll('[data-em-ready]').length === 4")
        return page

    def close(self) -> None:
        """Closes all windows."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def elsewhere(self) -> list[str]:
        """Gives the addresses that do not lead to this machine."""
        return [url for url in self.requests if not is_local(url)]


def is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or parts.hostname in ("127.0.0.1", "localhost")


@contextmanager
def chromium(folder: Path, *flags: str) -> Iterator[Browser]:
    """Starts Debian's Chromium; skips without one."""
    program = find_browser(folder)[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *flags])
        yield browser
        browser.close()


def drop(page: Page, *paths: Path) -> None:
    """Chooses files and waits for their answers."""
    before = token(page)
    page.locator(BOX).set_input_files([str(path) for path in paths])
    page.wait_for_function(
        "before => { const links = document.querySelectorAll('.em-downloads a');"
        " return links.length && links[0].getAttribute('href').split('/')[1] !== before; }",
        arg=before,
    )


def token(page: Page) -> str:
    """Gives the token of the answer that is shown; "" where there is none."""
    links = page.locator(".em-downloads a")
    return (links.first.get_attribute("href") or "").split("/")[1] if links.count() else ""


def download(page: Page, name: str) -> bytes:
    """Clicks on a link for a download; gives the file's content."""
    with page.expect_download() as waiting:
        page.locator(".em-downloads").get_by_text(name, exact=True).click()
    return Path(waiting.value.path()).read_bytes()


def names(page: Page) -> list[str]:
    """Gives the answers of all cards, as they are written there."""
    return page.locator(".em-answered").all_inner_texts()


def requests_in(log: Path) -> Iterator[tuple[str, str]]:
    """Reads the browser's own log of the network.

    Yields:
        The origin of each page that asked, and the address that it asked for; what the browser
        asks for itself has no origin.
    """
    content = json.loads(log.read_text())
    kinds: dict[str, int] = content["constants"]["logEventTypes"]
    for event in content["events"]:
        asked = event.get("params", {})
        if event["type"] == kinds["URL_REQUEST_START_JOB"] and "url" in asked:
            yield str(asked.get("initiator", "")), str(asked["url"])


def overflow(page: Page) -> Sequence[str]:
    """Gives the elements that reach beyond the right border of the window."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('body *')]
        .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1
                     && getComputedStyle(e).position !== 'absolute')
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    scrolled = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, *(["the page itself"] if scrolled else [])]
