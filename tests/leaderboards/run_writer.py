"""Makes run folders up, as `emotion train` leaves them."""

import json
from pathlib import Path
from typing import Any

import yaml

Settings = dict[str, Any]


def config_of(settings: Settings, monitor: str = "val/loss", mode: str = "min") -> Settings:
    """A small config in which what `conf/` repeats is repeated; dotted settings are put into it."""
    config: Settings = {
        "seed": 1,
        "input": {"size": 64, "labels": ["anger", "smile"]},
        "data": {"root": "/faces", "cache": "/cache", "augmentation": [{"flip": 0.5}]},
        "model": {"dropout": 0.2, "weights": None, "optimizer": {"lr": 0.001}},
        "trainer": {"max_epochs": 4},
        "monitor": {"name": monitor, "mode": mode},
    }
    for name, value in settings.items():
        *path, leaf = name.split(".")
        node: Any = config
        for part in path:
            node = node[int(part) if isinstance(node, list) else part]
        node[leaf] = value
    config["data"] |= {"seed": config["seed"], "input": dict(config["input"])}
    config["callbacks"] = {"best": {"monitor": monitor, "mode": mode, "dirpath": "/x"}}
    return config


def write_run(
    folder: Path,
    score: float | None,
    settings: Settings | None = None,
    *,
    monitor: str = "val/loss",
    mode: str = "min",
    status: str = "finished",
    reason: str | None = None,
    command: list[str] | None = None,
) -> Path:
    """Writes a run folder; without a score, one that has kept no epoch."""
    folder.mkdir(parents=True)
    config = config_of(settings or {}, monitor, mode) | {"run_dir": str(folder)}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "epochs.csv").write_text(f"epoch,seconds,{monitor}\n1,1.5,0\n2,2.25,0\n")
    record = {
        "format": 1,
        "command": command or ["emotion", "train", "data.root=/my faces"],
        "status": status,
        "started": "2026-11-24T10:00:00+00:00",
        "seconds": 12.5,
        "resumed": 0,
        "reason": reason,
    }
    write_json(folder / "run.json", record)
    if score is not None:
        kept = {"monitor": monitor, "mode": mode, "epoch": 2, "score": score, "epochs": 4}
        more = {"checkpoint": "checkpoints/epoch_002.ckpt", "finished": status == "finished"}
        write_json(folder / "selection.json", kept | more)
        # What was measured on the test part may lie in a run folder, and must never count.
        metrics = {monitor: score, "test/loss": -score}
        write_json(folder / "metrics.json", {"epoch": 2, "metrics": metrics})
    return folder


def write_json(path: Path, content: Any) -> None:
    """Writes JSON."""
    path.write_text(json.dumps(content))
