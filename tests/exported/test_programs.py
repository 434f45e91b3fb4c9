"""A .pt2 file that would run code is not opened; each attack here runs in plain torch."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.exports import Exported

from emotion.errors import CheckpointError
from emotion.exported.classifiers import ProgramClassifier
from emotion.exported.programs import CONSTANTS, PROGRAM, SAMPLES, WEIGHTS, check_program
from emotion.inference.sealing import seal

Entries = dict[str, bytes]


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        import os

        return os.mkdir, (str(self.folder),)


def changed(source: Path, target: Path, change: Callable[[Entries], None]) -> Path:
    """Writes an archive anew with other entries, and seals it as a real one."""
    with zipfile.ZipFile(source) as archive:
        names = archive.namelist()
        root = names[0].partition("/")[0] + "/"
        entries = {name.removeprefix(root): archive.read(name) for name in names}
    change(entries)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(root + name, content)
    seal(target, "pt2")
    return target


def edit(entries: Entries, name: str, change: Callable[[Any], None]) -> None:
    content = json.loads(entries[name])
    change(content)
    entries[name] = json.dumps(content).encode()


def test_what_export_writes_is_plain(exported: Exported) -> None:
    check_program(exported.pt2)


def test_an_archive_that_was_only_written_anew_is_opened(
    exported: Exported, tmp_path: Path
) -> None:
    same = changed(exported.pt2, tmp_path / "x.pt2", lambda entries: None)
    assert ProgramClassifier(same, "cpu").input.size == 64


def refused(path: Path, match: str) -> None:
    with pytest.raises(CheckpointError, match=rf"x\.pt2: holds {match}.* it is not opened"):
        ProgramClassifier(path, "cpu")


def test_pickled_sample_inputs_are_not_loaded(exported: Exported, tmp_path: Path) -> None:
    folder = tmp_path / "harm"

    def attack(entries: Entries) -> None:
        entries[SAMPLES] = pickle.dumps(Harmful(folder))

    refused(changed(exported.pt2, tmp_path / "x.pt2", attack), "pickled sample inputs")
    assert not folder.exists()


def test_the_attack_is_real(exported: Exported, tmp_path: Path) -> None:
    import torch

    folder, buffer = tmp_path / "harm", io.BytesIO()
    torch.save(Harmful(folder), buffer)

    def attack(entries: Entries) -> None:
        entries[SAMPLES] = buffer.getvalue()

    path = changed(exported.pt2, tmp_path / "x.pt2", attack)
    refused(path, "pickled sample inputs")
    assert not folder.exists()
    with path.open("rb") as stream, pytest.raises(Exception):  # noqa: B017
        torch.export.load(stream)
    assert folder.is_dir()


def test_a_pickled_weight_is_not_loaded(exported: Exported, tmp_path: Path) -> None:
    def attack(entries: Entries) -> None:
        def pickled(config: Any) -> None:
            next(iter(config["config"].values()))["use_pickle"] = True

        edit(entries, WEIGHTS, pickled)

    refused(changed(exported.pt2, tmp_path / "x.pt2", attack), "the weight .* as a pickle")


def test_a_weight_outside_its_folder_is_not_loaded(exported: Exported, tmp_path: Path) -> None:
    def attack(entries: Entries) -> None:
        def elsewhere(config: Any) -> None:
            next(iter(config["config"].values()))["path_name"] = "../weight_0"

        edit(entries, WEIGHTS, elsewhere)

    refused(changed(exported.pt2, tmp_path / "x.pt2", attack), "the weight")


def test_constants_are_not_loaded(exported: Exported, tmp_path: Path) -> None:
    def attack(entries: Entries) -> None:
        payload = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True}
        edit(entries, CONSTANTS, lambda config: config["config"].update(a=payload))

    refused(changed(exported.pt2, tmp_path / "x.pt2", attack), "constants beside")


@pytest.mark.parametrize(
    "name",
    [
        "data/constants/opaque_obj_0",
        "data/aotinductor/model/a.so",
        "data/weights/model.pt",
        "models/other.json",
        "MODELS/MODEL.JSON",
        "version",
        "../models/model.json",
    ],
)
def test_other_entries_are_not_loaded(exported: Exported, tmp_path: Path, name: str) -> None:
    path = changed(exported.pt2, tmp_path / "x.pt2", lambda entries: entries.update({name: b""}))
    refused(path, "the entry")


def first_node(program: Any) -> Any:
    return program["graph_module"]["graph"]["nodes"][0]


@pytest.mark.parametrize("target", ["torch.os.system", "torch.ops.aten.from_file.default", "math"])
def test_other_functions_are_not_called(exported: Exported, tmp_path: Path, target: str) -> None:
    def attack(entries: Entries) -> None:
        edit(entries, PROGRAM, lambda program: first_node(program).update(target=target))

    refused(changed(exported.pt2, tmp_path / "x.pt2", attack), f"'{target}' as target")


def test_text_of_shapes_is_not_evaluated(exported: Exported, tmp_path: Path) -> None:
    def attack(entries: Entries) -> None:
        text = entries[PROGRAM].decode()
        start = text.index("Symbol('s")
        end = text.index(")", start) + 1
        entries[PROGRAM] = text.replace(text[start:end], "__import__('os').getpid()").encode()

    refused(changed(exported.pt2, tmp_path / "x.pt2", attack), ".*__import__")


def test_structures_of_arguments_import_nothing(exported: Exported, tmp_path: Path) -> None:
    spec = [1, {"type": "antigravity.Tuple", "context": "null", "children_spec": []}]

    def attack(entries: Entries) -> None:
        def change(program: Any) -> None:
            signature = program["graph_module"]["module_call_graph"][0]["signature"]
            signature["in_spec"] = json.dumps(spec)

        edit(entries, PROGRAM, change)

    refused(changed(exported.pt2, tmp_path / "x.pt2", attack), ".* as in_spec")


@pytest.mark.parametrize("name", [PROGRAM, WEIGHTS, CONSTANTS])
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b'{"config": 3}'])
def test_entries_that_are_no_program_are_damage(
    exported: Exported, tmp_path: Path, name: str, content: bytes
) -> None:
    path = changed(exported.pt2, tmp_path / "x.pt2", lambda e: e.update({name: content}))
    with pytest.raises(CheckpointError, match=r"x\.pt2: "):
        ProgramClassifier(path, "cpu")


def test_two_entries_of_one_name_are_not_loaded(exported: Exported, tmp_path: Path) -> None:
    path = tmp_path / "x.pt2"
    with zipfile.ZipFile(exported.pt2) as archive, zipfile.ZipFile(path, "w") as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
        with pytest.warns(UserWarning, match="Duplicate name"):
            other.writestr(archive.namelist()[0], b"")
    seal(path, "pt2")
    refused(path, "two entries of one name")
