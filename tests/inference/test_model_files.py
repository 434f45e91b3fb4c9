"""What a file is, by its content."""

import zipfile
from pathlib import Path

import pytest
from tests.exports import Exported

from emotion.errors import CheckpointError
from emotion.inference.model_files import kind_of


@pytest.mark.parametrize("kind", ["checkpoint", "onnx", "pt2", "safetensors"])
def test_a_file_is_known_by_any_name(kind: str, exported: Exported, tmp_path: Path) -> None:
    other = tmp_path / "model.dat"
    other.symlink_to(exported.of(kind))
    assert kind_of(other) == kind


@pytest.mark.parametrize("content", [b"", b"\x08", b"GIF89a", b"\x80\x02}q\x00.", b"{}" * 20])
def test_other_content_is_no_model(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.onnx: no model, or one that is damaged; expec"):
        kind_of(path)


def test_archives_that_are_no_models_are_told(tmp_path: Path, exported: Exported) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(CheckpointError, match="a zip archive, but no model"):
        kind_of(tmp_path / "x.zip")
    (tmp_path / "cut.ckpt").write_bytes(exported.checkpoint.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match="cut off or damaged"):
        kind_of(tmp_path / "cut.ckpt")


def test_what_is_not_there_and_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file; expected a checkpoint"):
        kind_of(tmp_path / "none.onnx")
    with pytest.raises(CheckpointError, match="a folder; expected a checkpoint"):
        kind_of(tmp_path)
