from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emotion.errors import DataError

Build = Callable[..., Path]


def grey(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (48, 48), dtype=np.uint8)


def text(seed: int) -> str:
    return " ".join(map(str, grey(seed).ravel()))


def test_the_csv_file(folder: Build, imported: Any) -> None:
    rows = [
        "emotion,pixels,Usage",
        f"3,{text(0)},Training",
        f"2,{text(1)},Training",
        f"6,{text(2)},PublicTest",
        f"0,{text(3)},PrivateTest",
    ]
    result = imported("fer2013", folder({"fer2013/fer2013.csv": "\n".join(rows)}))
    assert result.faces("train") == {"fer0000000.png": [("smile", (0, 0, 47, 47))]}
    assert result.labels("val") == {"fer0000002.png": ["neutral"]}
    assert result.labels("test") == {"fer0000003.png": ["anger"]}
    for part, row in (("train", 0), ("val", 2), ("test", 3)):
        with Image.open(result.root / part / "img" / f"fer{row:07d}.png") as image:
            assert np.array_equal(np.asarray(image), np.stack([grey(row)] * 3, axis=2))
    assert result.record["labels"][1] == {
        **{"label": "fear", "becomes": None},
        "faces": {"train": 1, "val": 0, "test": 0},
    }


def test_the_challenges_csv_file_has_spaces_and_another_order(folder: Build, imported: Any) -> None:
    source = folder({"icml_face_data.csv": f"emotion, Usage, pixels\n4,PublicTest,{text(0)}\n"})
    assert imported("fer2013", source / "icml_face_data.csv").labels("val") == {
        "fer0000000.png": ["sad"]
    }


def test_the_challenges_training_file_has_no_usage(folder: Build, imported: Any) -> None:
    source = folder({"train.csv": f'emotion,pixels\n5,"{text(0)}"\n', "test.csv": "pixels\n"})
    assert imported("fer2013", source).labels("train") == {"fer0000000.png": ["surprise"]}


def test_the_folders(folder: Build, imported: Any, picture: Any) -> None:
    source = folder({"train/angry/a.png": picture(1), "test/neutral/b.png": picture(2)})
    result = imported("fer2013", source)
    assert result.labels("train") == {"a.png": ["anger"]}
    assert result.labels("test") == {"b.png": ["neutral"]}


def test_rows_that_are_no_faces_are_records(folder: Build, imported: Any) -> None:
    rows = [
        "emotion,pixels,Usage",
        f"3,{text(0)},Training",
        "3,1 2 3,Training",
        f"3,{text(1)} 256,Training",
        f"3,{text(1)} {'9' * 5000},Training",
        f"3,{text(1)},Tuesday",
        "3",
        f"99,{text(2)},Training",
    ]
    result = imported("fer2013", folder({"fer2013.csv": "\n".join(rows)}))
    assert result.labels("train") == {"fer0000000.png": ["smile"]}
    assert [tuple(each.values()) for each in result.record["not_used"]["records"]] == [
        ("fer2013.csv:3", "expected 48 x 48 = 2304 pixels, got 3"),
        ("fer2013.csv:4", "expected pixels from 0 to 255"),
        ("fer2013.csv:5", "expected pixels from 0 to 255"),
        ("fer2013.csv:6", "expected the usage Training, PublicTest or PrivateTest, got 'Tuesday'"),
        ("fer2013.csv:7", "expected the usage Training, PublicTest or PrivateTest, got ''"),
    ]
    assert result.summary.faces["99", "train"] == 1
    assert result.summary.labels["99"] is None


def test_another_csv_file_is_no_layout(folder: Build, imported: Any) -> None:
    source = folder({"fer2013.csv": "image,label\n"})
    with pytest.raises(DataError, match=r"expected the columns emotion, pixels; there is no"):
        imported("fer2013", source)
    with pytest.raises(DataError, match=r"expected a \.csv file, or a folder with one"):
        imported("fer2013", folder({"a.png": ""}) / "a.png")
