"""`make docs`: the pages of docs/ as a site that is read from disk and asks nobody for anything."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest
from lxml import html
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser import find_browser
from tests.written_pages import ROOT

MKDOCS = Path(sys.executable).with_name("mkdocs")
# What a browser loads by itself, as opposed to links that somebody may follow.
LOADED = {
    "src": "script img iframe source video audio embed track input",
    "srcset": "img source",
    "poster": "video",
    "data": "object",
    "href": "link use image",
}
FOLLOWED = ("prev", "next", "canonical", "alternate")
# Addresses within the theme's own scripts, and why they are not asked for.
UNUSED = (
    "https://unpkg.com/mermaid@",  # for pages with diagrams
    "https://unpkg.com/resize-observer-polyfill",  # for browsers of before 2020
    "https://api.github.com/",  # for sites that name their repository
    "https://${e}/api/v4/",  # the same, of GitLab
    *("http://lunrjs.com", "http://tartarus.org/", "https://bit.ly/", "https://clipboardjs.com/"),
)


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Builds a site by the command of `make docs`, but into another folder."""
    printed = subprocess.run(["make", "-n", "docs"], cwd=ROOT, capture_output=True, text=True)
    (line,) = re.findall(r"^.*\.venv/bin/mkdocs .*$", printed.stdout, re.MULTILINE)
    command = f"{line} --site-dir {site}".replace(".venv/bin/mkdocs", str(MKDOCS))
    return subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert "end of life" not in done.stdout + done.stderr, "the notice is silenced"
    return folder


def pages(site: Path) -> dict[Path, Any]:
    return {path: html.parse(path).getroot() for path in sorted(site.rglob("*.html"))}


def loaded(page: Any) -> Iterator[str]:
    """Gives the addresses that a browser asks for when it opens a page."""
    for attribute, tags in LOADED.items():
        for element in page.iter(*tags.split()):
            address = element.get(attribute)
            if address and element.get("rel") not in FOLLOWED:
                yield from re.split(r"\s+\S+,\s*", address) if attribute == "srcset" else [address]
    styles = [element.text or "" for element in page.iter("style")]
    for style in [*styles, *page.xpath("//@style")]:
        yield from in_style(style)


def in_style(text: str) -> list[str]:
    """Gives the addresses that a style sheet asks for."""
    return re.findall(r"url\(\s*[\"']?([^\"')]+)", text) + re.findall(
        r"@import\s+[\"']([^\"']+)", text
    )


def is_outside(address: str) -> bool:
    return bool(re.match(r"(?:[a-z][a-z+.-]*:)?//|(?:https?|ftp|wss?):", address, re.IGNORECASE))


def test_what_is_outside_is_known() -> None:
    outside = ("https://a.b/c.js", "//a.b/c.css", "HTTP://a.b", "wss://a.b")
    inside = ("assets/a.js", "../a.css", "#part", "data:image/svg+xml,<svg/>", "a//b.png")
    assert all(map(is_outside, outside))
    assert not any(map(is_outside, inside))
    style = '@import "https://a/b.css"; a { background: url( "//c/d.png" ) }'
    assert sorted(in_style(style)) == ["//c/d.png", "https://a/b.css"]
    page = html.document_fromstring(
        "<link rel=stylesheet href=//a/1><link rel=next href=//a/0><img src=//a/2>"
        "<img srcset='//a/3 1x, //a/4 2x'><p style='background: url(//a/5)'><a href=//a/0>x</a>"
    )
    found = {address.split()[0] for address in loaded(page)}
    assert found == {f"//a/{n}" for n in range(1, 6)}


@pytest.mark.slow
def test_a_mistake_in_a_page_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(
        "# One\n\n[gone](gone.md), [part](#gone), ![picture](gone.png)\n"
    )
    config = re.sub(
        r"^nav:\n(?:  .*\n)*", "", (ROOT / "mkdocs.yml").read_text(), flags=re.MULTILINE
    )
    (tmp_path / "mkdocs.yml").write_text(config)
    (tmp_path / "src").symlink_to(ROOT / "src")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode == 1
    assert "Aborted with 3 warnings in strict mode!" in done.stdout


@pytest.mark.slow
def test_every_page_is_in_it_and_every_link_leads_somewhere(site: Path) -> None:
    found = pages(site)
    written = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert {path.stem for path in found} == written | {"404"}
    ids = {path: set(page.xpath("//@id | //a/@name")) for path, page in found.items()}
    for path, page in found.items():
        if path.stem == "404":  # its links begin at the root of a server
            continue
        for address in {*loaded(page), *page.xpath("//a/@href")}:
            if is_outside(address) or address.startswith(("data:", "mailto:")):
                continue
            name, part = urldefrag(address)
            target = (path.parent / unquote(name)).resolve() if name else path
            assert target.is_file(), f"{path.name}: {address}"
            assert not part or part in ids[target], f"{path.name}: {address}"


@pytest.mark.slow
def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for path, page in pages(site).items():
        assert [address for address in loaded(page) if is_outside(address)] == [], path.name
        assert not page.xpath("//*[contains(@class, 'mermaid') or @data-md-component='source']")
    for path in site.rglob("*.css"):
        assert [url for url in in_style(path.read_text()) if is_outside(url)] == [], path.name
    for path in site.rglob("*.js"):
        # The text of the pages, and what searches other languages than theirs.
        if path.name != "search_index.js" and "lunr" not in path.parts:
            addresses = re.findall(r"https?://[^\s\"'`)]+", path.read_text())
            assert [url for url in addresses if not url.startswith(UNUSED)] == [], path.name


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    command = find_browser(tmp_path_factory.mktemp("profile"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=command[0], args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[1280, 390])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a browser, wide or narrow, that must not ask for anything but files."""
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    opened, asked, wrong = context.new_page(), list[str](), list[str]()
    opened.on("request", lambda r: asked.append(r.url))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert wrong == []


@pytest.mark.slow
def test_pages_fit_and_have_their_pictures(site: Path, page: Page) -> None:
    for path in sorted(site.glob("*.html")):
        if path.stem == "404":
            continue
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name
        broken = "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
        assert page.evaluate(broken) == [], path.name


@pytest.mark.slow
def test_the_search_works_from_disk(site: Path, page: Page) -> None:
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("/")  # the theme's key for the search
    page.keyboard.type("temperature")
    result = page.locator(".md-search-result__link").first
    result.wait_for(timeout=20_000)
    found = page.locator(".md-search-result__link").evaluate_all("all => all.map(a => a.href)")
    assert any("report.html" in address for address in found)
    assert all(address.startswith(site.as_uri()) for address in found)
    result.click()
    page.wait_for_url(re.compile("h=temperature"))
