import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf
from tests.processes import naming

from emotion.errors import ConfigError
from emotion.experiments import ranks
from emotion.experiments.ranks import (
    RanksEnd,
    is_first,
    is_rank,
    local_ranks,
    run_ranks,
    wants_supervision,
)


def config(folder: Path, **trainer: object) -> DictConfig:
    settings = {"devices": 2, "accelerator": "cpu", "num_nodes": 1} | trainer
    return OmegaConf.create({"run_dir": str(folder), "trainer": settings})


Runner = Callable[..., RanksEnd]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Runs a script as every rank; its variable `rank` says which."""

    def runner(script: str, **trainer: object) -> RanksEnd:
        path = tmp_path / "rank.py"
        head = "import os, signal, sys, time\nrank = int(os.environ['LOCAL_RANK'])\n"
        path.write_text(head + textwrap.dedent(script))
        monkeypatch.setattr(
            ranks, "_command", lambda *_: [sys.executable, str(path), str(tmp_path)]
        )
        return run_ranks(config(tmp_path, **trainer), [])

    return runner


def test_each_rank_knows_who_it_is(run: Runner, tmp_path: Path) -> None:
    end = run(
        """
        names = ["LOCAL_RANK", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT"]
        text = " ".join(os.environ[n] for n in names)
        open(os.path.join(sys.argv[1], f"{rank}.txt"), "w").write(text)
        """,
        devices=3,
    )
    assert (end.code, end.stopped) == (0, None)
    told = [(tmp_path / f"{rank}.txt").read_text().split() for rank in range(3)]
    assert [words[:3] for words in told] == [[str(r), "0", "127.0.0.1"] for r in range(3)]
    assert len({words[3] for words in told}) == 1


@pytest.mark.parametrize("dying", [0, 1])
def test_where_one_dies_all_end(
    run: Runner, tmp_path: Path, dying: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks, "LAST_WORDS", 0.3)
    end = run(
        f"""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as one that waits for the other
        print("last words", flush=True)
        if rank == {dying}:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
        """
    )
    assert (end.rank, end.code) == (dying, -signal.SIGKILL)
    assert end.told == f"rank {dying} was ended by SIGKILL (out of memory?)"
    assert end.words == (["last words"] if dying else [])  # those of the first were shown
    assert naming(f"rank.py\0{tmp_path}") == []


def test_an_exit_code_is_told(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "LAST_WORDS", 0.3)
    end = run("sys.exit(2 if rank else 0)")
    assert (end.rank, end.code, end.told) == (1, 2, "rank 1 ended with exit code 2")


def test_a_signal_reaches_all_and_is_waited_for(run: Runner, tmp_path: Path) -> None:
    def interrupt() -> None:
        while len(list(tmp_path.glob("*.ready"))) < 2:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt).start()
    end = run(
        """
        def obey(*_):
            open(os.path.join(sys.argv[1], f"{rank}.obeyed"), "w")
            sys.exit(143)
        signal.signal(signal.SIGTERM, obey)
        open(os.path.join(sys.argv[1], f"{rank}.ready"), "w")
        time.sleep(60)
        """
    )
    assert end.stopped == 143
    assert sorted(path.name for path in tmp_path.glob("*.obeyed")) == ["0.obeyed", "1.obeyed"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"LOCAL_RANK": "0"}, True),
        ({"SLURM_NTASKS": "2", "SLURM_STEP_ID": "0", "SLURM_PROCID": "1"}, True),
        ({"SLURM_NTASKS": "1", "SLURM_STEP_ID": "0"}, False),
    ],
)
def test_who_is_a_rank_already(environment: dict[str, str], expected: bool) -> None:
    assert is_rank(environment) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, True),
        ({"LOCAL_RANK": "0"}, True),
        ({"LOCAL_RANK": "1"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False),  # started by us on the second machine
        ({"LOCAL_RANK": "0", "RANK": "2"}, False),  # by torchrun
        ({"LOCAL_RANK": "0", "RANK": "0", "SLURM_PROCID": "1"}, True),  # by torchrun in a job
        ({"SLURM_NTASKS": "2", "SLURM_STEP_ID": "0", "SLURM_PROCID": "1"}, False),
        ({"SLURM_NTASKS": "2", "SLURM_STEP_ID": "0", "SLURM_PROCID": "0"}, True),
        ({"SLURM_NTASKS": "1", "SLURM_STEP_ID": "0", "SLURM_PROCID": "1"}, True),  # a job's own
    ],
)
def test_who_is_the_first_of_all(environment: dict[str, str], expected: bool) -> None:
    assert is_first(environment) == expected


def test_how_many_processes_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert local_ranks(config(tmp_path)) == 2
    assert local_ranks(config(tmp_path, devices=[0, 3, 5])) == 3
    assert local_ranks(config(tmp_path, devices="auto")) == 1
    assert wants_supervision(config(tmp_path))
    assert not wants_supervision(config(tmp_path, devices=1))
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not wants_supervision(config(tmp_path))
    with pytest.raises(ConfigError, match=r"trainer\.devices: expected a number from 1, a list"):
        local_ranks(config(tmp_path, devices=0))


def test_several_machines_want_to_know_where_to_meet(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.num_nodes=2: start it on each machine by"):
        run_ranks(config(tmp_path, num_nodes=2), [])
