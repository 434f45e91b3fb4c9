"""Libraries are told to send nothing before they are imported."""

import os

import pytest

from emotion.demo.privacy import SILENT, be_silent


def test_the_users_settings_of_gradio_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SILENT:
        monkeypatch.setenv(name, "something else")
    for name in ("GRADIO_SHARE", "GRADIO_ALLOWED_PATHS", "GRADIO_SERVER_NAME", "SPACE_ID"):
        monkeypatch.setenv(name, "True")
    be_silent()
    assert {name: os.environ[name] for name in SILENT} == SILENT
    left = {name for name in os.environ if name.startswith("GRADIO_")}
    assert left == {"GRADIO_ANALYTICS_ENABLED"}
    assert "SPACE_ID" not in os.environ
    assert "ORT_DISABLE_TELEMETRY" in SILENT
