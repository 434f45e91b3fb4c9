"""`emotion demo`: a page on this machine where anybody can drop a photo."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.errors import ConfigError
from emotion.threads import wait_asleep

if TYPE_CHECKING:
    from emotion.demo.desk import Desk


IN_THE_BOX = "the model in the box"


def main(arguments: Sequence[str]) -> int:
    """Serves the page until a signal asks to end; gives the exit code, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    _check_installed()
    wait_asleep()
    from emotion.demo.privacy import be_silent

    be_silent()
    from emotion.demo.server import listen, serve, workplace

    desk = _desk(options)
    listening = listen(options.port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with workplace() as folder:
        code = serve(desk, folder, listening, lambda: _tell(address, options.open))
    print("stopped", file=sys.stderr)
    # A photo that a thread is still searching would be waited for, for seconds.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _desk(options: argparse.Namespace) -> "Desk":
    from emotion.demo.answering import Answerer
    from emotion.demo.desk import Desk
    from emotion.demo.limits import Limits
    from emotion.models import open_model

    limits = Limits(options.max_mb, options.max_photos, options.max_seconds)
    paths = options.model or [None]
    models = [open_model(path, options.device) for path in paths]
    return Desk(Answerer(models, limits), _names(paths))


def _names(paths: Sequence[Path | None]) -> list[str]:
    """Gives short names, and whole paths where two would be called the same."""
    short = [IN_THE_BOX if path is None else path.resolve().name for path in paths]
    return [
        name if short.count(name) == 1 else str(path)
        for name, path in zip(short, paths, strict=True)
    ]


def _tell(address: str, opened: bool) -> None:
    print(f"the page is at {address} (this machine only); Ctrl-C ends it", flush=True)
    if opened:
        import webbrowser

        webbrowser.open(address)


def _check_installed() -> None:
    if find_spec("gradio") is None:
        raise ConfigError(
            "the page needs Gradio, which is not installed: pip install 'emotion[demo]'"
        )


def _has_display() -> bool:
    """Tells whether a window can be opened; a browser in the terminal would be in the way."""
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("win32", "darwin") or bool(named)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "emotion demo",
        description="Opens a page on this machine where anybody can drop photos, take one with the"
        " camera, or drop a short video. Only this machine can reach it, nothing is sent anywhere,"
        " and nothing is kept.",
        epilog="Exit codes: 2 could not run, 130 and 143 stopped by Ctrl-C and SIGTERM.",
    )
    add = parser.add_argument
    add(
        "--model",
        type=Path,
        action="append",
        metavar="FILE",
        help="a checkpoint, a run's folder, or what emotion export wrote (the model in the box);"
        " give it several times to choose on the page",
    )
    add("--port", type=int, metavar="N", help="of the page (the first that is free from 7860 on)")
    add(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=_has_display(),
        help="open the browser (where there is a display)",
    )
    add("--max-mb", type=float, default=20, metavar="MB", help="of one file (20)")
    add("--max-photos", type=int, default=20, metavar="N", help="files at once (20)")
    add("--max-seconds", type=float, default=20, metavar="S", help="looked at of a video (20)")
    add("--device", help="cpu, cuda, … (a GPU where there is one)")
    return parser
