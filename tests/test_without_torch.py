"""`emotion predict` in an environment that has what docs/export.md names, and no torch."""

import json
import os
import re
import subprocess
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from tests.exports import Exported
from tests.wheels import ROOT, build_wheel, install_alone

from emotion.__main__ import main

ABSENT = (
    *("torch", "torchvision", "pytorch_lightning", "hydra", "scipy", "cv2", "albumentations"),
    *("matplotlib", "lxml", "onnx", "safetensors", "rich"),
)


def named_packages() -> list[str]:
    """Gives the packages that the page tells to install."""
    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^pip install (numpy .*)$", page, flags=re.MULTILINE)
    return str(line).split()


def lend(package: str, site: Path) -> None:
    """Links what a distribution installed into another environment: no network is needed."""
    files = metadata.distribution(package).files
    assert files is not None
    for name in sorted({file.parts[0] for file in files} - {"..", "__pycache__"}):
        source = Path(str(metadata.distribution(package).locate_file(name)))
        if not (site / name).exists():
            (site / name).symlink_to(source)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with this project and the packages that are named."""
    folder = tmp_path_factory.mktemp("slim")
    python, site = install_alone(build_wheel(folder), folder / "env")
    for package in named_packages():
        lend(package, site)
    return python


def run(
    python: Path, folder: Path, *arguments: str, expected: int = 0
) -> subprocess.CompletedProcess[str]:
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [str(python), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=plain, cwd=folder)
    assert done.returncode == expected, done.stderr
    return done


@pytest.mark.slow
def test_an_onnx_file_predicts_as_the_checkpoint_does(
    python: Path, exported: Exported, sample_root: Path, tmp_path: Path
) -> None:
    code = f"from importlib.util import find_spec; print([n for n in {ABSENT} if find_spec(n)])"
    assert run(python, tmp_path, "-c", code).stdout == "[]\n"
    photos = [str(path) for path in sorted((sample_root / "test" / "img").iterdir())[:4]]
    arguments = ["-m", "emotion", "predict", *photos, "--model", str(exported.onnx)]
    here = run(python, tmp_path, *arguments).stdout
    out = tmp_path / "torch.jsonl"
    assert main(["predict", *photos, "--model", str(exported.checkpoint), "--out", str(out)]) == 0
    found, expected = (
        [json.loads(line) for line in text.splitlines()] for text in (here, out.read_text())
    )
    assert sum(record["probabilities"] is not None for record in found) >= 2
    for one, other in zip(found, expected, strict=True):
        here_is, there_is = (list((r.pop("probabilities") or {}).values()) for r in (one, other))
        np.testing.assert_allclose(here_is, there_is, atol=1e-4)
        assert one == other


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["checkpoint", "pt2", "safetensors"])
def test_what_needs_torch_says_so(
    python: Path, exported: Exported, tmp_path: Path, kind: str
) -> None:
    model = ["--model", str(exported.of(kind))]
    (tmp_path / "0.jpg").write_bytes(b"none")
    done = run(python, tmp_path, "-m", "emotion", "predict", "0.jpg", *model, expected=2)
    assert "needs torch, which is not installed; an .onnx file needs neither" in done.stderr
    assert "Traceback" not in done.stderr
