"""Training over two machines, as `hosts.py` makes them; each test's messages say which kind."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.cluster.hosts import Host, two_hosts
from tests.cluster.processes import wait_for
from tests.cluster.runs import TINY, epochs, metrics, numbers, record, validation_faces
from tests.processes import free_port

pytestmark = pytest.mark.slow

EPOCHS = 6
WAYS = ("torchrun", "variables")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
# Two machines give the weights of one only where no layer looks at the batch as a whole.
EXACT = ["model.batch_norm=frozen", "model.dropout=0"]


def settings(root: Path, folder: Path) -> list[str]:
    same = [f"data.root={root}", "data.val=5", f"trainer.max_epochs={EPOCHS}", "resume=auto"]
    return ["train", *TINY, *EXACT, *same, f"hydra.run.dir={folder}"]


@dataclass
class Training:
    """One training on two hosts, started in one of two ways.

    Attributes:
        hosts: that take part; the first is the meeting point.
        way: "torchrun", or "variables" for those of Lightning.
        root: the data set.
        place: gets the run folder `run` and a log for each host.
        restarts: how often torchrun may begin anew.
    """

    hosts: tuple[Host, Host]
    way: str
    root: Path
    place: Path
    restarts: int = 0
    port: int = field(default_factory=free_port)

    @property
    def folder(self) -> Path:
        return self.place / "run"

    def start(self, number: int) -> "subprocess.Popen[bytes]":
        """Starts, or starts again, what runs on a host; always by the same command."""
        ddp = [
            "trainer=ddp",
            "trainer.accelerator=cpu",
            "trainer.devices=1",
            "trainer.num_nodes=2",
        ]
        meeting = self.hosts[0].name
        command: Sequence[str] = [sys.executable]
        variables = {
            "MASTER_ADDR": meeting,
            "MASTER_PORT": str(self.port),
            "NODE_RANK": str(number),
        }
        if self.way == "torchrun":
            variables = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
            command = [
                *TORCHRUN, f"--max-restarts={self.restarts}", "--rdzv-backend=c10d",
                f"--rdzv-endpoint={meeting}:{self.port}", "--rdzv-id=test",
            ]  # fmt: skip
        return self.hosts[number].start(
            [*command, "-m", "emotion", *settings(self.root, self.folder), *ddp],
            self.place / f"host{number}.log",
            variables | {"OMP_NUM_THREADS": "1"},
            self.place,
        )

    def said(self) -> str:
        """Gives what kind of hosts they are, and the end of what each has said."""
        logs = [path.read_text(errors="replace")[-4000:] for path in self.place.glob("host*.log")]
        return "\n----\n".join([self.hosts[0].kind, *logs])

    def ends(self, *processes: "subprocess.Popen[bytes]") -> list[int]:
        """Waits for processes to end; gives their exit codes."""
        try:
            return [process.wait(180) for process in processes]
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running: {self.said()}") from None

    def train_until(self, epoch: int) -> None:
        """Waits until an epoch is in `epochs.csv`."""
        wait_for(lambda: len(numbers(self.folder)) >= epoch, f"epoch {epoch}", 120)

    def trains(self, host: int) -> bool:
        """Tells whether a training runs on a host; torchrun that waits is none."""
        own = [line for line in self.hosts[host].processes().values() if "torch.dist" not in line]
        return bool(own)


@pytest.fixture(scope="module")
def alone(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of one process with the same global batch."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    command = [sys.executable, "-m", "emotion", *settings(sample_root, folder), "trainer=cpu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def check_same(folder: Path, alone: Path, root: Path, said: str) -> None:
    """Holds a run against that of one process: epochs, faces, metrics, the epoch that is kept."""
    assert numbers(folder) == list(range(1, EPOCHS + 1)), said
    faces = validation_faces(folder, root)
    for row in epochs(folder):
        assert float(row["val/samples_seen"]) == faces, said
    for ours, theirs in zip(metrics(folder), metrics(alone), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3), said


@pytest.mark.parametrize("way", WAYS)
def test_two_hosts_give_what_one_process_gives(
    way: str, alone: Path, sample_root: Path, tmp_path: Path
) -> None:
    with two_hosts() as hosts:
        training = Training(hosts, way, sample_root, tmp_path)
        assert training.ends(training.start(0), training.start(1)) == [0, 0], training.said()
        assert not any(host.processes() for host in hosts), training.said()
    check_same(tmp_path / "run", alone, sample_root, training.said())
    assert record(tmp_path / "run")["resumed"] == 0


def test_torchrun_waits_for_a_host_that_died_and_goes_on_with_it(
    alone: Path, sample_root: Path, tmp_path: Path
) -> None:
    with two_hosts() as hosts:
        training = Training(hosts, "torchrun", sample_root, tmp_path, restarts=3)
        first = training.start(0)
        training.start(1)
        training.train_until(2)
        hosts[1].kill()
        assert not hosts[1].processes()
        before = len(numbers(tmp_path / "run"))
        assert before < EPOCHS, training.said()
        again = training.start(1)
        assert training.ends(first, again) == [0, 0], training.said()
        assert not any(host.processes() for host in hosts), training.said()
    check_same(tmp_path / "run", alone, sample_root, training.said())
    assert record(tmp_path / "run")["resumed"] == 1, training.said()


@pytest.mark.parametrize(("way", "victim"), [("torchrun", 0), ("variables", 1), ("variables", 0)])
def test_the_other_host_ends_too_and_the_same_commands_go_on(
    way: str, victim: int, alone: Path, sample_root: Path, tmp_path: Path
) -> None:
    with two_hosts() as hosts:
        training = Training(hosts, way, sample_root, tmp_path)
        started = [training.start(0), training.start(1)]
        training.train_until(2)
        hosts[victim].kill()
        assert training.ends(started[1 - victim])[0] != 0, training.said()
        wait_for(lambda: not training.trains(1 - victim), "the other host", 30)
        assert not any(host.processes() for host in hosts), training.said()
        assert len(numbers(tmp_path / "run")) < EPOCHS, training.said()
        assert training.ends(training.start(0), training.start(1)) == [0, 0], training.said()
    check_same(tmp_path / "run", alone, sample_root, training.said())
    assert record(tmp_path / "run")["resumed"] == 1, training.said()


def test_hosts_that_lost_one_another_end_when_asked_and_go_on(
    alone: Path, sample_root: Path, tmp_path: Path
) -> None:
    # No connection is closed, so neither learns of it: both wait in an exchange of gradients.
    with two_hosts() as hosts:
        training = Training(hosts, "variables", sample_root, tmp_path)
        started = [training.start(0), training.start(1)]
        training.train_until(2)
        hosts[1].unplug()
        for process in started:
            process.terminate()
        assert training.ends(*started) == [143, 143], training.said()
        assert not any(host.processes() for host in hosts), training.said()
        hosts[1].plug()
        assert training.ends(training.start(0), training.start(1)) == [0, 0], training.said()
    check_same(tmp_path / "run", alone, sample_root, training.said())
    assert record(tmp_path / "run")["resumed"] == 1, training.said()
