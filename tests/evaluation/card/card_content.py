"""An evaluation as `emotion evaluate` writes it, for tests of the card."""

import json
from pathlib import Path
from typing import Any


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.06, "high": value + 0.05}


def content(sha256: str = "ab" * 32, label: str = "sad") -> dict[str, Any]:
    classes = [
        {"label": "smile", "faces": 100, **dict.fromkeys(("precision", "recall"), interval(0.7))},
        {"label": label, "faces": 12, "precision": None, "recall": interval(0.4), "f1": None},
    ]
    groups = [
        {"name": label, "faces": 10, "accuracy": interval(0.5), "small": True, "worse": False},
        {"name": "large", "faces": 90, "accuracy": interval(0.6), "small": False, "worse": True},
    ]
    return {
        "format": 1,
        "about": {
            "checkpoint": "/home/somebody/run/x.ckpt",
            "checkpoint_sha256": sha256,
            "data": "/home/somebody/faces5/test",
            "part": "test",
            "data_sha256": "cd" * 32,
            "date": "2026-11-25T01:02:03+00:00",
            "command": ["emotion", "evaluate", "/home/somebody/run"],
            "warnings": ["3 of these faces were in training."],
            "earlier_looks": ["2026-11-24"],
        },
        "labels": ["smile", label],
        "faces": 112,
        "photos": 110,
        "unit": "photo",
        "scores": {
            **{"accuracy": interval(0.7), "balanced_accuracy": interval(0.66)},
            **{"macro_f1": interval(0.65)},
        },
        "classes": classes,
        "best_constant_guess": {"label": "smile", "accuracy": 0.5},
        "end_to_end": [{"detector": label, "recall": interval(0.9), "joint": interval(0.6)}],
        "calibration": {
            **{"temperature": 1.5, "confidence": 0.8, "accuracy": 0.7, "brier": 0.4},
            **{"log_loss": 0.9, "log_loss_interval": interval(0.9), "brier_interval": None},
            "equal_mass": {"ece": 0.05, "ece_by_chance": 0.03},
            "equal_width": {"ece": 0.06, "ece_by_chance": 0.03},
        },
        "slices": [{"name": label, "groups": groups}],
    }


def write_evaluation(folder: Path, found: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(found))
    return folder
