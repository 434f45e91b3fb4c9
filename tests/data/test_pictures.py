"""Facts of pictures: found out once for each content, and never believed of another one."""

import hashlib
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.datasets import broken_png, lock, noise

from emotion.data import pictures
from emotion.data.duplicates import fingerprint
from emotion.data.pictures import FILE, PictureFacts, study_pictures
from emotion.errors import EmotionError, PictureError
from emotion.faces import images
from emotion.faces.images import read_image, write_image

Decoded = Counter[str]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Decoded:
    """Counts how often each picture is decoded, by its name."""
    counts: Decoded = Counter()

    def counted(path: Path) -> NDArray[np.uint8]:
        counts[path.name] += 1
        return read_image(path)

    monkeypatch.setattr(pictures, "read_image", counted)
    return counts


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder for facts, which is not there yet."""
    return tmp_path / "deep" / "cache"


def write(folder: Path, *names: str) -> list[Path]:
    paths = [folder / f"{name}.png" for name in names]
    for path in paths:
        write_image(path, noise(path.stem))
    return paths


def study(paths: list[Path], folder: Path | None) -> dict[str, PictureFacts]:
    return {path.name: facts for path, facts in study_pictures(paths, folder).items()}


def test_the_facts_of_a_picture(tmp_path: Path) -> None:
    (path,) = write(tmp_path, "a")
    expected = PictureFacts(
        hashlib.sha256(path.read_bytes()).hexdigest(), 80, 60, fingerprint(noise("a"))
    )
    assert study_pictures([path], None) == {path: expected}
    assert len(expected.fingerprint) == 32


def test_the_size_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise("a")).save(tmp_path / "a.jpg", exif=exif)
    facts = study([tmp_path / "a.jpg"], None)["a.jpg"]
    assert (facts.width, facts.height) == (60, 80)


def test_facts_come_in_the_order_of_the_paths(tmp_path: Path, kept: Path) -> None:
    paths = write(tmp_path, "c", "a", "b")
    assert list(study_pictures(paths, kept)) == paths
    assert list(study_pictures(paths[::-1], kept)) == paths[::-1]


def test_no_pictures_have_no_facts(kept: Path) -> None:
    assert study_pictures([], kept) == {}


def test_what_is_known_is_not_decoded_again(tmp_path: Path, kept: Path, decoded: Decoded) -> None:
    paths = write(tmp_path, "a", "b")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    paths.append(tmp_path / "broken.jpg")
    first = study(paths, kept)
    assert decoded == {"a.png": 1, "b.png": 1, "broken.jpg": 1}
    assert study(paths, kept) == first
    assert decoded.total() == 3
    assert [path.name for path in kept.iterdir()] == [FILE]


def test_without_a_folder_nothing_is_kept(tmp_path: Path, decoded: Decoded) -> None:
    paths = write(tmp_path / "img", "a")
    assert study(paths, None) == study(paths, None)
    assert decoded["a.png"] == 2
    assert list(tmp_path.iterdir()) == [tmp_path / "img"]


def test_a_picture_is_known_by_any_name(tmp_path: Path, kept: Path, decoded: Decoded) -> None:
    (path,) = write(tmp_path, "a")
    first = study([path], kept)["a.png"]
    renamed = path.rename(tmp_path / "moved.jpg")
    assert study([renamed], kept) == {"moved.jpg": first}
    assert decoded.total() == 1


def test_equal_files_are_decoded_once(tmp_path: Path, kept: Path, decoded: Decoded) -> None:
    (path,) = write(tmp_path, "a")
    copy = Path(shutil.copyfile(path, tmp_path / "b.png"))
    facts = study([path, copy], kept)
    assert facts["a.png"] == facts["b.png"]
    assert decoded.total() == 1


def test_a_changed_picture_is_studied_anew_though_its_name_and_time_stay(
    tmp_path: Path, kept: Path, decoded: Decoded
) -> None:
    (path,) = write(tmp_path, "a")
    time = path.stat().st_mtime_ns
    study([path], kept)
    write_image(path, noise("other", 50, 40))
    os.utime(path, ns=(time, time))
    facts = study([path], kept)["a.png"]
    assert (facts.width, facts.height) == (50, 40)
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts.fingerprint == fingerprint(noise("other", 50, 40))
    assert decoded["a.png"] == 2


@pytest.mark.parametrize("what", ["FORMAT", "Pillow"])
def test_facts_of_another_version_are_found_out_anew(
    tmp_path: Path, kept: Path, decoded: Decoded, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    paths = write(tmp_path, "a")
    first = study(paths, kept)
    if what == "FORMAT":
        monkeypatch.setattr(pictures, "FORMAT", pictures.FORMAT + 1)
    else:
        monkeypatch.setattr("PIL.__version__", "99.0")
    assert study(paths, kept) == first
    assert decoded["a.png"] == 2
    monkeypatch.undo()  # those of the old version are still there, and reading is not counted now
    monkeypatch.setattr(pictures, "read_image", None)
    assert study(paths, kept) == first


def fill(folder: Path, tmp_path: Path) -> tuple[list[Path], dict[str, PictureFacts]]:
    """Makes a database of several pages, with the facts of three pictures that are there."""
    paths = write(tmp_path / "img", "a", "b", "c")
    store = pictures._Store(folder)
    store.write([PictureFacts(f"{n:064x}", n, n, bytes(32), reason="x" * 200) for n in range(200)])
    facts = study(paths, folder)
    assert (folder / FILE).stat().st_size > 10 * 4096
    return paths, facts


def of_garbage(content: bytes) -> bytes:
    return b"\x55" * len(content)


def cut_in_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_in_the_header(content: bytes) -> bytes:
    return content[:50]


def overwritten_behind_the_head(content: bytes) -> bytes:
    return content[:4096] + b"\xff" * (len(content) - 4096)


def emptied(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    "damage", [of_garbage, cut_in_half, cut_in_the_header, overwritten_behind_the_head, emptied]
)
def test_a_damaged_database_is_made_anew(
    tmp_path: Path, kept: Path, decoded: Decoded, damage: Callable[[bytes], bytes]
) -> None:
    paths, facts = fill(kept, tmp_path)
    (kept / FILE).write_bytes(damage((kept / FILE).read_bytes()))
    assert study(paths, kept) == facts
    assert set(decoded.values()) == {2}
    assert study(paths, kept) == facts
    assert set(decoded.values()) == {2}
    with sqlite3.connect(kept / FILE) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_database_that_is_damaged_while_pictures_are_studied_is_made_anew(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, facts = fill(kept, tmp_path)
    new = write(tmp_path / "img", "d")

    def damaging(path: Path) -> NDArray[np.uint8]:
        (kept / FILE).write_bytes(b"\x55" * 5000)
        return read_image(path)

    monkeypatch.setattr(pictures, "read_image", damaging)
    facts |= study(paths + new, kept)
    monkeypatch.undo()
    assert study(paths + new, kept) == facts


def folder_is_a_file(folder: Path) -> None:
    folder.parent.mkdir()
    folder.touch()


def database_is_a_folder(folder: Path) -> None:
    (folder / FILE).mkdir(parents=True)


def database_is_of_others(folder: Path) -> None:
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / FILE) as database:
        database.execute("CREATE TABLE pictures (name TEXT)")
    database.close()


@pytest.mark.parametrize(
    "obstacle", [folder_is_a_file, database_is_a_folder, database_is_of_others]
)
def test_a_folder_that_cannot_be_used_is_an_error_with_the_way_out(
    tmp_path: Path, kept: Path, obstacle: Callable[[Path], None]
) -> None:
    obstacle(kept)
    with pytest.raises(EmotionError) as caught:
        study_pictures(write(tmp_path, "a"), kept)
    message = str(caught.value)
    assert message.startswith(f"{kept / FILE}: cannot be used (")
    assert message.endswith("); name another folder with data.cache, or keep nothing:"
                            " data.cache=null")  # fmt: skip


def test_another_process_that_writes_for_too_long_is_an_error_and_no_damage(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, facts = fill(kept, tmp_path)
    monkeypatch.setattr(pictures, "WAIT", 0.01)
    other = sqlite3.connect(kept / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(EmotionError, match=r"cannot be used \(database is locked\)"):
        study_pictures(paths, kept)
    other.close()
    monkeypatch.setattr(pictures, "read_image", None)
    assert study(paths, kept) == facts


def test_threads_may_write_at_once(tmp_path: Path, kept: Path, decoded: Decoded) -> None:
    names = [f"{number:02d}" for number in range(12)]
    paths = write(tmp_path, *names)
    alone = study(paths, None)
    parts = [paths[start : start + 6] for start in (0, 2, 4, 6)]  # they overlap
    with ThreadPoolExecutor(len(parts)) as pool:
        results = list(pool.map(lambda part: study(part, kept), parts))
    for part, result in zip(parts, results, strict=True):
        assert result == {path.name: alone[path.name] for path in part}
    decoded.clear()
    assert study(paths, kept) == alone
    assert not decoded


@pytest.mark.slow
def test_processes_may_write_at_once(tmp_path: Path, kept: Path, decoded: Decoded) -> None:
    paths = write(tmp_path, *(f"{number:02d}" for number in range(40)))
    code = (
        "import sys; from pathlib import Path; from emotion.data import pictures;"
        "pictures.STEP = 1;"  # as many writes as there are pictures
        "pictures.study_pictures([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]))"
    )
    arguments = [sys.executable, "-c", code, str(kept)]
    running = [
        subprocess.Popen([*arguments, *map(str, paths[start : start + 25])], stderr=subprocess.PIPE)
        for start in (0, 5, 10, 15)
    ]
    assert [process.communicate()[1] for process in running] == [b""] * 4
    assert study(paths, kept) == study(paths, None)
    assert set(decoded.values()) == {1}  # only the call that keeps nothing


def test_what_was_found_out_before_an_interruption_is_kept(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write(tmp_path, *"abcdef")
    calls = itertools.count(1)

    def interrupted(path: Path) -> NDArray[np.uint8]:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return read_image(path)

    monkeypatch.setattr(pictures, "STEP", 2)
    monkeypatch.setattr(pictures, "read_image", interrupted)
    with pytest.raises(KeyboardInterrupt):
        study_pictures(paths, kept)
    begun = next(calls)
    study_pictures(paths, kept)
    # Of the four before the fifth, threads may have finished one after it.
    assert next(calls) - begun - 1 in (2, 4)


def test_files_that_cannot_be_opened_are_facts_too_and_asked_again(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write(tmp_path, "a", "b", "c")
    with monkeypatch.context() as locked:
        lock(locked, *paths[:2])
        facts = study([*paths, tmp_path / "gone.png"], kept)
    shut = PictureFacts(
        "", kind="picture_unreadable", reason="cannot be opened (Permission denied)"
    )
    assert facts["a.png"] == facts["b.png"] == shut
    assert facts["c.png"].kind == ""
    assert facts["gone.png"] == PictureFacts("", kind="picture_missing", reason="no such file")
    assert [facts.kind for facts in study(paths, kept).values()] == ["", "", ""]


def test_a_file_that_is_shut_once_it_was_hashed_is_not_held_against_its_content(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write(tmp_path, "a", "b")

    def gone(path: Path) -> NDArray[np.uint8]:
        kind = "picture_missing" if path.stem == "a" else "picture_unreadable"
        raise PictureError(path, kind, "not now")

    monkeypatch.setattr(pictures, "read_image", gone)
    assert [facts.reason for facts in study(paths, kept).values()] == ["not now", "not now"]
    monkeypatch.undo()
    assert [facts.kind for facts in study(paths, kept).values()] == ["", ""]


def test_a_file_that_is_far_too_large_is_not_even_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write(tmp_path, "a")
    for module in (pictures, images):
        monkeypatch.setattr(module, "MAX_BYTES", 100)
    facts = study_pictures([path], None)[path]
    assert (facts.sha256, facts.kind) == ("", "picture_too_large")
    assert facts.reason == f"a file of {path.stat().st_size:,} bytes; at most 100 are read"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "picture_empty"),
        (b"just text", "picture_not_a_picture"),
        (b"P6 60000 60000 255\n", "picture_too_large"),
        (b"P6 4 4 255\n" + bytes(7), "picture_truncated"),
        (broken_png(), "picture_broken"),
    ],
    ids=["empty", "text", "huge", "short", "broken"],
)
def test_what_is_wrong_is_kept_as_it_was_found(
    tmp_path: Path, kept: Path, content: bytes, kind: str
) -> None:
    (tmp_path / "a.ppm").write_bytes(content)
    first = study([tmp_path / "a.ppm"], kept)["a.ppm"]
    assert first.kind == kind
    assert first.reason
    assert "\n" not in first.reason
    assert (first.width, first.height, first.fingerprint) == (0, 0, b"")
    assert first.sha256 == hashlib.sha256(content).hexdigest()
    assert study([tmp_path / "a.ppm"], kept)["a.ppm"] == first
