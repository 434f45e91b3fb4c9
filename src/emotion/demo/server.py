"""Serving the page to this machine alone, and leaving nothing behind."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.errors import ConfigError
from emotion.interruption import Interruption

if TYPE_CHECKING:
    from fastapi import FastAPI

    from emotion.demo.desk import Desk

HOST = "127.0.0.1"
FIRST_PORT, PORTS = 7860, 100
PATIENCE = 1  # seconds that answers in progress have when the server is asked to end
SWEEP = 60.0  # seconds from one look for abandoned uploads to the next


@contextmanager
def workplace() -> Iterator[Path]:
    """Gives a folder for all temporary files of this process, Gradio's too, and removes it.

    To be called before Gradio is imported, which reads its settings then.
    """
    folder = Path(tempfile.mkdtemp(prefix="emotion-demo-")).resolve()
    tempfile.tempdir = str(folder)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    try:
        yield folder
    finally:
        # A photo that is still being searched in a thread may write meanwhile.
        for _ in range(2):
            shutil.rmtree(folder, ignore_errors=True)


def listen(port: int | None) -> socket.socket:
    """Takes a port of this machine's own address.

    Args:
        port: that one; None for the first that is free from 7860 on.

    Raises:
        ConfigError: it is taken, or may not be used.
    """
    ports = range(FIRST_PORT, FIRST_PORT + PORTS) if port is None else (port,)
    reason = ""
    for number in ports:
        listening = socket.socket()
        if (
            os.name == "posix"
        ):  # a port that was let go a moment ago is free; on Windows it need not
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, number))
            listening.listen()
            return listening
        except (OSError, OverflowError) as error:
            listening.close()
            reason = getattr(error, "strerror", None) or str(error)
    if port is None:
        raise ConfigError(f"no free port from {FIRST_PORT} to {ports[-1]}; name one: --port")
    raise ConfigError(f"--port {port}: {reason}; name another, or leave it out")


def serve(desk: "Desk", folder: Path, listening: socket.socket, ready: Callable[[], None]) -> int:
    """Serves the page until a signal asks to end.

    Args:
        desk: answers.
        folder: see `workplace`.
        listening: see `listen`.
        ready: called when the page can be opened.

    Returns:
        The exit code: 128 and the signal's number.
    """
    import uvicorn

    from emotion.demo.guard import Guard

    asked = Interruption()

    async def end_where_asked() -> None:  # by a terminal that is closed, say
        server.should_exit |= asked.count > 0

    config = uvicorn.Config(
        Guard(build_application(desk, folder)),
        log_level="critical",
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=PATIENCE,
        callback_notify=end_where_asked,
        timeout_notify=1,
    )

    class Server(uvicorn.Server):
        """Gives up answers first, which would else be waited for."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            desk.answerer.stopping.set()
            await super().shutdown(sockets)

    server = Server(config)
    with asked:  # uvicorn has handlers of its own, and hands signals on once it has ended
        ready()
        server.run(sockets=[listening])
    return asked.code or 0


def build_application(desk: "Desk", folder: Path) -> "FastAPI":
    """Puts the page, the uploads and the answers' files behind one address."""
    import gradio
    from fastapi import FastAPI

    from emotion.demo.page import build_page, build_theme
    from emotion.demo.routes import add_routes
    from emotion.demo.uploads import Uploads
    from emotion.demo.views import SCRIPT, STYLE

    uploads = Uploads(folder)

    @asynccontextmanager
    async def sweeping(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_sweep(uploads.remove_abandoned))
        yield
        task.cancel()

    application = FastAPI(lifespan=sweeping, docs_url=None, redoc_url=None, openapi_url=None)
    page = build_page(desk, uploads)
    add_routes(application, desk, uploads)
    gradio.mount_gradio_app(
        application,
        page,
        "/",
        server_name=HOST,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=desk.answerer.limits.file_bytes,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        theme=build_theme(),
        css=STYLE.read_text(encoding="utf-8"),
        js=SCRIPT.read_text(encoding="utf-8"),
    )
    # Else Gradio would copy any file of this machine that a question names.
    page.has_launched = True
    return application


async def _sweep(remove: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(SWEEP)
        await asyncio.to_thread(remove)
