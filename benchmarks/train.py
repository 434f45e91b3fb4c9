"""How fast training is: its loop, its epoch, its start, and what it costs to watch it.

    python benchmarks/train.py loop DATA --size 128      our loop against a bare one, step by step
    python benchmarks/train.py epoch DATA --size 128     an epoch against the code one writes first
    python benchmarks/train.py watch DATA --size 128     what it costs to see validation
    python benchmarks/train.py memory DATA --size 96     memory that tensors take again, or do not
    python benchmarks/train.py start DATA                from the command to the first step
    python benchmarks/train.py sweep                     eight tiny jobs against their sum

DATA is a data set as `emotion train` takes it. All compare within one run, since a machine's speed
changes from minute to minute, and print the ratio with its spread. On a GPU `loop` takes
`--accelerator gpu --precision bf16-mixed --compile`.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback

BLOCK = 10  # steps that give one ratio of the loop's spread


def settings(options: argparse.Namespace, folder: Path) -> list[str]:
    """Gives the original's recipe on a data set, from random weights."""
    return [
        "experiment=original", f"data.root={options.root}", f"data.val={options.val}",
        "data.train=null", "model.weights=null", f"input.size={options.size}",
        f"data.batch_size={options.batch}", f"hydra.run.dir={folder / 'run'}",
        f"trainer.accelerator={options.accelerator}",
    ]  # fmt: skip


class BareLoop(Callback):
    """After each step of ours takes one with a bare loop, and times both.

    The bare loop has a copy of the network in the same memory format, the same optimiser and
    precision, and the batches of our first steps in memory. Our time is all that passes from the
    end of its step to the end of our next: waiting for the batch, hooks, metrics, logs, schedules.
    """

    def __init__(self, skipped: int) -> None:
        self.skipped = skipped  # steps at first, in which memory is found and kernels are chosen
        self.batches: list[dict[str, Any]] = []
        self.times: list[tuple[float, float, float]] = []  # ours, of which waiting, and bare
        self.last = self.arrived = 0.0
        self.step: Callable[[dict[str, Any]], None] = lambda _: None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Makes the bare loop."""
        import torch
        from torch.nn.functional import cross_entropy

        network = deepcopy(pl_module.network).train()
        if pl_module.compiled:
            network.compile()
        optimizer = torch.optim.Adam(network.parameters(), lr=3e-5)
        device = pl_module.device.type
        half = trainer.precision == "bf16-mixed"

        def step(batch: dict[str, Any]) -> None:
            with torch.autocast(device, torch.bfloat16, enabled=half):
                loss = cross_entropy(network(batch["pixels"]), batch["targets"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        self.step = step
        self.synchronise = torch.cuda.synchronize if device == "cuda" else lambda: None

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, index: int) -> None:
        """Notes when the batch was there."""
        self.arrived = time.perf_counter()
        if len(self.batches) < 4:
            self.batches.append({name: tensor.clone() for name, tensor in batch.items()})

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Takes the bare step."""
        self.synchronise()
        ended = time.perf_counter()
        self.step(self.batches[trainer.global_step % len(self.batches)])
        self.synchronise()
        now = time.perf_counter()
        # The first of an epoch comes after validation and checkpoints, which are no part of a loop.
        if trainer.global_step > self.skipped and batch_idx:
            self.times.append((ended - self.last, self.arrived - self.last, now - ended))
        self.last = now


def loop(options: argparse.Namespace) -> None:
    """Prints images a second of both loops, and what ours takes longer."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import torch

    from emotion.experiments.configs import compose_config
    from emotion.experiments.parts import build_run, check_run
    from emotion.memory import keep_memory

    keep_memory()
    with tempfile.TemporaryDirectory() as folder:
        own = [item for item in settings(options, Path(folder)) if not item.startswith("hydra")]
        config = compose_config(
            [
                *own, f"run_dir={folder}", f"trainer.precision={options.precision}",
                f"model.compile={str(options.compile).lower()}", "trainer.max_epochs=1000",
                f"+trainer.max_steps={options.steps + options.warmup}",
            ]
        )  # fmt: skip
        run = build_run(config)
        check_run(run)
        bare = BareLoop(options.warmup)
        run.trainer.callbacks.append(bare)  # type: ignore[attr-defined]
        run.trainer.fit(run.module, run.data)
    ours, waiting, theirs = (list(column) for column in zip(*bare.times, strict=True))
    blocks = [slice(i, i + BLOCK) for i in range(0, len(ours), BLOCK)]
    ratios = [sum(ours[block]) / sum(theirs[block]) for block in blocks]
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.accelerator},"
        f" {options.precision}, {options.size} px, batch {options.batch}, {len(ours)} steps"
        f"{', compiled' if options.compile else ''}"
    )
    for name, seconds in {"bare": theirs, "emotion": ours}.items():
        print(f"{name:8} {options.batch / statistics.median(seconds):8.1f} images/s")
    print(f"waiting for batches: {100 * sum(waiting) / sum(ours):.1f} % of our time")
    print(f"time of ours to bare: {spread(ratios)}")


def spread(ratios: Sequence[float]) -> str:
    """Gives the median, the least and the largest."""
    return f"{statistics.median(ratios):.3f} [{min(ratios):.3f}, {max(ratios):.3f}]"


def plain_epochs(options: argparse.Namespace) -> list[float]:
    """Trains as one writes it first: PIL, torchvision, the default memory format; gives seconds."""
    import torch
    from PIL import Image
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.models import mobilenet_v2

    from emotion.experiments.parts import build_data
    from emotion.faces.images import read_image

    own = [i for i in settings(options, Path()) if not i.startswith(("hydra", "trainer"))]
    data = build_data(own)
    data.read_samples()
    spec, size = data.input, options.size
    normalise = [transforms.ToTensor(), transforms.Normalize(spec.mean, spec.std)]
    larger = round(size * 1.09375)
    augment = [
        transforms.RandomRotation(10),
        transforms.RandomHorizontalFlip(),
        transforms.Resize((larger, larger)),
        transforms.RandomCrop(size),
    ]

    class Crops(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
        def __init__(self, part: str, steps: list[Any]) -> None:
            samples = data.samples[part]
            self.crops = [Image.fromarray(spec.crop(read_image(s.image), s.box)) for s in samples]
            self.targets = [s.target for s in samples]
            self.transform = transforms.Compose([*steps, *normalise])

        def __len__(self) -> int:
            return len(self.crops)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return self.transform(self.crops[index]), self.targets[index]

    train = DataLoader(Crops("train", augment), batch_size=options.batch, shuffle=True)
    val = DataLoader(Crops("val", [transforms.Resize((size, size))]), batch_size=options.batch)
    network = mobilenet_v2(num_classes=len(spec.labels))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-5)
    seconds = []
    for _ in range(options.epochs):
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


def epoch(options: argparse.Namespace) -> None:
    """Prints the seconds of an epoch, plain and ours, in turn, each in a process of its own."""
    if options.plain:
        print(json.dumps(plain_epochs(options)))
        return
    ratios = []
    for number in range(1, options.rounds + 1):
        done = subprocess.run(
            [sys.executable, *sys.argv, "--plain"], capture_output=True, text=True, check=True
        )
        plain = statistics.median(json.loads(done.stdout.splitlines()[-1]))
        ours = statistics.median(our_epochs(options)[0])
        ratios.append(plain / ours)
        print(
            f"round {number}: plain {plain:.1f} s, emotion {ours:.1f} s, {plain / ours:.2f} times"
        )
    print(f"plain to ours: {spread(ratios)}")


def our_epochs(
    options: argparse.Namespace, start: Sequence[str] = ("-m", "emotion", "train")
) -> tuple[list[float], float]:
    """Runs `emotion train`; gives the seconds of each epoch, and the peak of its memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        more = [*settings(options, Path(folder)), f"trainer.max_epochs={options.epochs}"]
        process = subprocess.Popen([sys.executable, *start, *more], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(process.returncode)
        with (Path(folder) / "run" / "epochs.csv").open(newline="") as stream:
            seconds = [float(row["seconds"]) for row in csv.DictReader(stream)]
    return seconds, usage.ru_maxrss / 1000


GIVING_BACK = """
import sys
from emotion import memory
from emotion.commands.train import main
memory.PLENTY = float("inf")
sys.exit(main(sys.argv[1:]))
"""


def memory(options: argparse.Namespace) -> None:
    """Prints what an epoch whose tensors give memory back takes to one of ours, and its memory."""
    times, peaks = [], []
    for number in range(1, options.rounds + 1):
        given, given_peak = our_epochs(options, ("-c", GIVING_BACK))
        kept, kept_peak = our_epochs(options)
        times.append(statistics.median(given) / statistics.median(kept))
        peaks.append(given_peak / kept_peak)
        print(
            f"round {number}: given back {statistics.median(given):.1f} s, {given_peak:.0f} MB;"
            f" kept {statistics.median(kept):.1f} s, {kept_peak:.0f} MB"
        )
    print(f"time of given back to kept: {spread(times)}")
    print(f"memory of given back to kept: {spread(peaks)}")


class Watched(Callback):
    """Lets every other epoch do without what TensorBoard shows of validation, and times all.

    That is F1 of each class, the calibration error, the confusion matrix and the worst mistakes,
    here all drawn in each epoch that has them. The order within a pair of epochs changes from pair
    to pair, so that a machine that becomes slower favours neither.
    """

    def __init__(self, pictures: Any) -> None:
        self.pictures = pictures
        self.began: tuple[float, float] | None = None
        self.times: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        self.spent: list[float] = []  # CPU seconds of each epoch in what is added, by itself

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Lets what is added be timed by itself: two epochs may differ by more than that."""
        self._time(self.pictures, "on_validation_batch_end", "on_validation_end")
        self._time(pl_module.val_metrics.calibration, "update", "compute")

    def _time(self, owner: Any, *names: str) -> None:
        def timed(function: Callable[..., Any], *arguments: Any) -> Any:
            begun = time.process_time()
            try:
                return function(*arguments)
            finally:
                self.spent[-1] += time.process_time() - begun

        for name in names:
            setattr(owner, name, partial(timed, getattr(owner, name)))

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Notes what the epoch before took, all to its end, and switches."""
        number = trainer.current_epoch - 2  # the first two choose kernels and show their batch
        self._note(number - 1)
        self._switch(pl_module, self.is_watched(number))
        self.spent.append(0.0)
        self.began = time.perf_counter(), time.process_time()

    def _switch(self, module: Any, watched: bool) -> None:
        from emotion.training.metrics import StageMetrics

        metrics = module.val_metrics
        kind = type(metrics) if watched else StageMetrics
        metrics.update, metrics.named = partial(kind.update, metrics), partial(kind.named, metrics)
        own = partial(type(metrics).of_classes, metrics)
        metrics.of_classes = own if watched else lambda table: {}
        self.pictures.confusion_epochs = self.pictures.mistakes_epochs = int(watched)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Notes what the last epoch took."""
        self._note(trainer.max_epochs - 3)

    def is_watched(self, number: int) -> bool:
        """Tells whether an epoch has it all; the first of the two at the start is -2."""
        return number % 4 in (1, 2)

    def _note(self, number: int) -> None:
        if number >= 0 and self.began is not None:
            wall, cpu = self.began
            took = time.perf_counter() - wall, time.process_time() - cpu
            self.times[self.is_watched(number)].append(took)


def watch(options: argparse.Namespace) -> None:
    """Prints what validation's pictures, F1 of each class and calibration add to an epoch."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    from emotion.experiments.configs import compose_config
    from emotion.experiments.parts import build_run, check_run
    from emotion.memory import keep_memory
    from emotion.training.pictures import TensorBoardPictures

    keep_memory()
    with tempfile.TemporaryDirectory() as folder:
        own = [item for item in settings(options, Path(folder)) if not item.startswith("hydra")]
        epochs = f"trainer.max_epochs={2 + 2 * options.rounds}"
        run = build_run(compose_config([*own, f"run_dir={folder}", epochs]))
        check_run(run)
        callbacks: list[Any] = run.trainer.callbacks  # type: ignore[attr-defined]
        (pictures,) = (item for item in callbacks if isinstance(item, TensorBoardPictures))
        watched = Watched(pictures)
        callbacks.insert(0, watched)
        run.trainer.fit(run.module, run.data)
        faces = [run.data.epoch_faces(part) for part in ("train", "val")]
    print(f"{faces[0]} faces to train on, {faces[1]} to validate on, {options.size} px")
    for place, name in enumerate(("wall time", "CPU time")):
        more, less = ([took[place] for took in watched.times[on]] for on in (True, False))
        ratios = [a / b for a, b in zip(more, less, strict=True)]
        extra = 1000 * (statistics.median(more) - statistics.median(less))
        print(
            f"{name}: {statistics.median(less):.2f} s an epoch, watched {extra:+.0f} ms;"
            f" watched to not: {spread(ratios)}"
        )
    added = [spent for number, spent in enumerate(watched.spent[2:]) if watched.is_watched(number)]
    base = statistics.median(took[1] for took in watched.times[False])
    print(
        f"in what is added, by itself: {1000 * statistics.median(added):.0f} ms of CPU time,"
        f" {100 * statistics.median(added) / base:.2f} % of an epoch"
    )


class FirstStep(Callback):
    """Tells when the first step was taken, and ends the process."""

    def on_train_batch_end(self, *_: Any) -> None:
        """Ends."""
        print(time.time(), flush=True)
        os._exit(0)


def start(options: argparse.Namespace) -> None:
    """Prints the seconds from the command to the end of the first step, and those of imports."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    modules = "import emotion.commands.train, emotion.experiments.runs, emotion.experiments.parts"
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds + 1):
            run = argparse.Namespace(**vars(options))
            more = settings(run, Path(folder) / str(number))
            command = [sys.executable, "-m", "emotion", "train", *more]
            command.append("+callbacks.first._target_=train.FirstStep")
            begun = time.time()
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=environment
            )
            first = float(done.stdout.splitlines()[-1]) - begun
            begun = time.time()
            subprocess.run([sys.executable, "-c", modules], check=True)
            if number:  # the first round fills the caches
                rounds.append((first, time.time() - begun))
    print(f"to the first step  {spread([first for first, _ in rounds])} s")
    print(f"of which imports   {spread([imports for _, imports in rounds])} s")


def sweep(options: argparse.Namespace) -> None:
    """Prints how long a sweep of tiny jobs takes against the sum of its jobs."""
    with tempfile.TemporaryDirectory() as folder:
        data, emotion = Path(folder) / "data", [sys.executable, "-m", "emotion"]
        draw = [*emotion, "data", "sample", str(data), "--images", "40", "--seed", "1"]
        subprocess.run(draw, check=True, capture_output=True)
        more = [
            f"data.root={data}", "model.weights=null", "input.size=64", "trainer=cpu",
            "trainer.max_epochs=2", "data.batch_size=8", f"data.cache={folder}/cache",
        ]  # fmt: skip
        for jobs in (1, 2):
            place = Path(folder) / f"sweep-{jobs}"
            command = [
                *emotion, "train", "-m", f"seed=range(1,{options.jobs + 1})", *more,
                f"hydra.sweep.dir={place}", f"hydra.launcher.jobs={jobs}",
            ]  # fmt: skip
            begun = time.time()
            subprocess.run(command, check=True, capture_output=True)
            wall = time.time() - begun
            ends = json.loads((place / "sweep.json").read_bytes())["jobs"]
            sum_of_jobs = sum(end["seconds"] for end in ends)
            print(
                f"{jobs} at once: {wall:.1f} s for {len(ends)} jobs, which took {sum_of_jobs:.1f} s"
                f" in all; wall time to their sum {wall / sum_of_jobs:.3f}"
            )


def main() -> None:
    """Runs one of the comparisons."""
    text = __doc__ or ""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(required=True)
    for verb in (loop, epoch, watch, memory, start, sweep):
        own = verbs.add_parser(verb.__name__, help=(verb.__doc__ or "").splitlines()[0])
        own.set_defaults(verb=verb)
        if verb is not sweep:
            own.add_argument("root", type=Path)
        own.add_argument("--val", default="0.2", help="share or number of photos to validate on")
        own.add_argument("--size", type=int, default=128)
        own.add_argument("--batch", type=int, default=50)
        own.add_argument("--accelerator", default="cpu")
        own.add_argument("--precision", default="32-true")
        own.add_argument("--compile", action="store_true")
        own.add_argument("--steps", type=int, default=60)
        own.add_argument("--warmup", type=int, default=5, help="steps that are not timed")
        own.add_argument("--rounds", type=int, default=3)
        own.add_argument("--epochs", type=int, default=2)
        own.add_argument("--jobs", type=int, default=8, help="of the sweep")
        own.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.verb(options)


if __name__ == "__main__":
    main()
