"""Fixtures that more than one test file needs."""

import signal
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import settings
from tests.browser import find_browser
from tests.exports import Exported, export_all

from emotion.data.sample import write_sample
from emotion.experiments.configs import VERSION_BASE
from emotion.experiments.outcome import RunResult
from emotion.experiments.runs import train
from emotion.files import config_folder

# A busy machine is no failure.
settings.register_profile("emotion", deadline=None)
settings.load_profile("emotion")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and nohup the end of the
# terminal; their processes would do so too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the project with the photos that it is not allowed to carry."""
    if not SHARED.is_dir():
        pytest.skip(f"no folder {SHARED}: it holds the real photos that this test reads")
    return SHARED


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample data set of 20 drawn scenes: `train/` and `test/`; nobody writes into it."""
    root = tmp_path_factory.mktemp("sample") / "data"
    write_sample(root, images=20, seed=3)
    return root


def train_tiny(root: Path, folder: Path, *overrides: str, pictures: bool = False) -> RunResult:
    """Trains two small steps an epoch for two epochs on the CPU, from random weights.

    Args:
        root: the data set.
        folder: of the run.
        overrides: more settings.
        pictures: whether TensorBoard has pictures too; they take as long as an epoch.
    """
    tiny = [
        f"data.root={root}",
        f"run_dir={folder}",
        "data.cache=null",
        "model.weights=null",
        "input.size=64",
        "trainer=cpu",
        "trainer.max_epochs=2",
        "trainer.limit_train_batches=2",
        "data.batch_size=4",
        *([] if pictures else ["~callbacks.pictures"]),
    ]
    with initialize_config_dir(str(config_folder()), version_base=VERSION_BASE):
        config = compose("train", [*tiny, *overrides])
    result = train(config)
    assert result is not None
    return result


@pytest.fixture(scope="session")
def run_result(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """A finished run on the sample data set; nobody writes into its folder."""
    return train_tiny(sample_root, tmp_path_factory.mktemp("run") / "run", pictures=True)


@pytest.fixture
def browser(tmp_path: Path) -> list[str]:
    """The command of a headless Chromium with a profile of its own."""
    return find_browser(tmp_path / "profile")


@pytest.fixture(scope="session")
def exported(run_result: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The finished run's checkpoint, calibrated, in all float formats; nobody changes them."""
    return export_all(run_result.checkpoint, tmp_path_factory.mktemp("exported"))
