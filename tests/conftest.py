"""Fixtures that more than one test file needs."""

import gc
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import settings
from tests.browser import find_browser
from tests.exports import Exported, export_all
from tests.sharing import CACHE, made_once, set_cache

if TYPE_CHECKING:  # torch, which the process that only hands out tests can do without
    from emotion.experiments.outcome import RunResult

# A busy machine is no failure. With the slow tests more examples are tried.
settings.register_profile("all", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=40)

# What is imported stays: to look through a million objects for garbage again and again takes a
# fifteenth of the session.
gc.set_threshold(20_000, 20, 20)

# A shell that starts the tests in the background lets them ignore Ctrl-C, and nohup the end of the
# terminal; their processes would do so too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    """Chooses how many examples are tried."""
    settings.load_profile("quick" if "not slow" in config.option.markexpr else "all")


def pytest_collection_finish() -> None:
    """Takes what is imported by now from what is looked through for garbage."""
    gc.collect()
    gc.freeze()


SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the project with the photos that it is not allowed to carry."""
    if not SHARED.is_dir():
        pytest.skip(f"no folder {SHARED}: it holds the real photos that this test reads")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Lets trainings share their crops, and what is known of the photos."""
    set_cache(tmp_path_factory)


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample data set of 20 drawn scenes: `train/` and `test/`; nobody writes into it."""

    from emotion.data.sample import write_sample

    def draw(folder: Path) -> Path:
        write_sample(folder / "data", images=20, seed=3)
        return folder / "data"

    return made_once(tmp_path_factory, "sample", draw)


@contextmanager
def blank_figures() -> Iterator[None]:
    """Leaves figures blank for as long as the block lasts: of their size, with nothing drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with mock.patch.object(FigureCanvasAgg, "draw", FigureCanvasAgg.get_renderer):
        yield


@pytest.fixture
def blank() -> Iterator[None]:
    """Leaves figures blank, for tests of something else: they take most of a report's time."""
    with blank_figures():
        yield


def train_tiny(root: Path, folder: Path, *overrides: str, pictures: bool = False) -> "RunResult":
    """Trains two small steps an epoch for two epochs on the CPU, from random weights.

    Args:
        root: the data set.
        folder: of the run.
        overrides: more settings.
        pictures: whether TensorBoard has pictures and the curves are drawn; they take as long as
            an epoch.
    """
    from hydra import compose, initialize_config_dir

    from emotion.experiments.configs import VERSION_BASE
    from emotion.experiments.runs import train
    from emotion.files import config_folder

    tiny = [
        f"data.root={root}",
        f"run_dir={folder}",
        CACHE,
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
    with nullcontext() if pictures else blank_figures():
        result = train(config)
    assert result is not None
    return result


@pytest.fixture(scope="session")
def trained(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> "RunResult":
    """A finished run on the sample data set, as training leaves it; nobody writes into it."""
    return made_once(
        tmp_path_factory,
        "run",
        lambda folder: train_tiny(sample_root, folder / "run", pictures=True),
    )


@pytest.fixture(scope="session")
def run_result(trained: "RunResult", tmp_path_factory: pytest.TempPathFactory) -> "RunResult":
    """That run without what the optimiser keeps, which is two thirds of a checkpoint.

    Nobody writes into its folder, but for the list of evaluations.
    """
    import torch

    folder = shutil.copytree(trained.folder, tmp_path_factory.mktemp("run") / "run")
    for path in (folder / "checkpoints").iterdir():
        content = torch.load(path, weights_only=True)
        torch.save(content | {"optimizer_states": []}, path)
    checkpoint = folder / trained.checkpoint.relative_to(trained.folder)
    return replace(trained, folder=folder, checkpoint=checkpoint)


@pytest.fixture
def browser(tmp_path: Path) -> list[str]:
    """The command of a headless Chromium with a profile of its own."""
    return find_browser(tmp_path / "profile")


@pytest.fixture(scope="session")
def exported(run_result: "RunResult", tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The finished run's checkpoint, calibrated, in all float formats; nobody changes them."""
    # Half a minute of computing.
    return made_once(
        tmp_path_factory, "exported", lambda folder: export_all(run_result.checkpoint, folder)
    )
