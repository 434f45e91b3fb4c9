"""`emotion data join` as it is typed."""

from pathlib import Path

import pytest

from emotion.__main__ import main


def test_two_parts_of_the_sample_as_one_data_set(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "all"
    train, test = sample_root / "train", sample_root / "test"
    assert main(["data", "join", str(out), f"train={train}", f"val={test}"]) == 0
    told = capsys.readouterr().out
    assert "photos (" in told
    assert f"next: emotion train data.root={out}" in told
    assert len(list((out / "val" / "img").iterdir())) == len(list((test / "img").iterdir()))


def test_mistakes_are_named(
    sample_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "all")
    assert main(["data", "join", out, str(tmp_path / "absent")]) == 2
    assert "no such folder" in capsys.readouterr().err
    assert main(["data", "join", out, str(sample_root), "--split", "other", "x.json"]) == 2
    assert "--split other: expected one of the sources" in capsys.readouterr().err
    part = f"val={sample_root / 'test'}"
    assert main(["data", "join", out, part, "--split", part, "x.json"]) == 2
    assert "its part is given already" in capsys.readouterr().err
    assert main(["data", "join", out, str(sample_root), "--split", str(sample_root), "x.json"]) == 2
    assert "x.json: cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "all").exists()
