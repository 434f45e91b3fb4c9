import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Build = Callable[..., Path]
HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,"
    "valence,arousal\n"
)
MARKS = ";".join(["12.34"] * 136)


def npy(value: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, value)
    return stream.getvalue()


def test_the_lists(folder: Build, imported: Any, picture: Any) -> None:
    rows = (
        f"689/a.png,2,3,20,10,{MARKS},1,0.7,-0.01\n"
        f"689/b.png,0,0,9,9,{MARKS},9,-2,-2\n"  # uncertain
        f"689/c.png,NULL,0,9,9,{MARKS},6,0,0\n"
        f"689/d.png,nan,0,9,9,{MARKS},10,0,0\n"  # no face, so no box is expected
        f"../../689/a.png,0,0,9,9,{MARKS},6,0,0\n"
        f",0,0,9,9,{MARKS},6,0,0\n"
    )
    base = "AffectNet/Manually_Annotated"
    files: dict[str, Any] = {
        f"{base}_file_lists/training.csv": HEADER + rows,
        f"{base}_file_lists/validation.csv": HEADER + f"1/a.png,1,1,8,8,{MARKS},0,0,0\n",
        f"{base}_Images/1/a.png": picture(7),
    }
    files |= {f"{base}_Images/689/{name}.png": picture(n) for n, name in enumerate("abcd")}
    result = imported("affectnet", folder(files))
    assert result.faces("train") == {"a.png": [("smile", (2, 3, 21, 12))]}
    assert result.faces("val") == {"a.png": [("neutral", (1, 1, 8, 8))]}
    assert result.summary.faces["uncertain", "train"] == 1
    assert result.summary.faces["non-face", "train"] == 1
    upwards, nameless, boxless = result.record["not_used"]["records"]
    assert upwards["reason"].startswith("leads out of the source")
    assert nameless["place"] == f"{base}_file_lists/training.csv:7"
    assert nameless["reason"] == "expected a path in subdirectory_filepath, got none"
    assert boxless["place"] == f"{base}_Images/689/c.png"
    assert "is not four numbers of pixels" in boxless["reason"]


def test_the_sets(folder: Build, imported: Any, picture: Any) -> None:
    files: dict[str, Any] = {
        "train_set/images/0.jpg": picture(0, format="JPEG"),
        "train_set/annotations/0_exp.npy": npy("6"),
        "train_set/annotations/0_val.npy": npy("0.1"),
        "train_set/images/1.jpg": picture(1, format="JPEG"),
        "train_set/annotations/1_exp.npy": npy(2),
        "val_set/images/0.jpg": picture(2, format="JPEG"),
        "val_set/annotations/0_exp.npy": npy("4"),
        "val_set/images/1.jpg": picture(3, format="JPEG"),
        "val_set/annotations/1_exp.npy": npy("3.0"),
    }
    result = imported("affectnet", folder(files))
    assert result.labels("train") == {"0.jpg": ["anger"], "1.jpg": ["sad"]}
    assert result.labels("val") == {"1.jpg": ["surprise"]}
    assert result.summary.faces["fear", "val"] == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no label"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "holds no label"),
        (npy([1, 2]), "holds no label"),
        (npy(2.5), "expected a whole number, got '2.5'"),
        (npy("x"), "expected a whole number, got 'x'"),
        (npy("1")[:-2], "holds no label"),
        (npy("1").replace(b"()", b"(9999999999999,)"), "holds no label"),
        (b"x" * 10_001, "holds no label .larger than 10,000 bytes"),
    ],
)
def test_labels_that_are_none_are_records(
    folder: Build, imported: Any, picture: Any, content: bytes, reason: str
) -> None:
    files: dict[str, Any] = {
        "train_set/images/0.jpg": picture(0, format="JPEG"),
        "train_set/annotations/0_exp.npy": npy("6"),
        "train_set/annotations/1_exp.npy": content,
        "elsewhere/annotations/1_exp.npy": npy("6"),
    }
    result = imported("affectnet", folder(files))
    first, second = (each["reason"] for each in result.record["not_used"]["records"])
    assert first == "expected to lie in annotations/ of train_set, val_set, test_set"
    assert reason.replace(" .", " (") in second


def test_an_object_in_a_label_file_is_not_unpickled(
    folder: Build, imported: Any, picture: Any
) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array({"a": 1}, dtype=object), allow_pickle=True)
    files: dict[str, Any] = {
        "val_set/images/0.jpg": picture(0, format="JPEG"),
        "val_set/annotations/0_exp.npy": npy("0"),
        "val_set/annotations/1_exp.npy": stream.getvalue(),
    }
    result = imported("affectnet", folder(files))
    (record,) = result.record["not_used"]["records"]
    assert "allow_pickle=False" in record["reason"]
