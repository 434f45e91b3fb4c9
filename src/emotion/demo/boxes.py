"""Gradio's box for files and its camera, handing over what was dropped untouched.

By themselves they would decode it, write it anew, or leave empty files behind. They are changed one
by one, since Gradio writes a file beside the source of each class that is derived from its own.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from emotion.demo.uploads import Upload


def drop_box(**settings: Any) -> gr.File:
    """Makes a box for any number of files; its handler gets a list of `Upload`."""
    box = gr.File(file_count="multiple", **settings)
    box.preprocess = _files  # type: ignore[method-assign, assignment]
    return box


def camera_box(**settings: Any) -> gr.Image:
    """Makes a camera; its handler gets a list of one `Upload`, the photo as the browser made it."""
    camera = gr.Image(sources=["webcam"], **settings)
    camera.preprocess = _photo  # type: ignore[method-assign, assignment]
    return camera


def _files(payload: Any) -> list[Upload]:
    return [
        Upload(Path(file.path), file.orig_name or Path(file.path).name) for file in payload or []
    ]


def _photo(payload: Any) -> list[Upload]:
    if payload is None or payload.path is None:
        return []
    return [Upload(Path(payload.path), f"camera{Path(payload.path).suffix}")]
