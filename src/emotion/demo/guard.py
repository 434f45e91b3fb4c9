"""What stands before Gradio: this machine only, and only the paths that the page needs.

Gradio has dozens of paths beside those of a page, some of which fetch addresses or write files for
whoever asks. Other websites, and names that lead to this machine, are kept out as well.
"""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL = ("127.0.0.1", "localhost", "[::1]")
PAGES = frozenset(("/", "/theme.css", "/favicon.ico", "/manifest.json", "/config"))
LASTING = ("/assets/", "/static/")  # the page's own parts, which a browser may keep
FOLDERS = (*LASTING, "/svelte/", "/answers/")
# Of Gradio's programming interface: questions, answers, uploads, and the sign that a page is open.
CALLS = ("queue/join", "queue/data", "upload", "upload_progress", "cancel", "startup-events")
BEATS, FILES = "/gradio_api/heartbeat/", "/gradio_api/file="
JOIN = "/gradio_api/queue/join"
QUESTION_BYTES = 1_000_000  # settings and names of files, of which there are few

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
UNKEPT = (b"cache-control", b"no-store")  # no browser writes somebody's photo to its own cache


class Guard:
    """Passes on what the page needs and answers the rest itself.

    Args:
        application: the page.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        refused = (403, "only pages of this machine") if scope["type"] != "http" else None
        refused = refused or _refusal(scope)
        if refused is None and scope["path"].rstrip("/") == JOIN:
            body = await _body(receive)
            if body is None or names_address(body):
                refused = 400, "no question of this page"
            else:
                receive = _again(body, receive)
        if refused is None:
            await self._application(scope, receive, _marked(scope["path"], send))
        else:
            await _refuse(send, *refused)


def _refusal(scope: Scope) -> tuple[int, str] | None:
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1")
    origin = headers.get(b"origin", b"").decode("latin-1")
    # Any port: one that SSH forwards is another there than here.
    if re.sub(r":\d*$", "", host) not in LOCAL:
        return 403, "this page is for this machine only"
    if origin and origin.partition("://")[2] != host:
        return 403, "another website asks for this page"
    return None if is_needed(scope["path"]) else (404, "no such page")


def is_needed(path: str) -> bool:
    """Tells whether the page needs an address."""
    call = path.removeprefix("/gradio_api/").rstrip("/")
    if call in CALLS or path in PAGES or path.startswith(BEATS):
        return True
    if path.startswith(FILES):  # of what was uploaded; never an address elsewhere
        return path.startswith(f"{FILES}/") or path[len(FILES) + 1 : len(FILES) + 2] == ":"
    return path.startswith(FOLDERS)


def names_address(body: bytes) -> bool:
    """Tells whether a question names a file elsewhere, which Gradio would fetch."""
    try:
        waiting = [json.loads(body)]
    except (ValueError, RecursionError):
        return True
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "://" in str(value.get("path", "")):
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False


async def _body(receive: Receive) -> bytes | None:
    """Reads a question; None where it is too long or breaks off."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or len(body) > QUESTION_BYTES:
            return None
        if not message.get("more_body"):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return waiting.pop() if waiting else await receive()

    return given


def _marked(path: str, send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = HEADERS if path.startswith(LASTING) else (*HEADERS, UNKEPT)
            names = {name for name, _ in own}
            kept = [pair for pair in message["headers"] if pair[0].lower() not in names]
            message["headers"] = [*kept, *own]
        await send(message)

    return sent


async def _refuse(send: Send, status: int, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS, UNKEPT]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": reason.encode()})
