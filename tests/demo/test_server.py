"""The port, and the folder for everything that is written."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from emotion.demo.server import FIRST_PORT, HOST, PORTS, listen, workplace
from emotion.errors import ConfigError


def test_the_first_free_port_is_taken_on_this_machine_only() -> None:
    with listen(None) as first, listen(None) as second:
        assert first.getsockname()[0] == second.getsockname()[0] == HOST == "127.0.0.1"
        ports = [each.getsockname()[1] for each in (first, second)]
        assert ports[0] < ports[1]
        assert all(port in range(FIRST_PORT, FIRST_PORT + PORTS) for port in ports)


def test_a_port_that_is_taken_is_an_error_with_the_way_out() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port {port}: .*; name another, or leave it out"):
            listen(port)
    listen(port).close()


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_is_none_is_an_error(port: int) -> None:
    with pytest.raises(ConfigError, match=f"--port {port}: "):
        listen(port)


def test_all_temporary_files_are_in_one_folder_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("GRADIO_TEMP_DIR", "before")
    with workplace() as folder:
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert Path(tempfile.mkdtemp()).parent == folder
        assert folder.stat().st_mode & 0o077 == 0  # nobody else reads it
    assert not folder.exists()
