"""From Gradio's events to the desk, and from what it says to Gradio's parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from emotion.demo.desk import Desk, Shown, slider_value
from emotion.demo.samples import samples
from emotion.demo.uploads import Upload, UploadError, Uploads

Updates = tuple[Any, ...]  # of the parts that an event may change


@dataclass(frozen=True)
class Handlers:
    """What is done when the visitor does something.

    Gradio looks at the types of arguments: it gives its `Request` and `EventData` by itself.

    Attributes:
        desk: does the work.
        uploads: where Gradio leaves what was dropped.
    """

    desk: Desk
    uploads: Uploads

    def answer(
        self, given: list[Upload], model: int, upsample: int, slider: float, request: gr.Request
    ) -> Iterator[Updates]:
        """Answers what was dropped or taken, and empties the box for the next."""
        if not given:
            return
        try:
            photos = self.uploads.take(given, self.desk.answerer.limits)
        except UploadError as error:
            yield None, *_updates(self.desk.refuse(str(error)))
            return
        choice = self.desk.choice(model, upsample, slider)
        for shown in self.desk.answer(_page(request), photos, choice):
            yield None, *_updates(shown)

    def answer_sample(
        self, model: int, upsample: int, slider: float, request: gr.Request, event: gr.EventData
    ) -> Iterator[Updates]:
        """Answers the drawing that was clicked on."""
        photo = samples()[int(event.sample)]
        choice = self.desk.choice(model, upsample, slider)
        for shown in self.desk.answer(_page(request), [photo], choice):
            yield _updates(shown)

    def change(
        self, model: int, upsample: int, slider: float, request: gr.Request
    ) -> Iterator[Updates]:
        """Answers again with other settings."""
        choice = self.desk.choice(model, upsample, slider)
        for shown in self.desk.change(_page(request), choice):
            yield _updates(shown)

    def change_model(self, model: int, upsample: int, request: gr.Request) -> Iterator[Updates]:
        """Answers again with another model, and moves the slider to the threshold of that."""
        slider = slider_value(self.desk.answerer.models[model])
        yield slider, *_updates(Shown())
        for updates in self.change(model, upsample, slider, request):
            yield slider, *updates

    def look(self, request: gr.Request, event: gr.EventData) -> Updates:
        """Takes a closer look at the face that was clicked on."""
        return _updates(self.desk.look(_page(request), int(event.file), int(event.face)))

    def close(self, request: gr.Request) -> None:
        """Forgets a page that was closed."""
        self.desk.sessions.forget(_page(request))


def _updates(shown: Shown) -> Updates:
    parts = (shown.status, shown.answer, shown.face)
    return tuple(gr.skip() if part is None else part for part in parts)


def _page(request: gr.Request) -> str:
    return str(request.session_hash)
