"""The real command: what it refuses, whom it serves, and how it ends."""

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.demo.served import PATIENCE, Served, serve
from tests.exports import Exported

from emotion.__main__ import main
from emotion.commands.demo import _names, _parser, _tell


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["demo", "--no-open", *arguments]) == 2
    return capsys.readouterr().err


def test_a_missing_extra_is_told_before_anything_else() -> None:
    code = (
        "import sys; sys.modules['gradio'] = None\n"
        "from emotion.__main__ import main; sys.exit(main(['demo', '--model', 'missing.onnx']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'emotion[demo]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from emotion.__main__ import main\n"
        "try: main(['demo', '--help'])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('gradio', 'torch', 'numpy', 'PIL', 'uvicorn') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--model FILE" in done.stdout


def test_there_is_no_other_host(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--host", "0.0.0.0", "--model", "x"])
    assert ended.value.code == 2
    assert "unrecognized arguments: --host" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--max-mb", "--max-photos", "--max-seconds"])
def test_limits_out_of_range_are_refused(
    option: str, exported: Exported, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{option}: expected" in refused(capsys, option, "0", "--model", str(exported.onnx))


def test_what_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file" in refused(capsys, "--model", str(tmp_path / "x.onnx"))
    (tmp_path / "y.onnx").write_bytes(b"nothing")
    assert "no model" in refused(capsys, "--model", str(tmp_path / "y.onnx"))


def test_a_port_that_is_taken_is_refused(
    exported: Exported, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = refused(capsys, "--port", port, "--model", str(exported.onnx))
    assert f"--port {port}: " in said
    assert "name another" in said


def test_the_browser_is_opened_where_there_is_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    for asked in (False, True):
        _tell("http://127.0.0.1:1", asked)
    assert opened == ["http://127.0.0.1:1"]
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for display, wanted in (("", False), (":0", True)):
        monkeypatch.setenv("DISPLAY", display)
        assert _parser().parse_args([]).open is wanted
        assert _parser().parse_args(["--no-open"]).open is False
        assert _parser().parse_args(["--open"]).open is True


def test_models_have_short_names_that_differ(tmp_path: Path) -> None:
    one, two, other = (tmp_path / name for name in ("a/run", "b/run", "c.onnx"))
    assert _names([one, other]) == ["run", "c.onnx"]
    assert _names([one, two, other]) == [str(one), str(two), "c.onnx"]
    assert _names([None]) == ["the model in the box"]


def get(served: Served, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def listens(address: str, port: int) -> bool:
    with socket.socket() as other:
        other.settimeout(2)
        return other.connect_ex((address, port)) == 0


def is_free(port: int) -> bool:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.mark.slow
def test_this_machine_is_served_and_ctrl_c_ends_it(exported: Exported, tmp_path: Path) -> None:
    served = serve(tmp_path, [exported.onnx])
    try:
        status, page = get(served, "/")
        assert status == 200
        assert listens("127.0.0.1", served.port)
        assert b"gradio" in page
        assert get(served, "/", Host="example.org")[0] == 403
        assert get(served, "/gradio_api/file=https://example.org/a.png")[0] == 404
        # Another address of this machine is not listened at.
        assert not listens("127.0.0.2", served.port)
        if Path("/proc").is_dir():
            maps = Path(f"/proc/{served.process.pid}/maps").read_text()
            assert "libtorch" not in maps  # an exported model needs none of it
            assert "onnxruntime" in maps
    finally:
        code = served.stop(signal.SIGINT)
    assert code == 130
    said = served.output.read_text()
    assert said.splitlines() == [
        f"the page is at {served.address} (this machine only); Ctrl-C ends it",
        "stopped",
    ]
    assert is_free(served.port)
    assert not list(served.temporary.iterdir())
    assert not list(tmp_path.rglob("*onnxruntime*"))  # nor was anything noted for its makers


@pytest.mark.slow
def test_sigterm_ends_it_while_pages_are_open_and_a_photo_is_uploaded(
    exported: Exported, tmp_path: Path
) -> None:
    port = "0"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = str(other.getsockname()[1])
    served = serve(tmp_path, [exported.onnx], "--port", port)
    assert served.port == int(port)
    heard, over = threading.Event(), threading.Event()

    def stay() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", "/gradio_api/heartbeat/abc")
            with connection.getresponse() as answer:
                answer.read(5)
                heard.set()
                over.wait(PATIENCE)

    visitor = threading.Thread(target=stay, daemon=True)
    visitor.start()
    with socket.create_connection(("127.0.0.1", served.port)) as uploading:
        uploading.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\nhalf'
        )
        assert heard.wait(PATIENCE)
        end = time.monotonic() + PATIENCE
        while not served.files() and time.monotonic() < end:
            time.sleep(0.05)
        assert served.files()
        began = time.monotonic()
        code = served.stop(signal.SIGTERM)
    over.set()
    visitor.join(PATIENCE)
    assert code == 143
    assert time.monotonic() - began < 20
    assert "Traceback" not in served.output.read_text()
    assert served.output.read_text().endswith("stopped\n")
    assert is_free(served.port)
    assert not list(served.temporary.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a signal of POSIX")
def test_a_terminal_that_is_closed_ends_it(exported: Exported, tmp_path: Path) -> None:
    served = serve(tmp_path, [exported.onnx])
    assert served.stop(signal.SIGHUP) == 129
    assert is_free(served.port)
    assert not list(served.temporary.iterdir())


@pytest.mark.slow
def test_settings_of_gradio_in_the_environment_do_not_count(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_ANALYTICS_ENABLED": "True",
        "GRADIO_SHARE": "True",
        "GRADIO_TEMP_DIR": str(tmp_path / "elsewhere"),
        "GRADIO_RUN_HISTORY": "True",
        "GRADIO_MCP_SERVER": "True",
        "GRADIO_SSR_MODE": "True",
    }.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "models").mkdir()
    shutil.copy(exported.onnx, folder / "models" / "model.onnx")
    served = serve(folder, [folder / "models" / "model.onnx"])
    try:
        status, page = get(served, "/")
        assert status == 200
        assert b'"run_history":true' not in page.replace(b" ", b"")
        assert not listens("127.0.0.2", served.port)
    finally:
        assert served.stop() == 143
    assert not (tmp_path / "elsewhere").exists()
    assert "http" not in served.output.read_text().replace(served.address, "")


def test_the_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "  demo" in capsys.readouterr().out
