"""A user's columns: read however they are written, refused with the line where they are wrong."""

from pathlib import Path

import pytest

from emotion.errors import DataError
from emotion.evaluation.slices.columns import MOST_VALUES, NOT_GIVEN, read_columns, stands_for_none

PHOTOS = ["img/anna_1.jpg", "img/anna_2.jpg", "img/bob_1.jpg"]
ROWS = "anna_1.jpg,old,20\nanna_2.jpg,new,20\nbob_1.jpg,old,31\n"
EXPECTED = {"camera": ["old", "new", "old"], "age": ["20", "20", "31"]}


def table(folder: Path, text: str) -> Path:
    path = folder / "columns.csv"
    path.write_bytes(text.encode())
    return path


def refused(folder: Path, content: str | bytes, photos: list[str] | None = None) -> str:
    path = folder / "columns.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        read_columns(path, PHOTOS if photos is None else photos)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert len(message) < 1500
    return message.removeprefix(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "filename,camera,age\n" + ROWS,
        "\ufefffilename,camera,age\r\n" + ROWS.replace("\n", "\r\n"),
        "x;camera;age\n" + ROWS.replace(",", ";"),
        "x\tcamera\tage\n" + ROWS.replace(",", "\t"),
        'Photo , "camera" ,age\n' + ROWS.replace(",old", ', "old" '),
        "filename,camera,age,\n" + ROWS.replace("\n", ",\n") + ",,,\n\n",
        "filename,camera,age\n" + ROWS + "stranger.jpg,none,99\nbob_1.jpg,old,31\n",
        "filename,camera,age\n" + ROWS.replace("bob_1", "IMG\\BOB_1"),
    ],
)
def test_columns_are_read_however_they_are_written(tmp_path: Path, text: str) -> None:
    assert read_columns(table(tmp_path, text), PHOTOS) == EXPECTED


def test_file_names_may_stand_in_any_column(tmp_path: Path) -> None:
    path = table(tmp_path, "age,File,camera\n20,anna_1.jpg,old\n")
    assert read_columns(path, PHOTOS[:1]) == {"age": ["20"], "camera": ["old"]}


def test_what_is_not_given_is_said_to_be_so(tmp_path: Path) -> None:
    path = table(tmp_path, "filename,camera,age\nanna_1.jpg,,20\nbob_1.jpg,old\n")
    assert read_columns(path, PHOTOS) == {
        "camera": [NOT_GIVEN, NOT_GIVEN, "old"],
        "age": ["20", NOT_GIVEN, NOT_GIVEN],
    }
    assert stands_for_none(NOT_GIVEN)
    assert not stands_for_none("old")


def test_a_row_that_gives_folders_goes_before_one_that_does_not(tmp_path: Path) -> None:
    path = table(tmp_path, "filename,camera\n1.jpg,old\nb/1.jpg,new\n")
    assert read_columns(path, ["a/1.jpg", "b/1.jpg"]) == {"camera": ["old", "new"]}


def test_one_photo_may_be_asked_for_again(tmp_path: Path) -> None:
    path = table(tmp_path, "filename,camera,age\n" + ROWS)
    assert read_columns(path, [PHOTOS[1]] * 3)["camera"] == ["new"] * 3
    assert read_columns(path, []) == {"camera": [], "age": []}


def test_the_rarest_of_many_values_are_joined(tmp_path: Path) -> None:
    photos = [f"{n}.jpg" for n in range(60)]
    # 30 values: "00" to "09" four times, the others once; some photos without any.
    values = [f"{n % 10:02}" if n < 40 else f"{n - 30:02}" for n in range(58)]
    rows = "".join(f"{photo},{value}\n" for photo, value in zip(photos, values, strict=False))
    (found,) = read_columns(table(tmp_path, "filename,id\n" + rows), photos).values()
    joined = "(others: 9 values)"
    assert stands_for_none(joined)
    assert len(set(found) - {NOT_GIVEN}) == MOST_VALUES
    assert found[:40] == values[:40]
    assert found[58:] == [NOT_GIVEN] * 2
    assert found[40:58] == [value if value < "19" else joined for value in values[40:]]


def test_as_many_values_as_are_read_stay(tmp_path: Path) -> None:
    photos = [f"{n}.jpg" for n in range(MOST_VALUES)]
    rows = "".join(f"{photo},v{n}\n" for n, photo in enumerate(photos))
    (found,) = read_columns(table(tmp_path, "filename,id\n" + rows), photos).values()
    assert found == [f"v{n}" for n in range(MOST_VALUES)]


def test_a_column_without_a_name_is_called_by_its_place(tmp_path: Path) -> None:
    path = table(tmp_path, "filename,,age\n" + ROWS)
    assert read_columns(path, PHOTOS) == {"column 2": EXPECTED["camera"], "age": EXPECTED["age"]}


# --- what is refused


def test_rows_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    message = refused(tmp_path, "filename,camera\nimg/1.jpg,old\n\nIMG/1.JPG,new\n", ["img/1.jpg"])
    assert message == (
        ":4: says another thing of IMG/1.JPG than line 2; correct the row, or remove it"
    )


def test_wrong_rows_are_listed_up_to_ten(tmp_path: Path) -> None:
    lines = refused(tmp_path, "filename,camera\n" + ",old\na.jpg,b,c\n" * 8).splitlines()
    assert lines[0] == ":2: has no file name; correct the row, or remove it"
    assert lines[1].endswith(":3: has 3 cells, but the header 2; correct the row, or remove it")
    assert lines[-1] == "… and 6 more"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ":1: expected a header such as filename,camera,age with two columns or more, got ''"),
        ("filename\na.jpg\n", "got 'filename'"),
        ("filename,a,a\n", ":1: two columns are called 'a'; rename or remove one"),
        ("filename," + ",".join(map(str, range(21))), ":1: 21 columns beside the file names; at"),
        ("filename,a\n\0,b\n", ":2: holds a NUL character"),
        ("filename,camera\n1.jpg,old\n", "no row is about any of the 3 photos, such as img/anna"),
        ("filename,camera\n", "its file names begin with nothing"),
        ("filename,camera\n" + "x" * 1_000_000 + ",old\n", "cannot be read as CSV in UTF-8 (field"),
        ("filename," + "x" * 1_000_000 + "\n1.jpg,old\n", "cannot be read as CSV in UTF-8 (field"),
        ("a,b\n" + "y" * 100_000 + ".jpg,old\n", "its file names begin with yyy"),
        ("a,b\n1.jpg,\x1b[31m\n\u202e.jpg,x\n", "no row is about any"),
        (b"filename,camera\n\xff\xfe.jpg,x\n", "cannot be read as CSV in UTF-8 ('utf-8' codec"),
        ("filename,camera\n1.jpg,x\n".encode("utf-16"), "cannot be read as CSV in UTF-8"),
    ],
)
def test_hostile_files_are_refused_with_the_reason(
    tmp_path: Path, content: str | bytes, expected: str
) -> None:
    message = refused(tmp_path, content)
    assert expected in message
    assert message.isprintable() or "\n" in message


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_columns(tmp_path / "none.csv", PHOTOS)
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_columns(tmp_path, PHOTOS)


def test_a_file_that_is_far_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion.evaluation.slices.columns.LONGEST", 1000)
    message = refused(tmp_path, "filename,camera\n" + "1.jpg,old\n" * 100)
    assert message == ": larger than 1,000 bytes; keep the rows of these photos"


@pytest.mark.slow
def test_the_groups_of_real_photos_are_a_column(shared: Path) -> None:
    folder = shared / "data/faces5/test"
    photos = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("img/*"))]
    (found,) = read_columns(folder / "groups.csv", photos).values()
    assert len(set(found)) == MOST_VALUES
    assert NOT_GIVEN not in found
    assert sum(value.startswith("(others: 45 values)") for value in found) > 0
