"""Sealed files: whole ones are read, all others refused with the reason."""

import hashlib
import json
import shutil
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from safetensors.numpy import save_file
from tests.exports import LICENCE, TEMPERATURE, THRESHOLD, Exported

import emotion.inference.model_info
from emotion.errors import CheckpointError
from emotion.exporting.onnx_file import save_onnx
from emotion.inference.model_info import ModelInfo
from emotion.inference.sealing import SEAL, Kind, read_sealed, seal
from emotion.training.checkpoints import read_checkpoint

KINDS: tuple[Kind, ...] = ("onnx", "pt2", "safetensors")


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_tells_what_it_is(kind: Kind, exported: Exported) -> None:
    info = read_sealed(exported.of(kind), kind)
    checkpoint = read_checkpoint(exported.checkpoint)
    assert info.input == checkpoint.input
    assert (info.temperature, info.threshold) == (TEMPERATURE, THRESHOLD)
    assert (info.epoch, info.licence) == (checkpoint.epoch, LICENCE)
    content = exported.checkpoint.read_bytes()
    assert info.checkpoint_sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_the_digits_are_those_of_the_file_with_zeros_in_their_place(
    kind: Kind, exported: Exported
) -> None:
    content = exported.of(kind).read_bytes()
    place = content.rindex(SEAL.encode()) + len(SEAL)
    place += {"onnx": 2, "pt2": 1, "safetensors": 3}[kind]  # what stands between name and digits
    digits = content[place : place + 64]
    zeroed = content[:place] + b"0" * 64 + content[place + 64 :]
    assert digits.decode() == hashlib.sha256(zeroed).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left", [0, 1, 7, 8, 9, 100, 0.3, 0.999, -1, -64, -65, -82, -200])
def test_a_file_that_is_cut_off_is_refused(
    kind: Kind, left: float, exported: Exported, tmp_path: Path
) -> None:
    content = exported.of(kind).read_bytes()
    kept = int(left * len(content)) if isinstance(left, float) else left
    path = tmp_path / "cut"
    path.write_bytes(content[:kept])
    with pytest.raises(CheckpointError, match=r"cut off|damaged|not as it was written|another"):
        read_sealed(path, kind)


def test_all_that_is_cut_off_before_its_end_is_called_so(
    exported: Exported, tmp_path: Path
) -> None:
    content = exported.onnx.read_bytes()
    path = tmp_path / "cut.onnx"
    for kept in (len(content) // 2, len(content) - 1, len(content) - 82):  # 82: without the seal
        path.write_bytes(content[:kept])
        with pytest.raises(CheckpointError, match="cut off"):
            read_sealed(path, "onnx")


@pytest.fixture(scope="module")
def copies(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """Files that a test may damage if it mends them again."""
    folder = tmp_path_factory.mktemp("copies")
    return {kind: Path(shutil.copy(exported.of(kind), folder)) for kind in KINDS}


@given(
    kind=st.sampled_from(KINDS),
    share=st.floats(0, 1, exclude_max=True),
    near=st.sampled_from(["anywhere", "beginning", "end"]),
    bit=st.integers(0, 7),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_bit_anywhere_is_noticed(
    copies: dict[Kind, Path], kind: Kind, share: float, near: str, bit: int
) -> None:
    path = copies[kind]
    size = path.stat().st_size
    place = {
        "anywhere": int(share * size),
        "beginning": int(share * 500),
        "end": size - 1 - int(share * 500),
    }[near]
    with path.open("r+b") as stream:
        stream.seek(place)
        was = stream.read(1)
        try:
            stream.seek(place)
            stream.write(bytes([was[0] ^ 1 << bit]))
            stream.flush()
            with pytest.raises(CheckpointError):
                read_sealed(path, kind)
        finally:
            stream.seek(place)
            stream.write(was)
            stream.flush()
    assert read_sealed(path, kind)


def small_graph() -> onnx.ModelProto:
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", 64, 64, 3])
    out = helper.make_tensor_value_info("same", TensorProto.UINT8, ["batch", 64, 64, 3])
    node = helper.make_node("Identity", ["pixels"], ["same"])
    graph = helper.make_graph([node], "small", [pixels], [out])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def test_files_of_other_tools_are_called_so(tmp_path: Path) -> None:
    onnx.save(small_graph(), tmp_path / "a.onnx")
    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "a.safetensors")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "a.pt2")
    for kind in KINDS:
        with pytest.raises(CheckpointError, match="made by another tool"):
            read_sealed(tmp_path / f"a.{kind}", kind)


def test_a_file_of_a_later_version_is_called_so(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = replace(read_sealed(exported.onnx, "onnx"), version="9.0.0")
    monkeypatch.setattr(emotion.inference.model_info, "FORMAT", 2)
    save_onnx(tmp_path / "later.onnx", small_graph(), info)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"written by emotion 9\.0\.0 in format 2"):
        read_sealed(tmp_path / "later.onnx", "onnx")


def test_metadata_that_were_changed_in_place_are_noticed(
    exported: Exported, tmp_path: Path
) -> None:
    for kind in KINDS:
        content = exported.of(kind).read_bytes()
        old = b'"neutral"' if kind != "safetensors" else b'\\"neutral\\"'
        assert old in content
        path = tmp_path / f"changed.{kind}"
        path.write_bytes(content.replace(old, old.replace(b"neutral", b"naughty")))
        with pytest.raises(CheckpointError, match=r"not as it was written|damaged"):
            read_sealed(path, kind)


def test_a_seal_without_metadata_is_refused(tmp_path: Path) -> None:
    onnx.save(small_graph(), tmp_path / "a.onnx")
    seal(tmp_path / "a.onnx", "onnx")
    with pytest.raises(CheckpointError, match="says nothing of itself"):
        read_sealed(tmp_path / "a.onnx", "onnx")


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    for kind in KINDS:
        with pytest.raises(CheckpointError, match=r"cannot be read \(No such file"):
            read_sealed(tmp_path / "none", kind)


def test_a_header_that_lies_about_its_length_is_damage(exported: Exported, tmp_path: Path) -> None:
    content = exported.safetensors.read_bytes()
    path = tmp_path / "odd.safetensors"
    for length in (1 << 62, len(content), 3):
        path.write_bytes(struct.pack("<Q", length) + content[8:])
        with pytest.raises(CheckpointError, match="cut off or damaged"):
            read_sealed(path, "safetensors")


@pytest.mark.parametrize(
    "header",
    [b"[]", b'{"a": 3}', b'{"a": {"data_offsets": "x"}}', b'{"__metadata__": 3}', b"[" * 9999],
)
def test_a_header_of_something_else_is_damage(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(CheckpointError, match="cut off or damaged"):
        read_sealed(path, "safetensors")


def test_a_safetensors_file_without_a_place_for_the_digits_cannot_be_sealed(tmp_path: Path) -> None:
    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="has no place for emotion_sha256"):
        seal(tmp_path / "a.safetensors", "safetensors")


def test_other_libraries_read_the_sealed_files(exported: Exported) -> None:
    model = onnx.load(exported.onnx)
    texts = {entry.key: entry.value for entry in model.metadata_props}
    assert ModelInfo.from_json(texts["emotion"], "x").licence == texts["licence"] == LICENCE
    assert texts["labels"] == "neutral,anger,surprise,smile,sad"
    onnx.checker.check_model(model, full_check=True)
    assert zipfile.ZipFile(exported.pt2).testzip() is None
    (length,) = struct.unpack("<Q", exported.safetensors.read_bytes()[:8])
    header = json.loads(exported.safetensors.read_bytes()[8 : 8 + length])
    assert header["__metadata__"]["format"] == "pt"
