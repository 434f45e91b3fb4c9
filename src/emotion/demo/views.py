"""What the page shows, as HTML: every value is escaped."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.demo.answers import Answer, Answered
from emotion.demo.explanations import circumstances, why
from emotion.demo.faces import Face
from emotion.demo.films import PER_SECOND
from emotion.demo.limits import Limits
from emotion.demo.photos import Photo
from emotion.inference.drawn.drawing import COLOURS
from emotion.inference.predictions import NO_FACE, UNSURE, FacePrediction
from emotion.pages.texts import counted, readable
from emotion.pages.thumbnails import file_uri

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_UPSAMPLING = 2  # that the page offers
FOLDER = Path(__file__).parent
STYLE, SCRIPT = FOLDER / "page.css", FOLDER / "page.js"


def show_heading(labels: Sequence[str]) -> str:
    """Gives the top of the page: what it does, and what such a classifier cannot know."""
    names = [readable(label, 40) for label in labels]
    told = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
    return _render("heading.html", names=told)


def show_limits(limits: Limits) -> str:
    """Gives how much may be dropped, and what becomes of it."""
    return _render("limits.html", limits=limits)


def show_samples(photos: Sequence[Photo]) -> str:
    """Gives the drawn pictures to begin with, each a button."""
    return _render("samples.html", photos=[file_uri(photo.content, "jpeg") for photo in photos])


def show_status(text: str, *, busy: bool = False, mistake: bool = False) -> str:
    """Gives one line that is also read aloud: what is being done, or what is wrong."""
    return _render("status.html", text=text, busy=busy, mistake=mistake)


def show_answer(answer: Answer, token: str, model: str, *, fresh: bool) -> str:
    """Gives all answers.

    Args:
        answer: what to show.
        token: of the answer in addresses.
        model: its name.
        fresh: whether the photos are new to the page.
    """
    counts = {name: answer.counts[name] for name in (*answer.labels, UNSURE)}
    return _render(
        "answer.html",
        files=answer.files,
        faces=sum(counts.values()),
        counts={name: count for name, count in counts.items() if count},
        address=f"answers/{token}",
        model=model,
        fresh=fresh,
        labels=answer.labels,
        no_face=NO_FACE,
        most=answer.choice.upsample == MOST_UPSAMPLING,
        per_second=PER_SECOND,
    )


def show_face(answered: Answered, face: Face, heat: bytes | None, note: str | None) -> str:
    """Gives a closer look at one face.

    Args:
        answered: the file that it is in.
        face: which one.
        heat: its heat map, a JPEG file; None where there is none.
        note: why there is none.
    """
    return _render(
        "face.html",
        name=answered.photo.name,
        face=face.prediction,
        picture=face.picture,
        heat=heat,
        note=note,
        why=why(face.prediction),
        circumstances=circumstances(face),
    )


def show_begin() -> str:
    """Gives what stands in the place of the answers before there are any."""
    return _render("begin.html")


def show_no_face() -> str:
    """Gives what stands in the place of a closer look as long as no face was chosen."""
    return _render("no_face.html")


def summarise(answer: Answer) -> str:
    """Gives one line about an answer, for whoever only hears it."""
    faces = sum(answer.counts.values())
    return f"Done: {counted(len(answer.files), 'file')}, {counted(faces, 'face')} found."


def bars_of(face: FacePrediction) -> list[dict[str, Any]]:
    """Gives name, share and colour of each class, in their order."""
    return [
        {"name": name, "share": share, "colour": colour_of(face.probabilities, name)}
        for name, share in face.probabilities.items()
    ]


def colour_of(probabilities: Mapping[str, float] | Sequence[str], name: str) -> str:
    """Gives the colour that a class has on drawn pictures; "" for what is no class."""
    labels = list(probabilities)
    return COLOURS[labels.index(name) % len(COLOURS)] if name in labels else ""


def place_of(answered: Answered, face: Face) -> dict[str, str]:
    """Gives where a face is in its photo, in percent of width and height."""
    width, height = answered.size
    box = face.prediction.detection.box
    shares = {
        "left": box.left / width,
        "top": box.top / height,
        "width": box.width / width,
        "height": box.height / height,
    }
    return {side: f"{100 * share:.2f}%" for side, share in shares.items()}


def told_of(face: FacePrediction) -> str:
    """Gives a face's answer in words: "smile 87%", "unsure (smile 41%)"."""
    share = f"{readable(face.emotion, 40)} {face.probabilities[face.emotion]:.0%}"
    return share if face.answer == face.emotion else f"{UNSURE} ({share})"


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["readable"] = readable
    environment.filters["jpeg"] = lambda content: file_uri(content, "jpeg")
    environment.globals.update(
        counted=counted, bars_of=bars_of, colour_of=colour_of, place_of=place_of, told_of=told_of
    )
    return environment
