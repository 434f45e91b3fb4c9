"""Commands that run as process trees of their own, of which nothing lives on.

A tree is a session: Ctrl-C in the terminal reaches only us, and one signal reaches all of it. Each
tree holds the reading end of a pipe whose writing end is ours alone. When we die, however that
happens, the pipe ends, and the tree kills itself.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

LIFELINE = "EMOTION_LIFELINE"  # the pipe's file descriptor, for the child
CORES = "EMOTION_CORES"  # cores that the child may use: "0,1"
GRACE = 20.0  # seconds that a tree has to end by itself: a step, and a checkpoint written

# What tells a process that it is one of several; a command that is started anew must not see it.
RANK_VARIABLES = (
    "LOCAL_RANK", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK",
    "GROUP_WORLD_SIZE", "ROLE_RANK", "ROLE_NAME", "ROLE_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
    "SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID",
)  # fmt: skip
RANK_PREFIXES = ("PL_", "TORCHELASTIC_")


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Gives an environment without what tells a process its rank among several."""
    return {
        name: value
        for name, value in environment.items()
        if name not in RANK_VARIABLES and not name.startswith(RANK_PREFIXES)
    }


class ProcessTree:
    """A command and whatever it starts, in a session of its own.

    Used as a context it leaves nothing behind, whatever happens in the block.

    Args:
        command: the program and its arguments. A Python program of ours calls `settle` first.
        environment: all of it; see `scrubbed`.
        log: file that its output is added to; None shows it where ours goes.

    Attributes:
        pid: of the command, which is also that of its session.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path | None = None
    ) -> None:
        reading, self._lifeline = os.pipe()
        stream = None if log is None else log.open("ab")
        try:
            self._process = subprocess.Popen(  # noqa: S603  the caller's own command, no shell
                command,
                env={**environment, LIFELINE: str(reading)},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=None if stream is None else subprocess.STDOUT,
                pass_fds=(reading,),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(reading)
            if stream is not None:
                stream.close()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Gives the exit code, negative for a signal, or None while the command runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """Waits so long for the command to end; gives what `poll` gives."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def send(self, number: int) -> None:
        """Sends the command a signal, which it may answer as it likes."""
        self._process.send_signal(number)

    def stop(self, grace: float = GRACE) -> int:
        """Asks the command to end, and kills all of the tree once the grace is over.

        Args:
            grace: seconds between SIGTERM and SIGKILL; 0 kills at once.

        Returns:
            The exit code.
        """
        if grace and self.poll() is None:
            self.send(signal.SIGTERM)
            self.wait(grace)
        self.kill()
        return self._process.wait()

    def kill(self) -> None:
        """Kills whatever is left of the tree."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # none is left
        except PermissionError:  # so macOS says where only zombies are left
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self._process.wait()
        os.close(self._lifeline)


def settle() -> None:
    """Makes this process a good child: on its own cores, and not outliving its parent.

    Does nothing in a process that no `ProcessTree` has started.
    """
    cores = os.environ.pop(CORES, "")
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    lifeline = os.environ.pop(LIFELINE, "")
    if lifeline:
        threading.Thread(target=_die_with, args=(int(lifeline),), daemon=True).start()


def _die_with(lifeline: int) -> None:
    os.read(lifeline, 1)  # nothing is ever written; it returns when the other end is closed
    os.killpg(0, signal.SIGKILL)
