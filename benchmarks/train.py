"""Seconds an epoch of the original's recipe: plain PyTorch against `emotion train`, in one run.

    python benchmarks/train.py ../shared/data/faces5 --size 128 --rounds 3

Plain is what one writes first: decoded crops in memory, PIL and torchvision transforms, the
default memory format, batch 200, Adam. Ours is the framework with everything that it does in an
epoch: metrics, TensorBoard, checkpoints. Both train and validate on the same faces, from random
weights, in processes of their own, in turn; the ratio of each round is printed, and its spread.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def plain_epoch(root: Path, size: int, epochs: int) -> list[float]:
    """Trains plainly; gives the seconds of each epoch."""
    import torch
    from PIL import Image
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.models import mobilenet_v2

    from emotion.data.splits import split_photos
    from emotion.faces.folders import read_photos
    from emotion.faces.images import read_image
    from emotion.faces.inputs import InputSpec
    from emotion.faces.labels import LabelScheme
    from emotion.faces.samples import gather_samples

    normalise = transforms.Normalize(InputSpec().mean, InputSpec().std)
    augment = transforms.Compose(
        [
            transforms.RandomRotation(10),
            transforms.RandomHorizontalFlip(),
            transforms.Resize((round(size * 1.09375),) * 2),
            transforms.RandomCrop(size),
            transforms.ToTensor(),
            normalise,
        ]
    )
    resize = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor(), normalise])

    class Crops(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
        def __init__(self, photos: list, transform: transforms.Compose) -> None:  # type: ignore[type-arg]
            samples = gather_samples(photos, LabelScheme(), True, str(root))
            spec = InputSpec()
            self.crops = [Image.fromarray(spec.crop(read_image(s.image), s.box)) for s in samples]
            self.targets = [s.target for s in samples]
            self.transform = transform

        def __len__(self) -> int:
            return len(self.crops)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return self.transform(self.crops[index]), self.targets[index]

    kept, chosen = split_photos(read_photos(root / "train"), 388, 1300, 1, str(root))
    train = DataLoader(Crops(kept, augment), batch_size=200, shuffle=True)
    val = DataLoader(Crops(chosen, resize), batch_size=200)
    network = mobilenet_v2(num_classes=5)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-5)
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        network.train()
        for pixels, targets in train:
            optimizer.zero_grad()
            cross_entropy(network(pixels), targets).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for pixels, targets in val:
                cross_entropy(network(pixels), targets)
        seconds.append(time.perf_counter() - start)
    return seconds


def plain(root: Path, size: int, epochs: int) -> float:
    """Runs the plain loop in a process of its own; gives the median seconds of an epoch."""
    command = [sys.executable, __file__, str(root), "--size", str(size), "--plain", str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return statistics.median(json.loads(done.stdout.splitlines()[-1]))


def ours(root: Path, size: int, epochs: int) -> float:
    """Runs `emotion train`; gives the median seconds of an epoch."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "emotion", "train", "experiment=original", f"data.root={root}",
            "model.weights=null", f"input.size={size}", f"trainer.max_epochs={epochs}",
            "trainer=cpu", f"hydra.run.dir={folder}/run",
        ]  # fmt: skip
        subprocess.run(command, capture_output=True, text=True, check=True)
        header, *rows = [
            line.split(",") for line in (Path(folder) / "run" / "epochs.csv").read_text().split()
        ]
        return statistics.median(float(row[header.index("seconds")]) for row in rows)


def main() -> None:
    """Prints the seconds of each round, their ratio, and its spread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("root", type=Path)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        print(json.dumps(plain_epoch(options.root, options.size, options.plain)))
        return
    ratios = []
    for number in range(1, options.rounds + 1):
        slow = plain(options.root, options.size, options.epochs)
        fast = ours(options.root, options.size, options.epochs)
        ratios.append(slow / fast)
        print(f"round {number}: plain {slow:.1f} s, emotion {fast:.1f} s, ratio {slow / fast:.2f}")
    print(f"ratio {statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]")


if __name__ == "__main__":
    main()
