import subprocess
from typing import Any

import pytest

from emotion.errors import ConfigError
from emotion.sweeps.places import find_gpus, gpus_wanted, share_out

LISTED = """\
GPU 0: NVIDIA H200 (UUID: GPU-aaaa)
GPU 1: NVIDIA H200 (UUID: GPU-bbbb)
  MIG 3g.71gb     Device  0: (UUID: MIG-1111)
  MIG 3g.71gb     Device  1: (UUID: MIG-2222)
GPU 2: Tesla (T4) (UUID: GPU-cccc)
"""


@pytest.mark.parametrize(
    ("given", "gpus"),
    [("0,1", ["0", "1"]), (" GPU-a , GPU-b", ["GPU-a", "GPU-b"]), ("", []), ("-1", []),
     ("0,-1,2", ["0"])],
)  # fmt: skip
def test_gpus_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, given: str, gpus: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert find_gpus() == gpus


def test_gpus_that_the_driver_lists_a_divided_one_by_its_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command == ["nvidia-smi", "-L"]
        return subprocess.CompletedProcess(command, 0, LISTED)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(subprocess, "run", run)
    assert find_gpus() == ["GPU-aaaa", "MIG-1111", "MIG-2222", "GPU-cccc"]


def test_no_driver_means_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_gpus() == []


@pytest.mark.parametrize(
    ("accelerator", "devices", "gpus", "wanted"),
    [
        ("auto", 1, 4, 1), ("gpu", 2, 4, 2), ("cuda", "3", 4, 3), ("auto", "auto", 4, 4),
        ("auto", -1, 4, 4), ("cpu", 2, 4, 0), ("auto", 2, 0, 0), ("cpu", [0, 1], 4, 0),
    ],
)  # fmt: skip
def test_how_many_gpus_a_job_takes(accelerator: str, devices: Any, gpus: int, wanted: int) -> None:
    assert gpus_wanted({"accelerator": accelerator, "devices": devices}, gpus) == wanted


def test_named_devices_cannot_be_shared_out() -> None:
    with pytest.raises(ConfigError, match=r"trainer.devices=\[2, 3\]: .* such as trainer.devices="):
        gpus_wanted({"accelerator": "gpu", "devices": [2, 3]}, 4)


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {9, 3, 0, 1, 2, 4, 5, 8})
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.usefixtures("eight_cores")
def test_one_job_at_a_time_has_the_whole_machine() -> None:
    assert share_out(1, 0, [], "hydra.launcher.jobs") == [{}]
    assert share_out(1, 2, ["0", "1"], "hydra.launcher.jobs") == [{}]


@pytest.mark.usefixtures("eight_cores")
def test_cores_are_shared_out() -> None:
    assert share_out(3, 0, [], "hydra.launcher.jobs") == [
        {"EMOTION_CORES": "0,1", "OMP_NUM_THREADS": "2"},
        {"EMOTION_CORES": "2,3,4", "OMP_NUM_THREADS": "3"},
        {"EMOTION_CORES": "5,8,9", "OMP_NUM_THREADS": "3"},
    ]


@pytest.mark.usefixtures("eight_cores")
def test_gpus_are_shared_out() -> None:
    places = share_out(2, 2, ["GPU-a", "GPU-b", "MIG-c", "GPU-d", "GPU-e"], "hydra.launcher.jobs")
    assert [place["CUDA_VISIBLE_DEVICES"] for place in places] == ["GPU-a,GPU-b", "MIG-c,GPU-d"]
    assert [place["EMOTION_CORES"] for place in places] == ["0,1,2,3", "4,5,8,9"]


def test_threads_that_the_user_has_set_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert share_out(2, 0, [], "hydra.launcher.jobs") == [
        {"EMOTION_CORES": "0"},
        {"EMOTION_CORES": "1"},
    ]


@pytest.mark.usefixtures("eight_cores")
@pytest.mark.parametrize(
    ("jobs", "wanted", "gpus", "text"),
    [
        (9, 0, 0, "hydra.launcher.jobs=9: there are 8 cores and a job takes 1; at most 8 at once"),
        (3, 2, 5, "hydra.launcher.jobs=3: there are 5 GPUs and a job takes 2; at most 2 at once"),
        (2, 4, 4, "hydra.launcher.jobs=2: there are 4 GPUs and a job takes 4; at most 1 at once"),
    ],
)
def test_more_than_fit_is_refused(jobs: int, wanted: int, gpus: int, text: str) -> None:
    with pytest.raises(ConfigError, match=f"^{text}$"):
        share_out(jobs, wanted, [str(n) for n in range(gpus)], "hydra.launcher.jobs")
