"""Two machines for a test: network namespaces with a cable between them, or else two processes."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.processes import kill_all, processes_with, tidied_on_sigterm

ADDRESSES = ("10.77.0.1", "10.77.0.2")  # seen in these namespaces alone
MARK = "EMOTION_TEST_HOST"  # variable by which the processes of a host are found


@dataclass(frozen=True)
class Host:
    """A machine, as far as its network and its processes go.

    Attributes:
        name: by which others resolve it.
        interface: of its network; gloo is told to use it.
        kind: "network namespace" or "process on loopback".
        prefix: what a command is started with to run there.
        mark: of its processes, in their environment.
        started: commands that were started there.
    """

    name: str
    interface: str
    kind: str
    prefix: tuple[str, ...] = ()
    mark: str = field(default_factory=lambda: os.urandom(8).hex())
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def _variable(self) -> str:
        return f"{MARK}={self.mark}"

    def start(
        self, command: Sequence[str], log: Path, variables: Mapping[str, str], cwd: Path
    ) -> "subprocess.Popen[bytes]":
        """Starts a command there; its output is added to a log."""
        settings = {"GLOO_SOCKET_IFNAME": self.interface, MARK: self.mark}
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [*self.prefix, *command],
                env={**os.environ, **settings, **variables},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def processes(self) -> dict[int, str]:
        """Gives what was started there and whatever that has started: id, and command line."""
        return processes_with(self._variable)

    def kill(self) -> None:
        """Kills everything there at once, as a power cut would."""
        kill_all(self._variable)
        for process in self.started:
            process.wait()

    def unplug(self) -> None:
        """Takes the network away without a word to the other side; there is none on loopback."""
        if self.prefix:
            _run(*self.prefix, "ip", "link", "set", self.interface, "down")

    def plug(self) -> None:
        """Gives the network back."""
        if self.prefix:
            _run(*self.prefix, "ip", "link", "set", self.interface, "up")


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Gives two hosts that reach one another and nothing else; nothing is left of them afterwards.

    They are network namespaces where the system lets us make some, and else both this machine.
    """
    with tidied_on_sigterm(), ExitStack() as stack:
        try:
            hosts = _namespaces(stack)
        except (OSError, subprocess.SubprocessError):
            stack.close()  # whatever was made before it failed
            hosts = _loopback()
        for host in hosts:
            stack.callback(host.kill)
        yield hosts


def _loopback() -> tuple[Host, Host]:
    kind = "process on loopback"
    return Host("localhost", "lo", kind), Host("localhost", "lo", kind)


def _namespaces(stack: ExitStack) -> tuple[Host, Host]:
    stem = f"emo{os.getpid()}"
    names = (f"{stem}a", f"{stem}b")
    for name in names:
        _run("ip", "netns", "add", name)
        stack.callback(_run, "ip", "netns", "delete", name)
        _give_names(stack, name, names)
    _run("ip", "link", "add", names[0], "netns", names[0], "type", "veth",
         "peer", "name", names[1], "netns", names[1])  # fmt: skip
    for name, address in zip(names, ADDRESSES, strict=True):
        for command in (
            f"address add {address}/30 dev {name}",
            f"link set {name} up",
            "link set lo up",
        ):
            _run("ip", "-netns", name, *command.split())
    # A name of its own, by which torchrun finds out who it is.
    own = [("unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "sh") for name in names]
    first, second = [
        Host(name, name, "network namespace", ("ip", "netns", "exec", name, *more))
        for name, more in zip(names, own, strict=True)
    ]
    _run(*first.prefix, "true")
    return first, second


def _give_names(stack: ExitStack, name: str, names: Sequence[str]) -> None:
    """Writes what a command in the namespace sees as /etc/hosts."""
    folder = Path("/etc/netns") / name
    made = next(path for path in (folder, *folder.parents) if path.parent.exists())
    folder.mkdir(parents=True)
    stack.callback(shutil.rmtree, made, ignore_errors=True)
    lines = [f"{a} {n}" for a, n in zip(ADDRESSES, names, strict=True)]
    (folder / "hosts").write_text("\n".join(["127.0.0.1 localhost", *lines]) + "\n")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)
