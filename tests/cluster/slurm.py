"""A SLURM of one's own on loopback: one node, its own ports, folder and key; gone afterwards."""

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.cluster.processes import kill_all, processes_with, tidied_on_sigterm, wait_for

NEEDED = (
    "munged",
    "slurmctld",
    "slurmd",
    "sbatch",
    "scancel",
    "scontrol",
    "sinfo",
    "squeue",
    "srun",
)
NODE = "localhost"  # what Lightning resolves as the address of rank 0
PLACES = ("/usr/sbin", "/sbin", "/usr/local/sbin")  # of daemons; not on everybody's PATH
START = 60.0  # seconds for a daemon to answer
GRACE = 10.0  # seconds for one to end

CONFIG = """\
ClusterName=emotion
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller}
SlurmdPort={worker}
AuthType=auth/munge
# A requeued job starts as soon as its first credential is void; otherwise after two minutes.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
KillWait=10
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=100000,bf_interval=1
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """A running SLURM.

    Attributes:
        folder: of its files; the daemons' logs are there.
        environment: in which `srun` and the others find it.
        variable: of that environment, which all processes of this SLURM have.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.variable = f"SLURM_CONF={folder}/slurm.conf"

    def run(self, *command: str, seconds: float = 60) -> str:
        """Runs a command and gives what it printed; an error shows what it said."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=seconds
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def submit(self, script: Path, *options: str) -> str:
        """Hands a job in; gives its number."""
        return self.run("sbatch", "--parsable", *options, str(script)).strip()

    def state(self, job: str) -> dict[str, str]:
        """Gives what `scontrol show job` says: JobState, Restarts, ExitCode and so on."""
        words = self.run("scontrol", "--oneliner", "show", "job", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait(self, job: str, seconds: float = 240) -> dict[str, str]:
        """Waits for a job to end; gives its last state."""
        wait_for(
            lambda: self.state(job)["JobState"] not in ("PENDING", "RUNNING", "COMPLETING"),
            f"job {job} to end",
            seconds,
        )
        return self.state(job)

    def processes(self) -> dict[int, str]:
        """Gives the daemons and whatever they have started: process id, and command line."""
        return processes_with(self.variable)


def missing_programs() -> list[str]:
    """Names the programs that a SLURM needs and this machine has not."""
    return [name for name in NEEDED if shutil.which(name, path=_path()) is None]


@contextmanager
def started_slurm(cpus: int = 2) -> Iterator[Slurm]:
    """Starts a SLURM with one node; nothing of it is left afterwards, whatever happens.

    Raises:
        AssertionError: programs are missing, or a daemon does not answer; says which, and its log.
    """
    missing = missing_programs()
    assert not missing, f"no {', '.join(missing)} here; `apt install slurm-wlm munge` brings them"
    # A short path: that of a socket may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    environment = os.environ | {"PATH": _path(), "SLURM_CONF": f"{folder}/slurm.conf"}
    slurm = Slurm(folder, environment)
    with tidied_on_sigterm(), ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(kill_all, slurm.variable)  # the steps of jobs outlive their daemon
        _configure(folder, cpus)
        stack.enter_context(_daemon(slurm, "munged", *_munge_options(folder)))
        _answers(slurm, "munged", "munge", "--no-input", f"--socket={folder}/munge.socket")
        stack.enter_context(_daemon(slurm, "slurmctld", "-D"))
        stack.enter_context(_daemon(slurm, "slurmd", "-D", "-N", NODE))
        _answers(slurm, "slurmctld", "sinfo", "--noheader", "--format=%T", text="idle")
        stack.callback(_cancel, slurm)
        yield slurm


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *PLACES])


def _configure(folder: Path, cpus: int) -> None:
    folder.chmod(0o755)  # whoever uses munge must reach its socket
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(128))
    controller, worker = _free_ports(2)
    text = CONFIG.format(
        host=socket.gethostname().split(".")[0],
        user=getpass.getuser(),
        controller=controller,
        worker=worker,
        folder=folder,
        node=NODE,
        cpus=cpus,
    )
    (folder / "slurm.conf").write_text(text)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _munge_options(folder: Path) -> list[str]:
    names = ("key-file=munge.key", "socket=munge.socket", "pid-file=munge.pid",
             "log-file=munge.log", "seed-file=munge.seed")  # fmt: skip
    paths = [f"--{name.split('=')[0]}={folder}/{name.split('=')[1]}" for name in names]
    return ["--foreground", "--force", *paths]  # force: the key lies in a temporary folder


@contextmanager
def _daemon(slurm: Slurm, *command: str) -> Iterator[None]:
    with (slurm.folder / f"{command[0]}.out").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=slurm.environment,
            cwd=slurm.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(slurm: Slurm, daemon: str, *command: str, text: str = "") -> None:
    last = time.monotonic() + START
    while True:
        done = subprocess.run(command, env=slurm.environment, capture_output=True, text=True)
        if done.returncode == 0 and text in done.stdout:
            return
        if time.monotonic() > last:
            logs = "".join(
                path.read_text(errors="replace")[-3000:] for path in slurm.folder.glob("*.[lo]*")
            )
            raise AssertionError(f"{daemon} does not answer: {done.stdout}{done.stderr}\n{logs}")
        time.sleep(0.2)


def _cancel(slurm: Slurm) -> None:
    """Cancels all jobs and waits until they are gone."""
    subprocess.run(
        ["scancel", f"--user={getpass.getuser()}"], env=slurm.environment, capture_output=True
    )
    last = time.monotonic() + 2 * GRACE
    while time.monotonic() < last:
        listed: Sequence[str] = ["squeue", "--noheader"]
        done = subprocess.run(listed, env=slurm.environment, capture_output=True, text=True)
        if done.returncode or not done.stdout.strip():
            return
        time.sleep(0.2)
