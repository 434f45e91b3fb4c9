"""Jobs that do not train: small scripts that end as their setting says.

`model.weights=` (a setting that takes any text) names what a job does: finish, fail, hang, stubborn
(hangs, and ends on no SIGTERM), or env (tells its place and finishes).
"""

import sys
from pathlib import Path

from emotion.experiments.jobs import Job

SCRIPT = """
import json, os, signal, sys, time
folder, *overrides = sys.argv[1:]
what = next(item for item in overrides if item.startswith("model.weights=")).partition("=")[2]
def record(status):
    with open(f"{folder}/run.json", "w") as stream:
        json.dump({"format": 1, "command": ["emotion", "train"], "status": status, "started": "?",
                   "seconds": 1.0, "resumed": 0, "reason": None}, stream)
def stop(number, frame):
    record("stopped")
    print("stopped in good order", flush=True)
    os._exit(143)
with open(f"{folder}/starts", "a") as stream:
    stream.write("x")
record("running")
if what == "fail":
    record("failed")
    sys.exit("this job fails")
if what in ("hang", "stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN if what == "stubborn" else stop)
    print("ready", flush=True)
    time.sleep(60)
if what == "env":
    print("place", *(os.environ.get(n) for n in ("EMOTION_CORES", "CUDA_VISIBLE_DEVICES")))
with open(f"{folder}/selection.json", "w") as stream:
    json.dump({"monitor": "val/loss", "score": 0.5, "epoch": 3}, stream)
record("finished")
print("done")
"""


def command(job: Job) -> list[str]:
    """Stands in for `Job.command`."""
    return [sys.executable, "-S", "-E", "-c", SCRIPT, str(job.folder), *job.overrides]


def fake_job(folder: Path, what: str) -> Job:
    """Gives a job that does that."""
    return Job((f"model.weights={what}", f"name={folder.name}"), folder)


def starts(folder: Path) -> int:
    """Counts how often a job has started."""
    path = folder / "starts"
    return len(path.read_text()) if path.is_file() else 0
