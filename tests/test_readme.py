"""The README is short, what it points to is there, and its make targets do what it says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.written_pages import ROOT

BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", f'export PATH="{BIN}:$PATH"; {line}']
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=1800)


def test_it_is_short_and_begins_with_pictures() -> None:
    assert README.count("\n") <= 150
    first = README.split("\n## ")[0]
    assert first.count("](docs/images/") >= 3


def test_what_it_points_to_is_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)
    assert {"docs/index.md", "docs/results.md", "CHANGELOG.md"} <= set(named)
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_it_points_to_every_page() -> None:
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert {page for page in pages if f"]({page})" not in README} == set()


def test_make_test_runs_the_tests() -> None:
    assert "-m pytest" in shell("make -n test", ROOT).stdout
    assert "not slow" not in shell("make -n test SLOW=1", ROOT).stdout


def test_make_help_explains_the_targets() -> None:
    printed = shell("make help", ROOT).stdout
    for target in ("setup", "demo", "test", "docs", "check"):
        assert f"make {target}" in printed


def test_an_old_python_is_one_clear_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.1"\nexit 1\n')
    old.chmod(0o755)
    done = shell(
        f"make -C {ROOT} -f {ROOT}/Makefile -W requirements.lock setup PYTHON={old}", tmp_path
    )
    assert done.returncode != 0
    assert "expected Python 3.11 or newer; name another: make setup PYTHON=" in done.stderr
    assert done.stderr.count("emotion:") == 1


@pytest.mark.slow
def test_the_demo_reaches_90_percent() -> None:
    done = shell("make demo", ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    demo = ROOT / "outputs" / "demo"
    scores = json.loads((demo / "evaluation" / "metrics.json").read_text())["scores"]
    assert scores["accuracy"]["value"] >= 0.9
    names = ("check/check.html", "run/curves.png", "evaluation/report.html", "predictions.jsonl")
    for name in names:
        assert (demo / name).is_file()
        assert f"outputs/demo/{name}" in done.stdout or name == "predictions.jsonl"
    faces = (demo / "predictions.jsonl").read_text().splitlines()
    found = sum(json.loads(line)["face"] is not None for line in faces)
    annotated = sum(
        p.read_text().count("<object>") for p in (demo / "data" / "test").rglob("*.xml")
    )
    assert found >= 0.95 * annotated
