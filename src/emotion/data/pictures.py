"""What is known of each picture without looking at its annotation.

Facts belong to the bytes of a file, so they are kept by its hash: a picture is decoded for them
once, whatever it is called and whichever run asks again.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypeVar

from emotion.errors import EmotionError, PictureError
from emotion.faces.images import MAX_BYTES, read_image
from emotion.terminal import tracked
from emotion.threads import map_in_order

FILE = "pictures.sqlite"
FORMAT = 1  # of the facts; those of another number are found out anew
STEP = 500  # pictures between two writes, which are lost when the process is killed
WAIT = 60  # seconds for another process that writes
PASSING = ("picture_missing", "picture_unreadable")  # kinds that say nothing about the content
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

T = TypeVar("T")


@dataclass(frozen=True)
class PictureFacts:
    """What is known of one picture.

    Attributes:
        sha256: of the file's bytes; "" where it cannot be opened, or is too large.
        width: in pixels, upright; 0 where it cannot be decoded.
        height: likewise.
        fingerprint: see `emotion.data.duplicates`; empty where it cannot be decoded.
        kind: kind of problem, or "" where it can be decoded.
        reason: what is wrong with it, or "".
    """

    sha256: str
    width: int = 0
    height: int = 0
    fingerprint: bytes = b""
    kind: str = ""
    reason: str = ""


def study_pictures(paths: Sequence[Path], folder: Path | None) -> dict[Path, PictureFacts]:
    """Finds out the facts of pictures, on all cores, with progress.

    Args:
        paths: the pictures.
        folder: where the facts are kept for the next time, or None.

    Raises:
        EmotionError: the folder cannot be written to.
    """
    digests = tracked(map_in_order(_digest, paths), "hashing", len(paths))
    hashes = dict(zip(paths, digests, strict=True))
    known = _Store(folder).read(set(hashes.values())) if folder else {}
    # Of equal files one is looked at; one that cannot be opened has no hash.
    first = {hashes[path] or str(path): path for path in reversed(paths)}
    new = {key: path for key, path in first.items() if key not in known}
    studied = map_in_order(lambda path: _study(path, hashes[path]), new.values())
    waiting: list[PictureFacts] = []
    for key, facts in zip(new, tracked(studied, "looking at pictures", len(new)), strict=True):
        known[key] = facts
        waiting.append(facts)
        if folder and len(waiting) == STEP:
            _Store(folder).write(waiting)
            waiting.clear()
    if folder and waiting:
        _Store(folder).write(waiting)
    return {path: known[hashes[path] or str(path)] for path in paths}


def _digest(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:  # refused by the reader in any case
            return ""
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _study(path: Path, sha256: str) -> PictureFacts:
    from emotion.data.duplicates import fingerprint

    try:
        image = read_image(path)
    except PictureError as error:
        content = "" if error.kind in PASSING else sha256  # "" is not kept for the next time
        return PictureFacts(content, kind=error.kind, reason=error.reason)
    height, width = image.shape[:2]
    return PictureFacts(sha256, width, height, fingerprint(image))


class _Store:
    """Facts in an SQLite file, which several processes may use at once and a kill leaves whole."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def read(self, hashes: Iterable[str]) -> dict[str, PictureFacts]:
        """Gives the facts that are known of files, by their hash."""
        question = (
            "SELECT sha256, width, height, fingerprint, kind, reason FROM pictures"
            " WHERE made_by = ? AND sha256 IN (SELECT value FROM json_each(?))"
        )
        asked = (_made_by(), json.dumps(sorted(hashes)))
        rows = self._use(lambda database: database.execute(question, asked).fetchall())
        return {row[0]: PictureFacts(*row) for row in rows}

    def write(self, facts: Sequence[PictureFacts]) -> None:
        """Keeps facts; those of files that could not be opened are left out."""
        order = "INSERT OR REPLACE INTO pictures VALUES (?,?,?,?,?,?,?)"
        rows = [(_made_by(), *astuple(fact)) for fact in facts if fact.sha256]
        self._use(lambda database: database.executemany(order, rows))

    def _use(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Does something with the database, in one transaction; a damaged one is made anew."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return self._attempt(action)
            except sqlite3.Error as error:
                # Extended codes have the primary one in their last byte; Python's own have none.
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in DAMAGED:
                    raise
                self.path.unlink()  # it holds nothing that cannot be found out again
                return self._attempt(action)
        except (OSError, sqlite3.Error) as error:
            raise EmotionError(
                f"{self.path}: cannot be used ({error}); name another folder with data.cache, or"
                " keep nothing: data.cache=null"
            ) from error

    def _attempt(self, action: Callable[[sqlite3.Connection], T]) -> T:
        with closing(sqlite3.connect(self.path, timeout=WAIT)) as database, database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS pictures (made_by TEXT, sha256 TEXT, width INTEGER,"
                " height INTEGER, fingerprint BLOB, kind TEXT, reason TEXT,"
                " PRIMARY KEY (made_by, sha256))"
            )
            return action(database)


def _made_by() -> str:
    import imagehash
    import PIL

    # A decoder of another version may read what this one refuses.
    return f"{FORMAT} pillow {PIL.__version__} imagehash {imagehash.__version__}"
