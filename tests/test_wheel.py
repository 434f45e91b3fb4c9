"""The wheel, installed elsewhere, runs a sweep of one step from another folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.wheels import ROOT, build_wheel, install_alone


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_code_and_configs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "emotion/conf/experiment/original.yaml" in names
    assert "emotion/py.typed" in names
    templates = {path.name for path in (ROOT / "src/emotion/pages/templates").iterdir()}
    assert {f"emotion/pages/templates/{name}" for name in templates} <= set(names)
    assert templates >= {"check.html", "style.css"}
    assert {name.split("/")[0] for name in names} == {
        "emotion",
        "hydra_plugins",
        f"{wheel.stem.split('-py3')[0]}.dist-info",
    }
    assert not [name for name in names if name.endswith((".jpg", ".pth", ".ckpt", ".csv"))]


@pytest.mark.slow
def test_the_installed_wheel_trains_from_another_folder(
    wheel: Path, sample_root: Path, tmp_path: Path
) -> None:
    # The wheel alone is new; its dependencies are lent by a path file, to need no network.
    python, site = install_alone(wheel, tmp_path / "env")
    lent = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (site / "lent.pth").write_text(f"{lent}\n")
    # Without the checkout that the lending environment has installed as editable.
    (site / "zz_checkout.pth").write_text(
        f"import sys; sys.path[:] = [p for p in sys.path if p != {str(ROOT / 'src')!r}]\n"
    )
    where = "import emotion; print(emotion.__file__)"
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    found = subprocess.run(
        [python, "-c", where], capture_output=True, text=True, env=plain, cwd=tmp_path
    )
    assert found.stdout.startswith(str(site)), found.stdout + found.stderr
    command = [
        str(python), "-m", "emotion", "train", "-m", "seed=1", f"data.root={sample_root}",
        "model.weights=null", "input.size=64", "trainer=cpu", "trainer.max_epochs=1",
        "trainer.limit_train_batches=1", "data.batch_size=4",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, env=plain, cwd=tmp_path, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "outputs" / "sweeps").glob("*/0/checkpoints/epoch_001.ckpt"))
