"""What `emotion data check` found, as plain data for `check.json` and as text."""

import os
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import emotion
from emotion.data.audit import Audit
from emotion.faces.folders import PhotoFolder
from emotion.faces.labels import LabelScheme
from emotion.faces.problems import KINDS, Problem

FORMAT = 1
SHOWN = 3  # problems of a kind in the terminal; check.json has all
LABELS = 10  # that are no class, in the terminal
LONGEST = 80  # characters of a label there; a hostile one fills the screen


def make_report(audit: Audit, accepted: Collection[str] = ()) -> dict[str, Any]:
    """Gives everything that was found, as JSON can hold it.

    Args:
        audit: of the data set.
        accepted: kinds that are known and do not make the data set unclean.
    """
    by_kind: dict[str, list[Problem]] = {}
    for problem in audit.problems:
        by_kind.setdefault(problem.kind, []).append(problem)
    kinds = [_kind(name, found, name in accepted) for name, found in by_kind.items()]
    kinds.sort(key=lambda kind: (kind["severity"], -kind["count"], kind["kind"]))
    return {
        "format": FORMAT,
        "emotion": emotion.__version__,
        "root": audit.root.resolve().name,
        "parts": {name: _part(folder, audit.scheme) for name, folder in audit.folders.items()},
        "clean": all(kind["accepted"] for kind in kinds),
        "kinds": kinds,
        "problems": [_problem(problem, audit) for problem in audit.problems],
    }


def _kind(name: str, found: list[Problem], accepted: bool) -> dict[str, Any]:
    kind = KINDS[name]
    return {
        "kind": name,
        "severity": kind.severity,
        "title": kind.title,
        "remedy": kind.remedy,
        "mendable": kind.mendable,
        "accepted": accepted,
        "count": len(found),
        "files": len({problem.path for problem in found}),
    }


def _part(folder: PhotoFolder, scheme: LabelScheme) -> dict[str, Any]:
    faces = [face for photo in folder.photos for face in photo.faces]
    counts = Counter(scheme.meaning(face.label) for face in faces)
    return {
        "photos": len(folder.photos),
        "faces": len(faces),
        "difficult": sum(face.difficult for face in faces),
        "classes": {name: counts[name] for name in scheme.names},
        "other_labels": {name: n for name, n in sorted(counts.items()) if name not in scheme.names},
        "box_sides": sorted(min(face.box.width, face.box.height) for face in faces),
    }


def _problem(problem: Problem, audit: Audit) -> dict[str, Any]:
    def relative(path: Path | None) -> str | None:
        return None if path is None else path.relative_to(audit.root).as_posix()

    # A report is passed on; where the data set lies is of no use to others.
    place = f"{audit.root}{os.sep}" if audit.root.is_absolute() else None
    return {
        "kind": problem.kind,
        "file": relative(problem.path),
        "line": problem.line,
        "tag": problem.tag,
        "object": problem.number,
        "message": problem.message.replace(place, "") if place else problem.message,
        "picture": relative(problem.image),
        "box": None if problem.box is None else list(problem.box.to_inclusive()),
        "others": [relative(path) for path in problem.others],
    }


def describe(report: dict[str, Any], place: str) -> str:
    """Gives the summary for the terminal.

    Args:
        report: from `make_report`.
        place: the data set as it was typed.
    """
    lines = [_describe_part(name, part) for name, part in report["parts"].items()]
    first: dict[str, list[str]] = {}
    for problem in report["problems"]:
        line = "" if problem["line"] is None else f":{problem['line']}"
        first.setdefault(problem["kind"], []).append(
            f"    {problem['file']}{line}: {problem['message']}"
        )
    for kind in report["kinds"]:
        accepted = ", accepted" if kind["accepted"] else ""
        lines += [
            "",
            f"{kind['severity']} {kind['kind']}: {kind['title']}"
            f" ({kind['count']} in {kind['files']} files{accepted})",
            *first[kind["kind"]][:SHOWN],
        ]
        if kind["count"] > SHOWN:
            lines.append(f"    … and {kind['count'] - SHOWN} more")
        lines.append(f"  to mend: {kind['remedy']}")
    return "\n".join([*lines, "", _verdict(report, place)])


def _describe_part(name: str, part: dict[str, Any]) -> str:
    classes = ", ".join(f"{label} {count}" for label, count in part["classes"].items())
    listed = [f"{label[:LONGEST]!r} {count}" for label, count in part["other_labels"].items()]
    if len(listed) > LABELS:
        listed[LABELS:] = [f"… and {len(listed) - LABELS} more"]
    other = f"; other labels: {', '.join(listed)}" if listed else ""
    difficult = f"; {part['difficult']} marked <difficult>" if part["difficult"] else ""
    return f"{name}: {part['photos']} photos, {part['faces']} faces ({classes}){other}{difficult}"


def _verdict(report: dict[str, Any], place: str) -> str:
    counts = Counter()  # type: Counter[str]
    for kind in report["kinds"]:
        counts[kind["severity"]] += kind["count"]
    if not report["kinds"]:
        return f"{place}: clean, nothing to mend"
    text = f"{place}: {counts['error']} errors, {counts['warning']} warnings"
    if any(kind["mendable"] for kind in report["kinds"]):
        text += f"; `emotion data check {place} --fix DIR` mends a copy, where that needs no guess"
    return text
