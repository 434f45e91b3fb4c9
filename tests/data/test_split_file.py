"""The frozen split: written, read, and held against what is there now."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.data.split_file import (
    FrozenSplit,
    SplitEntry,
    check_unchanged,
    hash_files,
    read_split,
    write_split,
)
from emotion.errors import DataError

WAY_OUT = "freeze the split anew: emotion data split ROOT --out split.json"


def photo(root: Path, name: str) -> tuple[Path, Path]:
    """An XML file and its picture, both with content of their own."""
    pair = root / f"ann/{name}.xml", root / f"img/{name}.jpg"
    for path in pair:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{path.suffix} {name}".encode())
    return pair


def sha256(name: str) -> str:
    return hashlib.sha256(f".xml {name}.jpg {name}".encode()).hexdigest()


def entry(name: str, part: str, fold: int | None = None) -> SplitEntry:
    return SplitEntry(f"img/{name}.jpg", sha256(name), part, fold)


SPLIT = FrozenSplit(
    {"ann/b.xml": entry("b", "train", 2), "ann/a.xml": entry("a", "train", 1)}
    | {"ann/웃는.xml": entry("웃는", "test")},
    {"val": 0.2, "test": None, "groups": r"name:^(\D)", "seed": 0, "folds": 2},
    {"train": {"smile": 2, "sad": 1}, "val": {"smile": 0, "sad": 0}, "test": {"smile": 1}},
)


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    write_split(tmp_path / "split.json", SPLIT)
    written: dict[str, Any] = json.loads((tmp_path / "split.json").read_text(encoding="utf-8"))
    return written


def refused(folder: Path, content: Any) -> str:
    path = folder / "changed.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_split(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ").removesuffix(f"; {WAY_OUT}")


# --- the file


def test_a_split_is_written_by_part_with_numbers_for_people(content: dict[str, Any]) -> None:
    assert content == {
        "format": 1,
        "hash": "sha256 of the XML file followed by its picture",
        "how": {"val": 0.2, "test": None, "groups": r"name:^(\D)", "seed": 0, "folds": 2},
        "parts": {
            "train": {
                "photos": 2,
                "faces": 3,
                "classes": {"smile": 2, "sad": 1},
                "files": {
                    "ann/a.xml": {"picture": "img/a.jpg", "sha256": sha256("a"), "fold": 1},
                    "ann/b.xml": {"picture": "img/b.jpg", "sha256": sha256("b"), "fold": 2},
                },
            },
            "val": {"photos": 0, "faces": 0, "classes": {"smile": 0, "sad": 0}, "files": {}},
            "test": {
                "photos": 1,
                "faces": 1,
                "classes": {"smile": 1},
                "files": {"ann/웃는.xml": {"picture": "img/웃는.jpg", "sha256": sha256("웃는")}},
            },
        },
    }
    assert list(content["parts"]["train"]["files"]) == ["ann/a.xml", "ann/b.xml"]


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=":\\/."), min_size=1
)


@settings(max_examples=25)
@given(
    st.dictionaries(NAMES, st.tuples(st.sampled_from(["train", "val", "test"]), st.integers(1, 9))),
    st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text()),
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory,
    photos: dict[str, tuple[str, int]],
    how: dict[str, Any],
) -> None:
    entries = {f"ann/{n}.xml": entry(n, part, fold) for n, (part, fold) in photos.items()}
    faces = {part: {"sad": 3} for part in ("train", "val", "test")}
    split = FrozenSplit(entries, how, faces)
    path = tmp_path_factory.mktemp("split") / "split.json"
    write_split(path, split)
    assert read_split(path) == split


def test_totals_are_not_read_again(tmp_path: Path, content: dict[str, Any]) -> None:
    content["parts"]["train"]["photos"] = 77
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    assert read_split(path) == SPLIT


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    with pytest.raises(DataError, match=rf"^{path}: cannot be read \(No such file"):
        read_split(path)
    with pytest.raises(DataError, match=rf"^{tmp_path}: cannot be read \(Is a directory"):
        read_split(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "\udcff".encode("utf-8", "surrogatepass")]
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "split.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=rf"^{path}: expected JSON; freeze the split anew: "):
        read_split(path)


def test_another_format_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["format"] = 2
    assert refused(tmp_path, content) == "format: expected 1, got 2"
    assert refused(tmp_path, {"root": "x", "parts": {}}) == "format: expected 1, got null"
    assert refused(tmp_path, [1]) == "the file: expected an object, got [1]"


def test_values_of_another_kind_are_refused_with_their_key(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    wrong: list[tuple[list[str], Any, str]] = [
        (["how"], None, "how: expected an object, got null"),
        (["how", "val"], [1], "how.val: expected a plain setting, got [1]"),
        (["parts"], "x", 'parts: expected an object, got "x"'),
        (["parts", "train"], 3, "parts.train: expected an object, got 3"),
        (["parts", "train", "files"], [], "parts.train.files: expected an object, got []"),
        (["parts", "train", "classes"], None, "parts.train.classes: expected an object, got null"),
        (
            ["parts", "train", "classes", "sad"],
            True,
            "parts.train.classes.sad: expected a number of faces, got true",
        ),
        (
            ["parts", "extra"],
            {},
            "parts.extra: expected one of the parts train, val, test, got {}",
        ),
    ]
    for keys, value, message in wrong:
        changed = json.loads(json.dumps(content))
        target = changed
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value
        assert refused(tmp_path, changed) == message


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("sha256", None, "64 hexadecimal digits, got null"),
        ("sha256", "A" * 64, f'64 hexadecimal digits, got "{"A" * 59}…'),
        ("sha256", "ab" * 32 + "\n", f'64 hexadecimal digits, got "{"ab" * 29}a…'),
        ("fold", 0, "the number of a fold, from 1, got 0"),
        ("fold", True, "the number of a fold, from 1, got true"),
        ("fold", "1", 'the number of a fold, from 1, got "1"'),
        ("picture", None, "a path inside the data set, got null"),
        ("picture", 7, "a path inside the data set, got 7"),
    ],
)
def test_entries_are_checked(
    tmp_path: Path, content: dict[str, Any], key: str, value: Any, expected: str
) -> None:
    content["parts"]["train"]["files"]["ann/a.xml"][key] = value
    message = refused(tmp_path, content)
    assert message == f"parts.train.files.ann/a.xml.{key}: expected {expected}"


OUTSIDE = ["", "/etc/passwd", "../x", "img/../../x", "C:/x", "c:x", "\\\\host\\x", "..\\x", "\\x"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_paths_that_leave_the_data_set_are_refused(
    tmp_path: Path, content: dict[str, Any], path: str
) -> None:
    files = content["parts"]["train"]["files"]
    expected = f"expected a path inside the data set, got {json.dumps(path)}"
    files["ann/a.xml"]["picture"] = path
    assert refused(tmp_path, content) == f"parts.train.files.ann/a.xml.picture: {expected}"
    files["ann/a.xml"]["picture"] = "img/a.jpg"
    files[path] = files.pop("ann/a.xml")
    assert refused(tmp_path, content) == f"parts.train.files.{path}: {expected}"


def test_a_photo_in_two_parts_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    files = content["parts"]["train"]["files"]
    content["parts"]["val"]["files"]["ann/a.xml"] = files["ann/a.xml"] | {"picture": "img/x.jpg"}
    start = "parts.val.files.ann/a.xml: expected each photo once, but ann/a.xml is in train too"
    assert refused(tmp_path, content).startswith(start)
    content["parts"]["val"]["files"] = {"ann/c.xml": files["ann/a.xml"]}
    start = "parts.val.files.ann/c.xml: expected each photo once, but ann/a.xml is in train too"
    assert refused(tmp_path, content).startswith(start)


# --- hashes


def test_a_hash_is_of_the_xml_file_and_then_of_its_picture(tmp_path: Path) -> None:
    pairs = [photo(tmp_path, name) for name in "bca"]
    assert hash_files(pairs) == [sha256(name) for name in "bca"]
    assert hash_files([]) == []


def test_large_files_are_hashed_whole(tmp_path: Path) -> None:
    annotation, image = photo(tmp_path, "a")
    content = bytes(range(256)) * 10_000
    image.write_bytes(content)
    expected = hashlib.sha256(b".xml a" + content).hexdigest()
    assert hash_files([(annotation, image)]) == [expected]


def test_files_that_cannot_be_read_are_listed_up_to_ten(tmp_path: Path) -> None:
    pairs = [photo(tmp_path, f"{number:02d}") for number in range(14)]
    for _, image in pairs[2:]:
        image.unlink()
    with pytest.raises(DataError) as caught:
        hash_files(pairs)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{pairs[2][1]}: cannot be read (No such file or directory)"
    assert (len(lines), lines[-1]) == (11, "… and 2 more")


# --- what is there now


@pytest.fixture
def current(tmp_path: Path) -> dict[str, tuple[Path, Path]]:
    return {f"ann/{name}.xml": photo(tmp_path, name) for name in ("a", "b", "웃는")}


def test_what_is_as_it_was_passes(current: dict[str, tuple[Path, Path]]) -> None:
    assert check_unchanged(SPLIT, current, "split.json") == []


def test_new_files_are_given_back_sorted_and_not_read(
    tmp_path: Path, current: dict[str, tuple[Path, Path]]
) -> None:
    nowhere = tmp_path / "nowhere"
    more = {"ann/z.xml": (nowhere, nowhere), "ann/c.xml": (nowhere, nowhere)}
    assert check_unchanged(SPLIT, more | current, "split.json") == ["ann/c.xml", "ann/z.xml"]


@pytest.mark.parametrize("which", [0, 1])
def test_a_change_of_either_file_is_refused_with_the_way_out(
    current: dict[str, tuple[Path, Path]], which: int
) -> None:
    current["ann/a.xml"][which].write_bytes(b"something else")
    with pytest.raises(DataError) as caught:
        check_unchanged(SPLIT, current, "data.split=split.json")
    assert str(caught.value).splitlines() == [
        "data.split=split.json: ann/a.xml or its picture img/a.jpg has changed",
        f"1 of 3 photos are not as they were frozen; restore them, or {WAY_OUT}",
    ]


def test_missing_and_changed_files_are_listed_up_to_ten(tmp_path: Path) -> None:
    names = [f"{number:02d}" for number in range(15)]
    split = FrozenSplit({f"ann/{name}.xml": entry(name, "train") for name in names}, {}, {})
    current = {f"ann/{name}.xml": photo(tmp_path, name) for name in names[3:]}
    for _, image in list(current.values())[2:]:
        image.write_bytes(b"something else")
    with pytest.raises(DataError) as caught:
        check_unchanged(split, current, "split.json")
    lines = str(caught.value).splitlines()
    assert lines[0] == "split.json: ann/00.xml or its picture img/00.jpg is missing"
    assert lines[3] == "split.json: ann/05.xml or its picture img/05.jpg has changed"
    assert lines[10] == "… and 3 more"
    assert lines[11].startswith("13 of 15 photos are not as they were frozen; restore them, or ")
