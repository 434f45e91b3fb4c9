"""From Gradio's events to the desk: what was dropped is taken and the box emptied."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from tests.demo.visitors import desk, model, photo

from emotion.demo.handlers import Handlers
from emotion.demo.uploads import Upload, Uploads

REQUEST: Any = SimpleNamespace(session_hash="page")
SKIPPED = gr.skip()


@pytest.fixture
def handlers(tmp_path: Path) -> Handlers:
    return Handlers(desk(model("a"), model("b", threshold=0.7)), Uploads(tmp_path))


def dropped(handlers: Handlers, *levels: int) -> list[Upload]:
    path = handlers.uploads.new() / "stored.png"
    path.write_bytes(photo("a.png", *levels).content)
    return [Upload(path, "a.png")]


def event(**data: int) -> Any:
    return SimpleNamespace(**data)


def test_what_was_dropped_is_answered_and_the_box_is_empty_at_once(handlers: Handlers) -> None:
    updates = list(handlers.answer(dropped(handlers, 3), 0, 0, 0.0, REQUEST))
    assert [update[0] for update in updates] == [None, None]
    assert updates[0][2:] == (SKIPPED, SKIPPED)
    assert "smile 60%" in updates[-1][2]
    assert not list(handlers.uploads.folder.iterdir())


def test_nothing_and_too_much_are_no_answers(handlers: Handlers) -> None:
    assert list(handlers.answer([], 0, 0, 0.0, REQUEST)) == []
    many = [upload for _ in range(21) for upload in dropped(handlers, 1)]
    (update,) = handlers.answer(many, 0, 0, 0.0, REQUEST)
    assert "21 files at once; this page takes 20" in update[1]
    assert update[2:] == (SKIPPED, SKIPPED)
    assert not list(handlers.uploads.folder.iterdir())


def test_a_drawing_is_answered(handlers: Handlers) -> None:
    (*_, update) = handlers.answer_sample(0, 0, 0.0, REQUEST, event(sample=1))
    assert "drawing-2.jpg" in update[1]


def test_another_model_brings_its_own_threshold(handlers: Handlers) -> None:
    list(handlers.answer(dropped(handlers, 3), 0, 0, 0.0, REQUEST))
    updates = list(handlers.change_model(1, 0, REQUEST))
    assert [update[0] for update in updates] == [0.7] * len(updates)
    assert "unsure (smile 60%)" in updates[-1][2]
    assert list(handlers.change(1, 0, 0.7, REQUEST)) == []  # the slider has moved by itself
    (*_, update) = handlers.change(1, 0, 0.5, REQUEST)
    assert "1 · smile 60%" in update[1]


def test_another_model_before_any_photo_only_moves_the_slider(handlers: Handlers) -> None:
    assert list(handlers.change_model(1, 0, REQUEST)) == [(0.7, SKIPPED, SKIPPED, SKIPPED)]


def test_a_face_is_looked_at_and_a_closed_page_forgotten(handlers: Handlers) -> None:
    list(handlers.answer(dropped(handlers, 3), 0, 0, 0.0, REQUEST))
    assert "Face 1 in a.png" in handlers.look(REQUEST, event(file=0, face=0))[2]
    handlers.close(REQUEST)
    assert "no longer here" in handlers.look(REQUEST, event(file=0, face=0))[0]
