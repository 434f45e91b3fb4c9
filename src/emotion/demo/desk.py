"""What happens when a visitor does something: from photos and settings to HTML."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from emotion.demo.answering import Answerer, Stopped
from emotion.demo.answers import Answer, Answered, Choice
from emotion.demo.explanations import NO_GRADIENTS, Explainer, can_explain
from emotion.demo.faces import Face
from emotion.demo.photos import Photo
from emotion.demo.sessions import Session, Sessions
from emotion.demo.views import show_answer, show_face, show_no_face, show_status, summarise
from emotion.errors import ConfigError
from emotion.models import Model
from emotion.pages.texts import counted

FORGOTTEN = "These photos are no longer here; drop them again."


@dataclass(frozen=True)
class Shown:
    """What changes on the page; None leaves a part as it is.

    Attributes:
        status: the line that says what is being done.
        answer: all answers.
        face: the closer look.
    """

    status: str | None = None
    answer: str | None = None
    face: str | None = None


@dataclass(frozen=True)
class Desk:
    """Answers visitors; may be called from several threads.

    Attributes:
        answerer: finds and names faces.
        names: of the models, as the page shows them.
        sessions: who has which answer.
        explainer: makes heat maps.
    """

    answerer: Answerer
    names: Sequence[str]
    sessions: Sessions = field(default_factory=Sessions)
    explainer: Explainer = field(default_factory=Explainer)

    def choice(self, model: int, upsample: int, slider: float) -> Choice:
        """Gives what the settings say; a slider that nobody moved is the model's own threshold."""
        own = self.answerer.models[model].threshold
        if slider == slider_value(self.answerer.models[model]):
            return Choice(model, upsample, own)
        return Choice(model, upsample, slider)

    def answer(self, page: str, photos: Sequence[Photo], choice: Choice) -> Iterator[Shown]:
        """Answers photos, and tells how far it is; ends early where newer ones are dropped.

        Args:
            page: what the visitor's page calls itself.
            photos: what was dropped; one or more.
            choice: with what they are answered.
        """
        session = self.sessions.of(page)
        session.asked += 1
        asked = session.asked
        yield Shown(show_status(f"Looking at {counted(len(photos), 'file')} …", busy=True))
        with session.turn, suppress(Stopped):
            yield from self._answer(page, photos, choice, asked, fresh=True)

    def change(self, page: str, choice: Choice) -> Iterator[Shown]:
        """Answers the same photos with other settings, where there are any."""
        session = self.sessions.of(page)
        with session.turn, suppress(Stopped):
            asked, answer = session.asked, session.answer
            if answer is None or answer.choice == choice:
                return
            if replace(answer.choice, threshold=choice.threshold) == choice:
                files = self.answerer.below(answer, choice.threshold).files
                yield self._kept(page, files, choice, fresh=False)
            else:
                yield Shown(show_status("Looking again …", busy=True))
                yield from self._answer(page, answer.photos, choice, asked, fresh=False)

    def _answer(
        self, page: str, photos: Sequence[Photo], choice: Choice, asked: int, fresh: bool
    ) -> Iterator[Shown]:
        session = self.sessions.of(page)
        if session.asked != asked:
            return
        files: list[Answered] = []
        for answered in self.answerer.answered(photos, choice):
            if session.asked != asked:
                return
            files.append(answered)
            if len(files) < len(photos):
                told = f"Looking at {counted(len(photos), 'file')} … {len(files)} done"
                yield Shown(show_status(told, busy=True))
        yield self._kept(page, tuple(files), choice, fresh)

    def look(self, page: str, file: int, face: int) -> Shown:
        """Takes a closer look at a face.

        Args:
            page: what the visitor's page calls itself.
            file: number of the file in the answer, from 0.
            face: number of the face in the file, from 0.
        """
        session = self.sessions.of(page)
        found = _find(session, file, face)
        if session.answer is None or found is None:
            return Shown(show_status(FORGOTTEN, mistake=True))
        answered, seen = found
        heat, note = self._heat_map(self.answerer.models[session.answer.choice.model], seen)
        return Shown(show_status(""), face=show_face(answered, seen, heat, note))

    def refuse(self, reason: str) -> Shown:
        """Says that something cannot be done, and how it can."""
        return Shown(show_status(reason, mistake=True))

    def _kept(self, page: str, files: tuple[Answered, ...], choice: Choice, fresh: bool) -> Shown:
        answer = Answer(files, choice, self.answerer.labels(choice))
        token = self.sessions.keep(page, answer)
        shown = show_answer(answer, token, self.names[choice.model], fresh=fresh)
        return Shown(show_status(summarise(answer)), shown, show_no_face())

    def _heat_map(self, model: Model, face: Face) -> tuple[bytes | None, str | None]:
        if not can_explain(model):
            return None, NO_GRADIENTS
        try:
            return self.explainer.heat_map(model, face), None
        except ConfigError as error:
            return None, str(error)


def slider_value(model: Model) -> float:
    """Gives where the slider stands for a model's own threshold: at two digits, as it moves."""
    return round(model.threshold or 0.0, 2)


def _find(session: Session, file: int, face: int) -> tuple[Answered, Face] | None:
    answer = session.answer
    if answer is None or file not in range(len(answer.files)):
        return None
    answered = answer.files[file]
    return (answered, answered.faces[face]) if face in range(len(answered.faces)) else None
