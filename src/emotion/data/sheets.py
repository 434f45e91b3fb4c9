"""Contact sheets: what a network will see, before and after augmentation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emotion.data.datamodule import CropDataset, FaceCropDataModule
from emotion.faces.samples import FaceSample
from emotion.figures.canvas import save_figure
from emotion.figures.grids import draw_grid

TIMES = 7  # augmented versions of a face
ROWS = 6  # faces that are shown augmented


def write_sheets(data: FaceCropDataModule, folder: Path, count: int) -> list[Path]:
    """Writes a sheet of crops for each class, and one of augmented crops.

    Args:
        data: its training and validation parts are shown as they are read for a fit.
        folder: where the PNG files go.
        count: faces on each sheet; which ones is drawn with the data's seed.

    Returns:
        The files.
    """
    data.setup("fit")
    dataset, samples = data.dataset("train"), data.samples["train"]
    written = []
    for target, label in enumerate(data.input.labels):
        rows = [row for row, sample in enumerate(samples) if sample.target == target]
        path = folder / f"crops_{target}_{_file_name(label)}.png"
        _write_crops(path, dataset, samples, _some(rows, count, data.seed), label, len(rows))
        written.append(path)
    path = folder / "augmented.png"
    _write_augmented(path, dataset, samples, data)
    return [*written, path]


def _some(rows: Sequence[int], count: int, seed: int) -> list[int]:
    generator = np.random.default_rng(seed)
    return sorted(generator.permutation(np.array(rows, dtype=np.int64))[:count].tolist())


def _write_crops(
    path: Path,
    dataset: CropDataset,
    samples: Sequence[FaceSample],
    rows: Sequence[int],
    label: str,
    total: int,
) -> None:
    pictures = [np.asarray(dataset.crops.pixels[row]) for row in rows]
    title = f"{label}: {len(rows)} of {total} training faces"
    save_figure(draw_grid(pictures, [_caption(samples[row]) for row in rows], title), path)


def _write_augmented(
    path: Path, dataset: CropDataset, samples: Sequence[FaceSample], data: FaceCropDataModule
) -> None:
    pictures, captions = [], []
    for row in _some(range(len(samples)), ROWS, data.seed):
        pictures.append(np.asarray(dataset.crops.pixels[row]))
        captions.append(_caption(samples[row]))
        for turn in range(TIMES):
            pictures.append(dataset[turn, row][0].numpy())
            captions.append(f"epoch {turn + 1}")
    title = "training crops as they are kept, and as the first epochs see them"
    save_figure(draw_grid(pictures, captions, title, columns=TIMES + 1), path)


def _caption(sample: FaceSample) -> str:
    name = sample.image.stem
    return name if len(name) <= 14 else f"…{name[-13:]}"


def _file_name(label: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in label)[:40]
