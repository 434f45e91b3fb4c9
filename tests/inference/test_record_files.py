"""Records as lines: csv and json of the standard library are the reference, bytes are counted."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import DataError, EmotionError
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection
from emotion.inference.predictions import NO_FACE, FacePrediction, Prediction
from emotion.inference.record_files import Csv, Form, JsonLines, RecordFile, open_records

LABELS = ("calm", "cross")
FORMS: list[Form] = [JsonLines(), Csv(LABELS)]


def prediction(source: str, faces: int = 1) -> Prediction:
    shares = {"calm": 0.25, "cross": 0.75}
    found = [
        FacePrediction(Detection(Box(0, 0, 9, 9), 1.0), shares, number)
        for number in range(1, faces + 1)
    ]
    return Prediction(source, tuple(found), None if found else NO_FACE, True)


def written(path: Path, form: Form, sources: Sequence[Prediction], resume: bool = False) -> None:
    with open_records(path, form, resume) as records:
        for one in sources:
            if not (resume and records.has(one.source)):
                records.write(one)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_json_lines_are_the_records(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", JsonLines(), [prediction("a", 2), prediction("b", 0)])
    expected = prediction("a", 2).records() + prediction("b", 0).records()
    assert [json.loads(line) for line in lines(tmp_path / "a.jsonl")] == expected


def test_csv_has_a_column_for_each_number(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", Csv(LABELS), [prediction("a, b"), prediction("c", 0)])
    first, second = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))
    assert list(first) == [
        *("source", "frame", "time", "face", "xmin", "ymin", "xmax", "ymax", "detector_score"),
        *("answer", "emotion", "p_calm", "p_cross", "raw_calm", "raw_cross", "reason"),
    ]
    assert first["source"] == "a, b"
    assert [first[k] for k in ("xmin", "xmax", "p_cross", "answer")] == ["0", "8", "0.75", "cross"]
    assert (second["face"], second["p_calm"], second["reason"]) == ("", "", NO_FACE)


def test_a_name_is_no_formula_and_breaks_no_line() -> None:
    (record,) = prediction("=1+1\n.jpg").records()
    assert Csv(LABELS).line(record).startswith("'=1+1 .jpg,")


@given(st.text(max_size=20), st.sampled_from(FORMS))
def test_a_line_is_one_line_and_names_its_source(source: str, form: Form) -> None:
    (record,) = prediction(source).records()
    line = form.line(record)
    assert len(f"{line}\n".encode("utf-8", "replace").split(b"\n")) == 2
    stream = io.BytesIO()
    RecordFile(stream, form).write(prediction(source))
    assert stream.getvalue().count(b"\n") == 1


@pytest.mark.parametrize("form", FORMS)
def test_what_was_cut_at_any_byte_is_completed(tmp_path: Path, form: Form) -> None:
    photos = [prediction("a"), prediction("b", 0), prediction("웃.jpg", 2), prediction("=d")]
    written(tmp_path / "whole", form, photos)
    whole = (tmp_path / "whole").read_bytes()
    for end in range(len(whole) + 1):
        (tmp_path / "x.partial").write_bytes(whole[:end])
        written(tmp_path / "x", form, photos, resume=True)
        assert (tmp_path / "x").read_bytes() == whole, end
        assert not (tmp_path / "x.partial").exists()


@pytest.mark.parametrize("form", FORMS)
def test_a_finished_file_is_gone_on_with(tmp_path: Path, form: Form) -> None:
    path = tmp_path / "x"
    written(path, form, [prediction("a"), prediction("b", 2)])
    before = path.read_bytes()
    with open_records(path, form, resume=True) as records:
        assert [records.has(name) for name in ("a", "b", "c")] == [True, True, False]
        records.write(prediction("c"))
    assert path.read_bytes().startswith(before)
    written(tmp_path / "new", form, [prediction("c")], resume=True)  # nothing there: from the start
    end = lines(tmp_path / "new")[-1]
    assert lines(path)[-1] == end


def test_an_error_keeps_the_old_file_and_what_was_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x"
    path.write_text("precious\n")

    def interrupted() -> None:
        with open_records(path, JsonLines()) as records:
            records.write(prediction("a"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "precious\n"
    assert len(lines(tmp_path / "x.partial")) == 1
    assert f"kept so far: {path}.partial; --resume goes on with it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("form", "content", "text"),
    [
        (JsonLines(), "nonsense\n{}\n", "x:1: not a record of emotion predict"),
        (JsonLines(), '{"source": 3}\n', "x:1: not a record"),
        (Csv(LABELS), "a,b\n1,2\n", "x:1: expected the columns source,frame"),
        (Csv(LABELS), Csv(("calm", "sad")).head or "", "x:1: expected the columns"),
        (Csv(LABELS), f"{Csv(LABELS).head}\na,b\n", "x:2: not a record .*2 cells, expected 16"),
    ],
)
def test_another_file_is_not_gone_on_with(
    tmp_path: Path, form: Form, content: str, text: str
) -> None:
    path = tmp_path / "x"
    path.write_text(content if content.endswith("\n") else content + "\n")
    before = path.read_bytes()
    with pytest.raises(DataError, match=text), open_records(path, form, resume=True):
        pass
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(EmotionError, match=r"--out .*cannot be written"),
        open_records(tmp_path / "file" / "x", JsonLines()),
    ):
        pass
