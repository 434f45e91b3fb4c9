"""Addresses beside Gradio's: uploads come in within limits, the files of an answer go out."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.demo.visitors import desk, film_of, photo

from emotion.demo.answers import Choice
from emotion.demo.desk import Desk
from emotion.demo.downloads import to_csv, to_json_lines
from emotion.demo.limits import Limits
from emotion.demo.photos import Photo
from emotion.demo.routes import add_routes
from emotion.demo.uploads import Uploads

LIMITS = Limits(megabytes=0.01, photos=2)


class Visit:
    """A page in a browser."""

    def __init__(self, folder: Path) -> None:
        self.desk: Desk = desk(limits=LIMITS)
        self.folder = folder
        application = FastAPI()
        add_routes(application, self.desk, Uploads(folder))
        self.client = TestClient(application)

    def answer(self, *photos: Photo) -> str:
        """Answers photos; gives the token."""
        list(self.desk.answer("page", photos, Choice()))
        return self.desk.sessions.of("page").token

    def upload(self, *contents: bytes, **settings: Any) -> Any:
        files = [("files", (f"{number}.jpg", one)) for number, one in enumerate(contents)]
        return self.client.post("/gradio_api/upload", files=files, **settings)


@pytest.fixture
def visit(tmp_path: Path) -> Visit:
    folder = tmp_path / "work"
    folder.mkdir()
    return Visit(folder)


def test_uploads_of_the_same_photo_lie_apart(visit: Visit) -> None:
    (first,), (second,) = visit.upload(b"photo").json(), visit.upload(b"photo").json()
    assert Path(first).read_bytes() == Path(second).read_bytes() == b"photo"
    assert (
        Path(first).relative_to(visit.folder).parts[0]
        != (Path(second).relative_to(visit.folder).parts[0])
    )
    assert Path(first).name == "0.jpg"


def test_several_files_come_in_their_order(visit: Visit) -> None:
    paths = visit.upload(b"one", b"two").json()
    assert [Path(path).read_bytes() for path in paths] == [b"one", b"two"]


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ([bytes(10_001)], "Too large. Up to 2 files of 0.01 MB"),
        ([b"a", b"b", b"c"], "3 files at once; this page takes 2. Drop fewer."),
        ([bytes(2_000_000)], "Too much at once. Up to 2 files"),
    ],
)
def test_too_much_is_refused_and_not_kept(visit: Visit, contents: list[bytes], said: str) -> None:
    answer = visit.upload(*contents)
    assert answer.status_code == 413
    assert said in answer.text
    assert not list(visit.folder.iterdir())


def test_an_upload_without_a_length_or_files_is_refused(visit: Visit) -> None:
    endless = visit.client.post("/gradio_api/upload", content=iter([b"x"]))
    assert endless.status_code == 411
    other = visit.client.post("/gradio_api/upload", content=b"x")
    assert other.status_code == 400
    assert not list(visit.folder.iterdir())


def test_what_breaks_off_leaves_nothing(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    async def vanish(*_: object, **__: object) -> None:
        raise ConnectionError("the browser was closed")

    monkeypatch.setattr("emotion.demo.routes.upload_fn", vanish)
    with pytest.raises(ConnectionError):
        visit.upload(b"photo")
    assert not list(visit.folder.iterdir())


def test_records_and_pictures_are_given_out(visit: Visit) -> None:
    token = visit.answer(photo("a.png", 1), Photo("b.jpg", b"x"))
    answer = visit.desk.sessions.find(token)
    assert answer is not None
    for name, content, kind in (
        ("answers.csv", to_csv(answer), "text/csv; charset=utf-8"),
        ("answers.jsonl", to_json_lines(answer), "application/jsonl; charset=utf-8"),
        ("0.jpg", answer.files[0].drawn, "image/jpeg"),
    ):
        given = visit.client.get(f"/answers/{token}/{name}")
        assert given.content == content
        assert given.headers["content-type"] == kind
    csv = visit.client.get(f"/answers/{token}/answers.csv")
    assert csv.headers["content-disposition"] == 'attachment; filename="answers.csv"'
    archive = visit.client.get(f"/answers/{token}/pictures.zip")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert opened.namelist() == ["0001_a.jpg"]


def test_a_video_is_given_out_in_parts(visit: Visit, tmp_path: Path) -> None:
    token = visit.answer(film_of(tmp_path / "a.mp4", "a.mp4", 2))
    answer = visit.desk.sessions.find(token)
    assert answer is not None
    film = answer.files[0].film
    assert film is not None
    assert film.drawn is not None
    whole = visit.client.get(f"/answers/{token}/0.mp4")
    assert (whole.status_code, whole.content) == (200, film.drawn)
    assert whole.headers["accept-ranges"] == "bytes"
    part = visit.client.get(f"/answers/{token}/0.mp4", headers={"range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, film.drawn[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(film.drawn)}"
    assert visit.client.get(f"/answers/{token}/0.png").content == film.timeline


def test_what_is_not_there_is_not_found(visit: Visit) -> None:
    token = visit.answer(photo("a.png", 1), Photo("b.jpg", b"x"))
    for name in ("1.jpg", "2.jpg", "0.mp4", "0.png", "-1.jpg", "x.jpg", "0", "²3.jpg", "0.jpg.exe"):
        assert visit.client.get(f"/answers/{token}/{name}").status_code == 404
    for other in ("x", token[:-1], token.upper()):
        assert visit.client.get(f"/answers/{other}/0.jpg").status_code == 404
    visit.desk.sessions.forget("page")
    assert visit.client.get(f"/answers/{token}/0.jpg").status_code == 404
