"""A run with a data set of its own, for tests that look at what it was trained on."""

import shutil
from pathlib import Path

import pytest
from tests.conftest import train_tiny

from emotion.experiments.outcome import RunResult


@pytest.fixture(scope="session")
def data(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of its own, which tests may move; each photo is another person, but two."""
    root = shutil.copytree(sample_root, tmp_path_factory.mktemp("data") / "faces")
    photos = sorted(path.relative_to(root).as_posix() for path in root.rglob("img/*"))
    persons = {photo: f"p{i}" for i, photo in enumerate(photos)}
    test = [photo for photo in photos if photo.startswith("test/")]
    persons[photos[-1]] = persons[test[0]]  # on a photo to train on, and on one of the test
    lines = [f"{photo},{person}" for photo, person in persons.items()]
    (root / "groups.csv").write_text("\n".join(["filename,person", *lines]))
    return root


@pytest.fixture(scope="session")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return train_tiny(data, tmp_path_factory.mktemp("own") / "run", "trainer.max_epochs=1")
