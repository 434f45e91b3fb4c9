"""Who and what gets past the guard."""

import asyncio
import json
from typing import Any

import pytest

from emotion.demo.guard import QUESTION_BYTES, Guard, Message, Receive, Scope, Send, names_address

JOIN = "/gradio_api/queue/join"


class Page:
    """Stands for the page: answers with what it was asked."""

    def __init__(self) -> None:
        self.body: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.body = message.get("body", b"")
        headers = [(b"content-type", b"text/plain"), (b"Cache-Control", b"max-age=99")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"page"})


def ask(
    path: str, *chunks: bytes, kind: str = "http", **headers: str
) -> tuple[int, dict[bytes, bytes], Page]:
    """Asks; gives status, headers and the page."""
    page, sent = Page(), []
    waiting: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": place < len(chunks)}
        for place, chunk in enumerate(chunks or (b"",), 1)
    ]
    given = {"host": "127.0.0.1:7860", **headers}
    scope = {
        "type": kind,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(page)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), page


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/theme.css", "/assets/index.js", "/static/img/logo.svg", "/answers/token/0.jpg"),
        *(JOIN, "/gradio_api/queue/data", "/gradio_api/upload", "/gradio_api/heartbeat/abc"),
        "/gradio_api/file=/tmp/emotion-demo-x/upload-1/a.jpg",
    ],
)
def test_the_page_and_its_parts_pass(path: str) -> None:
    assert ask(path, b"{}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/gradio_api/proxy=https://example.org", "/gradio_api/file=https://example.org/a.png"),
        *("/gradio_api/file=http:/example.org", "/gradio_api/run/predict", "/gradio_api/call/x"),
        *("/gradio_api/deep_link", "/gradio_api/vibe-edit/", "/gradio_api/component_server"),
        *("/gradio_api/process_recording", "/monitoring", "/login", "/docs", "/openapi.json"),
        *("/gradio_api/stream/a/b/1/playlist.m3u8", "/gradio_api/dev/reload", "/anything"),
    ],
)
def test_what_the_page_does_not_need_is_not_there(path: str) -> None:
    status, _, page = ask(path)
    assert status == 404
    assert page.body is None


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860", "localhost"])
def test_this_machine_may_ask_by_any_of_its_names(host: str) -> None:
    assert ask("/", host=host)[0] == 200
    assert ask("/", host=host, origin=f"http://{host}")[0] == 200


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("example.org", None),  # a name that leads to this machine: DNS rebinding
        ("example.org:7860", None),
        ("127.0.0.1.example.org:7860", None),
        ("", None),
        ("127.0.0.1:7860", "https://example.org"),
        ("127.0.0.1:7860", "null"),
        ("127.0.0.1:7860", "http://127.0.0.1:3000"),
        ("localhost:7860", "http://127.0.0.1:7860"),
    ],
)
def test_other_names_and_other_websites_may_not(host: str, origin: str | None) -> None:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    status, _, page = ask("/", **headers)
    assert status == 403
    assert page.body is None


def test_web_sockets_are_refused() -> None:
    assert ask("/", kind="websocket")[2].body is None


def test_a_question_passes_whole() -> None:
    question = json.dumps({"data": [{"path": "/tmp/x/a.jpg", "meta": {}}, 0.5, "a://b"]}).encode()
    status, _, page = ask(JOIN, question[:7], question[7:])
    assert status == 200
    assert page.body == question


@pytest.mark.parametrize(
    "value",
    [
        {"path": "https://example.org/a.png"},
        [[{"x": {"path": "http://127.0.0.1/a.png", "meta": {"_type": "gradio.FileData"}}}]],
    ],
)
def test_a_question_that_names_an_address_is_refused(value: Any) -> None:
    assert names_address(json.dumps({"data": value}).encode())
    status, _, page = ask(f"{JOIN}/", json.dumps({"data": value}).encode())
    assert status == 400
    assert page.body is None


@pytest.mark.parametrize("body", [b"", b"no json", b"[" * 100_000, b"x" * (QUESTION_BYTES + 1)])
def test_what_is_no_question_is_refused(body: bytes) -> None:
    assert ask(JOIN, body)[0] == 400


def test_answers_may_load_nothing_from_elsewhere_and_are_not_kept() -> None:
    for path in ("/", "/answers/token/0.jpg", "/nothing"):
        _, headers, _ = ask(path)
        assert headers[b"cache-control"] == b"no-store"
        policy = headers[b"content-security-policy"].decode()
        assert "default-src 'self'" in policy
        assert "//" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers[b"referrer-policy"] == b"no-referrer"


def test_the_pages_own_parts_may_be_kept() -> None:
    _, headers, _ = ask("/assets/index.js")
    assert headers[b"Cache-Control"] == b"max-age=99"
    assert b"content-security-policy" in headers
