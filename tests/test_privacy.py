"""Nothing is sent or left behind by the libraries that are used."""

import os
import subprocess
import sys
from pathlib import Path


def test_onnxruntime_sends_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    told = {"HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(home / "cache")}
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    script = (
        "import os\n"
        "from emotion.models import open_model\n"
        "open_model()\n"
        "print(os.environ['ORT_DISABLE_TELEMETRY'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=kept | told, capture_output=True, text=True
    )
    assert done.stdout == "1\n", done.stderr
    assert [*home.rglob("*"), *temporary.rglob("*")] == []
