"""The `emotion` command: finds the verb and imports only that verb."""

import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from emotion import __version__
from emotion.commands import CLOSED_PIPE, DONE, INTERRUPTED, MISTAKE
from emotion.errors import EmotionError
from emotion.processes import settle

# New objects between two looks for garbage. With Python's own number, 700 or 2,000, a fifteenth of
# importing torch and Lightning is looking through what stays anyhow.
GARBAGE_AFTER = 50_000

VERBS = {
    "train": "learn a classifier from Pascal VOC XML and photos",
    "sweep": "go on with a sweep of emotion train -m",
    "tune": "search for good settings, each trial a run",
    "runs": "list the runs of a folder, the best first",
    "evaluate": "measure a checkpoint on annotated photos",
    "calibrate": "fit a checkpoint's probabilities to its validation photos",
    "compare": "tell whether two checkpoints differ on the same faces",
    "export": "write a checkpoint as one file that runs without torch",
    "card": "write a checkpoint's model card",
    "predict": "find the faces in photos and name their emotions",
    "demo": "open a page on this machine that names the faces of photos",
    "data": "check, split, show, import or join data sets, or draw a sample one",
}


def usage() -> str:
    """Gives the text of `emotion --help`."""
    verbs = "\n".join(f"  {verb:10} {what}" for verb, what in VERBS.items())
    return (
        "usage: emotion VERB …\n\n"
        "Facial-emotion classification, from annotated photos to answers.\n\n"
        f"{verbs}\n\n"
        "`emotion VERB --help` explains a verb; `emotion --version` tells the version.\n"
        "Exit codes: 0 done, 1 done but some input could not be used or some jobs failed,"
        " 2 could not run, 3 a process of the run died, 130 and 143 stopped by Ctrl-C and SIGTERM."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb.

    Args:
        arguments: what follows `emotion`; None for those of this process.

    Returns:
        The exit code, see `emotion.commands`.
    """
    settle()
    gc.set_threshold(GARBAGE_AFTER)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no "…"
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        print(usage())
        return DONE if given else MISTAKE
    if given[0] == "--version":
        print(f"emotion {__version__}")
        return DONE
    if given[0] not in VERBS:
        print(f"emotion: no verb {given[0]!r}; expected {', '.join(VERBS)}", file=sys.stderr)
        return MISTAKE
    return _run(given[0], given[1:])


def _run(verb: str, arguments: list[str]) -> int:
    try:
        code: int = import_module(f"emotion.commands.{verb}").main(arguments)
    except EmotionError as error:
        print(f"emotion: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("emotion: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:  # a full disk, a folder that may not be written to
        print(f"emotion: {error}", file=sys.stderr)
        return MISTAKE
    return code


if __name__ == "__main__":
    sys.exit(main())
