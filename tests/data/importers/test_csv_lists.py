from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion.errors import DataError

Build = Callable[..., Path]


def test_inclusive_corners_and_several_faces(folder: Build, imported: Any, picture: Any) -> None:
    rows = (
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "a.png,40,30,happy,1,2,20,21\na.png,40,30,sad,21.4,2,30.6,21\nb.png,40,30,anger,,,,\n"
    )
    source = folder({"pics/l.csv": rows, "pics/a.png": picture(1), "pics/b.png": picture(2)})
    result = imported("csv", source)
    assert result.faces() == {
        "a.png": [("smile", (1, 2, 20, 21)), ("sad", (21, 2, 31, 21))],
        "b.png": [("anger", (0, 0, 39, 29))],
    }


@pytest.mark.parametrize(
    "header", ["path;emotion;x;y;w;h;split", "file;label;X;Y;Width;Height;part"]
)
def test_sizes_parts_and_other_names(
    folder: Build, imported: Any, picture: Any, header: str
) -> None:
    rows = (
        f"{header}\nd\\a.png;sad;1;2;10;11;train\n"
        "d/b.png;joy;0;0;9;9;VALID\n./d/b.png;fear;0;0;9;9;val\n"
    )
    source = folder({"l.csv": rows, "d/a.png": picture(1), "d/b.png": picture(2)})
    result = imported("csv", source / "l.csv")
    assert result.faces("train") == {"a.png": [("sad", (1, 2, 10, 12))]}
    assert result.faces("val") == {"b.png": [("smile", (0, 0, 8, 8))]}
    assert result.summary.faces["fear", "val"] == 1


def test_rows_that_lead_nowhere_are_records(
    folder: Build, imported: Any, picture: Any, tmp_path: Path
) -> None:
    (tmp_path / "out.png").write_bytes(picture(3))
    rows = (
        "image,label,x,y,w,h,split\n"
        "a.png,sad,0,0,9,9,train\n"
        "../out.png,sad,0,0,9,9,train\n"
        f"{tmp_path}/out.png,sad,0,0,9,9,train\n"
        "link.png,sad,0,0,9,9,train\n"
        "gone.png,sad,0,0,9,9,train\n"
        "a.png,sad,nan,0,9,9,train\n"
        "a.png,sad,0,0,0,9,train\n"
        f"a.png,sad,0,0,{'9' * 400},9,train\n"
        "a.png,sad,0,0,9,9,monday\n"
        ",sad,0,0,9,9,train\n"
    )
    source = folder({"l.csv": rows, "a.png": picture(1)})
    (source / "link.png").symlink_to(tmp_path / "out.png")
    result = imported("csv", source / "l.csv")
    assert result.faces("train") == {"a.png": [("sad", (0, 0, 8, 8))]}
    reasons = [each["reason"] for each in result.record["not_used"]["records"]]
    outside = "leads out of the source; nothing outside it is read"
    assert reasons[0] == f"'../out.png' {outside}"
    assert reasons[1] == f"{str(tmp_path / 'out.png')!r:.100} {outside}"
    assert reasons[2] == "expected train, val or test, got 'monday'"
    assert reasons[3] == "'' names no file"
    assert sum("not four numbers" in reason for reason in reasons) == 2
    assert sum("has no area" in reason for reason in reasons) == 1
    assert "no such file in the source" in reasons
    assert outside in reasons
    assert len(reasons) == 9


def test_columns_that_are_missing_are_named(folder: Build, imported: Any) -> None:
    with pytest.raises(DataError, match=r"l\.csv: expected a column image .* found image, name"):
        imported("csv", folder({"l.csv": "image,name\na.png,sad\n"}))


def test_of_several_files_one_must_be_named(folder: Build, imported: Any, picture: Any) -> None:
    files = {"a.csv": "image,label\n1.png,sad\n", "b.csv": "", "1.png": picture()}
    source = folder(files)
    with pytest.raises(DataError, match=r"expected one \.csv file, found 2: a\.csv, b\.csv; name"):
        imported("csv", source)
    assert imported("csv", source / "a.csv").labels() == {"1.png": ["sad"]}
