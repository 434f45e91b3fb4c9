"""What the page shows: answers in words and bars, and nothing that a name or a file slips in."""

from dataclasses import replace
from typing import Any

import pytest
from lxml import html
from tests.demo.visitors import answerer, photo
from tests.stand_ins import LABELS

from emotion.demo.answers import Answer, Answered, Choice
from emotion.demo.limits import Limits
from emotion.demo.photos import Photo
from emotion.demo.views import (
    MOST_UPSAMPLING,
    bars_of,
    colour_of,
    show_answer,
    show_face,
    show_heading,
    show_limits,
    show_samples,
    show_status,
    summarise,
    told_of,
)
from emotion.inference.drawn.drawing import COLOURS

EVIL = '<img src=x onerror="hacked()">"\'&\u202e.png'


def answer(*photos: Photo, choice: Choice | None = None) -> Answer:
    chosen = choice or Choice()
    return Answer(tuple(answerer().answered(photos, chosen)), chosen, LABELS)


def shown(found: Answer, **changes: Any) -> Any:
    text = show_answer(found, "TOKEN", "the model", **{"fresh": True, **changes})
    return html.fragment_fromstring(text, create_parent=True)


def test_each_face_is_a_button_with_its_name_and_five_bars() -> None:
    page = shown(answer(photo("a.png", 1, 3)))
    cards = page.find_class("em-card")
    assert [card.find_class("em-answered")[0].text_content() for card in cards] == [
        "1 · anger 60%",
        "2 · smile 60%",
    ]
    assert [(card.get("data-file"), card.get("data-face")) for card in cards] == [
        *(("0", "0"), ("0", "1")),
    ]
    rows = cards[0].find_class("em-row")
    assert [row.find_class("em-class")[0].text for row in rows] == list(LABELS)
    widths = [row.find_class("em-track")[0][0].get("style") for row in rows]
    assert widths[1] == f"width:60.0%;background:{COLOURS[1]}"
    assert [width.startswith("width:10.0%") for width in widths] == [True, False, True, True, True]


def test_a_spot_lies_over_each_face_of_the_photo() -> None:
    (spot,) = shown(answer(photo("a.png", 2))).find_class("em-spot")
    assert spot.get("style") == "left:3.33%;top:18.75%;width:26.67%;height:40.00%"
    assert (spot.get("tabindex"), spot.get("aria-hidden")) == ("-1", "true")  # the cards have both


def test_answers_are_counted_and_can_be_saved() -> None:
    page = shown(answer(photo("a.png", 1, 3), photo("b.png", 3), Photo("c.jpg", b"x")))
    assert page.find(".//h2").text == "3 faces in 3 files"
    assert [item.text_content().strip() for item in page.find_class("em-counts")[0]] == [
        "1 anger",
        "2 smile",
    ]
    links = [link.get("href") for link in page.find_class("em-downloads")[0].findall("a")]
    assert links == [f"answers/TOKEN/{name}" for name in (
        *("answers.csv", "answers.jsonl", "pictures.zip"),
    )]  # fmt: skip


def test_what_is_wrong_is_said_and_the_way_to_smaller_faces() -> None:
    found = answer(Photo("c.jpg", b""), photo("none.png"))
    reasons = [reason.text_content() for reason in shown(found).find_class("em-reason")]
    assert reasons[0] == "empty file"
    assert reasons[1].startswith("no face found; “Find faces” in the settings finds smaller ones")
    most = answer(photo("none.png"), choice=Choice(upsample=MOST_UPSAMPLING))
    assert shown(most).find_class("em-reason")[0].text_content() == "no face found"


def test_only_new_photos_are_scrolled_to() -> None:
    found = answer(photo("a.png", 1))
    assert shown(found).find_class("em-fresh")
    assert not shown(found, fresh=False).find_class("em-fresh")


def test_nothing_in_a_name_becomes_part_of_the_page() -> None:
    (file,) = answer(photo("a.png", 1)).files
    evil = replace(file, photo=Photo(EVIL, file.photo.content))
    pages = [
        show_answer(
            Answer((evil, Answered.failed(evil.photo, EVIL)), Choice(), (EVIL, *LABELS[1:])),
            "TOKEN",
            EVIL,
            fresh=True,
        ),
        show_face(evil, evil.faces[0], b"jpeg", EVIL),
        show_status(EVIL, mistake=True),
        show_heading([EVIL, EVIL]),
    ]
    for page in pages:
        assert "<img src=x" not in page
        assert "\u202e" not in page
        attributes = {
            name
            for element in html.fragment_fromstring(page, create_parent=True).iter()
            for name in element.attrib
        }
        assert not any(name.startswith("on") for name in attributes)


def test_a_closer_look_has_the_crop_the_numbers_the_reason_and_the_heat_map() -> None:
    (file,) = answer(photo("a.png", 1), choice=Choice(threshold=0.7)).files
    text = show_face(file, file.faces[0], b"heat", None)
    page = html.fragment_fromstring(text, create_parent=True)
    assert page.find(".//h2").text == "unsure (anger 60%)"
    assert [number.text for number in page.find_class("em-number")] == [
        *("10%", "60%", "10%", "10%", "10%")
    ]
    assert len(page.findall(".//figure")) == 2
    assert "so it stays unsure" in page.text_content()
    assert "Grad-CAM" in page.text_content()
    without = show_face(file, file.faces[0], None, "none, since it is exported")
    page = html.fragment_fromstring(without, create_parent=True)
    assert len(page.findall(".//figure")) == 1
    assert "none, since it is exported" in page.text_content()
    assert "Grad-CAM" not in page.text_content()


def test_the_top_says_what_it_cannot_know() -> None:
    text = show_heading(["smile", "sad", "anger"])
    assert "named smile, sad or anger." in text
    assert "not what the" in text
    assert "Decide nothing about anybody by it" in text
    assert "named smile." in show_heading(["smile"])


def test_limits_are_there_for_readers_and_for_the_script() -> None:
    limits = Limits(megabytes=2, photos=3)
    page = html.fragment_fromstring(show_limits(limits))
    assert page.text_content().startswith(str(limits))
    assert (page.get("data-most"), page.get("data-bytes")) == ("3", "2000000")
    assert (page.get("data-many"), page.get("data-large")) == (limits.too_many, limits.too_large)


def test_samples_are_buttons_with_names() -> None:
    page = html.fragment_fromstring(show_samples([photo("a.png"), photo("b.png")]))
    buttons = page.findall(".//button")
    assert [button.get("data-sample") for button in buttons] == ["0", "1"]
    assert [button.get("aria-label") for button in buttons] == ["Drawing 1", "Drawing 2"]


@pytest.mark.parametrize(
    ("settings", "role", "name"),
    [({}, "status", "em-said"), ({"busy": True}, "status", "em-busy"),
     ({"mistake": True}, "alert", "em-mistake")],
)  # fmt: skip
def test_a_status_is_read_aloud(settings: dict[str, bool], role: str, name: str) -> None:
    (line,) = html.fragment_fromstring(show_status("text", **settings))
    assert (line.get("role"), line.text) == (role, "text")
    assert name in line.get("class").split()


def test_an_answer_in_a_sentence() -> None:
    assert summarise(answer(photo("a.png", 1, 3))) == "Done: 1 file, 2 faces found."


def test_colours_are_those_of_the_drawn_pictures() -> None:
    (file,) = answer(photo("a.png", 1)).files
    face = file.faces[0].prediction
    assert [bar["colour"] for bar in bars_of(face)] == list(COLOURS[:5])
    assert colour_of(LABELS, "unsure") == ""
    assert told_of(face) == "anger 60%"
