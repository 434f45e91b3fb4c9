import os
import subprocess
import sys
from pathlib import Path

import pytest

from emotion import __version__
from emotion.__main__ import VERBS, main


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {verb}" in printed for verb in VERBS)


def test_nothing_and_nonsense_are_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["nonsense"]) == 2
    assert "no verb 'nonsense'; expected train, sweep, tune, runs, " in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"emotion {__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from emotion.__main__ import main; main(['--help']);"
        "print([n for n in ('torch', 'numpy', 'hydra', 'cv2', 'lxml', 'PIL') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_installed_command_is_python_m_emotion() -> None:
    command = Path(sys.executable).with_name("emotion")
    installed = subprocess.run([command, "--help"], capture_output=True, text=True)
    module = subprocess.run(
        [sys.executable, "-m", "emotion", "--help"], capture_output=True, text=True
    )
    assert installed.returncode == 0
    assert installed.stdout == module.stdout


def test_a_reader_that_has_seen_enough_is_no_traceback() -> None:
    code = (
        "import emotion.__main__ as m\n"
        "def closed(verb, rest): raise BrokenPipeError\n"
        "verb = type('Verb', (), {'main': staticmethod(lambda rest: closed(0, rest))})\n"
        "m.import_module = lambda name: verb\n"
        "raise SystemExit(m.main(['data']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 141
    assert done.stderr == ""


def test_what_a_terminal_cannot_show_is_spelt_out() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emotion", "--help"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert done.returncode == 0
    assert b"usage: emotion VERB \\u2026" in done.stdout
