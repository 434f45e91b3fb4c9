"""Groups: from a CSV, from file names, from folders; and what each of them is refused for."""

from pathlib import Path

import pytest

from emotion.data.groups import read_groups
from emotion.errors import ConfigError, DataError, EmotionError

PHOTOS = ["train/img/anna_1.jpg", "train/img/anna_2.jpg", "train/img/bob_1.jpg", "test/img/a.jpg"]
ROWS = "anna_1.jpg,anna\nanna_2.jpg,anna\nbob_1.jpg,bob\na.jpg,carl\n"
EXPECTED = dict(zip(PHOTOS, ["anna", "anna", "bob", "carl"], strict=True))


def table(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refused(
    error: type[EmotionError], given: str, folder: Path, photos: list[str] | None = None
) -> str:
    with pytest.raises(error) as caught:
        read_groups(given, PHOTOS if photos is None else photos, [folder])
    return str(caught.value)


# --- a CSV file


@pytest.mark.parametrize(
    "text",
    [
        "filename,person\n" + ROWS,
        "\ufefffilename,person\r\n" + ROWS.replace("\n", "\r\n"),
        "x,y\n" + ROWS,
        "a;b\n" + ROWS.replace(",", ";"),
        "a\tb\tnote\n" + ROWS.replace(",", "\t"),
        'Image , "Subject" \n' + ROWS.replace(".jpg,", '.jpg , "').replace("\n", ' "\n'),
        "identity,age,file\n"
        + "".join(f"{p},3,{n}\n" for n, p in (r.split(",") for r in ROWS.split())),
        "filename,age,group\n" + ROWS.replace(".jpg,", ".jpg,44,") + "\n\n",
        "filename,person\n" + ROWS + "spare.jpg,nobody\nbob_1.jpg,bob\n",
    ],
)
def test_tables_are_read_however_they_are_written(tmp_path: Path, text: str) -> None:
    path = table(tmp_path / "groups.csv", text)
    assert read_groups(str(path), PHOTOS, [tmp_path]) == EXPECTED


def test_file_names_match_in_any_case_and_unicode_form_and_with_folders(tmp_path: Path) -> None:
    rows = "IMG\\CAF\u00c9.JPG,a\n./train/img/other.png,b\n\uc6c3\ub294.jpg,c\n"
    path = table(tmp_path / "groups.csv", "filename,person\n" + rows)
    decomposed = "train/img/\u110b\u116e\u11ba\u1102\u1173\u11ab.jpg"
    photos = ["train/img/cafe\u0301.jpg", "train/img/other.png", decomposed]
    groups = read_groups(str(path), photos, [tmp_path])
    assert list(groups.values()) == ["a", "b", "c"]
    assert list(groups) == photos


def test_names_of_groups_are_told_apart_by_case_but_not_by_unicode_form(tmp_path: Path) -> None:
    rows = "1.jpg,Zoe\u0308\n2.jpg,Zo\u00eb\n3.jpg,zo\u00eb\n"
    path = table(tmp_path / "groups.csv", "filename,person\n" + rows)
    one, two, three = read_groups(str(path), ["1.jpg", "2.jpg", "3.jpg"], [tmp_path]).values()
    assert one == two != three


def test_tables_of_several_folders_are_read_together(tmp_path: Path) -> None:
    # One file name in two folders is two photos, each of its own folder's table.
    table(tmp_path / "train/groups.csv", "filename,person\n1.jpg,anna\n")
    table(tmp_path / "test/groups.csv", "filename,person\n1.jpg,bob\n")
    folders = [tmp_path, tmp_path / "train", tmp_path / "test"]
    photos = ["train/img/1.jpg", "test/img/1.jpg"]
    groups = read_groups("groups.csv", photos, folders)
    assert groups == {"train/img/1.jpg": "anna", "test/img/1.jpg": "bob"}


def test_a_table_is_looked_for_as_given_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(tmp_path / "here/groups.csv", "filename,person\n1.jpg,here\n")
    table(tmp_path / "data/groups.csv", "filename,person\n1.jpg,there\n")
    monkeypatch.chdir(tmp_path / "here")
    assert read_groups("groups.csv", ["1.jpg"], [tmp_path / "data"]) == {"1.jpg": "here"}


def test_a_folder_outside_the_first_one_speaks_of_all_pictures(tmp_path: Path) -> None:
    table(tmp_path / "lists/groups.csv", "filename,person\n1.jpg,anna\n")
    folders = [tmp_path / "data", tmp_path / "lists"]
    assert read_groups("groups.csv", ["train/1.jpg"], folders) == {"train/1.jpg": "anna"}


def test_the_longest_name_counts(tmp_path: Path) -> None:
    path = table(tmp_path / "groups.csv", "filename,person\n1.jpg,anna\nb/1.jpg,bob\n")
    groups = read_groups(str(path), ["a/1.jpg", "b/1.jpg"], [tmp_path])
    assert list(groups.values()) == ["anna", "bob"]


def test_no_table_is_refused_with_the_forms_there_are(tmp_path: Path) -> None:
    assert refused(DataError, "groups.csv", tmp_path) == (
        f"data.groups=groups.csv: no such file here or in {tmp_path}; expected a CSV file"
        r" (filename,person), name:REGEX or folder:N"
    )
    assert "data.groups=.: no such file" in refused(DataError, ".", tmp_path)


def test_photos_without_a_line_are_listed_up_to_ten(tmp_path: Path) -> None:
    path = table(tmp_path / "groups.csv", "filename,person\n0.jpg,anna\n")
    message = refused(DataError, str(path), tmp_path, [f"img/{n}.jpg" for n in range(15)])
    assert message.splitlines()[0] == (
        f"{path}: below the header, no line for img/1.jpg; add one, with a group of its own if the"
        " photo belongs to no other"
    )
    assert len(message.splitlines()) == 11
    assert message.endswith("… and 4 more")


def test_two_groups_for_one_photo_are_refused_with_both_lines(tmp_path: Path) -> None:
    path = table(tmp_path / "groups.csv", "filename,person\n1.jpg,anna\n\n1.JPG,bob\n")
    assert refused(DataError, str(path), tmp_path, ["1.jpg"]) == (
        f"{path}:4: the group of 1.JPG is 'bob', but 'anna' in line 2; remove one"
    )


def test_tables_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    table(tmp_path / "groups.csv", "filename,person\n1.jpg,anna\n")
    table(tmp_path / "train/groups.csv", "filename,person\n1.jpg,bob\n")
    with pytest.raises(DataError) as caught:
        read_groups("groups.csv", ["train/1.jpg"], [tmp_path, tmp_path / "train"])
    assert str(caught.value) == (
        f"train/1.jpg: its group is 'anna' in {tmp_path}/groups.csv:2 but 'bob' in"
        f" {tmp_path}/train/groups.csv:2; remove one"
    )


def test_lines_that_lack_something_are_listed(tmp_path: Path) -> None:
    path = table(tmp_path / "groups.csv", "filename,person\n1.jpg\n2.jpg, \n,anna\n3.jpg,bob\n")
    assert refused(DataError, str(path), tmp_path).splitlines() == [
        f"{path}:{line}: expected a file name and a group" for line in (2, 3, 4)
    ]


@pytest.mark.parametrize("text", ["", "filename\n1.jpg\n", "1.jpg\n", "age,filename\n3,1.jpg\n"])
def test_a_header_of_two_columns_is_needed(tmp_path: Path, text: str) -> None:
    path = table(tmp_path / "groups.csv", text)
    header = text.split("\n")[0]
    message = refused(DataError, str(path), tmp_path)
    if header.startswith("age"):  # its second column holds no group
        header = "age,filename"
    assert message == (f"{path}:1: expected a header such as filename,person, got {header!r}")


@pytest.mark.parametrize(
    "content", [b"filename,person\n\xff\xfe.jpg,x\n", b"a,b\n" + b"x" * 200_000]
)
def test_what_is_no_csv_in_utf_8_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "groups.csv"
    path.write_bytes(content)
    message = refused(DataError, str(path), tmp_path)
    assert message.startswith(f"{path}: cannot be read as CSV in UTF-8 (")


# --- file names and folders


def test_a_regular_expression_takes_the_group_from_the_file_name(tmp_path: Path) -> None:
    groups = read_groups(r"name:^(.*)_\d+", PHOTOS[:3], [tmp_path])
    assert groups == {photo: EXPECTED[photo] for photo in PHOTOS[:3]}
    # The name has colons of its own, and folders are no part of it.
    assert read_groups(r"name:(\w+):", ["x_1/s1:04.jpg"], [tmp_path]) == {"x_1/s1:04.jpg": "s1"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^(.*", "no regular expression (missing )"),
        ("^.*", "expected one group in parentheses, got 0; for example name:^(.*)_\\d+, and (?:…)"),
        ("(a)(b)", "expected one group in parentheses, got 2;"),
        ("", "expected one group in parentheses, got 0;"),
    ],
)
def test_an_expression_must_have_one_group(tmp_path: Path, pattern: str, expected: str) -> None:
    message = refused(ConfigError, f"name:{pattern}", tmp_path)
    assert message.startswith(f"data.groups=name:{pattern}: {expected}")


def test_names_that_the_expression_does_not_fit_are_listed(tmp_path: Path) -> None:
    photos = ["img/anna_1.jpg", "img/anna.jpg", "img/_1.jpg", f"img/{'a' * 300}_1.jpg"]
    lines = refused(DataError, r"name:^(.*)_\d+", tmp_path, photos).splitlines()
    assert lines == [
        rf"data.groups=name:^(.*)_\d+: finds no group in {photo}; change the expression, or rename"
        " the file"
        for photo in photos[1:]
    ]


def test_folders_are_counted_from_one(tmp_path: Path) -> None:
    photos = ["train/img/anna/1.jpg", "train/img/bob/1.jpg", "test/img/anna/2.jpg"]
    groups = read_groups("folder:3", photos, [tmp_path])
    assert list(groups.values()) == ["anna", "bob", "anna"]
    assert set(read_groups("folder:1", photos, [tmp_path]).values()) == {"train", "test"}


@pytest.mark.parametrize("level", ["", "0", "-1", "x", "1.5", "²"])
def test_a_level_is_a_number_from_one(tmp_path: Path, level: str) -> None:
    message = refused(ConfigError, f"folder:{level}", tmp_path)
    assert message == f"data.groups=folder:{level}: expected the level of a folder, from 1"


def test_photos_in_too_few_folders_are_listed(tmp_path: Path) -> None:
    photos = ["img/anna/1.jpg", "img/2.jpg", "3.jpg"]
    assert refused(DataError, "folder:2", tmp_path, photos).splitlines() == [
        f"data.groups=folder:2: fewer folders in the path of {photo}; set a lower level, or give"
        " the groups as a CSV file"
        for photo in photos[1:]
    ]


@pytest.mark.slow
def test_the_persons_of_real_photos_are_found_in_two_tables(shared: Path) -> None:
    root = shared / "data/faces5"
    photos = [p.relative_to(root).as_posix() for p in sorted(root.glob("*/img/*"))]
    groups = read_groups("groups.csv", photos, [root, root / "train", root / "test"])
    train = {group for photo, group in groups.items() if photo.startswith("train/")}
    test = {group for photo, group in groups.items() if photo.startswith("test/")}
    assert (len(photos), len(train), len(test)) == (1872, 313, 64)
    assert not train & test
