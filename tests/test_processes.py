import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import in_session, wait_until

from emotion.processes import CORES, LIFELINE, ProcessTree, scrubbed, settle

SLEEP = "import time; time.sleep(60)"
# A child that starts a child, says that it is ready, and ends on no SIGTERM.
STUBBORN = f"""
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
print("ready", flush=True)
{SLEEP}
"""


def tree(code: str, log: Path, **environment: str) -> ProcessTree:
    return ProcessTree([sys.executable, "-c", code], {**os.environ, **environment}, log)


def ready(log: Path) -> bool:
    return wait_until(lambda: log.exists() and "ready" in log.read_text())


def test_scrubbed_takes_the_rank_away_and_nothing_else() -> None:
    ranks = {
        "LOCAL_RANK": "1", "RANK": "1", "WORLD_SIZE": "2", "NODE_RANK": "0", "MASTER_ADDR": "a",
        "MASTER_PORT": "1", "PL_GLOBAL_SEED": "1", "TORCHELASTIC_RUN_ID": "x", "SLURM_PROCID": "1",
    }  # fmt: skip
    others = {"PATH": "/bin", "OMP_NUM_THREADS": "2", "PLAIN": "1", "SLURM_JOB_ID": "7"}
    assert scrubbed(ranks | others) == others


def test_exit_code_and_output_are_kept_and_the_log_is_added_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    code = (
        "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(5)"
    )
    with tree(code, log) as process:
        assert process.wait(30) == 5
        assert process.poll() == 5
    assert log.read_text() == "before\nout\nerr\n"


def test_wait_gives_up_after_the_time(tmp_path: Path) -> None:
    with tree(SLEEP, tmp_path / "log") as process:
        assert process.wait(0.01) is None
        assert process.poll() is None


def test_a_child_that_ends_on_sigterm_is_not_killed(tmp_path: Path) -> None:
    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(143)); "
    log = tmp_path / "log"
    with tree(f"{code}print('ready', flush=True); time.sleep(60)", log) as process:
        assert ready(log)
        assert process.stop(30) == 143


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace_with_its_children(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    with tree(STUBBORN, log) as process:
        assert ready(log)
        assert len(in_session(process.pid)) == 2
        assert process.stop(0.05) == -signal.SIGKILL
        assert wait_until(lambda: not in_session(process.pid))


def test_no_grace_kills_at_once(tmp_path: Path) -> None:
    with tree("import signal, time; signal.pause()", tmp_path / "log") as process:
        assert process.stop(0) == -signal.SIGKILL


def test_what_a_child_leaves_behind_is_killed_when_the_block_ends(tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}])"
    with tree(code, tmp_path / "log") as process:
        assert process.wait(30) == 0
        assert len(in_session(process.pid)) == 1
    assert wait_until(lambda: not in_session(process.pid))


def test_an_error_in_the_block_leaves_nothing_running(tmp_path: Path) -> None:
    started = []

    def fail() -> None:
        with tree(STUBBORN, tmp_path / "log") as process:
            started.append(process.pid)
            assert ready(tmp_path / "log")
            raise ValueError("in the block")

    with pytest.raises(ValueError, match="in the block"):
        fail()
    assert wait_until(lambda: not in_session(started[0]))


def test_a_command_that_does_not_exist_leaves_no_file_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  the folder is no real one
    with pytest.raises(FileNotFoundError):
        ProcessTree(["/no/such/command"], dict(os.environ), tmp_path / "log")
    with tree("", tmp_path / "log") as process:
        process.wait(30)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_tree_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = f"""
import os, sys
from pathlib import Path
from emotion.processes import ProcessTree
child = "from emotion.processes import settle; settle()\\n" + {STUBBORN!r}
tree = ProcessTree([sys.executable, "-c", child], dict(os.environ), Path({str(log)!r}))
print(tree.pid, flush=True)
tree.wait(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        session = int(process.stdout.readline())
        assert ready(log)
        assert len(in_session(session)) == 2
        process.kill()
        process.wait()
    assert wait_until(lambda: not in_session(session))


def test_settle_takes_the_cores_and_hands_neither_on(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    code = (
        "import os; from emotion.processes import settle; settle(); "
        f"print(os.sched_getaffinity(0), {CORES!r} in os.environ, {LIFELINE!r} in os.environ)"
    )
    log = tmp_path / "log"
    with tree(code, log, **{CORES: str(core)}) as process:
        assert process.wait(30) == 0
    assert log.read_text() == f"{{{core}}} False False\n"


def test_settle_changes_nothing_in_a_process_of_its_own() -> None:
    before = os.sched_getaffinity(0)
    settle()
    assert os.sched_getaffinity(0) == before
