"""Addresses beside those of Gradio: uploads come in, the files of an answer go out."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from gradio.route_utils import upload_fn
from gradio.routes import file_upload_statuses
from starlette.formparsers import MultiPartException

from emotion.demo.answers import Answer
from emotion.demo.desk import Desk
from emotion.demo.downloads import to_archive, to_csv, to_json_lines
from emotion.demo.limits import Limits
from emotion.demo.ranges import part_of
from emotion.demo.uploads import Uploads

RECORDS: Mapping[str, tuple[Callable[[Answer], bytes], str]] = {
    "answers.csv": (to_csv, "text/csv; charset=utf-8"),
    "answers.jsonl": (to_json_lines, "application/jsonl; charset=utf-8"),
}
ARCHIVE = "pictures.zip"


def add_routes(application: FastAPI, desk: Desk, uploads: Uploads) -> None:
    """Adds the addresses, before Gradio's: the first that fits answers.

    Args:
        application: to which.
        desk: has the answers.
        uploads: take what comes in.
    """

    @application.post("/gradio_api/upload")
    async def upload(request: Request, upload_id: str | None = None) -> Response:
        return await _take_in(request, upload_id, uploads, desk.answerer.limits)

    @application.get("/answers/{token}/{name}")
    def give_out(token: str, name: str, range: Annotated[str, Header()] = "") -> Response:
        answer = desk.sessions.find(token)
        if answer is None:
            raise HTTPException(404, "these photos are no longer here; drop them again")
        return _file(answer, name, range)


async def _take_in(
    request: Request, upload_id: str | None, uploads: Uploads, limits: Limits
) -> Response:
    """Stores what is uploaded in a folder of its own, or says why not."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        return PlainTextResponse("its length is missing", 411)
    if int(length) > limits.request_bytes:
        async for _ in request.stream():  # or the browser would see no answer
            pass
        return PlainTextResponse(f"Too much at once. {limits}", 413)
    folder = uploads.new()
    progress = file_upload_statuses if upload_id else None
    try:
        files, _, _ = await upload_fn(
            request, folder, limits.file_bytes, upload_id, upload_progress=progress
        )
    except MultiPartException:
        uploads.remove(folder)
        return PlainTextResponse(f"Too large. {limits}", 413)
    except BaseException:  # the browser was closed, say
        uploads.remove(folder)
        raise
    if reason := limits.refuse_count(len(files)):
        uploads.remove(folder)
        return PlainTextResponse(reason, 413)
    return JSONResponse([str(file) for file in files])


def _file(answer: Answer, name: str, wanted: str) -> Response:
    if name in RECORDS:
        write, kind = RECORDS[name]
        return Response(write(answer), media_type=kind, headers=_saved_as(name))
    if name == ARCHIVE:
        return StreamingResponse(
            to_archive(answer), media_type="application/zip", headers=_saved_as(name)
        )
    stem, _, ending = name.partition(".")
    number = int(stem) if stem.isascii() and stem.isdigit() and len(stem) < 6 else -1
    if number not in range(len(answer.files)):
        raise HTTPException(404, "no such file")
    answered = answer.files[number]
    film = answered.film
    contents = {
        "jpg": (answered.drawn, "image/jpeg"),
        "mp4": (film.drawn if film else None, "video/mp4"),
        "png": (film.timeline if film else None, "image/png"),
    }
    content, kind = contents.get(ending, (None, ""))
    if not content:
        raise HTTPException(404, "no such file")
    return _part(content, kind, wanted)


def _part(content: bytes, kind: str, wanted: str) -> Response:
    """Gives all of a file, or the part of it that a video player asks for."""
    headers = {"accept-ranges": "bytes"}
    part = part_of(wanted, len(content))
    if part is None:
        return Response(content, media_type=kind, headers=headers)
    headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return Response(content[part.start : part.stop], 206, headers, kind)


def _saved_as(name: str) -> dict[str, Any]:
    return {"content-disposition": f'attachment; filename="{name}"'}
