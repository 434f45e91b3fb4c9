import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import EmotionError
from emotion.experiments.records import (
    NAME,
    RunRecord,
    Status,
    close_record,
    now,
    read_record,
    write_record,
)

RUNNING = RunRecord(["emotion", "train", "data.root=/a b"], "running", "2026-11-24T10:00:00+00:00")
ENDED: tuple[Status, ...] = ("finished", "stopped", "failed")
records = st.builds(
    RunRecord,
    command=st.lists(st.text(max_size=9), max_size=3),
    status=st.sampled_from(["running", *ENDED]),
    started=st.just(RUNNING.started),
    seconds=st.floats(0, 1e9),
    resumed=st.integers(0, 9),
    reason=st.none() | st.text(max_size=9),
)


@given(records)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, record: RunRecord
) -> None:
    folder = tmp_path_factory.getbasetemp() / "record"
    folder.mkdir(exist_ok=True)
    write_record(folder, record)
    assert read_record(folder) == record
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_the_file_names_its_values(tmp_path: Path) -> None:
    write_record(tmp_path, RUNNING)
    assert json.loads((tmp_path / "run.json").read_text()) == {
        "format": 1,
        "command": ["emotion", "train", "data.root=/a b"],
        "status": "running",
        "started": "2026-11-24T10:00:00+00:00",
        "seconds": 0.0,
        "resumed": 0,
        "reason": None,
    }


def test_a_folder_without_a_record_has_none(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    assert read_record(tmp_path / "nowhere") is None
    close_record(tmp_path, "failed", "killed")
    assert not list(tmp_path.iterdir())


GOOD = {"format": 1, "command": ["emotion"], "status": "running", "started": RUNNING.started}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "Expecting value"),
        (json.dumps(GOOD).encode()[:-5], "Unterminated string"),
        (b"\xff\xfe\xff", "codec can't decode"),
        (b"[]", "expected names and values"),
        (b"null", "expected names and values"),
        (b"{}", "'format'"),
        (json.dumps(GOOD | {"format": 2}).encode(), "expected format 1"),
        (json.dumps(GOOD | {"more": 1}).encode(), "more"),
        (b'{"format": 1, "command": []}', "missing 2 required"),
        (json.dumps(GOOD | {"command": "emotion"}).encode(), "a value of another type"),
        (json.dumps(GOOD | {"seconds": "1"}).encode(), "a value of another type"),
    ],
)
def test_a_damaged_record_is_named(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / NAME).write_bytes(content)
    for read in (read_record, lambda folder: close_record(folder, "failed", "killed")):
        with pytest.raises(EmotionError) as error:
            read(tmp_path)
        message = str(error.value)
        assert message.startswith(f"{tmp_path / NAME}: not a run's record (")
        assert text in message
        assert message.endswith("); remove it")
    assert (tmp_path / NAME).read_bytes() == content


def test_only_a_record_of_a_run_that_runs_is_closed(tmp_path: Path) -> None:
    running = replace(RUNNING, seconds=2.5, resumed=3)
    write_record(tmp_path, running)
    close_record(tmp_path, "failed", "the process was killed")
    closed = replace(running, status="failed", reason="the process was killed")
    assert read_record(tmp_path) == closed
    for status in ENDED:
        before = replace(RUNNING, status=status, reason="its own")
        write_record(tmp_path, before)
        close_record(tmp_path, "stopped", "another")
        assert read_record(tmp_path) == before


def test_a_record_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where a folder is wanted")
    with pytest.raises(EmotionError, match=r"run\.json: cannot be written"):
        write_record(tmp_path / "run", RUNNING)


def test_the_time_is_that_of_greenwich_to_the_second() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    found = datetime.fromisoformat(now())
    assert found.utcoffset() == timedelta(0)
    assert found.microsecond == 0
    assert before <= found <= datetime.now(UTC)
